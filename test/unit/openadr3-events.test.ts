// What an event object of OpenADR 3.1 asks for: the interval model with all its cases, and every payload type.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/random.js";
import { GridCore } from "../../src/grid/core.js";
import { gridSettings } from "../../src/grid/settings.js";
import { readEvent } from "../../src/openadr3/events.js";
import type { Json } from "../../src/openadr3/json-stream.js";
import { PAYLOAD_TYPES, payloadType } from "../../src/openadr3/payload-types.js";
import { at, event, T0, type Body } from "./openadr3-harness.js";

const reading = {
  emergency: false,
  setpointUnit: "" as "" | "W" | "A" | "fraction",
  normalPrice: undefined as number | undefined,
  remoteReboot: false,
  remoteOverride: false,
};

function read(body: Body, how: Partial<typeof reading> = {}, nowUtcMs: number | undefined = T0) {
  return readEvent(body as Json, "utility", undefined, { ...reading, ...how }, nowUtcMs)!;
}

/** `offset+duration ask` in seconds. */
function shape(body: Body, how: Partial<typeof reading> = {}): string[] {
  const [one] = read(body, how).grid;
  return (one?.intervals ?? []).map(
    ({ offsetMs, durationMs, ask }) =>
      `${offsetMs / 1000}+${durationMs / 1000} ${ask.ask}${"value" in ask ? ` ${ask.value}${ask.unit}` : ""}`,
  );
}

function levels(...values: readonly number[]): Body[] {
  return values.map((value, id) => ({ id, payloads: [{ type: "SIMPLE", values: [value] }] }));
}

function timed(id: number, start: string | undefined, duration: string | undefined, value = 1): Body {
  const intervalPeriod = {
    ...(start === undefined ? {} : { start }),
    ...(duration === undefined ? {} : { duration }),
  };
  return { id, intervalPeriod, payloads: [{ type: "SIMPLE", values: [value] }] };
}

