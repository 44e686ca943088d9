import { parseDateTime, parseDuration } from "../base/iso8601.js";
import { field, listOf, type Json } from "./json-stream.js";

/*
 * The interval model of OpenADR 3 (User Guide 7.3): a period of the event that is the default of its intervals, a
 * period of each interval that goes before it, "now" and "after the previous", for ever, repeat and cut off.
 */

export interface Slot {
  /** From the event's start, ms. */
  readonly offsetMs: number;
  /** Infinity = open. */
  readonly durationMs: number;
  readonly payloads: readonly Json[];
}

export interface Timing {
  /** UTC ms, or when it is received. */
  readonly start: number | "now";
  readonly slots: readonly Slot[];
  /** Where the event's own duration is not that of its intervals: shorter cuts off, longer repeats. */
  readonly totalMs: number | undefined;
  /** The window of randomizeStart, ms; 0 = none. */
  readonly randomMs: number;
  /** Start "now" and no length at all: how an event is cancelled without deleting it (7.9). */
  readonly cancels: boolean;
}

/** Intervals in an event that are looked at; more is a server gone wild. */
const MAX_INTERVALS = 1024;
/** Longer than this is for ever: P9999Y says so. */
const FOREVER_MS = 1000 * 365 * 86_400_000;

/** In words what is wrong, or the timing. `issuedUtcMs`: when the event was last changed. */
export function readTiming(event: Json, issuedUtcMs: number): Timing | string {
  const base = readPeriod(field(event, "intervalPeriod"));
  if (typeof base === "string") return base;
  const own = durationOf(field(event, "duration"));
  if (typeof own === "string") return own;
  const intervals = listOf(event, "intervals");
  if (intervals.length > MAX_INTERVALS) return `it has ${String(intervals.length)} intervals`;
  const slots: { at: number | undefined; durationMs: number | undefined; payloads: readonly Json[] }[] = [];
  let random = base.randomMs;
  let dated = typeof base.start === "number";
  for (const interval of intervals) {
    const period = readPeriod(field(interval, "intervalPeriod"));
    if (typeof period === "string") return period;
    random ??= period.randomMs;
    const at = typeof period.start === "number" ? period.start : undefined;
    if (at !== undefined) dated = true;
    slots.push({
      at,
      durationMs: period.durationMs ?? base.durationMs,
      payloads: listOf(interval, "payloads"),
    });
  }
  // Events that name some dates and begin "now" are anchored at the moment at which that "now" was said.
  const first = slots[0]?.at ?? (typeof base.start === "number" ? base.start : undefined);
  const start: number | "now" = first ?? (dated ? issuedUtcMs : "now");
  const laid = layOut(slots, start === "now" ? 0 : start, own);
  if (typeof laid === "string") return laid;
  const originMs = start === "now" ? 0 : Math.min(start, laid[0]?.offsetMs ?? start);
  const placed = laid.map((slot) => ({ ...slot, offsetMs: slot.offsetMs - originMs }));
  const end = placed.reduce((most, slot) => Math.max(most, slot.offsetMs + slot.durationMs), 0);
  const cancels = start === "now" && end === 0 && (intervals.length > 0 || base.durationMs === 0);
  return {
    start: start === "now" ? "now" : originMs,
    slots: placed,
    totalMs:
      own === undefined || own === 0 || own === end || (end === Infinity && own === Infinity)
        ? undefined
        : own,
    randomMs: random ?? 0,
    cancels,
  };
}

/** Puts intervals one after the other from `fromMs`, where they do not say when they begin. */
function layOut(
  slots: readonly {
    readonly at: number | undefined;
    readonly durationMs: number | undefined;
    readonly payloads: readonly Json[];
  }[],
  fromMs: number,
  totalMs: number | undefined,
): Slot[] | string {
  // Interval ids are no sequence numbers: where every interval is dated, the dates order them.
  const all = slots.length > 1 && slots.every((slot) => slot.at !== undefined);
  const order = all ? [...slots].sort((a, b) => a.at! - b.at!) : slots;
  const laid: Slot[] = [];
  let end = order[0]?.at ?? fromMs;
  for (let i = 0; i < order.length; i++) {
    const { at, durationMs: given, payloads } = order[i]!;
    const offsetMs = at ?? end;
    if (offsetMs === Infinity) return `interval ${String(i)} would begin after one without end`;
    const next = order[i + 1]?.at;
    let durationMs = given;
    if (durationMs === undefined) {
      if (next !== undefined) durationMs = next - offsetMs;
      else if (i < order.length - 1) return `interval ${String(i)} has no duration`;
      else if (totalMs !== undefined && totalMs > 0) durationMs = Math.max(0, fromMs + totalMs - offsetMs);
      else durationMs = Infinity;
    }
    // The later of two that overlap is the newer word.
    if (next !== undefined) durationMs = Math.min(durationMs, next - offsetMs);
    if (!(durationMs >= 0) || offsetMs < end - 0.5)
      return `interval ${String(i)} begins before the one that it follows`;
    laid.push({ offsetMs, durationMs, payloads });
    end = offsetMs + durationMs;
  }
  return laid;
}

interface Period {
  readonly start: number | "now" | undefined;
  readonly durationMs: number | undefined;
  readonly randomMs: number | undefined;
}

function readPeriod(period: Json | undefined): Period | string {
  const start = startOf(field(period, "start"));
  if (typeof start === "string" && start !== "now") return start;
  const durationMs = durationOf(field(period, "duration"));
  if (typeof durationMs === "string") return durationMs;
  const randomMs = durationOf(field(period, "randomizeStart"));
  if (typeof randomMs === "string") return randomMs;
  return { start, durationMs, randomMs: randomMs === undefined ? undefined : Math.min(randomMs, FOREVER_MS) };
}

/** Year 1 is "now", or "after the previous"; older servers write year 0. */
function startOf(value: Json | undefined): number | "now" | undefined | string {
  if (value === undefined) return undefined;
  if (typeof value !== "string") return "a start is no text";
  if (value.startsWith("0001-01-01") || value.startsWith("0000-")) return "now";
  return parseDateTime(value) ?? `"${value.slice(0, 40)}" is no date and time`;
}

/** Infinity for "for ever". */
function durationOf(value: Json | undefined): number | undefined | string {
  if (value === undefined) return undefined;
  const ms = typeof value === "string" ? parseDuration(value) : undefined;
  if (ms === undefined) {
    const shown = typeof value === "string" ? `"${value.slice(0, 40)}"` : "what it has";
    return `${shown} is no duration`;
  }
  if (ms < 0) return "a duration is negative";
  return ms >= FOREVER_MS ? Infinity : ms;
}
