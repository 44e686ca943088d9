import { HALF_HOUR_MS, type EnergyBook } from "./energy.js";

/** A span of time and what was used in it: energy in Wh, or its mean in W. */
export interface UsagePoint {
  readonly startUtcMs: number;
  readonly durationMs: number;
  readonly value: number;
}

/**
 * Energy or mean power of the past, oldest first, in steps of whole half hours (counted from 1970) that are no shorter
 * than `stepMs` and no more than `most`. A step counts where any of it lies between the two times. Steps of which
 * nothing is known are left out; one that is known in part is told with what is known, over the time of which it is.
 */
export function usageOf(
  energy: EnergyBook,
  what: "power" | "energy",
  fromUtcMs: number,
  toUtcMs: number,
  stepMs: number,
  most: number,
): readonly UsagePoint[] {
  // First how much there is: a step as long as it must be for all of it to fit.
  let first = Infinity;
  let last = -Infinity;
  for (const { utcMs } of energy.halfHours()) {
    if (utcMs + HALF_HOUR_MS <= fromUtcMs || utcMs >= toUtcMs) continue;
    first = Math.min(first, utcMs);
    last = Math.max(last, utcMs);
  }
  if (last < first) return [];
  let halves = Math.max(1, Math.ceil(stepMs / HALF_HOUR_MS));
  const span = (last - first) / HALF_HOUR_MS + 1;
  while (
    Math.floor(first / HALF_HOUR_MS / halves) + Math.max(1, most) - 1 <
    Math.floor(last / HALF_HOUR_MS / halves)
  ) {
    halves = Math.max(halves + 1, Math.ceil(span / Math.max(1, most)));
  }
  const step = halves * HALF_HOUR_MS;
  const begin = Math.floor(first / step);
  const count = Math.floor(last / step) - begin + 1;
  const wh = new Float64Array(count);
  const known = new Uint16Array(count);
  let lastSlot = -1;
  for (const { utcMs, energyWh } of energy.halfHours()) {
    if (utcMs < first || utcMs > last) continue;
    const at = Math.floor(utcMs / step) - begin;
    wh[at] = wh[at]! + energyWh;
    // Where the clock was set back a half hour comes twice.
    if (utcMs !== lastSlot) known[at] = known[at]! + 1;
    lastSlot = utcMs;
  }
  const points: UsagePoint[] = [];
  for (let at = 0; at < count; at++) {
    const halfHours = Math.min(halves, known[at]!);
    if (halfHours === 0) continue;
    const durationMs = halfHours * HALF_HOUR_MS;
    const value = what === "energy" ? wh[at]! : Math.round((wh[at]! * 3_600_000) / durationMs);
    points.push({ startUtcMs: Math.max(first, (begin + at) * step), durationMs, value });
  }
  return points;
}
