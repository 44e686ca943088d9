// How a server tells the 3.1 VEN that something has changed: MQTT and webhooks are hints to ask, polling goes on.
import { describe, expect, it } from "vitest";
import { Bench, event, object, problem, type Answer } from "./openadr3-harness.js";

const MINUTE = 60_000;
const broker = (more: Record<string, unknown> = {}): Answer => ({
  status: 200,
  body: {
    WEBHOOK: true,
    MQTT: {
      URIS: ["mqtts://broker.test"],
      serialization: "JSON",
      authentication: { method: "ANONYMOUS" },
      ...more,
    },
  },
});
const topics = (path: string): Answer => ({
  status: 200,
  body: { topics: { CREATE: `t/${path}/c`, UPDATE: `t/${path}/u`, DELETE: `t/${path}/d` } },
});
const TOPICS = "/notifiers/mqtt/topics/";

/** A bench whose server has a broker. */
function withBroker(
  answer: Answer = broker(),
  more: ConstructorParameters<typeof Bench>[0] = {},
  seed = 7,
): Bench {
  const bench = new Bench(more, { mqtt: true, seed });
  bench.instead = (_, path) => {
    if (path === "/notifiers") return answer;
    return path.startsWith(TOPICS) ? topics(path.slice(TOPICS.length)) : undefined;
  };
  return bench;
}
const up = (bench: Bench): void => bench.ven.onMqtt({ id: bench.subscribed!.id, ev: "up" }, bench.now);
const message = (bench: Bench): void =>
  bench.ven.onMqtt({ id: bench.subscribed!.id, ev: "message", topic: "t" }, bench.now);
const sweeps = (bench: Bench): number => bench.asked.filter((one) => one.startsWith("GET /events")).length;

describe("MQTT", () => {
  it("subscribes to the topics of its own events once it is online", () => {
    const bench = withBroker().start();
    expect(bench.subscribed).toMatchObject({
      uri: "mqtts://broker.test",
      credentials: "utility",
      username: undefined,
      password: undefined,
    });
    expect(bench.subscribed!.topics).toEqual(
      ["vens/VEN-1/events", "programs/p-1/events"].flatMap((path) =>
        ["c", "u", "d"].map((op) => `t/${path}/${op}`),
      ),
    );
    expect(bench.ven.status().text).toBe("Online.");
    up(bench);
    expect(bench.ven.status()).toMatchObject({
      state: "online",
      text: expect.stringContaining("MQTT") as string,
    });
  });

  it("asks once soon after a message, however many messages come, and not all modules at once", () => {
    const waits: number[] = [];
    for (let seed = 1; seed <= 60; seed++) {
      const bench = withBroker(broker(), {}, seed).start();
      up(bench);
      bench.run(50 * MINUTE + 30_000 + seed * 7);
      const before = sweeps(bench);
      const from = bench.ms;
      for (let i = 0; i < 20; i++) message(bench);
      while (sweeps(bench) === before) bench.run(50);
      waits.push(bench.ms - from);
      expect(bench.ms - from).toBeLessThanOrEqual(15_200);
    }
    // Spread evenly over a quarter of the poll period: each third of it has its share.
    for (const third of [0, 5000, 10_000]) {
      expect(waits.filter((wait) => wait >= third && wait < third + 5100).length).toBeGreaterThan(8);
    }
  });

  it("asks no more than once a second, even under a flood of messages", () => {
    const bench = withBroker(broker(), { pollSeconds: 1 }).start();
    up(bench);
    const before = sweeps(bench);
    for (let i = 0; i < 600; i++) {
      message(bench);
      bench.run(100);
    }
    expect(sweeps(bench) - before).toBeLessThanOrEqual(62);
  });

  it("brings an event sooner than the poll, which goes on as a fallback while the broker is away", () => {
    const bench = withBroker().start();
    up(bench);
    bench.run(MINUTE);
    bench.events = [event("e-1")];
    message(bench);
    bench.run(15_100);
    expect(bench.held).toMatchObject([{ id: "e-1" }]);
    bench.ven.onMqtt({ id: bench.subscribed!.id, ev: "down" }, bench.now);
    expect(bench.ven.status().text).toBe("Online.");
    bench.events = [event("e-2")];
    bench.run(MINUTE + 1000);
    expect(bench.held).toMatchObject([{ id: "e-2" }]);
    // What was published meanwhile was heard by nobody: asked for when the broker is back.
    const before = sweeps(bench);
    up(bench);
    bench.run(16_000);
    expect(sweeps(bench)).toBeGreaterThan(before);
  });

  // The second is how openleadr-rs writes it.
  it.each(["OAUTH2_BEARER_TOKEN", "OAUTH2BEARERTOKEN"])(
    "shows the broker its token, and a new one later: %s",
    (method) => {
      const authentication = { method, username: "{clientID}" };
      const bench = withBroker(broker({ authentication }), {}).start();
      expect(bench.subscribed).toMatchObject({ username: "client-1", password: "token-1" });
      up(bench);
      const first = bench.subscribed!.id;
      bench.goodToken = "token-2";
      bench.run(2 * MINUTE);
      // A connection that stands is not touched.
      expect(bench.subscribed!.id).toBe(first);
      bench.ven.onMqtt({ id: first, ev: "down" }, bench.now);
      bench.run(MINUTE + 1000);
      expect(bench.subscribed).toMatchObject({ username: "client-1", password: "token-2" });
      expect(bench.ended).toContain(first);
    },
  );

  it.each([
    ["no broker", { status: 200, body: { WEBHOOK: true } }],
    ["no TLS", broker({ URIS: ["mqtt://broker.test:1883"] })],
    ["a password in the address", broker({ URIS: ["mqtts://a:b@broker.test"] })],
    ["a login with a key of theirs", broker({ authentication: { method: "CERTIFICATE", clientKey: "x" } })],
    ["an unknown login", broker({ authentication: { method: "KERBEROS" } })],
    ["an error", { status: 500, body: problem(500, "port") }],
    ["nonsense", { status: 200, body: "not json" }],
    ["forbidden", { status: 403, body: problem(403, "scope") }],
  ] as const)("goes on polling where the server has %s", (_, answer) => {
    const bench = withBroker(answer as Answer).start();
    const before = sweeps(bench);
    bench.run(3 * MINUTE);
    expect(bench.subscribed).toBeUndefined();
    expect(bench.ven.status()).toMatchObject({ state: "online", fault: "" });
    expect(sweeps(bench) - before).toBeGreaterThanOrEqual(2);
    // Asked again an hour later, not before.
    expect(bench.asked.filter((one) => one === "GET /notifiers").length).toBeLessThanOrEqual(2);
  });

  it("takes what topics it may see, and leaves a scope that is not its own alone", () => {
    const bench = new Bench({}, { mqtt: true });
    bench.instead = (_, path) => {
      if (path === "/notifiers") return broker();
      if (path.startsWith(`${TOPICS}vens`)) return { status: 403, body: problem(403, "scope") };
      if (path.startsWith(`${TOPICS}programs`)) return { status: 200, body: "stub" };
      return path.startsWith(TOPICS) ? { status: 200, body: { topics: { ALL: "all/+" } } } : undefined;
    };
    bench.start();
    expect(bench.subscribed!.topics).toEqual(["all/+"]);
    expect(bench.asked.filter((one) => one === "POST /auth/token")).toHaveLength(1);
  });

  it("listens no more after it has left the provider", () => {
    const bench = withBroker().start();
    up(bench);
    const { id } = bench.subscribed!;
    bench.ven.deregister(bench.now);
    bench.run(MINUTE);
    expect(bench.ended).toEqual([id]);
    expect(bench.ven.status().state).toBe("stopped");
  });
});

