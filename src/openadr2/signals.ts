import { isFault } from "../base/fault.js";
import { drmAsk } from "../grid/drm.js";
import { simpleAsk } from "../grid/simple.js";
import type { Ask, GridEvent, GridInterval } from "../grid/event.js";
import { PriceSeries } from "../grid/price-series.js";
import type { VtnEvent, VtnSignal } from "./messages.js";

/*
 * What a 2.0b event asks for, in neutral words; or the response code by which it is refused.
 * Sources: signal names and types of oadr_ei_20b.xsd; rules 6, 8, 9, 14, 47 of the profile as conformance
 * checks have them; the mapping to asks is ours (docs/openadr2.md).
 */

/** How the programme is to be read; all optional parts of the upstream's configuration. */
export interface Programme {
  readonly source: string;
  /** Grid Emergency permitted: for all, for none, or in these market contexts. */
  readonly emergency: boolean | readonly string[];
  /** What 1.0 of x-loadControlCapacity and the like refers to. */
  readonly capacityReference: "rated" | "installer" | "dynamic";
  /** SIMPLE and x-DRM mean the demand response modes of AS/NZS 4755, and a capacity of 1 means DRM 4. */
  readonly drm: boolean;
  /** Unit of x-loadControlSetpoint where the signal names none; "" = refuse. */
  readonly setpointUnit: "W" | "A" | "fraction" | "";
  /** The usual price per kWh, for signals that give none or only a difference; undefined = unknown. */
  readonly normalPrice: number | undefined;
  /** Device classes (mrid) that are ours, lower case, letters and digits only. */
  readonly deviceClasses: readonly string[];
}

export interface Refusal {
  /** EiResponse code. */
  readonly code: "454" | "460" | "462" | "469";
  readonly text: string;
}

/** Suffix of the second event that a price beside a load signal becomes, so that both can be in force. */
export const PRICE_SUFFIX = "~price";

/**
 * The neutral events of one server event: the load signal, the prices, or both (ids `ID` and `ID~price`);
 * none for an event that only informs. A signal that is unknown or not for this device is passed over while
 * another one can be obeyed.
 */
export function gridEvents(event: VtnEvent, programme: Programme, nowUtcMs: number): GridEvent[] | Refusal {
  if (event.over !== "") return { code: "469", text: `This module cannot hold it: ${event.over}.` };
  if (event.bad !== "") return { code: "454", text: `The event is wrong: ${event.bad}.` };
  if (event.startUtcMs === undefined) return { code: "454", text: "The event has no start." };
  const cancelled = event.status === "cancelled" || endedEarly(event, nowUtcMs);
  const events: GridEvent[] = [];
  let refusal: Refusal | undefined;
  let load: GridInterval[] | undefined;
  let loadRank = -1;
  let prices: GridInterval[] | undefined;
  let informs = false;
  for (const signal of event.signals) {
    const rank = signalRank(signal);
    if (!ours(signal, programme)) {
      refusal ??= { code: "462", text: `Signal ${signal.name} is for other devices.` };
      continue;
    }
    if (rank === INFORMATIVE) {
      informs = true;
      continue;
    }
    if (rank !== PRICE && rank <= loadRank) continue;
    if (rank === PRICE && prices !== undefined) continue;
    const intervals = signalIntervals(event, signal, programme);
    if (!Array.isArray(intervals)) {
      // Data that are wrong outweigh a signal that is only unknown.
      if (refusal === undefined || refusal.code !== "454") refusal = intervals;
      continue;
    }
    if (rank === PRICE) prices = intervals;
    else {
      load = intervals;
      loadRank = rank;
    }
  }
  if (load === undefined && prices === undefined && !cancelled) {
    if (informs) return [];
    return refusal ?? { code: "460", text: "The event has no signal that this module knows." };
  }
  // Wrong data in any signal that we know spoil the event: half of it must not be applied.
  if (refusal?.code === "454" && !cancelled) return refusal;
  const base = {
    revision: event.modification,
    source: programme.source,
    programme: event.marketContext,
    rank: rankOf(event.priority),
    test: event.test,
    start: event.startUtcMs,
    randomise: event.startAfterMs > 0 ? ({ windowMs: event.startAfterMs, law: "after" } as const) : undefined,
    rampUpMs: event.rampUpMs,
    notificationMs: event.notificationMs,
    // DRM 0 is the disconnection device by its own definition.
    emergencyPermitted:
      emergencyPermitted(event, programme) ||
      (programme.drm && load?.some(({ ask }) => ask.ask === "emergency") === true),
    createdUtcMs: event.createdUtcMs,
    cancelled,
    delayApplied: false,
  };
  if (load !== undefined || prices === undefined)
    events.push({ ...base, id: event.id, intervals: load ?? [] });
  if (prices !== undefined) {
    const id = load === undefined ? event.id : event.id + PRICE_SUFFIX;
    // A price is information: to delay it at random would only make it wrong.
    events.push({ ...base, id, intervals: prices, randomise: undefined });
  }
  return events;
}

