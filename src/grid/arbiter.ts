import type { Ask } from "./event.js";

/**
 * Who wins. The table with a reason for every cell is docs/arbitration.md; this is all of its code:
 * emergency, then remote event, then owner's boost, then local schedule, then nothing; among equals the higher
 * rank, then the more restrictive, then the later made, then by name so that the answer never depends on order.
 */
export type Tier = 0 | 1 | 2 | 3 | 4;
export const TIER_NONE = 0;
export const TIER_SCHEDULE = 1;
export const TIER_OWNER = 2;
export const TIER_EVENT = 3;
export const TIER_EMERGENCY = 4;

/** One who wants something of the load now. */
export interface Claim {
  readonly tier: Tier;
  readonly rank: number;
  /** {@link levelOf} of the ask. */
  readonly level: number;
  readonly createdUtcMs: number;
  readonly ask: Ask;
  readonly source: string;
  readonly eventId: string;
  readonly revision: number;
  readonly emergencyPermitted: boolean;
  /** Monotonic begin and end of the present interval, ms; end NEVER where open. */
  readonly beganMs: number;
  readonly endsMs: number;
  /** Its source has spread it at random already, so that its end needs no further delay. */
  readonly spread: boolean;
}

/** True where `a` wins over `b`. A strict total order over claims of different events. */
export function beats(a: Claim, b: Claim): boolean {
  if (a.tier !== b.tier) return a.tier > b.tier;
  if (a.rank !== b.rank) return a.rank > b.rank;
  if (a.level !== b.level) return a.level < b.level;
  if (a.createdUtcMs !== b.createdUtcMs) return a.createdUtcMs > b.createdUtcMs;
  if (a.source !== b.source) return a.source < b.source;
  return a.eventId < b.eventId;
}
