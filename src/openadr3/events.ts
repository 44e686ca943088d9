import { crcOfText } from "../base/json.js";
import { parseDateTime } from "../base/iso8601.js";
import type { Ask, GridEvent, GridInterval } from "../grid/event.js";
import { askOf, isNoAsk, type Descriptor, type Reading } from "./asks.js";
import { field, listOf, numberOf, textOf, type Json } from "./json-stream.js";
import { payloadType, type PayloadType, type Use } from "./payload-types.js";
import { readTiming, type Slot, type Timing } from "./periods.js";
import { readReportDescriptors, type ReportDescriptor } from "./report-descriptors.js";

/** A programme as far as its events need it. */
export interface Programme {
  readonly id: string;
  readonly name: string;
  readonly descriptors: readonly Descriptor[];
}

/** What became of one event object. */
export interface ReadEvent {
  readonly id: string;
  /** What the core is to hold: none where the event only informs or is refused. */
  readonly grid: readonly GridEvent[];
  /** In words why it is not followed, or what part of it; "" for neither. */
  readonly refusal: string;
  readonly timing: Timing | undefined;
  /** True where the load is to follow it. */
  readonly movesLoad: boolean;
  readonly reports: readonly ReportDescriptor[];
}

/** Suffixes of the further core events that one event becomes, so that all its parts can be in force. */
const SUFFIX = { load: "", price: "~price", guidance: "~guidance", order: "~order" } as const;

/** So many intervals of a series are handed on at a time: what the core can keep of prices in one record. */
const MAX_SERIES = 72;
/** A longer series moves on in steps of so many, so that it is not stored anew at every interval. */
const STEP = 24;
/** Payloads of an interval, and values of a payload, that are looked at. */
const MAX_PAYLOADS = 16;
const MAX_VALUES = 512;

/**
 * Reads an event object. Wrong data in anything that this module knows spoil the event: half of it must not be
 * applied. A type that is unknown or refused is passed over while another can be obeyed.
 * Undefined where it is no event at all: without an id nothing can be said of it.
 */
export function readEvent(
  event: Json,
  source: string,
  programme: Programme | undefined,
  reading: Reading,
  nowUtcMs: number | undefined,
): ReadEvent | undefined {
  const id = textOf(event, "id");
  if (id === "") return undefined;
  const programId = textOf(event, "programID");
  const createdUtcMs = parseDateTime(textOf(event, "createdDateTime")) ?? 0;
  const revision = parseDateTime(textOf(event, "modificationDateTime")) ?? createdUtcMs;
  const timing = readTiming(event, revision);
  if (typeof timing === "string") return refuse(id, `it is wrong: ${timing}`);
  const reader = new SeriesReader(descriptorsOf(event, programme), reading);
  for (const slot of timing.slots) reader.measure(slot);
  for (const slot of timing.slots) reader.slot(slot);
  if (reader.bad !== "" && !timing.cancels) return refuse(id, `it is wrong: ${reader.bad}`);
  const priority = numberOf(event, "priority");
  const base = {
    revision,
    source,
    programme: programme?.name ?? programId,
    test: false,
    start: timing.start,
    randomise: timing.randomMs > 0 ? ({ windowMs: timing.randomMs, law: "around" } as const) : undefined,
    rampUpMs: 0,
    notificationMs: 0,
    emergencyPermitted: reading.emergency,
    createdUtcMs,
    cancelled: timing.cancels,
    delayApplied: false,
    ...(timing.totalMs === undefined ? {} : { totalMs: timing.totalMs }),
  };
  const grid: GridEvent[] = [];
  const { series } = reader;
  for (const use of USES) {
    if (series[use].length > MAX_SERIES && timing.totalMs !== undefined) {
      return refuse(id, "it repeats or cuts off more intervals than this module keeps");
    }
    const intervals = filled(windowOf(series[use], timing, nowUtcMs), timing);
    if (intervals.length === 0) continue;
    grid.push({
      ...base,
      id: idOf(id, grid.length === 0 ? "" : SUFFIX[use]),
      // What a customer has subscribed to yields to every other word (User Guide 8.10.1).
      rank: use === "load" && reader.standing ? 0 : rankOf(priority),
      intervals,
      // To delay a price at random would only make it wrong.
      randomise: use === "load" ? base.randomise : undefined,
    });
  }
  const refusal = reader.refused !== "" ? reader.refused : "";
  return {
    id,
    grid: timing.cancels ? [] : grid,
    refusal: timing.cancels ? "" : refusal,
    timing,
    movesLoad: series.load.length > 0 && !timing.cancels,
    reports: timing.cancels ? [] : readReportDescriptors(event),
  };
}