/**
 * 2.0b: a lower number wins, but 0 or none is lowest. Here: 0 lowest … 1,000,000 highest.
 */
export function rankOf(priority: number): number {
  return priority === 0 ? 0 : Math.max(1, 1_000_001 - priority);
}

/**
 * "completed" while our own clock says that it runs: an open-ended event has ended, a timed one was ended
 * early. A minute of grace, because clocks differ and a random start shifts the end.
 */
function endedEarly(event: VtnEvent, nowUtcMs: number): boolean {
  if (event.status !== "completed") return false;
  if ((event.durationMs ?? 0) === 0) return true;
  return nowUtcMs < (event.startUtcMs ?? 0) + (event.durationMs ?? 0) - 60_000;
}

function emergencyPermitted(event: VtnEvent, programme: Programme): boolean {
  const { emergency } = programme;
  return typeof emergency === "boolean" ? emergency : emergency.includes(event.marketContext);
}

function ours(signal: VtnSignal, programme: Programme): boolean {
  if (signal.deviceClasses.length === 0) return true;
  return signal.deviceClasses.some((mrid) =>
    programme.deviceClasses.includes(mrid.toLowerCase().replace(/[^a-z0-9]/g, "")),
  );
}

const UNKNOWN = 0;
const INFORMATIVE = -2;
const PRICE = -3;
/** The finest of all: it says exactly which mode. */
const DRM = 4;

/** Demand response modes that SIMPLE 1 to 3 stand for: 75 %, 50 %, off (requirements 1.2). */
function modeOfSimple(level: number): number | undefined {
  return level === 1 ? 3 : level === 2 ? 2 : level === 3 ? 0 : undefined;
}

/** Which of several load signals is obeyed: the finer one; SIMPLE is what everybody understands. */
function signalRank(signal: VtnSignal): number {
  switch (signal.name) {
    case "x-DRM":
      return DRM;
    case "LOAD_DISPATCH":
      return 3;
    case "LOAD_CONTROL":
      return 2;
    case "SIMPLE":
    case "simple":
      return 1;
    case "ELECTRICITY_PRICE":
    case "ENERGY_PRICE":
      return PRICE;
    case "DEMAND_CHARGE":
      return INFORMATIVE;
    default:
      return UNKNOWN;
  }
}

