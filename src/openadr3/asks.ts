import type { Ask } from "../grid/event.js";
import { simpleAsk } from "../grid/simple.js";
import type { Json } from "./json-stream.js";
import type { PayloadType } from "./payload-types.js";

/** What gives a value its meaning: unit and currency of an eventPayloadDescriptor. */
export interface Descriptor {
  readonly payloadType: string;
  /** "" where none is given. */
  readonly units: string;
  readonly currency: string;
}

/** How values are to be read; parts of the upstream's configuration. */
export interface Reading {
  readonly emergency: boolean;
  readonly setpointUnit: "W" | "A" | "fraction" | "";
  readonly normalPrice: number | undefined;
  readonly remoteReboot: boolean;
  readonly remoteOverride: boolean;
}

/** Refused for what it is (`bad` false: another type of the interval may be obeyed), or wrong data (`bad` true). */
export interface NoAsk {
  readonly why: string;
  readonly bad: boolean;
}

export function isNoAsk(value: Ask | NoAsk): value is NoAsk {
  return "why" in value;
}

/**
 * What one value of a load, price or order type asks for.
 * @param mean mean of the type's values in the event, for GHG
 */
export function askOf(
  type: PayloadType,
  value: Json,
  descriptor: Descriptor | undefined,
  reading: Reading,
  mean: number,
): Ask | NoAsk {
  switch (type.name) {
    case "ALERT_GRID_EMERGENCY":
    case "ALERT_BLACK_START":
      return { ask: "emergency" };
    case "ALERT_FLEX_ALERT":
      return { ask: "shed" };
    default:
  }
  if (typeof value !== "number" || !Number.isFinite(value)) return wrong(type, value);
  const units = descriptor?.units ?? "";
  switch (type.name) {
    case "SIMPLE":
      return simpleAsk(value, reading.emergency) ?? wrong(type, value);
    case "CONTROL_LEVEL_OFFSET":
      return levelOffset(value) ?? wrong(type, value);
    case "CONTROL_LEVEL_OFFSET_PERCENT":
      // Of the two sentences of the enumeration the first: the lower, the less load (docs/openadr3.md).
      return value >= -1 && value <= 1 ? fraction(1 + value) : wrong(type, value);
    case "DISPATCH_SETPOINT":
    case "CONTROL_SETPOINT":
      return setpoint(type, value, units, reading.setpointUnit);
    case "IMPORT_CAPACITY_LIMIT":
    case "IMPORT_CAPACITY_SUBSCRIPTION":
      return setpoint(type, value, units, "");
    case "PRICE":
      return price(value, units, descriptor?.currency ?? "", reading.normalPrice);
    case "GHG":
      if (value < 0) return wrong(type, value);
      return { ask: "guidance", level: value >= 1.2 * mean ? BAD : value <= 0.8 * mean ? GOOD : NEUTRAL };
    case "CTA2045_REBOOT":
      if (value !== 0 && value !== 1) return wrong(type, value);
      return reading.remoteReboot ? { ask: "reboot", kind: value } : noConsent(type);
    case "CTA2045_SET_OVERRIDE_STATUS":
      if (value !== 0 && value !== 1) return wrong(type, value);
      return reading.remoteOverride ? { ask: "override", on: value === 1 } : noConsent(type);
    default:
      return { why: type.why, bad: false };
  }
}

/** CTA-2045 Grid Guidance. */
const BAD = 0;
const NEUTRAL = 1;
const GOOD = 2;

function wrong(type: PayloadType, value: Json): NoAsk {
  const shown = typeof value === "object" ? "what it has" : String(value).slice(0, 20);
  return { why: `${type.name} cannot be ${shown}`, bad: true };
}

function noConsent(type: PayloadType): NoAsk {
  return { why: `the customer has not consented to ${type.name}`, bad: false };
}

/** Whole steps from normal, −10 … 10; higher = less load. */
function levelOffset(value: number): Ask | undefined {
  if (!Number.isInteger(value) || value < -10 || value > 10) return undefined;
  if (value < 0) return { ask: "load-up" };
  if (value === 0) return { ask: "normal" };
  if (value <= 3) return { ask: "shed" };
  return value <= 6 ? { ask: "critical-peak" } : fraction(0);
}

function fraction(value: number): Ask {
  if (value === 1) return { ask: "normal" };
  if (value > 1) return { ask: "load-up" };
  return { ask: "limit", unit: "fraction", value, reference: "rated" };
}

function setpoint(
  type: PayloadType,
  value: number,
  units: string,
  fallback: Reading["setpointUnit"],
): Ask | NoAsk {
  if (value < 0) return wrong(type, value);
  const limit = (unit: "W" | "A", scaled: number): Ask => ({
    ask: "limit",
    unit,
    value: tidy(scaled),
    reference: "rated",
  });
  switch (units) {
    case "KW":
    case "KVA":
      return limit("W", value * 1000);
    case "AMPS":
      return limit("A", value);
    case "PERCENT":
      return value <= 1 ? fraction(value) : wrong(type, value);
    case "":
      // Capacity limits are powers, and kW is the enumeration's only unit of real power.
      if (type.name.startsWith("IMPORT_")) return limit("W", value * 1000);
      if (fallback === "fraction") return value <= 1 ? fraction(value) : wrong(type, value);
      if (fallback !== "") return limit(fallback, value);
      return { why: `${type.name} names no unit, and none is configured`, bad: false };
    default:
      return { why: `${type.name} in ${units.slice(0, 20)} means nothing to a charger`, bad: false };
  }
}

function price(value: number, units: string, currency: string, normal: number | undefined): Ask | NoAsk {
  if (units !== "" && units !== "KWH") {
    return { why: `a price per ${units.slice(0, 20)} is not one of electric energy`, bad: false };
  }
  const known = normal !== undefined && normal > 0;
  return {
    ask: "price",
    relative: known ? tidy(value / normal) : undefined,
    absolute: tidy(value),
    currency: currency.length === 3 ? currency : "",
  };
}

/** Without the dust of binary fractions. */
function tidy(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
