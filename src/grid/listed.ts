import { NEVER, type Now } from "../ports/time.js";
import { locate, newPosition, type Position, type Stored } from "./stored.js";

export interface GridStats {
  readonly events: number;
  readonly intervals: number;
  /** Refusal code → how often. */
  readonly refusals: ReadonlyMap<string, number>;
  /** Stored records that failed their seal at start. */
  readonly brokenRecords: number;
  readonly writes: number;
  /** Full re-plans; answers from the cache do not count. */
  readonly replans: number;
  readonly clockSteps: number;
}

/** A stored event as a page shows it. */
export interface ListedEvent {
  readonly id: string;
  readonly source: string;
  readonly revision: number;
  readonly rank: number;
  readonly test: boolean;
  readonly cancelled: boolean;
  readonly state: Position["state"];
  /** With its random delay; null = it began when it came. */
  readonly startUtcMs: number | null;
  /** What it asks now; "" where it asks nothing. */
  readonly ask: string;
  /** Until the state changes, ms; null = never by itself. */
  readonly leftMs: number | null;
}

/** Events as a page shows them, in no order. */
export function listed(events: readonly Stored[], now: Now): readonly ListedEvent[] {
  const position = newPosition();
  return events.map((stored) => {
    const { id, source, revision, rank, test, cancelled, start } = stored.event;
    locate(stored, now, undefined, position);
    const { state, leftMs, index } = position;
    const ask = stored.event.intervals[index]?.ask.ask ?? "";
    return {
      ...{ id, source, revision, rank, test, cancelled, state },
      startUtcMs: start === "now" ? null : start + stored.drawMs,
      ask: state === "in" ? ask : "",
      leftMs: leftMs === NEVER ? null : leftMs,
    };
  });
}