describe("webhooks", () => {
  const callback = { callbackUrl: "https://here.test/hook/utility", callbackToken: "t-1" };

  it("makes its subscription object anew at each start, and deletes it when it leaves", () => {
    const bench = new Bench(callback);
    const stale = { clientName: "module-1", objectOperations: [{ callbackUrl: callback.callbackUrl }] };
    const other = { clientName: "module-1", objectOperations: [{ callbackUrl: "https://elsewhere.test" }] };
    bench.subscriptions = [object("SUBSCRIPTION", "s-old", stale), object("SUBSCRIPTION", "s-other", other)];
    bench.start();
    expect(bench.subscriptions).toMatchObject([
      { id: "s-other" },
      {
        clientName: "module-1",
        objectOperations: [
          {
            objects: ["EVENT"],
            operations: ["CREATE", "UPDATE", "DELETE"],
            bearerToken: "t-1",
            callbackUrl: callback.callbackUrl,
          },
        ],
      },
    ]);
    bench.ven.deregister(bench.now);
    bench.run(MINUTE);
    expect(bench.subscriptions.map((one) => one["id"])).toEqual(["s-other"]);
    expect(bench.vens).toEqual([]);
  });

  it("asks after a hint, and goes on where the server takes no subscription", () => {
    const bench = new Bench(callback);
    bench.instead = (request) =>
      request.url.endsWith("/subscriptions") ? { status: 500, body: problem(500, "echo") } : undefined;
    bench.start();
    expect(bench.ven.status().state).toBe("online");
    expect(bench.logs.join()).toContain("no subscription for a webhook");
    const before = sweeps(bench);
    bench.ven.hint(bench.now);
    bench.run(16_000);
    expect(sweeps(bench)).toBe(before + 1);
  });
});