function signalIntervals(event: VtnEvent, signal: VtnSignal, programme: Programme): GridInterval[] | Refusal {
  const total = event.durationMs ?? 0;
  const { count, numbers } = signal;
  if (count === 0) return wrong(`signal ${signal.name} has no intervals`);
  const prices = signalRank(signal) === PRICE ? new PriceSeries(count) : undefined;
  const intervals: GridInterval[] = prices?.intervals ?? [];
  let offsetMs = 0;
  for (let i = 0; i < count; i++) {
    const value = numbers[i * 2 + 1]!;
    const ask = askOf(signal, value, programme, emergencyPermitted(event, programme));
    if (ask === undefined) {
      return wrong(`signal ${signal.name}/${signal.type} cannot have the value ${String(value)}`);
    }
    if ("code" in ask) return ask;
    let durationMs = numbers[i * 2]!;
    const last = i === count - 1;
    // Rule 47: no duration in all = until cancelled. A last interval without one takes what is left.
    if (total === 0) {
      if (last) durationMs = Infinity;
    } else if (durationMs === 0 && last) durationMs = total - offsetMs;
    if (durationMs <= 0) return wrong(`interval ${String(i)} of signal ${signal.name} has no duration`);
    if (prices !== undefined && ask.ask === "price") prices.put(i, offsetMs, durationMs, ask);
    else intervals.push({ offsetMs, durationMs, ask });
    offsetMs += durationMs;
  }
  // Rule 8.
  if (total > 0 && offsetMs !== total) {
    return wrong(`the intervals of signal ${signal.name} do not fill the event's duration`);
  }
  return intervals;
}

function wrong(what: string): Refusal {
  return { code: "454", text: `The event is wrong: ${what}.` };
}

function unsupported(signal: VtnSignal, why = "it has no meaning for a charger"): Refusal {
  return { code: "460", text: `Signal ${signal.name}/${signal.type} is not supported: ${why}.` };
}

/** Undefined: a value that this signal cannot have. */
function askOf(
  signal: VtnSignal,
  value: number,
  programme: Programme,
  emergency: boolean,
): Ask | Refusal | undefined {
  switch (signalRank(signal)) {
    case 1:
      if (signal.type !== "level") return unsupported(signal, "SIMPLE is a level");
      if (programme.drm && value !== 0) return mode(signal, modeOfSimple(value), programme);
      // Rules 9 and 14.
      return simpleAsk(value, emergency);
    case 2:
      return loadControl(signal, value, programme);
    case 3:
      return loadDispatch(signal, value);
    case DRM:
      if (!programme.drm) return unsupported(signal, "the programme is not configured as AS/NZS 4755");
      return signal.type === "level"
        ? mode(signal, value, programme)
        : unsupported(signal, "a mode is a level");
    case PRICE:
      return price(signal, value, programme);
    default:
      return unsupported(signal);
  }
}

/** A demand response mode of AS/NZS 4755. */
function mode(
  signal: VtnSignal,
  number: number | undefined,
  programme: Programme,
): Ask | Refusal | undefined {
  if (number === undefined) return undefined;
  const drm = drmAsk(number, programme.capacityReference);
  if (!isFault(drm)) return drm.ask;
  return drm.fault === "drm-unsupported"
    ? { code: "460", text: drm.text }
    : wrong(`signal ${signal.name}: ${drm.text}`);
}

function fraction(value: number, reference: "rated" | "installer" | "dynamic"): Ask {
  if (value === 1) return { ask: "normal" };
  if (value > 1) return { ask: "load-up" };
  return { ask: "limit", unit: "fraction", value, reference };
}

function loadControl(signal: VtnSignal, value: number, programme: Programme): Ask | Refusal | undefined {
  const reference = programme.capacityReference;
  switch (signal.type) {
    case "x-loadControlCapacity":
      if (programme.drm && value === 1) return mode(signal, 4, programme);
      return value >= 0 && value <= 1 ? fraction(value, reference) : undefined;
    case "x-loadControlPercentOffset":
      return value >= -1 && value <= 1 ? fraction(1 + value, reference) : undefined;
    case "x-loadControlLevelOffset":
      return levelOffset(value, reference);
    case "x-loadControlSetpoint": {
      if (signal.item !== "") return setpoint(signal, value);
      const unit = programme.setpointUnit;
      if (unit === "") return unsupported(signal, "it names no unit and the programme has none configured");
      if (value < 0) return undefined;
      if (unit === "fraction") return value <= 1 ? fraction(value, reference) : undefined;
      return { ask: "limit", unit, value, reference: "rated" };
    }
    default:
      return unsupported(signal, "this type does not belong to LOAD_CONTROL");
  }
}