describe("interval model", () => {
  it("puts intervals one after the other where the event alone has a period", () => {
    const body = event("e", { intervals: levels(1, 2, 0) });
    expect(shape(body)).toEqual(["0+3600 shed", "3600+3600 critical-peak", "7200+3600 normal"]);
    expect(read(body).grid[0]!.start).toBe(T0 + 60_000);
  });

  it("lets an interval's period go before the event's, also in part", () => {
    const intervals = [
      timed(0, at(100), "PT10S"),
      timed(1, undefined, "PT20S", 2),
      timed(2, at(200), undefined, 0),
    ];
    const body = event("e", { intervals });
    expect(shape(body)).toEqual(["0+10 shed", "10+20 critical-peak", "100+3600 normal"]);
    expect(read(body).grid[0]!.start).toBe(T0 + 100_000);
  });

  it("understands now in every spelling, and after the previous in later intervals", () => {
    for (const start of [
      "0001-01-01",
      "0001-01-01T00:00:00",
      "0001-01-01T00:00:00Z",
      "0000-01-01T00:00:00Z",
    ]) {
      const intervals = [timed(0, start, "PT10S"), timed(1, start, "PT20S", 2)];
      const body = event("e", { intervalPeriod: undefined, intervals });
      expect(shape(body)).toEqual(["0+10 shed", "10+20 critical-peak"]);
      expect(read(body).grid[0]!.start).toBe("now");
    }
  });

  it("anchors now at the last change where other intervals are dated", () => {
    const intervals = [timed(0, "0001-01-01T00:00:00Z", "PT10S"), timed(1, at(30), "PT20S", 2)];
    const body = event("e", { intervalPeriod: undefined, intervals });
    expect(read(body).grid[0]!.start).toBe(T0);
    expect(shape(body)).toEqual(["0+10 shed", "30+20 critical-peak"]);
  });

  it("takes an event without any period as now and until cancelled", () => {
    const body = event("e", { intervalPeriod: undefined });
    expect(read(body).grid[0]!.start).toBe("now");
    expect(shape(body)).toEqual(["0+Infinity shed"]);
  });

  it("refuses several intervals without any duration", () => {
    const body = event("e", { intervalPeriod: { start: at(0) }, intervals: levels(1, 2) });
    expect(read(body)).toMatchObject({ grid: [], refusal: expect.stringContaining("no duration") as string });
  });

  it("lets an interval without duration last until the next dated one, or for the rest of the event", () => {
    const intervals = [timed(0, at(0), undefined), timed(1, at(40), undefined, 2)];
    const body = event("e", { intervalPeriod: undefined, intervals, duration: "PT100S" });
    expect(shape(body)).toEqual(["0+40 shed", "40+60 critical-peak"]);
  });

  it("knows for ever", () => {
    const body = event("e", { intervalPeriod: { start: at(0), duration: "P9999Y" } });
    expect(shape(body)).toEqual(["0+Infinity shed"]);
    const after = event("e", {
      intervalPeriod: { start: at(0), duration: "P9999Y" },
      intervals: levels(1, 2),
    });
    expect(read(after).refusal).toContain("without end");
  });

  it("repeats where the event is longer than its intervals, and cuts off where it is shorter", () => {
    const period = { start: at(0), duration: "PT1H" };
    const of = (duration: string) =>
      read(event("e", { intervalPeriod: period, intervals: levels(1, 2), duration })).grid[0]!;
    expect(of("P1D").totalMs).toBe(86_400_000);
    expect(of("PT90M").totalMs).toBe(5_400_000);
    expect(of("P9999Y").totalMs).toBe(Infinity);
    expect(of("PT2H").totalMs).toBeUndefined();
    // The default of the specification, as a server may fill it in: not given.
    expect(of("PT0S").totalMs).toBeUndefined();
  });

  it("divides an interval among several values, without gaps", () => {
    const body = event("e", { intervalPeriod: { start: at(0), duration: "PT10S" } }, { SIMPLE: [0, 1, 2] });
    const { intervals } = read(body).grid[0]!;
    expect(intervals.map((one) => one.durationMs).reduce((a, b) => a + b)).toBe(10_000);
    expect(intervals[1]!.offsetMs).toBe(intervals[0]!.durationMs);
    expect(intervals.map((one) => one.ask.ask)).toEqual(["normal", "shed", "critical-peak"]);
    const open = event("e", { intervalPeriod: { start: at(0), duration: "P9999Y" } }, { SIMPLE: [0, 1] });
    expect(read(open).refusal).toContain("divided");
  });

  it("reads fractional durations, weeks, and signs of nonsense", () => {
    const of = (duration: unknown) => read(event("e", { intervalPeriod: { start: at(0), duration } }));
    expect(of("PT1.5S").grid[0]!.intervals[0]!.durationMs).toBe(1500);
    expect(of("P1W").grid[0]!.intervals[0]!.durationMs).toBe(7 * 86_400_000);
    for (const bad of ["-PT1H", "1 hour", 3600, {}])
      expect(of(bad)).toMatchObject({ grid: [], movesLoad: false });
    // User Guide example 8.12-1 has a space for the T; servers send it too.
    expect(
      read(event("e", { intervalPeriod: { start: "2026-11-21 12:00:00Z", duration: "PT1H" } })).grid,
    ).toHaveLength(1);
    expect(read(event("e", { intervalPeriod: { start: "tomorrow", duration: "PT1H" } })).refusal).toContain(
      "tomorrow",
    );
  });

  it("orders dated intervals by their dates, and lets the later of two that overlap win", () => {
    const intervals = [timed(7, at(20), "PT20S", 2), timed(3, at(0), "PT30S", 1)];
    expect(shape(event("e", { intervalPeriod: undefined, intervals }))).toEqual([
      "0+20 shed",
      "20+20 critical-peak",
    ]);
  });

  it("is cancelled by now and no duration", () => {
    const body = event("e", { intervalPeriod: { start: "0001-01-01T00:00:00Z", duration: "PT0S" } });
    expect(read(body)).toMatchObject({ grid: [], refusal: "", movesLoad: false });
  });

  it("randomises around the start, and never a price", () => {
    const intervalPeriod = { start: at(0), duration: "PT1H", randomizeStart: "PT10M" };
    const { grid } = read(event("e", { intervalPeriod }, { SIMPLE: [1], PRICE: [0.2] }));
    expect(grid.map(({ id, randomise }) => [id, randomise])).toEqual([
      ["e", { windowMs: 600_000, law: "around" }],
      ["e~price", undefined],
    ]);
  });

  it("hands on a year of hours in steps of a day, from where it is now", () => {
    const intervals = Array.from({ length: 400 }, (_, id) => ({
      id,
      payloads: [{ type: "PRICE", values: [id] }],
    }));
    const body = event("e", { intervalPeriod: { start: at(0), duration: "PT1H" }, intervals });
    const now = read(body, {}, T0 + 30.5 * 3_600_000).grid[0]!.intervals;
    expect(now).toHaveLength(72);
    expect(now[0]!.offsetMs).toBe(24 * 3_600_000);
    expect(read(body, {}, T0 + 47 * 3_600_000).grid[0]!.intervals[0]!.offsetMs).toBe(24 * 3_600_000);
  });
});

