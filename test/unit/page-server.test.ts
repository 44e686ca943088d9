/** The page's server answers this computer alone, gives out nothing but the page, and tells each page what it watches. */
import { request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { FromPage, ToPage } from "../../host-sim/bench/messages.js";
import { startPageServer, type PageServer } from "../../host-sim/bench/page-server.js";

let server: PageServer;
let port: number;
const asked: [FromPage, number][] = [];

function hello(charger: number): ToPage {
  return {
    ...{
      type: "hello",
      version: "0",
      runtime: "none",
      region: "us",
      seed: 1,
      vtnUrl: "",
      ownerUrl: "",
      ownerSecretFile: "",
    },
    ...{ chargers: 2, charger, faults: [], scenarios: [], samples: [], frames: [] },
  };
}

beforeAll(async () => {
  server = await startPageServer({
    port: 0,
    greeting: (charger) => [hello(charger === 2 ? 2 : 1)],
    command: (message, charger) => {
      asked.push([message, charger]);
      return message.do === "cancel" ? "there is no such event" : undefined;
    },
  });
  port = Number(new URL(server.url).port);
});
afterAll(() => server.close());

function get(path: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: "127.0.0.1", port, path, headers }, (response) => {
      let body = "";
      response.on("data", (chunk) => (body += String(chunk)));
      response.on("end", () => resolve({ status: response.statusCode!, body }));
    });
    asking.on("error", reject);
    asking.end();
  });
}

describe("files", () => {
  it("are the page's, with a policy that loads nothing from elsewhere", async () => {
    expect(await get("/")).toMatchObject({
      status: 200,
      body: expect.stringContaining("OpenUCM bench") as string,
    });
  });

  it.each([
    ["another Host (a rebound name)", "/", { host: "evil.example" }],
    ["another Host on our port", "/", { host: "evil.example:8045" }],
    ["a foreign Origin", "/", { origin: "https://evil.example" }],
    ["no origin at all, as of a sandboxed frame", "/", { origin: "null" }],
  ])("are refused with %s", async (_, path, headers) => {
    expect((await get(path, headers)).status).toBe(403);
  });

  it.each([
    "/../package.json",
    "/..%2f..%2fpackage.json",
    "/%2e%2e/%2e%2e/package.json",
    "//etc/passwd",
    "/assets/../../host-sim/cli/main.js",
  ])("outside the page's folder are not given: %s", async (path) => {
    const { status, body } = await get(path);
    expect(status).toBe(404);
    expect(body).not.toMatch(/openucm"|root:/);
  });

  it("are served on the loopback alone", async () => {
    const listening = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: "127.0.0.2" }, () => resolve(true));
      socket.on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
    expect(listening).toBe(false);
  });
});

function open(headers: Record<string, string> = {}, path = "/live"): Promise<WebSocket | number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
    socket.on("open", () => resolve(socket));
    socket.on("unexpected-response", (_request, response) => resolve(response.statusCode!));
    socket.on("error", () => resolve(-1));
  });
}

describe("the live connection", () => {
  const own = (): Record<string, string> => ({ origin: `http://127.0.0.1:${port}` });

  it("is refused to a page of elsewhere, to one without an Origin, and at another path", async () => {
    expect(await open({ origin: "https://evil.example" })).toBe(403);
    expect(await open({ origin: "null" })).toBe(403);
    expect(await open()).toBe(403);
    expect(await open({ ...own(), host: "evil.example" })).toBe(403);
    expect(await open(own(), "/other")).toBe(403);
  });

  it("tells each page what concerns the charger that it watches, and refuses in words", async () => {
    const sockets = [(await open(own())) as WebSocket, (await open(own())) as WebSocket];
    const told = sockets.map((socket) => {
      const list: ToPage[] = [];
      socket.on("message", (data) => list.push(JSON.parse(String(data)) as ToPage));
      return list;
    });
    const until = async (done: () => boolean): Promise<void> => {
      for (let i = 0; i < 6000 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
      expect(done()).toBe(true);
    };
    sockets[1]!.send(JSON.stringify({ do: "watch", charger: 2 }));
    await until(() => told[1]!.some((message) => message.type === "hello" && message.charger === 2));
    server.tell({ type: "done", text: "for the second" }, 2);
    server.tell({ type: "done", text: "for all" });
    await until(() =>
      told.every((list) => list.some((one) => one.type === "done" && one.text === "for all")),
    );
    const texts = told.map((list) => list.flatMap((one) => (one.type === "done" ? [one.text] : [])));
    expect(texts).toEqual([["for all"], ["for the second", "for all"]]);

    sockets[1]!.send(JSON.stringify({ do: "watch", charger: 99 }));
    sockets[1]!.send(JSON.stringify({ do: "unplug" }));
    sockets[1]!.send(JSON.stringify({ do: "cancel", id: "x" }));
    sockets[1]!.send("no json");
    sockets[1]!.send(JSON.stringify({ do: "event", level: "1" }));
    await until(() => told[1]!.filter((one) => one.type === "refused").length === 3);
    // There is no charger 99: the page watches the first, and what it asks for is asked of that.
    expect(asked.at(-2)).toEqual([{ do: "unplug" }, 1]);
    expect(told[1]!.flatMap((one) => (one.type === "refused" ? [one.text] : []))).toEqual([
      "there is no such event",
      "that is no command",
      expect.stringContaining("event.startInSeconds is missing") as string,
    ]);
    for (const socket of sockets) socket.terminate();
  });
});
