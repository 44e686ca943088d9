// The session of the 3.1 VEN: tokens, registration, sweeps, refusals, failing and coming back, leaving.
import { describe, expect, it } from "vitest";
import { at, BASE, Bench, event, object, problem, SECRET } from "./openadr3-harness.js";

const MINUTE = 60_000;

describe("start", () => {
  it("fetches a token, finds or makes its objects, and holds the events", () => {
    const bench = new Bench();
    bench.events = [event("e-1")];
    bench.start();
    expect(bench.asked).toEqual([
      "GET /auth/server",
      "POST /auth/token",
      "GET /programs?skip=0&limit=50",
      "GET /vens?venName=module-1&skip=0&limit=8",
      "POST /vens",
      "GET /resources?venID=VEN-1&resourceName=module-1&skip=0&limit=8",
      "POST /resources",
      "GET /events?skip=0&limit=8&active=true",
    ]);
    expect(bench.held).toMatchObject([{ id: "e-1", source: "utility", programme: "tou" }]);
    expect(bench.ven.status()).toMatchObject({ state: "online", fault: "" });
    expect(bench.ven.registration).toEqual({ venId: "VEN-1", resourceId: "RESOURCE-1" });
    bench.run(MINUTE);
    expect(bench.asked.slice(8)).toEqual(["GET /events?skip=0&limit=8&active=true"]);
  });

  it("finds its objects after a restart, and asks for what the utility has put it into", () => {
    const bench = new Bench();
    bench.vens = [object("VEN", "v-7", { venName: "module-1", targets: ["street 5"] })];
    bench.resources = [
      object("RESOURCE", "r-7", { venID: "v-7", resourceName: "module-1", targets: ["evse"] }),
    ];
    bench.start();
    expect(bench.asked.filter((one) => one.startsWith("POST"))).toEqual(["POST /auth/token"]);
    expect(bench.asked.filter((one) => one.includes("/events"))).toEqual([
      "GET /events?skip=0&limit=8&active=true",
      "GET /events?targets=street%205&targets=evse&skip=0&limit=8&active=true",
    ]);
  });

  it("is anonymous at a public server: programmes and events, nothing else", () => {
    const bench = new Bench({ clientId: undefined, clientSecret: undefined, programs: ["tou"] });
    bench.events = [
      event("e-1", { reportDescriptors: [{ payloadType: "USAGE" }] }),
      event("e-2", { programID: "p-2" }),
    ];
    bench.start().run(5 * MINUTE);
    expect(new Set(bench.asked)).toEqual(
      new Set(["GET /programs?skip=0&limit=50", "GET /events?programID=p-1&skip=0&limit=8&active=true"]),
    );
    expect(bench.held.map(({ id }) => id)).toEqual(["e-1"]);
    expect(
      bench.exchanges.every(({ request }) => request.headers.every(([name]) => name !== "authorization")),
    ).toBe(true);
  });

  it("refuses to send a secret without TLS, or to start without one", () => {
    const plain = new Bench({ url: "http://vtn.test/x" }).start();
    expect(plain.ven.status()).toMatchObject({ state: "stopped", fault: "openadr3-not-tls" });
    const bare = new Bench({ clientSecret: "" }).start();
    expect(bare.ven.status()).toMatchObject({ state: "stopped", fault: "openadr3-no-secret" });
    const lured = new Bench();
    lured.instead = (_, path) =>
      path === "/auth/server" ? { status: 200, body: { tokenURL: "http://evil.test/token" } } : undefined;
    lured.start();
    expect(lured.ven.status()).toMatchObject({ state: "failing", fault: "openadr3-not-tls" });
    expect(lured.exchanges.some(({ request }) => (request.body ?? "").includes("client_secret"))).toBe(false);
  });

  it("goes on without registration where the server takes none", () => {
    const bench = new Bench();
    bench.instead = (_, path) =>
      path.startsWith("/vens") ? { status: 501, body: problem(501, "no") } : undefined;
    bench.events = [event("e-1")];
    bench.start();
    expect(bench.ven.status().state).toBe("online");
    expect(bench.held).toHaveLength(1);
  });

  it("says so where no configured programme is there, and takes up one that comes", () => {
    const bench = new Bench({ programs: ["cpp"] });
    bench.start();
    expect(bench.ven.status()).toMatchObject({ state: "failing", fault: "openadr3-no-program" });
    bench.programs = [...bench.programs, object("PROGRAM", "p-9", { programName: "cpp" })];
    bench.run(10 * MINUTE);
    expect(bench.ven.status().state).toBe("online");
  });
});

