import type { Fault } from "./fault.js";
import { uniformInt, type Uint32Source } from "./random.js";

/** How long to wait after failures: doubling from a period to a ceiling, with jitter. All in ms. */
export interface BackoffRule {
  /** The normal quiet interval, e.g. the poll period: the ceiling after the first failure. */
  readonly periodMs: number;
  /** The ceiling stops doubling here. Default 15 min (OpenADR 2.0b, doubling the quiet interval). */
  readonly maxMs?: number;
  /** Never wait less than this, where a server asked for a least interval. Default 0 = full jitter. */
  readonly floorMs?: number;
}

export const BACKOFF_MAX_MS = 900_000;

/** The longest wait after so many failures in a row (1 = the first), ms. Never under the period. */
export function backoffCeilingMs(rule: BackoffRule, failures: number): number {
  const most = Math.max(rule.maxMs ?? BACKOFF_MAX_MS, rule.periodMs);
  // 2^30 periods are far beyond any ceiling; the cap keeps the power finite after months of failure.
  return Math.min(most, rule.periodMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
}

/**
 * Milliseconds to wait after so many failures in a row: uniform between the floor and the ceiling, so that
 * modules that lost the same server do not come back together. 0 failures = 0 ms.
 */
export function backoffMs(rule: BackoffRule, failures: number, random: Uint32Source): number {
  if (failures <= 0) return 0;
  const ceiling = Math.floor(backoffCeilingMs(rule, failures));
  const floor = Math.min(ceiling, Math.max(0, Math.ceil(rule.floorMs ?? 0)));
  return floor + uniformInt(random, ceiling - floor);
}

/** Modules of one street come back over this time, ms. */
const COMEBACK_MS = 8000;

/**
 * When to try again now that the network is back, for somebody who was going to try at `nextTryMs`: soon, where it was
 * the network that failed. What a server has asked for is kept.
 */
export function comebackMs(
  why: Fault | undefined,
  nextTryMs: number,
  nowMs: number,
  random: Uint32Source,
): number {
  return why?.blame === "network" ? Math.min(nextTryMs, nowMs + uniformInt(random, COMEBACK_MS)) : nextTryMs;
}
