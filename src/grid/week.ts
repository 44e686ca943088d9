import { DAY_MS, MINUTE_MS, weekday } from "../base/iso8601.js";
import { localTime, type PosixZone } from "../base/posix-tz.js";
import type { WeekWindow } from "./regions.js";

/** What a weekly schedule says at a moment. */
export interface WeekAnswer {
  /** Inside a window. */
  readonly inside: boolean;
  /** Since and until when, ms from the moment, by the present offset of local time; only where `inside`. */
  readonly sinceMs: number;
  readonly leftMs: number;
  /** When to look again at the latest, ms from the moment. */
  readonly wakeMs: number;
}

/** Daylight saving begins and ends on a half hour of UTC everywhere; looking again then keeps the edges exact. */
const LOOK_AGAIN_MS = 30 * MINUTE_MS;

/** Asks a schedule in local time about a UTC moment. */
export function weekAt(
  windows: readonly WeekWindow[],
  utcMs: number,
  zone: PosixZone | undefined,
): WeekAnswer {
  const localMs = utcMs + localOffsetMs(zone, utcMs);
  const day = Math.floor(localMs / DAY_MS);
  const inDayMs = localMs - day * DAY_MS;
  const bit = 1 << weekday(day);
  let wakeMs = LOOK_AGAIN_MS - (utcMs - Math.floor(utcMs / LOOK_AGAIN_MS) * LOOK_AGAIN_MS);
  for (const window of windows) {
    if ((window.days & bit) === 0) continue;
    const fromMs = window.fromMin * MINUTE_MS;
    const toMs = window.toMin * MINUTE_MS;
    if (inDayMs >= fromMs && inDayMs < toMs) {
      const leftMs = toMs - inDayMs;
      return { inside: true, sinceMs: inDayMs - fromMs, leftMs, wakeMs: Math.min(wakeMs, leftMs) };
    }
    if (fromMs > inDayMs) wakeMs = Math.min(wakeMs, fromMs - inDayMs);
  }
  return { inside: false, sinceMs: 0, leftMs: 0, wakeMs };
}

/** Local time minus UTC at a UTC moment, ms; 0 where no zone is set. */
export function localOffsetMs(zone: PosixZone | undefined, utcMs: number): number {
  return zone === undefined ? 0 : localTime(zone, utcMs).offsetS * 1000;
}

/** "" for a sound schedule, else the refusal code. */
export function weekFault(windows: readonly WeekWindow[]): string {
  if (windows.length > 32) return "too-many-windows";
  const sound = windows.every(
    (w) =>
      Number.isInteger(w.days) &&
      w.days >= 0 &&
      w.days < 128 &&
      w.fromMin >= 0 &&
      w.fromMin < w.toMin &&
      w.toMin <= 1440,
  );
  return sound ? "" : "bad-window";
}