describe("tokens", () => {
  it("encodes the secret, and tells it to nobody else", () => {
    const bench = new Bench().start();
    const [token] = bench.exchanges.filter(({ request }) => request.url.endsWith("/auth/token"));
    expect(token!.request.body).toBe(
      "grant_type=client_credentials&client_id=client-1&client_secret=a%20secret%20%26%20more",
    );
    const others = JSON.stringify([
      bench.exchanges.filter((one) => one !== token),
      bench.logs,
      bench.ven.status(),
    ]);
    expect(others).not.toContain(SECRET);
    expect(others).not.toContain("a%20secret");
  });

  it("renews before the end, and after 401 once at once", () => {
    const bench = new Bench().start();
    const tokens = () => bench.asked.filter((one) => one === "POST /auth/token").length;
    expect(tokens()).toBe(1);
    bench.run(61 * MINUTE);
    expect(tokens()).toBe(2);
    bench.goodToken = "token-2";
    bench.run(MINUTE + 1000);
    expect(tokens()).toBe(3);
    expect(bench.ven.status().state).toBe("online");
    expect(bench.exchanges.filter(({ status }) => status === 401)).toHaveLength(1);
  });

  it("backs off where a fresh token does not help, and keeps what was in force", () => {
    const bench = new Bench();
    bench.events = [event("e-1")];
    bench.start();
    const before = bench.replaced;
    bench.instead = (_, path) =>
      path.startsWith("/events") ? { status: 403, body: problem(403, "no scope") } : undefined;
    bench.run(60 * MINUTE);
    const refused = bench.exchanges.filter(({ status }) => status === 403).length;
    expect(refused).toBeGreaterThan(4);
    expect(refused).toBeLessThan(40);
    expect(bench.ven.status()).toMatchObject({ state: "failing", fault: "http-403" });
    expect(bench.ven.status().text).toContain("no scope");
    expect(bench.replaced).toBe(before);
    bench.instead = () => undefined;
    bench.run(20 * MINUTE);
    expect(bench.ven.status().state).toBe("online");
  });

  it("asks where the specification puts it when the server does not say where tokens are", () => {
    const bench = new Bench();
    bench.instead = (_, path) => (path === "/auth/server" ? { status: 404, body: "" } : undefined);
    bench.start();
    expect(bench.asked).toContain("POST /auth/token");
    expect(bench.ven.status().state).toBe("online");
  });

  it("does not ask for a token at every request where tokens live for seconds", () => {
    const bench = new Bench();
    bench.expiresIn = 5;
    bench.start();
    expect(bench.asked.filter((one) => one === "POST /auth/token")).toHaveLength(1);
  });
});

