import type { Now } from "../ports/time.js";

/**
 * A moment that survives both a clock that steps and a restart. While the module runs, the monotonic clock
 * decides; over a restart, UTC does. Where neither helps (made without a clock, then restarted), the moment
 * counts as the restart: too long rather than forgotten.
 */
export interface Anchor {
  ms: number | undefined;
  utcMs: number | undefined;
}

/** A correction of the clock beyond this is worth a write to flash. */
const WORTH_WRITING_MS = 5000;

export function anchorAt(now: Now): Anchor {
  return { ms: now.ms, utcMs: now.utcMs };
}

/** Milliseconds since the anchor, or undefined after a restart while the clock is unknown. */
export function sinceAnchor(anchor: Anchor, now: Now): number | undefined {
  if (anchor.ms !== undefined) return now.ms - anchor.ms;
  if (anchor.utcMs === undefined) return 0;
  return now.utcMs === undefined ? undefined : Math.max(0, now.utcMs - anchor.utcMs);
}

/** Fills in the half that can be known now; true where the anchor should be written again. */
export function settleAnchor(anchor: Anchor, now: Now): boolean {
  const since = sinceAnchor(anchor, now);
  if (since === undefined) return false;
  anchor.ms ??= now.ms - since;
  if (now.utcMs === undefined) return false;
  const utcMs = now.utcMs - since;
  if (anchor.utcMs !== undefined && Math.abs(utcMs - anchor.utcMs) < WORTH_WRITING_MS) return false;
  anchor.utcMs = utcMs;
  return true;
}
