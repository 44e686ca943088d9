/**
 * What several charging profiles say together (OCPP 1.6, 3.13): in each purpose the profile with the highest stack
 * level that says anything at the moment; a TxProfile instead of a TxDefaultProfile; never more than the
 * ChargePointMaxProfile.
 */
import { DAY_MS } from "../base/iso8601.js";
import { NEVER } from "../ports/time.js";
import type { Mains } from "./config.js";
import type { ChargingProfile, Period, Purpose, RateUnit } from "./profile.js";

/** What a limit is relative to. */
export interface ProfileContext {
  /** When the running transaction began, UTC ms; undefined where none runs. */
  readonly txStartMs: number | undefined;
  /** The platform's number of the running transaction. */
  readonly transactionId: number | undefined;
}

/** What holds at a moment. */
export interface LimitNow {
  /** Undefined: no profile limits. */
  readonly limit: Limit | undefined;
  /** UTC ms at which it may change; NEVER where it will not. */
  readonly untilMs: number;
}

export interface Limit {
  readonly unit: RateUnit;
  readonly value: number;
  /** Phases that it is meant for: 1 … the site's. */
  readonly phases: number;
}

/** The limit at a UTC time, and until when it holds at least. */
export function limitAt(
  profiles: readonly ChargingProfile[],
  utcMs: number,
  context: ProfileContext,
  mains: Mains,
): LimitNow {
  let untilMs = NEVER;
  const best = (purpose: Purpose): Limit | undefined => {
    let found: Limit | undefined;
    let level = -1;
    for (const profile of profiles) {
      if (profile.purpose !== purpose) continue;
      if (purpose === "TxProfile" && !belongs(profile, context)) continue;
      const at = periodAt(profile, utcMs, context);
      if (at.untilMs < untilMs) untilMs = at.untilMs;
      // Of equals the more special connector counts: a TxDefaultProfile of connector 1 before that of 0.
      const weight = profile.stackLevel * 2 + profile.connector;
      if (at.period === undefined || weight <= level) continue;
      level = weight;
      const phases = Math.min(at.period.phases ?? 3, mains.phases);
      found = { unit: profile.unit, value: at.period.limit, phases };
    }
    return found;
  };
  const forTx = best("TxProfile") ?? best("TxDefaultProfile");
  const most = best("ChargePointMaxProfile");
  let limit = forTx ?? most;
  if (forTx !== undefined && most !== undefined && amperesOf(most, mains) < amperesOf(forTx, mains)) {
    limit = most;
  }
  return { limit, untilMs };
}

function belongs(profile: ChargingProfile, context: ProfileContext): boolean {
  if (context.txStartMs === undefined) return false;
  return profile.transactionId === undefined || profile.transactionId === context.transactionId;
}

/** Amperes per phase of a limit. */
export function amperesOf(limit: Limit, mains: Mains): number {
  return limit.unit === "A" ? limit.value : limit.value / (mains.voltage * limit.phases);
}

/** A limit in the other unit. */
export function limitIn(unit: RateUnit, limit: Limit, mains: Mains): number {
  if (limit.unit === unit) return limit.value;
  const factor = mains.voltage * limit.phases;
  return unit === "A" ? limit.value / factor : limit.value * factor;
}

/** The period of one profile at a moment; undefined where it says nothing then. */
function periodAt(
  profile: ChargingProfile,
  utcMs: number,
  context: ProfileContext,
): { readonly period: Period | undefined; readonly untilMs: number } {
  const { validFromMs = -NEVER, validToMs = NEVER, startMs } = profile;
  if (utcMs < validFromMs) return { period: undefined, untilMs: validFromMs };
  if (utcMs >= validToMs) return { period: undefined, untilMs: NEVER };
  let beginMs: number;
  let endMs = validToMs;
  if (startMs === undefined || profile.kind === "Relative") {
    // Without a transaction the first period stands for the time before it: a car must not begin over it.
    if (context.txStartMs === undefined) return { period: profile.periods[0], untilMs: endMs };
    beginMs = context.txStartMs;
  } else if (profile.kind === "Recurring") {
    if (utcMs < startMs) return { period: undefined, untilMs: Math.min(startMs, endMs) };
    // Every 24 h or 7 days to the second (7.9), whatever the clocks of the place do.
    const cycleMs = profile.recurrence === "Weekly" ? 7 * DAY_MS : DAY_MS;
    beginMs = startMs + Math.floor((utcMs - startMs) / cycleMs) * cycleMs;
    endMs = Math.min(endMs, beginMs + cycleMs);
  } else beginMs = startMs;
  if (utcMs < beginMs) return { period: undefined, untilMs: Math.min(beginMs, endMs) };
  const overMs = beginMs + (profile.durationS ?? NEVER) * 1000;
  if (utcMs >= overMs) {
    const again = profile.kind === "Recurring" ? endMs : NEVER;
    return { period: undefined, untilMs: again };
  }
  endMs = Math.min(endMs, overMs);
  const sinceS = (utcMs - beginMs) / 1000;
  let index = 0;
  while (index + 1 < profile.periods.length && profile.periods[index + 1]!.startS <= sinceS) index++;
  const next = profile.periods[index + 1];
  if (next !== undefined) endMs = Math.min(endMs, beginMs + next.startS * 1000);
  return { period: profile.periods[index], untilMs: endMs };
}

/** A stretch of a composite schedule. */
export interface Stretch {
  readonly fromMs: number;
  readonly limit: Limit | undefined;
}

/**
 * The limits from one UTC time to another, each stretch different from the one before; cut after `most` stretches.
 * Answers where it ends.
 */
export function composite(
  profiles: readonly ChargingProfile[],
  fromMs: number,
  toMs: number,
  context: ProfileContext,
  mains: Mains,
  most: number,
): { readonly stretches: readonly Stretch[]; readonly toMs: number } {
  const stretches: Stretch[] = [];
  let atMs = fromMs;
  while (atMs < toMs) {
    const { limit, untilMs } = limitAt(profiles, atMs, context, mains);
    const last = stretches[stretches.length - 1];
    if (last === undefined || !sameLimit(last.limit, limit)) {
      if (stretches.length >= most) return { stretches, toMs: atMs };
      stretches.push({ fromMs: atMs, limit });
    }
    atMs = untilMs;
  }
  return { stretches, toMs };
}

export function sameLimit(a: Limit | undefined, b: Limit | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.unit === b.unit && a.value === b.value && a.phases === b.phases;
}
