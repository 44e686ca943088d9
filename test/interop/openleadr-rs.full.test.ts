// Our 3.1 VEN against openleadr-rs, LF Energy's VTN, with PostgreSQL behind it and mosquitto over TLS beside it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Ven3Host } from "../support/ven3-host.js";
import { online } from "../unit/openadr3-harness.js";
import { OpenleadrRs, programs } from "./openleadr-rs.js";

const found = programs();
const name = "our VEN and openleadr-rs's VTN";
const iso = (seconds: number): string =>
  new Date(Date.now() + seconds * 1000).toISOString().replace(/\.\d+/, "");

interface Stored {
  readonly id: string;
  readonly [key: string]: unknown;
}

function suite(all: Exclude<typeof found, { readonly missing: string }>): void {
  let rs: OpenleadrRs;
  let ucm: Ven3Host;
  let program: Stored;
  const config = {
    id: "utility",
    venName: "module-1",
    pollSeconds: 3600,
    clientId: "module",
    clientSecret: "secret of the module",
  };

  beforeAll(async () => {
    rs = await OpenleadrRs.start(all);
    const made = await rs.bl("POST", "/programs", { programName: "peak" });
    expect(made.status).toBe(201);
    program = made.value as Stored;
    ucm = new Ven3Host({ ...config, url: rs.url, programs: ["peak"] }, { ca: rs.ca });
  }, 300_000);

  afterAll(async () => {
    ucm?.close();
    await rs?.stop();
  });

  const event = async (more: Record<string, unknown>): Promise<Stored> => {
    const made = await rs.bl("POST", "/events", {
      programID: program.id,
      intervalPeriod: { start: iso(2), duration: "PT10M" },
      intervals: [{ id: 0, payloads: [{ type: "SIMPLE", values: [1] }] }],
      ...more,
    });
    expect(made.status, JSON.stringify(made.value)).toBe(201);
    return made.value as Stored;
  };

  it("registers with a token: a VEN and its resource", async () => {
    await ucm.until("online", () => ucm.ven.status().state === "online");
    const vens = (await rs.bl("GET", "/vens")).value as Stored[];
    expect(vens).toMatchObject([{ venName: "module-1", clientID: "module" }]);
    const resources = (await rs.bl("GET", `/resources?venID=${vens[0]!.id}`)).value as Stored[];
    expect(resources).toMatchObject([{ resourceName: "module-1" }]);
    expect(rs.seen.filter((one) => / 4\d\d$/.test(one))).toEqual([]);
  });

  it("is told of an event by MQTT over TLS, of its change and of its end", async () => {
    await ucm.until("told by MQTT", () => ucm.ven.status().text.includes("MQTT"));
    const { id } = await event({ priority: 2, eventName: "one" });
    await ucm.until("the event", () => ucm.held.some((one) => one.id === id));
    expect(ucm.held.find((one) => one.id === id)).toMatchObject({
      programme: "peak",
      rank: 999_998,
      intervals: [{ offsetMs: 0, durationMs: 600_000, ask: { ask: "shed" } }],
    });
    const changed = await rs.bl("PUT", `/events/${id}`, {
      programID: program.id,
      eventName: "one",
      intervalPeriod: { start: iso(2), duration: "PT10M" },
      intervals: [{ id: 0, payloads: [{ type: "SIMPLE", values: [2] }] }],
    });
    expect(changed.status).toBe(200);
    await ucm.until(
      "its change",
      () => ucm.held.find((one) => one.id === id)?.intervals[0]?.ask.ask === "critical-peak",
    );
    expect((await rs.bl("DELETE", `/events/${id}`)).status).toBe(200);
    await ucm.until("its end", () => ucm.held.every((one) => one.id !== id));
  });

  it("takes prices of a day, a limit in kW, and durations as this server writes them", async () => {
    const day = Array.from({ length: 24 }, (_, id) => ({
      id,
      payloads: [{ type: "PRICE", values: [0.1 + id / 100] }],
    }));
    const prices = await event({
      intervalPeriod: { start: iso(0), duration: "PT1H" },
      payloadDescriptors: [
        { objectType: "EVENT_PAYLOAD_DESCRIPTOR", payloadType: "PRICE", units: "KWH", currency: "USD" },
      ],
      intervals: day,
    });
    const limit = await event({
      payloadDescriptors: [
        { objectType: "EVENT_PAYLOAD_DESCRIPTOR", payloadType: "IMPORT_CAPACITY_LIMIT", units: "KW" },
      ],
      intervals: [{ id: 0, payloads: [{ type: "IMPORT_CAPACITY_LIMIT", values: [3.6] }] }],
    });
    await ucm.until("both", () =>
      [prices, limit].every(({ id }) => ucm.held.some((one) => one.id.startsWith(id))),
    );
    const held = (id: string) => ucm.held.find((one) => one.id.startsWith(id))!;
    expect(held(prices.id).intervals).toHaveLength(24);
    expect(held(prices.id).intervals[23]).toMatchObject({
      durationMs: 3_600_000,
      ask: { ask: "price", absolute: 0.33 },
    });
    expect(held(limit.id).intervals[0]!.ask).toMatchObject({ ask: "limit", unit: "W", value: 3600 });
    for (const { id } of [prices, limit]) await rs.bl("DELETE", `/events/${id}`);
  });

  it("reports usage and the customer's override", async () => {
    const { id } = await event({
      intervalPeriod: { start: iso(0), duration: "PT2S" },
      intervals: [0, 1].map((one) => ({ id: one, payloads: [{ type: "SIMPLE", values: [1] }] })),
      reportDescriptors: [{ payloadType: "USAGE", readingType: "DIRECT_READ", units: "KWH" }],
    });
    await ucm.until("the event", () => ucm.held.some((one) => one.id === id));
    ucm.sgd({ ...online, override: true, opState: 12, meteredAtMs: ucm.now.ms });
    const reports = async (): Promise<string> => JSON.stringify((await rs.bl("GET", "/reports")).value);
    let text = "";
    for (let i = 0; i < 100 && !(text.includes("OPTED_OUT") && text.includes("USAGE")); i++) {
      await new Promise((done) => setTimeout(done, 100));
      ucm.sgd({ ...online, override: true, opState: 12, energyWh: 1000 + i, meteredAtMs: ucm.now.ms });
      text = await reports();
    }
    expect(text).toContain("RUNNING_OPTED_OUT");
    expect(text).toContain("USAGE");
    expect(text).toContain(id);
  });

  it("sees what is for others only where it is meant", async () => {
    const others = await event({ targets: ["somebody-else"] });
    const all = await event({ eventName: "for all" });
    await ucm.until("the one for all", () => ucm.held.some((one) => one.id === all.id));
    expect(ucm.held.some((one) => one.id === others.id)).toBe(false);
    for (const { id } of [others, all]) await rs.bl("DELETE", `/events/${id}`);
  });

  it("leaves: nothing of it is in force, and its objects are gone", async () => {
    ucm.leave();
    await ucm.until("stopped", () => ucm.ven.status().state === "stopped");
    expect(ucm.held).toEqual([]);
    expect((await rs.bl("GET", "/vens")).value).toEqual([]);
    // What the server refused on the way, if anything, is a fault of ours.
    expect(rs.seen.filter((one) => / [45]\d\d$/.test(one))).toEqual([]);
  });
}

if ("vtn" in found) describe(name, () => suite(found));
else {
  console.warn(`skipped: ${name}: ${found.missing}`);
  describe.skip(`${name}: ${found.missing}`, () => it("is skipped", () => undefined));
}