/** Most important first: the first that there is keeps the event's own id. */
const USES = ["load", "price", "guidance", "order"] as const;

/** In 3.1 a lower number wins and 0 is highest; none is lowest. Here 0 lowest … 1,000,000 highest. */
export function rankOf(priority: number | undefined): number {
  if (priority === undefined || priority < 0) return 1;
  return Math.max(2, 1_000_000 - Math.floor(Math.min(priority, 1e6)));
}

function refuse(id: string, refusal: string): ReadEvent {
  return { id, grid: [], refusal, timing: undefined, movesLoad: false, reports: [] };
}

/** The core takes ids of 128 characters, suffix included. */
function idOf(id: string, suffix: string): string {
  if (id.length + suffix.length <= 128) return id + suffix;
  return `${id.slice(0, 100)}#${crcOfText(id).toString(16)}${suffix}`;
}

/** Units and currencies: the event's own, else the programme's. */
function descriptorsOf(event: Json, programme: Programme | undefined): readonly Descriptor[] {
  const own = readDescriptors(listOf(event, "payloadDescriptors"));
  return programme === undefined ? own : [...own, ...programme.descriptors];
}

/** Those of types that this module follows. */
export function readDescriptors(list: readonly Json[]): Descriptor[] {
  const found: Descriptor[] = [];
  for (const one of list.slice(0, 64)) {
    const name = textOf(one, "payloadType");
    const type = payloadType(name);
    if (type === undefined || type.use === "informs" || type.use === "refused") continue;
    found.push({
      payloadType: type.name,
      units: textOf(one, "units"),
      currency: textOf(one, "currency"),
    });
  }
  return found;
}

/**
 * The core repeats a series where its last interval ends. A series that ends before the event's intervals do gets an
 * empty interval there, so that it is repeated, or cut off, with the event.
 */
function filled(series: readonly GridInterval[], timing: Timing): readonly GridInterval[] {
  const last = series[series.length - 1];
  if (last === undefined || timing.totalMs === undefined) return series;
  let end = 0;
  for (const slot of timing.slots) end = Math.max(end, slot.offsetMs + slot.durationMs);
  const offsetMs = Math.min(end, timing.totalMs);
  if (last.offsetMs + last.durationMs >= offsetMs) return series;
  return [...series, { offsetMs, durationMs: 0, ask: last.ask }];
}

/** A series that is longer than the core stores: what is over is left out, and what is far off comes later. */
function windowOf(
  series: readonly GridInterval[],
  timing: Timing,
  nowUtcMs: number | undefined,
): readonly GridInterval[] {
  if (series.length <= MAX_SERIES) return series;
  let from = 0;
  if (nowUtcMs !== undefined && timing.start !== "now" && timing.totalMs === undefined) {
    const start = timing.start;
    const over = series.findIndex((one) => start + one.offsetMs + one.durationMs > nowUtcMs);
    from = Math.floor((over < 0 ? series.length : over) / STEP) * STEP;
  }
  return series.slice(from, from + MAX_SERIES);
}

