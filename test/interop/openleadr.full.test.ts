// Our VEN against OpenLEADR's VTN over mutual TLS, in real time. OpenLEADR validates every message that it
// receives against the 2.0b schema and answers 400 where one is not valid.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NodeHttp, type HttpCredentials } from "../../host-sim/net/node-http.js";
import { seededRandom } from "../../src/base/random.js";
import type { GridEvent } from "../../src/grid/event.js";
import { OpenAdr2Ven, type OpenAdr2Config } from "../../src/openadr2/ven.js";
import type { SgdStatus } from "../../src/ports/sgd-status.js";
import { OpenleadrVtn } from "./openleadr-process.js";
import { openleadrPython } from "./openleadr-venv.js";

const charging: SgdStatus = {
  link: "online",
  identity: undefined,
  opState: 1,
  opStateAtMs: 0,
  override: false,
  powerW: 7200,
  energyWh: 1234,
  meteredAtMs: 0,
  measured: true,
  ratedW: 7680,
  storageTotalWh: undefined,
  storagePresentWh: undefined,
  load: undefined,
};

/** Our VEN on this computer's clock and network. */
class Module {
  readonly ven: OpenAdr2Ven;
  readonly logs: string[] = [];
  held: readonly GridEvent[] = [];
  handed = 0;
  readonly #http: NodeHttp;
  #timer: NodeJS.Timeout | undefined;
  #ids = 0;
  readonly #seen = new Map<string, number>();

  constructor(config: OpenAdr2Config, credentials: HttpCredentials) {
    this.#http = new NodeHttp({
      credentials: new Map([[config.id, credentials]]),
      deliver: (event) => {
        this.ven.onHttp(event, this.now);
        this.#sleep();
      },
    });
    const store = new Map<string, string>();
    this.ven = new OpenAdr2Ven(config, {
      http: this.#http,
      random: seededRandom(Date.now()),
      store: {
        get: (key) => store.get(key),
        set: (key, value) => void store.set(key, value),
        delete: (key) => void store.delete(key),
      },
      nextRequestId: () => ++this.#ids,
      replaceEvents: (_, events) => {
        this.held = events;
        this.handed++;
        return events.map(({ id, revision }) => {
          const verdict = this.#seen.get(id) === revision ? "unchanged" : "new";
          this.#seen.set(id, revision);
          return { id, revision, verdict, why: "" };
        });
      },
      clockSeen: () => undefined,
      log: (level, text) => this.logs.push(`${level}: ${text}`),
    });
    this.ven.start(this.now);
    this.sgd({});
  }

  get now() {
    return { ms: Math.floor(performance.now()), utcMs: Date.now() };
  }

  sgd(change: Partial<SgdStatus>): void {
    this.ven.onSgd({ ...charging, ...change }, this.now);
    this.#sleep();
  }

  #sleep(): void {
    clearTimeout(this.#timer);
    const wait = this.ven.nextMs() - this.now.ms;
    if (!Number.isFinite(wait)) return;
    this.#timer = setTimeout(
      () => {
        this.ven.poll(this.now);
        this.#sleep();
      },
      Math.max(1, wait),
    );
  }

  async until(what: string, fits: () => boolean, ms = 200_000): Promise<void> {
    const end = Date.now() + ms;
    while (!fits()) {
      if (Date.now() > end) {
        throw new Error(`not ${what}: ${JSON.stringify(this.ven.status())} ${this.logs.join("\n")}`);
      }
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#http.close();
  }
}

const simple = (value: number, seconds = 60) => ({
  name: "SIMPLE",
  type: "level",
  intervals: [[seconds, value]],
});

