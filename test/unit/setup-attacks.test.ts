// Attacks on the module's own pages over real sockets: the web server of the computer, the whole module behind it.
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SetupServer, startSetupServer } from "../../host-sim/net/setup-server.js";
import { FileFlash } from "../../host-sim/runtime/file-flash.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";

const SECRET = "7KQ2-M9XV-4T8B-D3NH-P";
const HOUR = 3_600_000;

let bench: VirtualBench;
let server: SetupServer;
let port: number;
let queue = Promise.resolve<unknown>(undefined);

beforeAll(async () => {
  bench = new VirtualBench({
    engine: nodeEngine(),
    flash: FileFlash.blank(),
    web: { ownerSecret: SECRET },
  });
  await bench.run(5000);
  // The virtual bench takes one question at a time, as the module does.
  server = await startSetupServer(
    0,
    (request) => (queue = queue.then(() => bench.page(request))) as ReturnType<typeof bench.page>,
    { headMs: 700, requestMs: 1500 },
  );
  port = Number(new URL(server.url).port);
});
afterAll(() => server.close());

interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Sends raw text and reads until the other side closes. Status 0: closed without a word. */
async function raw(text: string | ((socket: Socket) => void)): Promise<Answer & { readonly ms: number }> {
  const began = performance.now();
  return await new Promise((done) => {
    let all = "";
    const socket = connect(port, "127.0.0.1", () => {
      if (typeof text === "string") socket.write(text);
      else text(socket);
    });
    socket.on("data", (chunk) => (all += chunk.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      const [head = "", ...rest] = all.split("\r\n\r\n");
      const [first = "", ...lines] = head.split("\r\n");
      const headers = new Map(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
      done({
        status: Number(first.split(" ")[1] ?? 0),
        headers: new Map([...headers].map(([name, value]) => [name.toLowerCase(), value])),
        body: rest.join("\r\n\r\n"),
        ms: performance.now() - began,
      });
    });
  });
}

function request(method: string, target: string, headers: Record<string, string> = {}, body = ""): string {
  const own = { host: `127.0.0.1:${port}`, ...headers };
  const length = method === "POST" ? `content-length: ${Buffer.byteLength(body)}\r\n` : "";
  const lines = Object.entries(own).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join("")}${length}\r\n${body}`;
}

const login = (secret: string, headers: Record<string, string> = {}) =>
  raw(request("POST", "/login", headers, `secret=${encodeURIComponent(secret)}`));

async function cookie(): Promise<string> {
  await bench.run(11 * 60_000);
  const { headers } = await login(SECRET);
  return headers.get("set-cookie")!.split(";")[0]!;
}

async function failures(): Promise<number> {
  const { lines } = await bench.ask(
    { k: "journal", what: "security", role: "owner", format: "json" },
    "journal",
  );
  return lines.join("").split("login-failed").length - 1;
}

describe("guessing", () => {
  it("a hundred at once are one guess: the others wait and are not looked at, the right one among them neither", async () => {
    const before = await failures();
    const guesses = Array.from({ length: 100 }, (_, i) => login(i === 50 ? SECRET : `WRONG-${i}-WRONG`));
    const answers = await Promise.all(guesses);
    const looked = answers.filter(({ body }) => body.includes("That was not it"));
    expect(looked.length + answers.filter(({ status }) => status === 303).length).toBe(1);
    expect((await failures()) - before).toBeLessThanOrEqual(1);
    expect(answers.every(({ status }) => [429, 303, 0].includes(status))).toBe(true);
  });

  it("in six hours whoever tries without rest has fewer than 50 guesses at 80 bits", async () => {
    const before = await failures();
    let guesses = 0;
    for (const end = bench.nowMs + 6 * HOUR; bench.nowMs < end;) {
      const { body, headers } = await login("WRONG-WRONG-WRONG");
      if (body.includes("That was not it")) guesses++;
      await bench.run(1000 * Number(headers.get("retry-after")));
    }
    expect(guesses).toBeGreaterThan(30);
    expect(guesses).toBeLessThan(50);
    expect((await failures()) - before).toBeLessThanOrEqual(guesses);
  });

  it("keeps the owner out no longer than until he presses the module's button", async () => {
    await login("WRONG-WRONG-WRONG");
    expect((await login(SECRET)).status).toBe(429);
    await bench.button(2000);
    expect((await login(SECRET)).status).toBe(303);
  });
});

describe("a page elsewhere", () => {
  it.each([
    ["another origin", { origin: "http://evil.example" }],
    ["the same host, another port", { origin: "http://127.0.0.1:1" }],
    ["an opaque origin", { origin: "null" }],
    ["https of this address", { origin: "https://127.0.0.1" }],
    ["no origin, but another site", { "sec-fetch-site": "cross-site" }],
    ["a neighbour under the same site", { "sec-fetch-site": "same-site" }],
  ])("presses no button and logs nobody in: %s", async (_name, headers) => {
    const own = await cookie();
    expect((await raw(request("POST", "/order", { ...headers, cookie: own }, "do=boost"))).status).toBe(403);
    expect((await login(SECRET, headers)).status).toBe(403);
  });

  it("even with the cookie and no header at all lacks the form's word", async () => {
    const own = await cookie();
    for (const body of [
      "do=boost",
      "do=boost&form=",
      "do=boost&form=0",
      `do=boost&form=${own.split("=")[1]}`,
    ])
      expect((await raw(request("POST", "/order", { cookie: own }, body))).status).toBe(403);
    for (const target of ["/order?do=boost", "/forget?sure=forget", "/secret?new=1234567890"])
      await raw(request("GET", target, { cookie: own }));
    expect((await bench.ask({ k: "state" }, "state")).state["owner"]).toMatchObject({ boostLeftMs: 0 });
  });

  it.each([
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "ucm.local.evil.example",
    "127.1",
    "0x7f.0.0.1",
    "evil.example:80@127.0.0.1",
    " ",
  ])("reads nothing by a name that is bent to this address: %j", async (host) => {
    const own = await cookie();
    const { status, body } = await raw(request("GET", "/settings", { host, cookie: own }));
    expect([400, 421]).toContain(status);
    expect(body).not.toContain("Forget everything");
  });

  it("can put nothing of the module into a frame, nor read it from a script, nor keep it", async () => {
    const own = await cookie();
    for (const [method, target] of [
      ...["/", "/history", "/settings", "/setup", "/nothing"].map((path) => ["GET", path] as const),
      ...[["POST", "/order"] as const, ["PUT", "/"] as const, ["OPTIONS", "/"] as const],
    ]) {
      const { headers } = await raw(request(method, target, { cookie: own, origin: "" }));
      expect(headers.get("content-security-policy"), target).toContain("frame-ancestors 'none'");
      expect(headers.get("content-security-policy"), target).toContain("default-src 'none'");
      expect(headers.get("x-frame-options"), target).toBe("DENY");
      expect(headers.get("cache-control"), target).toBe("no-store");
      expect([...headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
  });
});

describe("the session", () => {
  it("is the module's choice: a cookie that was there before is worth nothing, before and after", async () => {
    await bench.run(11 * 60_000);
    const planted = "ucm=00112233445566778899aabbccddeeff";
    const { headers } = await login(SECRET, { cookie: planted });
    const given = headers.get("set-cookie")!;
    expect(given).not.toContain(planted);
    expect(given.split("; ").slice(1).sort()).toEqual(["HttpOnly", "Path=/", "SameSite=Strict"]);
    expect((await raw(request("GET", "/settings", { cookie: planted }))).body).not.toContain("Log out");
    // Two of the name: the planted one first does not hide the owner's.
    const both = `${planted}; ${given.split(";")[0]}`;
    expect((await raw(request("GET", "/settings", { cookie: both }))).body).toContain("Log out");
  });
});

describe("too much", () => {
  it("a huge head, a huge body, a body without end: refused, and the next is served", async () => {
    const huge = await raw(request("GET", "/", { cookie: "x".repeat(9000) }));
    expect([431, 0]).toContain(huge.status);
    expect((await raw(request("POST", "/login", {}, `secret=${"x".repeat(100_000)}`))).status).toBe(413);
    const said = `POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 999999999999\r\n\r\n`;
    expect((await raw(said)).status).toBe(413);
    const endless = await raw((socket) => {
      socket.write(`POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n`);
      const drip = setInterval(() => socket.write("400\r\n" + "x".repeat(0x400) + "\r\n"), 1);
      socket.on("close", () => clearInterval(drip));
    });
    expect([411, 413]).toContain(endless.status);
    expect((await raw(request("GET", "/"))).status).toBe(200);
  });

  it.each([
    ["nothing at all", (): void => undefined],
    ["a head, byte by byte", (socket: Socket) => drip(socket, `GET / HTTP/1.1\r\nx: ${"y".repeat(1000)}`)],
    [
      "a body, byte by byte",
      (socket: Socket) => {
        socket.write("POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 4000\r\n\r\n");
        drip(socket, "x".repeat(1000));
      },
    ],
  ])("a slow one is closed in time: %s", async (_name, send) => {
    const { ms } = await raw(send);
    expect(ms).toBeLessThan(15_000);
  });

  it("sixteen that say nothing keep the owner out for seconds, not for ever; each connection serves one request", async () => {
    const idle = Array.from({ length: 40 }, () => raw(() => undefined));
    await Promise.all(idle);
    const pipelined = await raw(request("GET", "/") + request("GET", "/style.css"));
    expect(pipelined.status).toBe(200);
    expect(pipelined.headers.get("connection")).toBe("close");
    expect(pipelined.body).not.toContain("color-scheme");
  });
});

function drip(socket: Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => socket.write(text[at++ % text.length]!), 20);
  socket.on("close", () => clearInterval(timer));
}