/** Turns the payloads of one interval after the other into series, one for each use. */
class SeriesReader {
  readonly series = {
    load: [] as GridInterval[],
    price: [] as GridInterval[],
    guidance: [] as GridInterval[],
    order: [] as GridInterval[],
  };
  /** Why the event is wrong. */
  bad = "";
  /** The first thing that was passed over. */
  refused = "";
  /** The load is asked for by a subscription alone. */
  standing = true;
  private readonly descriptors: readonly Descriptor[];
  private readonly reading: Reading;
  private ghgSum = 0;
  private ghgCount = 0;

  constructor(descriptors: readonly Descriptor[], reading: Reading) {
    this.descriptors = descriptors;
    this.reading = reading;
  }

  /** Before anything is read: what emissions are usual in this event. */
  measure(slot: Slot): void {
    for (const payload of slot.payloads.slice(0, MAX_PAYLOADS)) {
      if (textOf(payload, "type") !== "GHG") continue;
      for (const value of listOf(payload, "values")) {
        if (typeof value !== "number" || !Number.isFinite(value)) continue;
        this.ghgSum += value;
        this.ghgCount++;
      }
    }
  }

  slot(slot: Slot): void {
    const best: { [use in Use]?: { type: PayloadType; intervals: GridInterval[] } } = {};
    for (const payload of slot.payloads.slice(0, MAX_PAYLOADS)) {
      const name = textOf(payload, "type");
      const values = field(payload, "values");
      if (name === "" || !Array.isArray(values)) {
        this.wrong("a payload has no type or no values");
        return;
      }
      const type = payloadType(name);
      if (type === undefined) {
        this.pass(`payload type ${name.slice(0, 40)} is not known`);
        continue;
      }
      if (type.use === "informs") continue;
      if (type.use === "refused") {
        this.pass(`${type.name}: ${type.why}`);
        continue;
      }
      const intervals = this.divide(type, values as readonly Json[], slot);
      if (intervals === undefined) continue;
      const before = best[type.use];
      if (before === undefined || type.rank > before.type.rank) best[type.use] = { type, intervals };
    }
    for (const use of USES) {
      const found = best[use];
      if (found === undefined) continue;
      if (found.type.name !== "IMPORT_CAPACITY_SUBSCRIPTION" && use === "load") this.standing = false;
      for (const one of found.intervals) this.series[use].push(one);
    }
  }

  /** Several values share the interval evenly (User Guide 7.3). Undefined: nothing that can be followed. */
  private divide(type: PayloadType, values: readonly Json[], slot: Slot): GridInterval[] | undefined {
    const count = values.length;
    if (count === 0 || count > MAX_VALUES || (count > 1 && !type.divides)) {
      this.wrong(`${type.name} has ${String(count)} values`);
      return undefined;
    }
    if (count > 1 && slot.durationMs === Infinity) {
      this.wrong("an interval without end cannot be divided");
      return undefined;
    }
    const descriptor = this.descriptors.find((one) => one.payloadType === type.name);
    const mean = this.ghgCount === 0 ? 0 : this.ghgSum / this.ghgCount;
    const intervals: GridInterval[] = [];
    for (let i = 0; i < count; i++) {
      const ask = askOf(type, values[i]!, descriptor, this.reading, mean);
      if (isNoAsk(ask)) {
        if (ask.bad) this.wrong(ask.why);
        else this.pass(ask.why);
        return undefined;
      }
      intervals.push(part(slot, i, count, ask));
    }
    return intervals;
  }

  private wrong(why: string): void {
    if (this.bad === "") this.bad = why;
  }

  private pass(why: string): void {
    if (this.refused === "") this.refused = why;
  }
}

/** The i-th of `count` equal parts, in whole milliseconds without gaps. */
function part(slot: Slot, i: number, count: number, ask: Ask): GridInterval {
  if (count === 1) return { offsetMs: slot.offsetMs, durationMs: slot.durationMs, ask };
  const from = Math.round((slot.durationMs * i) / count);
  const to = Math.round((slot.durationMs * (i + 1)) / count);
  return { offsetMs: slot.offsetMs + from, durationMs: to - from, ask };
}