describe("a series that does not fill its event", () => {
  const mixed = (more: Body) =>
    read(
      event("e", {
        intervalPeriod: { start: at(0), duration: "PT1H" },
        intervals: [
          { id: 0, payloads: [{ type: "SIMPLE", values: [1] }] },
          { id: 1, payloads: [{ type: "PRICE", values: [0.3] }] },
        ],
        ...more,
      }),
    ).grid;

  it("is repeated with the event, not at its own end", () => {
    const [load, price] = mixed({ duration: "P1D" });
    expect(load!.intervals.map((one) => [one.offsetMs, one.durationMs])).toEqual([
      [0, 3_600_000],
      [7_200_000, 0],
    ]);
    expect(price!.intervals).toHaveLength(1);
    expect(mixed({})[0]!.intervals).toHaveLength(1);
    expect(mixed({ duration: "PT90M" })[0]!.intervals[1]).toMatchObject({
      offsetMs: 5_400_000,
      durationMs: 0,
    });
  });

  it("is refused where it would have to be kept whole and is too long", () => {
    const intervals = Array.from({ length: 100 }, (_, id) => ({
      id,
      payloads: [{ type: "PRICE", values: [id] }],
    }));
    expect(mixed({ intervals, duration: "P90D" })).toEqual([]);
  });

  it("of 72 prices is kept by the core", () => {
    const intervals = Array.from({ length: 96 }, (_, id) => ({
      id,
      payloads: [{ type: "PRICE", values: [0.123456 + id / 1000] }],
    }));
    const kept = new Map<string, string>();
    const core = new GridCore({
      store: {
        get: (key) => kept.get(key),
        set: (key, value) => void kept.set(key, value),
        delete: (key) => void kept.delete(key),
      },
      random: seededRandom(1),
      settings: gridSettings(),
    });
    const { grid } = read(event("e", { intervals }), { normalPrice: 0.31 });
    const [verdict] = core.replaceEvents("utility", grid, { ms: 0, utcMs: T0 });
    expect(verdict).toMatchObject({ verdict: "new", why: "" });
  });
});

describe("priority", () => {
  const rank = (priority: unknown, payloads?: Record<string, unknown[]>) =>
    read(event("e", { priority }, payloads)).grid[0]!.rank;

  it("lower wins, 0 is highest, none is lowest", () => {
    expect(rank(0)).toBe(1_000_000);
    expect(rank(0)).toBeGreaterThan(rank(1));
    expect(rank(1)).toBeGreaterThan(rank(500));
    expect(rank(2_000_000)).toBeGreaterThan(rank(null));
    expect(rank(null)).toBeGreaterThan(rank(0, { IMPORT_CAPACITY_SUBSCRIPTION: [6] }));
  });
});

