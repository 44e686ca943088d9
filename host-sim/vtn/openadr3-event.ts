/** An event of the common store as OpenADR 3.1 says it. */
import { type VtnEvent, type VtnSignal, endUtcMs } from "./event.js";
import { OPENADR3_ONLY } from "./signals.js";
import type { Json, JsonObject, Stored } from "./openadr3-types.js";
import { duration } from "./xml.js";

/** How a 2.0b signal is called in 3.1, and the factor that brings its value to 3.1's unit. */
interface Spoken {
  readonly payloadType: string;
  readonly factor: number;
  readonly units: string | undefined;
  readonly currency: string | undefined;
}

const FACTORS: Readonly<Record<string, number>> = { W: 0.001, Wh: 0.001, kW: 1, kWh: 1, MW: 1000, MWh: 1000 };

/** undefined where 3.1 has no word for it (bids, demand charge, relative prices). */
function speak(signal: VtnSignal): Spoken | undefined {
  const plain = (payloadType: string): Spoken => ({
    payloadType,
    factor: 1,
    units: undefined,
    currency: undefined,
  });
  const power = (payloadType: string, units: string): Spoken => ({
    payloadType,
    factor: FACTORS[signal.unit === "" ? "W" : signal.unit] ?? 1,
    units,
    currency: undefined,
  });
  switch (`${signal.name} ${signal.type}`) {
    case "SIMPLE level":
    case "simple level":
      return plain("SIMPLE");
    case "LOAD_CONTROL x-loadControlCapacity":
    case "LOAD_CONTROL x-loadControlSetpoint":
      return plain("CONTROL_SETPOINT");
    case "LOAD_CONTROL x-loadControlLevelOffset":
      return plain("CONTROL_LEVEL_OFFSET");
    case "LOAD_CONTROL x-loadControlPercentOffset":
      return plain("CONTROL_LEVEL_OFFSET_PERCENT");
    case "LOAD_DISPATCH setpoint":
      return power("DISPATCH_SETPOINT", "KW");
    case "LOAD_DISPATCH delta":
      return power("DISPATCH_SETPOINT_RELATIVE", "KW");
    case "LOAD_DISPATCH level":
    case "LOAD_DISPATCH multiplier":
      return plain("DISPATCH_INSTRUCTION");
    case "CHARGE_STATE setpoint":
      return power("CHARGE_STATE_SETPOINT", "KWH");
    case "ELECTRICITY_PRICE price":
    case "ENERGY_PRICE price":
      return {
        payloadType: "PRICE",
        factor: 1,
        units: "KWH",
        currency: signal.unit === "" ? "USD" : signal.unit,
      };
  }
  if (!OPENADR3_ONLY.includes(signal.name) && !signal.name.startsWith("x-")) return undefined;
  const priced = /PRICE|_FEE$/.test(signal.name);
  return {
    payloadType: signal.name,
    factor: 1,
    units: priced ? "KWH" : signal.unit === "" ? undefined : signal.unit,
    currency: priced ? (signal.unit === "" ? "USD" : signal.unit) : undefined,
  };
}

/** True where 3.1 can say the event. It knows no test events, so those are 2.0b's alone. */
export function speaks31(event: VtnEvent): boolean {
  return !event.content.testEvent && event.content.signals.some((s) => speak(s) !== undefined);
}

/** RFC 3339, UTC, whole seconds where they are whole. */
export function dateTime3(utcMs: number): string {
  return new Date(utcMs).toISOString().replace(".000Z", "Z");
}

/** 3.1 says infinity so. */
const FOREVER = "P9999Y";

/** The event object; `unknownType` names every payload by a type that nobody knows (misbehaviour). */
export function toEvent3(event: VtnEvent, programId: string, unknownType = false): Stored {
  const c = event.content;
  const spoken = c.signals.flatMap((signal) => {
    const how = speak(signal);
    return how === undefined ? [] : [{ signal, how }];
  });
  const type = (how: Spoken): string => (unknownType ? "OPENUCM_NOBODY_KNOWS_THIS" : how.payloadType);
  const edges = boundaries(c.signals);
  const intervals = edges.map((from, i): JsonObject => {
    const to = edges[i + 1] ?? c.durationMs;
    const open = c.durationMs === 0;
    const payloads = spoken.map(({ signal, how }): JsonObject => ({
      type: type(how),
      values: [round(valueFrom(signal, from) * how.factor)],
    }));
    return {
      id: i,
      intervalPeriod: {
        start: dateTime3(c.startUtcMs + from),
        duration: open ? FOREVER : duration(to - from),
      },
      payloads,
    };
  });
  const descriptors = spoken.map(({ how }): JsonObject => {
    const { units, currency } = how;
    return {
      objectType: "EVENT_PAYLOAD_DESCRIPTOR",
      payloadType: type(how),
      ...(units === undefined ? {} : { units }),
      ...(currency === undefined ? {} : { currency }),
    };
  });
  return {
    id: event.id,
    objectType: "EVENT",
    createdDateTime: dateTime3(event.createdUtcMs),
    modificationDateTime: dateTime3(event.modifiedUtcMs),
    programID: programId,
    eventName: c.comment === "" ? event.id : c.comment.slice(0, 128),
    priority: c.priority === 0 ? null : c.priority,
    targets: targetsOf(event),
    reportDescriptors: c.reportDescriptors as Json,
    payloadDescriptors: descriptors,
    ...periods(intervals, c.startUtcMs, c.startAfterMs),
  };
}

/**
 * Intervals of one length need the default of the event alone; others each carry their own. Both forms occur at
 * real VTNs, and a client that knows one only fails on the other.
 */
function periods(
  intervals: readonly JsonObject[],
  startUtcMs: number,
  startAfterMs: number,
): { [key: string]: Json } {
  const lengths = intervals.map((i) => (i["intervalPeriod"] as JsonObject)["duration"]!);
  const randomizeStart = startAfterMs === 0 ? {} : { randomizeStart: duration(startAfterMs) };
  const intervalPeriod = { start: dateTime3(startUtcMs), duration: lengths[0]!, ...randomizeStart };
  const same = lengths.every((length) => length === lengths[0]);
  return {
    intervalPeriod,
    intervals: same ? intervals.map(({ intervalPeriod: _own, ...rest }) => rest) : intervals,
  };
}

/** Offsets at which any signal changes, from 0. */
function boundaries(signals: readonly VtnSignal[]): readonly number[] {
  const edges = new Set<number>([0]);
  for (const signal of signals) {
    let at = 0;
    for (const interval of signal.intervals.slice(0, -1)) edges.add((at += interval.durationMs));
  }
  return [...edges].sort((a, b) => a - b);
}

function valueFrom(signal: VtnSignal, offsetMs: number): number {
  let at = 0;
  for (const interval of signal.intervals) {
    at += interval.durationMs;
    if (interval.durationMs === 0 || offsetMs < at) return interval.value;
  }
  return signal.intervals.at(-1)!.value;
}

/** Keeps 3.5 × 0.001 from being 0.0035000000000000005. */
function round(value: number): number {
  return Number(value.toPrecision(12));
}

/** Names of any kind are plain strings in 3.1; null = for all. */
export function targetsOf(event: VtnEvent): readonly string[] | null {
  const { targets: t, deliverToAll } = event.content;
  const all = [...t.venIds, ...t.resourceIds, ...t.groupIds, ...t.groupNames, ...t.partyIds];
  return deliverToAll || all.length === 0 ? null : all;
}

/** Over for `active=true`. */
export function transpired(event: VtnEvent, utcMs: number): boolean {
  return utcMs >= endUtcMs(event.content);
}