describe("sweeps", () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => event(`e-${i}`));

  it("reads all pages, each event once", () => {
    const bench = new Bench();
    bench.events = many(19);
    bench.start();
    expect(bench.held).toHaveLength(19);
    expect(bench.asked.filter((one) => one.includes("/events"))).toHaveLength(3);
  });

  it("cancels what has been deleted, at the next poll", () => {
    const bench = new Bench();
    bench.events = many(2);
    bench.start();
    bench.events = many(1);
    bench.run(MINUTE + 1000);
    expect(bench.held.map(({ id }) => id)).toEqual(["e-0"]);
  });

  it("does not lose an event that slips from one page to the other while another is deleted", () => {
    const bench = new Bench();
    bench.events = many(9);
    bench.start();
    const seen: number[] = [];
    let slip = true;
    bench.instead = (_, path) => {
      if (slip && path.includes("skip=8")) {
        slip = false;
        bench.events = bench.events.slice(1);
      }
      return undefined;
    };
    bench.run(MINUTE + 1000);
    seen.push(bench.held.length);
    expect(seen).toEqual([8]);
    expect(bench.held.some(({ id }) => id === "e-8")).toBe(true);
  });

  it("does not conclude anything from a sweep that breaks off", () => {
    const bench = new Bench();
    bench.events = many(9);
    bench.start();
    bench.instead = (_, path) => (path.includes("skip=8") ? "closed" : undefined);
    bench.run(3 * MINUTE);
    expect(bench.ven.status()).toMatchObject({ state: "failing", fault: "closed" });
    expect(bench.held).toHaveLength(9);
  });

  it.each([
    ["half a list", '[{"id":"e-0"'],
    ["no JSON", "[nonsense]"],
    ["an object", "{}"],
    ["nothing", ""],
    ["an event without id", "[{}]"],
    ["two lists", "[][]"],
    ["a missing element", "[,]"],
  ])("keeps what was in force when the answer is %s", (_, body) => {
    const bench = new Bench();
    bench.events = many(2);
    bench.start();
    bench.instead = (_request, path) => (path.startsWith("/events") ? { status: 200, body } : undefined);
    bench.run(2 * MINUTE);
    expect(bench.ven.status()).toMatchObject({ state: "failing", fault: "openadr3-json" });
    expect(bench.held).toHaveLength(2);
  });

  it("asks for fewer where an answer is too large, and leaves out what is too large alone", () => {
    const bench = new Bench();
    bench.events = [...many(3), event("huge", { eventName: "x".repeat(140_000) }), event("last")];
    bench.start().run(5000);
    expect(bench.held.map(({ id }) => id)).toEqual(["e-0", "e-1", "e-2", "last"]);
    expect(bench.logs.join()).toContain("larger than this module reads");
  });

  it("leaves out an element beyond its buffer, and one nested too deep", () => {
    const bench = new Bench();
    const deep = JSON.parse("[".repeat(500) + "]".repeat(500)) as unknown;
    bench.events = [
      event("big", { eventName: "x".repeat(30_000) }),
      event("deep", { intervals: deep }),
      event("e-0"),
    ];
    bench.start();
    expect(bench.held.map(({ id }) => id)).toEqual(["e-0"]);
  });

  it("does without `active` where the server does not know it", () => {
    const bench = new Bench();
    bench.instead = (_, path) =>
      path.includes("active") ? { status: 400, body: problem(400, "unknown parameter") } : undefined;
    bench.start().run(2 * MINUTE);
    expect(bench.ven.status().state).toBe("online");
    expect(bench.asked.filter((one) => one.includes("active"))).toHaveLength(1);
  });

  it("sees a change that the server's dates do not show, and no change where only the date is new", () => {
    const bench = new Bench();
    bench.events = [event("e-1")];
    bench.start();
    const first = bench.held[0]!.revision;
    bench.events = [event("e-1", {}, { SIMPLE: [2] })];
    bench.run(MINUTE + 1000);
    expect(bench.held[0]!.revision).toBeGreaterThan(first);
    const second = bench.held[0]!.revision;
    bench.events = [event("e-1", { modificationDateTime: at(30) }, { SIMPLE: [2] })];
    bench.run(MINUTE + 1000);
    expect(bench.held[0]!.revision).toBe(second);
  });

  it("comes soon after a hint, and keeps its period otherwise", () => {
    const bench = new Bench();
    bench.start();
    bench.run(10_000);
    bench.events = [event("e-1")];
    bench.ven.hint(bench.now);
    bench.run(15_100);
    expect(bench.held).toHaveLength(1);
  });

  it("waits as long as a server asks for", () => {
    const bench = new Bench();
    bench.start();
    bench.instead = () => ({ status: 503, body: "", headers: { "retry-after": "1800" } });
    bench.run(MINUTE + 100);
    const asked = bench.asked.length;
    bench.run(29 * MINUTE);
    expect(bench.asked).toHaveLength(asked);
    bench.run(2 * MINUTE);
    expect(bench.asked.length).toBeGreaterThan(asked);
  });

  it("tells once why an event is not followed", () => {
    const bench = new Bench();
    bench.events = [event("e-1", {}, { CURVE: [{ x: 1, y: 2 }] })];
    bench.start().run(10 * MINUTE);
    expect(bench.logs.filter((one) => one.includes("CURVE"))).toHaveLength(1);
    expect(bench.ven.status().state).toBe("online");
  });
});

describe("leaving", () => {
  it("ends what is in force, deletes its objects, and stops", () => {
    const bench = new Bench();
    bench.events = [event("e-1")];
    bench.start();
    bench.ven.deregister(bench.now);
    expect(bench.held).toEqual([]);
    bench.run(10 * MINUTE);
    expect(bench.asked.slice(-2)).toEqual(["DELETE /resources/RESOURCE-1", "DELETE /vens/VEN-1"]);
    expect([bench.vens, bench.resources]).toEqual([[], []]);
    expect(bench.ven.status()).toMatchObject({ state: "stopped", nextTryMs: Infinity });
  });

  it("ends also where the server is gone", () => {
    const bench = new Bench();
    bench.start();
    bench.instead = () => "refused";
    bench.ven.deregister(bench.now);
    bench.run(120 * MINUTE);
    expect(bench.ven.status().state).toBe("stopped");
  });

  it("changes the provider without a visit: another server's events take the place of the first one's", () => {
    const first = new Bench();
    first.events = [event("e-1")];
    first.start();
    first.ven.deregister(first.now);
    first.run(1000);
    const second = new Bench({ url: `${BASE}` });
    second.events = [event("e-2")];
    second.start();
    expect([first.held, second.held.map(({ id }) => id)]).toEqual([[], ["e-2"]]);
  });
});