describe("payload types", () => {
  const values: Readonly<Record<string, readonly [unknown, string][]>> = {
    SIMPLE: [
      [0, "normal"],
      [1, "shed"],
      [2, "critical-peak"],
      [3, "critical-peak"],
    ],
    ALERT_GRID_EMERGENCY: [["grid is failing", "emergency"]],
    ALERT_BLACK_START: [["restart", "emergency"]],
    ALERT_FLEX_ALERT: [["flex", "shed"]],
    CONTROL_LEVEL_OFFSET: [
      [-1, "load-up"],
      [0, "normal"],
      [3, "shed"],
      [6, "critical-peak"],
      [10, "limit 0fraction"],
    ],
    CONTROL_LEVEL_OFFSET_PERCENT: [
      [-0.25, "limit 0.75fraction"],
      [0, "normal"],
      [0.5, "load-up"],
    ],
    IMPORT_CAPACITY_LIMIT: [[3.5, "limit 3500W"]],
    IMPORT_CAPACITY_SUBSCRIPTION: [[6, "limit 6000W"]],
  };

  it.each(Object.keys(values))("%s asks for what the table says", (type) => {
    for (const [value, ask] of values[type]!) {
      expect(shape(event("e", {}, { [type]: [value] }))).toEqual([`0+3600 ${ask}`]);
    }
  });

  it("permits emergency where the programme does", () => {
    expect(shape(event("e", {}, { SIMPLE: [3] }), { emergency: true })).toEqual(["0+3600 emergency"]);
  });

  it("reads set-points in the unit of the event, else in the configured one, else not", () => {
    const of = (units: string | undefined, value: number, how: Partial<typeof reading> = {}) => {
      const payloadDescriptors =
        units === undefined
          ? null
          : [{ objectType: "EVENT_PAYLOAD_DESCRIPTOR", payloadType: "DISPATCH_SETPOINT", units }];
      return shape(event("e", { payloadDescriptors }, { DISPATCH_SETPOINT: [value] }), how);
    };
    expect(of("KW", 3.5)).toEqual(["0+3600 limit 3500W"]);
    expect(of("AMPS", 16)).toEqual(["0+3600 limit 16A"]);
    expect(of("PERCENT", 0.5)).toEqual(["0+3600 limit 0.5fraction"]);
    expect(of("CELSIUS", 20)).toEqual([]);
    expect(of(undefined, 16)).toEqual([]);
    expect(of(undefined, 16, { setpointUnit: "A" })).toEqual(["0+3600 limit 16A"]);
  });

  it("takes prices with currency, and relative to the usual one", () => {
    const payloadDescriptors = [
      { objectType: "EVENT_PAYLOAD_DESCRIPTOR", payloadType: "PRICE", units: "KWH", currency: "EUR" },
    ];
    const [one] = read(event("e", { payloadDescriptors }, { PRICE: [0.3] }), { normalPrice: 0.2 }).grid;
    expect(one!.intervals[0]!.ask).toEqual({ ask: "price", relative: 1.5, absolute: 0.3, currency: "EUR" });
  });

  it("turns emissions into guidance, against the mean of the event", () => {
    const body = event("e", { intervalPeriod: { start: at(0), duration: "PT3H" } }, { GHG: [100, 300, 500] });
    expect(read(body).grid[0]!.intervals.map(({ ask }) => ask)).toEqual([
      { ask: "guidance", level: 2 },
      { ask: "guidance", level: 1 },
      { ask: "guidance", level: 0 },
    ]);
  });

  it("carries out orders only with the customer's consent", () => {
    const reboot = event("e", {}, { CTA2045_REBOOT: [1] });
    const override = event("e", {}, { CTA2045_SET_OVERRIDE_STATUS: [1] });
    expect(read(reboot)).toMatchObject({ grid: [], refusal: expect.stringContaining("consented") as string });
    expect(read(override).grid).toEqual([]);
    expect(read(reboot, { remoteReboot: true }).grid[0]!.intervals[0]!.ask).toEqual({
      ask: "reboot",
      kind: 1,
    });
    expect(read(override, { remoteOverride: true }).grid[0]!.intervals[0]!.ask).toEqual({
      ask: "override",
      on: true,
    });
    expect(read(event("e", {}, { CTA2045_REBOOT: [2] }), { remoteReboot: true }).refusal).toContain(
      "cannot be 2",
    );
  });

  it("obeys the finer of several, passes over what it does not know, and takes nothing of an event with wrong data", () => {
    expect(shape(event("e", {}, { SIMPLE: [1], CONTROL_LEVEL_OFFSET: [5] }))).toEqual([
      "0+3600 critical-peak",
    ]);
    expect(shape(event("e", {}, { X_OWN: ["?"], CHARGE_STATE_SETPOINT: [3], SIMPLE: [1] }))).toEqual([
      "0+3600 shed",
    ]);
    for (const bad of [4, -1, 1.5, "1", null, true, { x: 1, y: 2 }]) {
      expect(read(event("e", {}, { PRICE: [0.2], SIMPLE: [bad] }))).toMatchObject({ grid: [] });
    }
    expect(read(event("e", {}, { SIMPLE: [] })).grid).toEqual([]);
  });

  it.each(
    PAYLOAD_TYPES.filter((type) => type.use === "informs" || type.use === "refused").map((type) => type.name),
  )("%s asks for nothing, and says why", (name) => {
    const type = payloadType(name)!;
    expect(type.why).not.toBe("");
    const result = read(event("e", {}, { [name]: [1] }));
    expect(result.grid).toEqual([]);
    if (type.use === "refused") expect(result.refusal).toContain(name);
    else expect(result.refusal).toBe("");
  });
});

describe("docs/openadr3.md", () => {
  it("names every payload type", () => {
    const text = readFileSync(new URL("../../docs/openadr3.md", import.meta.url), "utf8");
    expect(PAYLOAD_TYPES.filter((type) => !text.includes(type.name))).toEqual([]);
    expect(PAYLOAD_TYPES).toHaveLength(38);
  });
});
