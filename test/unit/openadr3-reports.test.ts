// What a 3.1 VEN reports: descriptors obeyed, values right, the customer's override told.
import { describe, expect, it } from "vitest";
import { at, Bench, event, problem, T0, type Body } from "./openadr3-harness.js";

const HOUR = 3_600_000;

interface Report {
  readonly eventID: string;
  readonly payloadDescriptors: readonly { readonly payloadType: string; readonly units?: string }[];
  readonly resources: readonly {
    readonly resourceName: string;
    readonly intervals: readonly {
      readonly id: number;
      readonly intervalPeriod: { readonly start: string; readonly duration: string };
      readonly payloads: readonly { readonly type: string; readonly values: readonly unknown[] }[];
    }[];
  }[];
}

/** `id value` of every interval of every report, a list each. */
function told(bench: Bench): string[] {
  return (bench.reports as unknown as Report[]).map(({ resources }) =>
    resources[0]!.intervals.map(({ id, payloads }) => `${id} ${String(payloads[0]!.values[0])}`).join(", "),
  );
}

function asking(descriptor: Body, more: Body = {}): Body {
  return event("e-1", {
    intervalPeriod: { start: at(60), duration: "PT15M" },
    intervals: [0, 1, 0, 1].map((value, id) => ({ id, payloads: [{ type: "SIMPLE", values: [value] }] })),
    reportDescriptors: [descriptor],
    ...more,
  });
}

/** 7.2 kW all the time, the meter read every 30 s. */
function consume(bench: Bench, ms: number, status: Body = {}): void {
  for (let left = ms; left > 0; left -= 30_000) {
    bench.sgd({ energyWh: 1000 + (7200 * bench.ms) / HOUR, ...status });
    bench.run(Math.min(left, 30_000));
  }
}

function bench(descriptor: Body, more: Body = {}): Bench {
  const one = new Bench({ optOutReports: false });
  one.events = [asking(descriptor, more)];
  return one.start();
}

describe("report descriptors", () => {
  it("by default: one report at the end of the last interval, of all intervals", () => {
    const one = bench({ payloadType: "USAGE" });
    consume(one, 58 * 60_000);
    expect(told(one)).toEqual([]);
    consume(one, 5 * 60_000);
    expect(told(one)).toEqual(["0 1.8, 1 1.8, 2 1.8, 3 1.8"]);
    const [report] = one.reports as unknown as Report[];
    expect(report).toMatchObject({
      eventID: "e-1",
      clientName: "module-1",
      payloadDescriptors: [{ objectType: "REPORT_PAYLOAD_DESCRIPTOR", payloadType: "USAGE", units: "KWH" }],
    });
    expect(report!.resources[0]).toMatchObject({ resourceName: "module-1" });
    expect(report!.resources[0]!.intervals[1]!.intervalPeriod).toEqual({
      start: new Date(T0 + 960_000).toISOString().replace(".000", ""),
      duration: "PT15M",
    });
    consume(one, 60 * 60_000);
    expect(one.reports).toHaveLength(1);
  });

  it("every interval, as often as asked", () => {
    const one = bench({ payloadType: "DEMAND", startInterval: 0, numIntervals: 1, frequency: 1, repeat: -1 });
    consume(one, 2 * HOUR);
    expect(told(one)).toEqual(["0 7.2", "1 7.2", "2 7.2", "3 7.2"]);
    const twice = bench({
      payloadType: "DEMAND",
      startInterval: 0,
      numIntervals: 1,
      frequency: 1,
      repeat: 2,
    });
    consume(twice, 2 * HOUR);
    expect(told(twice)).toHaveLength(2);
  });

  it("the two intervals before the third", () => {
    const one = bench({ payloadType: "USAGE", startInterval: 2, numIntervals: 2 });
    consume(one, 32 * 60_000);
    expect(told(one)).toEqual(["0 1.8, 1 1.8"]);
  });

  it("on and on where the event repeats for ever", () => {
    const one = bench(
      { payloadType: "USAGE", numIntervals: 2, startInterval: 2, repeat: -1 },
      { duration: "P9999Y" },
    );
    consume(one, 3 * HOUR + 90_000);
    expect(told(one)).toHaveLength(6);
    expect(told(one)[5]).toBe("10 1.8, 11 1.8");
  });

  it("in intervals of its own where the event has no end and leaves it to the module", () => {
    const open = {
      intervalPeriod: { start: at(60), duration: "P9999Y" },
      intervals: [{ id: 0, payloads: [{ type: "SIMPLE", values: [0] }] }],
    };
    const one = bench(
      { payloadType: "USAGE", repeat: -1, numIntervals: 1, reportIntervals: "OPEN_INTERVALS" },
      open,
    );
    consume(one, HOUR + 120_000);
    expect(told(one)).toHaveLength(4);
    const never = bench({ payloadType: "USAGE", repeat: -1 }, open);
    consume(never, HOUR);
    expect(told(never)).toEqual([]);
  });

  it("of intervals to come, what would be true of them", () => {
    const one = bench({ payloadType: "LOAD_SHED_DELTA_AVAILABLE", startInterval: 0, historical: false });
    consume(one, 3 * 60_000);
    expect(told(one)).toEqual(["0 3.36, 1 3.36, 2 3.36, 3 3.36"]);
    const usage = bench({ payloadType: "USAGE", startInterval: 0, historical: false });
    consume(usage, HOUR);
    expect(told(usage)).toEqual([]);
    expect(usage.logs.join()).toContain("USAGE of intervals to come");
  });

  it.each([
    ["OPERATING_STATE", { opState: 2 }, "RUNNING_CURTAILED"],
    ["OPERATING_STATE", { opState: 11 }, "IDLE_OPTED_OUT"],
    ["OPERATING_STATE", { opState: 9 }, "RUNNING_CURTAILED"],
    ["OPERATING_STATE", { link: "absent" }, "ERROR"],
    ["SETPOINT", { load: { command: "Shed", arg: 0 } }, "3.84"],
    ["SETPOINT", { load: { command: "PowerLevel", arg: 127 } }, "7.68"],
    ["SIMPLE_LEVEL", { load: { command: "CriticalPeak", arg: 0 } }, "2"],
    ["STORAGE_USABLE_CAPACITY", { storageTotalWh: 60_000 }, "60"],
    ["STORAGE_CHARGE_LEVEL", { storageTotalWh: 60_000, storagePresentWh: 15_000 }, "0.75"],
    ["STORAGE_MAX_CHARGE_POWER", {}, "7.68"],
    ["DATA_QUALITY", { measured: false }, "ESTIMATED"],
  ])("%s of %o is %s", (payloadType, status, value) => {
    const one = bench({ payloadType, startInterval: 1, numIntervals: 1 });
    consume(one, 17 * 60_000, status);
    expect(told(one)).toEqual([`0 ${value}`]);
  });

  it("says once what it cannot report, and leaves out what the appliance does not tell", () => {
    const one = bench({ payloadType: "BASELINE" });
    consume(one, 2 * HOUR);
    expect(one.logs.filter((text) => text.includes("BASELINE"))).toHaveLength(1);
    const silent = bench({ payloadType: "USAGE" });
    silent.run(2 * HOUR);
    expect(told(silent)).toEqual([]);
  });

  it("uses power where the meter tells no energy", () => {
    const one = bench({ payloadType: "USAGE", startInterval: 1, numIntervals: 1 });
    consume(one, 17 * 60_000, { energyWh: undefined });
    expect(told(one)).toEqual(["0 1.8"]);
  });
});

