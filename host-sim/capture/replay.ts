import { airTimeMs, type CaptureRecord, type Sender } from "./record.js";

/** Bytes to write, and when: ms after the begin of the capture. */
export interface Cue {
  readonly afterMs: number;
  readonly bytes: Uint8Array;
}

/** What one side said, as cues; the other side's records only set the begin. */
export function cuesOf(records: readonly CaptureRecord[], side: Sender, speed = 1): readonly Cue[] {
  const begins = (one: CaptureRecord): number => one.utcMs - airTimeMs(one);
  const first = records.reduce((ms, one) => Math.min(ms, begins(one)), Infinity);
  return records
    .filter((one) => one.from === side)
    .map((one) => ({ afterMs: (begins(one) - first) / speed, bytes: one.bytes }))
    .sort((a, b) => a.afterMs - b.afterMs);
}