describe("our VEN and OpenLEADR's VTN, over mutual TLS", () => {
  let vtn: OpenleadrVtn;
  let url: string;
  let credentials: HttpCredentials;
  let ucm: Module;

  beforeAll(async () => {
    vtn = new OpenleadrVtn(openleadrPython());
    url = String((await vtn.wait("listening", undefined, 0, 200_000))["url"]);
    const read = (name: string): string => readFileSync(join(vtn.folder, name), "utf8");
    credentials = { ca: read("ca.pem"), cert: read("client.pem"), key: read("client.key") };
    ucm = new Module({ id: "interop", url, venName: "module-1", emergency: false }, credentials);
  }, 600_000);

  afterAll(async () => {
    ucm.close();
    await vtn.stop();
  });

  it("registers under its certificate's fingerprint and polls", async () => {
    const registered = await vtn.wait("registered");
    const { expected } = await vtn.wait("fingerprint");
    expect(registered).toMatchObject({ name: "module-1", fingerprint: expected });
    await ucm.until("online", () => ucm.ven.status().state === "online");
    expect(ucm.ven.registration).toEqual({
      venId: "ven-123",
      registrationId: "registration-1",
      vtnId: "interop-vtn",
    });
    await vtn.wait("in", (l) => l["payload"] === "oadrPoll");
  });

  it("offers power, energy and status, and its telemetry arrives with the right numbers", async () => {
    expect(await vtn.wait("offered", (l) => l["measurement"] === "RealPower")).toMatchObject({
      unit: "W",
      scale: "none",
    });
    expect(await vtn.wait("offered", (l) => l["measurement"] === "RealEnergy")).toMatchObject({ unit: "Wh" });
    await vtn.wait("offered", (l) => l["measurement"] === "Status");
    await vtn.wait("report", (l) => l["measurement"] === "RealPower" && String(l["values"]) === "7200");
    await vtn.wait("report", (l) => l["measurement"] === "RealEnergy" && String(l["values"]) === "1234");
    ucm.sgd({ powerW: 3840, energyWh: 1240.5 });
    await vtn.wait("report", (l) => l["measurement"] === "RealPower" && String(l["values"]) === "3840");
    await vtn.wait("report", (l) => l["measurement"] === "RealEnergy" && String(l["values"]) === "1240.5");
  });

  it("takes an event with one signal, opts in, follows its change, and its end by cancellation", async () => {
    vtn.send({ cmd: "event", id: "one", signals: [simple(1)], startAfter: 30 });
    expect(await vtn.wait("answered", (l) => l["id"] === "one")).toMatchObject({ opt: "optIn" });
    expect(ucm.held).toHaveLength(1);
    expect(ucm.held[0]).toMatchObject({
      id: "one",
      revision: 0,
      programme: "http://interop",
      rank: 1_000_000,
      rampUpMs: 5000,
      notificationMs: 60_000,
      randomise: { windowMs: 30_000, law: "after" },
      intervals: [{ offsetMs: 0, durationMs: 60_000, ask: { ask: "shed" } }],
    });
    vtn.send({ cmd: "modify", id: "one", value: 2 });
    await ucm.until("changed", () => ucm.held[0]?.revision === 1);
    expect(ucm.held[0]?.intervals[0]?.ask).toEqual({ ask: "critical-peak" });
    vtn.send({ cmd: "cancel", id: "one" });
    await ucm.until("cancelled", () => ucm.held.length === 0 || ucm.held[0]?.cancelled === true);
  });

  it("takes several signals in one event, and refuses what it does not know", async () => {
    const price = {
      name: "ELECTRICITY_PRICE",
      type: "price",
      intervals: [
        [30, 0.25],
        [30, 0.5],
      ],
      measurement: { name: "currencyPerKWh", description: "currencyPerKWh", unit: "USD", scale: "none" },
    };
    vtn.send({ cmd: "event", id: "two", signals: [simple(2), price] });
    expect(await vtn.wait("answered", (l) => l["id"] === "two")).toMatchObject({ opt: "optIn" });
    await ucm.until("both", () => ucm.held.some((e) => e.id === "two~price"));
    expect(ucm.held.find((e) => e.id === "two~price")?.intervals.map((i) => i.ask)).toEqual([
      { ask: "price", relative: undefined, absolute: 0.25, currency: "USD" },
      { ask: "price", relative: undefined, absolute: 0.5, currency: "USD" },
    ]);
    const from = vtn.lines.length;
    vtn.send({
      cmd: "event",
      id: "odd",
      signals: [{ name: "BID_PRICE", type: "price", intervals: [[60, 1]] }],
    });
    expect(await vtn.wait("answered", (l) => l["id"] === "odd")).toMatchObject({ opt: "optOut" });
    // The answer to the event before may still be on its way.
    await vtn.wait(
      "in",
      (l) => l["payload"] === "oadrCreatedEvent" && String(l["codes"] as unknown) === "460",
      from,
    );
    expect(ucm.held.some((e) => e.id === "odd")).toBe(false);
  });

  it("takes a set-point in kilowatts", async () => {
    const dispatch = {
      name: "LOAD_DISPATCH",
      type: "setpoint",
      intervals: [[60, 3.6]],
      measurement: {
        name: "powerReal",
        description: "RealPower",
        unit: "W",
        scale: "k",
        power_attributes: { hertz: 50, voltage: 230, ac: true },
      },
    };
    vtn.send({ cmd: "event", id: "dispatch", signals: [dispatch] });
    expect(await vtn.wait("answered", (l) => l["id"] === "dispatch")).toMatchObject({ opt: "optIn" });
    expect(ucm.held.find((e) => e.id === "dispatch")?.intervals[0]?.ask).toMatchObject({
      ask: "limit",
      unit: "W",
      value: 3600,
    });
  });

  it("tells the customer's override by oadrCreatedEvent, because this server has no EiOpt", async () => {
    const from = vtn.lines.length;
    ucm.sgd({ override: true });
    await vtn.wait(
      "in",
      (l) => l["payload"] === "oadrCreatedEvent" && String(l["opt"]).includes("optOut"),
      from,
    );
    const back = vtn.lines.length;
    ucm.sgd({ override: false });
    await vtn.wait(
      "in",
      (l) => l["payload"] === "oadrCreatedEvent" && String(l["opt"]).includes("optIn"),
      back,
    );
    expect(ucm.ven.status().state).toBe("online");
  });

  it("registers anew when it is asked to, under the same ids, and keeps its events", async () => {
    vtn.send({ cmd: "forget", what: "registration" });
    const again = await vtn.wait("registered", (l) => l["count"] === 2);
    expect(again["again"]).toBe("registration-1");
    await ucm.until("online again", () => ucm.ven.status().state === "online");
    expect(ucm.held.some((e) => e.id === "dispatch")).toBe(true);
    expect(ucm.logs.filter((l) => l.startsWith("warning") && !l.includes("normalPrice"))).toEqual([]);
  });

  it("registers as a newcomer where the server has lost it altogether", async () => {
    vtn.send({ cmd: "forget", what: "all" });
    const again = await vtn.wait("registered", (l) => l["count"] === 3);
    expect(again["again"]).toBe(null);
    await ucm.until("online again", () => ucm.ven.status().state === "online");
  });

  it("refuses a server that the configured authority has not signed, in words", async () => {
    const other = new Module(
      { id: "other", url, venName: "module-2" },
      { cert: credentials.cert, key: credentials.key },
    );
    await other.until("failing", () => other.ven.status().state === "failing");
    expect(other.ven.status()).toMatchObject({ fault: "tls-untrusted" });
    expect(other.ven.status().text).toMatch(/certificate/i);
    other.close();
  });

  it("says that a client certificate is missing where the server wants one", async () => {
    const bare = new Module({ id: "bare", url, venName: "module-3" }, { ca: credentials.ca });
    await bare.until("failing", () => bare.ven.status().state === "failing");
    // Python closes the connection before its TLS alert has left, so this may be all that can be known.
    expect(bare.ven.status().fault).toMatch(/^(tls-client-certificate|closed)$/);
    bare.close();
  });

  it("ends its registration, and every message it ever sent was valid", async () => {
    ucm.ven.deregister(ucm.now);
    await vtn.wait("deregistered", (l) => l["registration"] === "registration-1");
    // The server tells it before the module has its answer.
    await ucm.until("without events", () => ucm.held.length === 0);
    // The one thing refused is EiOpt, which is a 404 before any validation.
    expect(vtn.lines.filter((l) => l.event === "error")).toEqual([]);
  });
});