describe("sending", () => {
  it("gives a report up that the server refuses, tries again where it fails, and polls on meanwhile", () => {
    const one = bench({ payloadType: "USAGE", startInterval: 1, numIntervals: 1 });
    let posts = 0;
    one.instead = (request) =>
      request.method === "POST" && request.url.endsWith("/reports") && ++posts < 3
        ? { status: 500, body: problem(500, "no") }
        : undefined;
    consume(one, 25 * 60_000);
    expect(posts).toBe(3);
    expect(told(one)).toHaveLength(1);
    expect(one.ven.status().state).toBe("online");
    const refused = bench({ payloadType: "USAGE", startInterval: 1, numIntervals: 1 });
    refused.instead = (request) =>
      request.method === "POST" && request.url.endsWith("/reports")
        ? { status: 409, body: problem(409, "no") }
        : undefined;
    consume(refused, 25 * 60_000);
    expect(refused.logs.join()).toContain("did not take a report");
    expect(refused.ven.status().state).toBe("online");
  });
});

describe("the customer's override", () => {
  it("is told for events that run or come soon, once, and its end too", () => {
    const one = new Bench();
    one.events = [
      event("runs", { intervalPeriod: { start: at(0), duration: "PT2H" } }),
      event("far", { intervalPeriod: { start: at(100_000), duration: "PT1H" } }),
    ];
    one.start();
    one.sgd({}).run(1000);
    expect(one.reports).toEqual([]);
    one.sgd({ override: true, opState: 12 }).run(1000);
    one.sgd({ override: true, opState: 12 }).run(1000);
    expect(one.reports).toHaveLength(1);
    expect(one.reports[0]).toMatchObject({ eventID: "runs" });
    expect(told(one)).toEqual(["0 RUNNING_OPTED_OUT"]);
    one.sgd({ override: false, opState: 1 }).run(1000);
    expect(told(one)).toEqual(["0 RUNNING_OPTED_OUT", "0 RUNNING_NORMAL"]);
  });

  it("is told of an event that comes while it lasts", () => {
    const one = new Bench();
    one.start();
    one.sgd({ override: true, opState: 1, powerW: 0 }).run(1000);
    one.events = [event("e-1")];
    one.run(62_000);
    expect(told(one)).toEqual(["0 IDLE_OPTED_OUT"]);
  });
});
