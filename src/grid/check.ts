import { askFault } from "./asks.js";
import type { GridEvent } from "./event.js";
import type { GridSettings } from "./settings.js";

/** "" for an event that can be stored and carried out, else the stable refusal code. */
export function eventFault(event: GridEvent, settings: GridSettings): string {
  if (event.id === "" || event.id.length > 128) return "bad-id";
  if (!Number.isFinite(event.revision) || !Number.isFinite(event.createdUtcMs)) return "bad-revision";
  if (!(event.rank >= 0 && event.rank <= 1_000_000)) return "bad-rank";
  if (event.start !== "now" && !Number.isFinite(event.start)) return "bad-start";
  if (event.randomise !== undefined && !(event.randomise.windowMs >= 0)) return "bad-randomisation";
  if (event.totalMs !== undefined && !(event.totalMs >= 0)) return "bad-duration";
  if (event.intervals.length > settings.maxIntervals) return "too-many-intervals";
  // A cancelled event need not say what it would have been.
  if (event.cancelled) return "";
  if (event.intervals.length === 0) return "no-intervals";
  let endMs = 0;
  for (const interval of event.intervals) {
    // Written so that NaN fails, and so that nothing can follow an open interval.
    if (!(interval.offsetMs >= endMs && interval.offsetMs < Infinity && interval.durationMs >= 0)) {
      return "bad-interval";
    }
    endMs = interval.offsetMs + interval.durationMs;
    const why = askFault(interval.ask);
    if (why !== "") return why;
  }
  return event.totalMs !== undefined && endMs === 0 ? "bad-interval" : "";
}