/** Whole steps from normal; higher = less load. */
function levelOffset(value: number, reference: "rated" | "installer" | "dynamic"): Ask | undefined {
  if (!Number.isInteger(value) || value < -10 || value > 10) return undefined;
  if (value < 0) return { ask: "load-up" };
  if (value === 0) return { ask: "normal" };
  if (value <= 3) return { ask: "shed" };
  if (value <= 6) return { ask: "critical-peak" };
  return { ask: "limit", unit: "fraction", value: 0, reference };
}

function loadDispatch(signal: VtnSignal, value: number): Ask | Refusal | undefined {
  switch (signal.type) {
    case "setpoint":
      return setpoint(signal, value);
    case "multiplier":
      return value >= 0 ? fraction(value, "dynamic") : undefined;
    case "level":
      return levelOffset(value, "rated");
    case "delta":
      return change(signal, value);
    default:
      return unsupported(signal, "this type does not belong to LOAD_DISPATCH");
  }
}

function setpoint(signal: VtnSignal, value: number): Ask | Refusal | undefined {
  const scaled = tidy(value * scaleOf(signal.scale));
  if (!(scaled >= 0)) return undefined;
  switch (signal.item) {
    case "powerReal":
    case "powerApparent":
      return { ask: "limit", unit: "W", value: scaled, reference: "rated" };
    case "current":
      return { ask: "limit", unit: "A", value: scaled, reference: "rated" };
    case "":
      return unsupported(signal, "a set-point without unit");
    default:
      return unsupported(signal, `a set-point in ${signal.item}`);
  }
}

/** Watts more or less than before the event. */
function change(signal: VtnSignal, value: number): Ask | Refusal | undefined {
  const watts = tidy(value * scaleOf(signal.scale));
  if (!Number.isFinite(watts)) return undefined;
  if (signal.item !== "powerReal" && signal.item !== "powerApparent") {
    return unsupported(signal, `a change in ${signal.item === "" ? "no unit" : signal.item}`);
  }
  return { ask: "limit", unit: "change-W", value: watts, reference: "dynamic" };
}

function price(signal: VtnSignal, value: number, programme: Programme): Ask | Refusal | undefined {
  const normal = programme.normalPrice;
  const currency = signal.units.length === 3 ? signal.units : "";
  const amount = value * scaleOf(signal.scale);
  const known = normal !== undefined && normal > 0;
  if (!Number.isFinite(amount)) return undefined;
  switch (signal.type) {
    case "price":
      return {
        ask: "price",
        relative: known ? tidy(amount / normal) : undefined,
        absolute: tidy(amount),
        currency,
      };
    case "priceMultiplier":
      if (value < 0) return undefined;
      return { ask: "price", relative: value, absolute: known ? tidy(value * normal) : undefined, currency };
    case "priceRelative":
      if (!known) return unsupported(signal, "a price difference, and the usual price is not configured");
      return {
        ask: "price",
        relative: tidy((normal + amount) / normal),
        absolute: tidy(normal + amount),
        currency,
      };
    default:
      return unsupported(signal, "this type is no price");
  }
}

/** Without the dust of binary fractions: 30 cents are 0.3. */
function tidy(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** NaN for an unknown code, which makes the value wrong. */
function scaleOf(code: string): number {
  switch (code) {
    case "":
    case "none":
      return 1;
    case "p":
      return 1e-12;
    case "n":
      return 1e-9;
    case "micro":
      return 1e-6;
    case "m":
      return 1e-3;
    case "c":
      return 1e-2;
    case "d":
      return 1e-1;
    case "k":
      return 1e3;
    case "M":
      return 1e6;
    case "G":
      return 1e9;
    case "T":
      return 1e12;
    default:
      return NaN;
  }
}
