import { openJson, sealJson } from "../base/json.js";
import { NEVER, type Now } from "../ports/time.js";
import { sinceAnchor, type Anchor } from "./anchor.js";
import type { Ask, GridEvent, GridInterval } from "./event.js";

/** An event as it is kept: with its random draw, so that a restart changes nothing. */
export interface Stored {
  event: GridEvent;
  /** Where in the store it is kept. */
  readonly slot: number;
  /** The random delay of its start, ms; whole intervals shift by it. */
  drawMs: number;
  /** When an event that starts "now" came. */
  began: Anchor | undefined;
  /** Cancelled: over `afterMs` after the anchor. */
  cut: { anchor: Anchor; afterMs: number } | undefined;
  /** The source still holds it. After a restart assumed until the source says otherwise. */
  listed: boolean;
  /** One-off orders of the intervals before this index have been given. */
  firedTo: number;
}

/** Where the present moment lies in an event. One object is reused, so that a re-plan allocates nothing. */
export interface Position {
  /**
   * `unknown`: needs the clock, and there is none. `waiting`: begins in `leftMs`. `in`: interval `index` runs
   * for `leftMs` more. `gap`: between intervals. `lost`: open-ended, and its source has been silent too long.
   * `over`: will never run again unless the clock steps back.
   */
  state: "unknown" | "waiting" | "in" | "gap" | "lost" | "over";
  index: number;
  /** Since the present interval began, ms. */
  sinceMs: number;
  /** Until the state changes by itself, ms; NEVER where it does not. */
  leftMs: number;
  /** Since the event's (delayed) start, ms. */
  elapsedMs: number;
}

/** Longer than this counts as open-ended: P9999Y is how some say "for ever". */
const OPEN_MS = 366 * 86_400_000;

export function newPosition(): Position {
  return { state: "over", index: 0, sinceMs: 0, leftMs: NEVER, elapsedMs: 0 };
}

/** Milliseconds since the delayed start, negative before it; undefined while the clock is needed and unknown. */
export function elapsedMs(stored: Stored, now: Now): number | undefined {
  if (stored.began !== undefined) {
    const since = sinceAnchor(stored.began, now);
    return since === undefined ? undefined : since - stored.drawMs;
  }
  const start = stored.event.start;
  if (now.utcMs === undefined || start === "now") return undefined;
  return now.utcMs - start - stored.drawMs;
}

/** Where the intervals end for the first time, ms from the start. */
function cycleMs(event: GridEvent): number {
  const last = event.intervals[event.intervals.length - 1];
  return last === undefined ? 0 : last.offsetMs + last.durationMs;
}

/** True where the event has no end of its own worth waiting for. */
export function isOpenEnded(event: GridEvent): boolean {
  return (event.totalMs ?? cycleMs(event)) > OPEN_MS;
}

/** How long a source has been silent, and how long its open-ended events may run on; undefined while it is heard. */
export type Lost = { readonly sinceMs: number; readonly capMs: number } | undefined;

/** Finds the present moment in an event. */
export function locate(stored: Stored, now: Now, lost: Lost, out: Position): void {
  const { event, cut } = stored;
  out.leftMs = NEVER;
  out.state = "over";
  let left = NEVER;
  if (cut !== undefined) {
    left = cut.afterMs - (sinceAnchor(cut.anchor, now) ?? NEVER);
    if (left <= 0) return;
  }
  const elapsed = elapsedMs(stored, now);
  if (elapsed === undefined) {
    out.state = "unknown";
    return;
  }
  out.elapsedMs = elapsed;
  const cycle = cycleMs(event);
  left = Math.min(left, (event.totalMs ?? cycle) - elapsed);
  if (left <= 0) return;
  if (elapsed < 0) {
    out.state = "waiting";
    out.leftMs = Math.min(-elapsed, left);
    return;
  }
  if (lost !== undefined && isOpenEnded(event)) {
    // An event that begins in the silence has the cap from its own beginning.
    const lostLeftMs = lost.capMs - Math.min(lost.sinceMs, elapsed);
    if (lostLeftMs <= 0) {
      out.state = "lost";
      return;
    }
    left = Math.min(left, lostLeftMs);
  }
  const at = elapsed < cycle ? elapsed : elapsed % cycle;
  const index = lastBegun(event.intervals, at);
  const interval = event.intervals[index];
  out.index = index;
  if (interval !== undefined && at < interval.offsetMs + interval.durationMs) {
    out.state = "in";
    out.sinceMs = at - interval.offsetMs;
    out.leftMs = Math.min(interval.offsetMs + interval.durationMs - at, left);
    return;
  }
  out.state = "gap";
  out.leftMs = Math.min((event.intervals[index + 1]?.offsetMs ?? cycle) - at, left);
}

/** Index of the last interval that begins at or before a moment, −1 for none. */
function lastBegun(intervals: readonly GridInterval[], atMs: number): number {
  let low = 0;
  let high = intervals.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (intervals[middle]!.offsetMs <= atMs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Changes with every change of the record's shape; another version's records are dropped, the source sends them again. */
const VERSION = 2;

type Packed = (string | number | boolean | null)[];

/** The record as a sealed text. */
export function packStored(stored: Stored): string {
  const e = stored.event;
  return sealJson([
    VERSION,
    [e.source, e.id, e.revision, e.programme, e.rank, e.createdUtcMs],
    [Number(e.test), Number(e.emergencyPermitted), Number(e.cancelled), Number(e.delayApplied)],
    [e.start === "now" ? null : e.start, forJson(e.totalMs), e.rampUpMs, e.notificationMs],
    e.randomise === undefined ? null : [e.randomise.windowMs, e.randomise.law],
    packIntervals(e.intervals),
    [stored.drawMs, stored.firedTo],
    stored.began === undefined ? null : [stored.began.utcMs ?? null],
    stored.cut === undefined ? null : [stored.cut.anchor.utcMs ?? null, stored.cut.afterMs],
  ]);
}

/** The record of a sealed text; undefined for an empty slot, "broken" where the text is not to be believed. */
export function unpackStored(text: string | undefined, slot: number): Stored | "broken" | undefined {
  if (text === undefined) return undefined;
  const value = openJson(text) as
    | [
        number,
        [string, string, number, string, number, number],
        [number, number, number, number],
        [number | null, number | null, number, number],
        [number, "after" | "around"] | null,
        (Packed | number)[],
        [number, number],
        [number | null] | null,
        [number | null, number] | null,
      ]
    | undefined;
  if (!Array.isArray(value) || value[0] !== VERSION) return "broken";
  const [, name, flags, times, randomise, intervals, [drawMs, firedTo], began, cut] = value;
  const event: GridEvent = {
    source: name[0],
    id: name[1],
    revision: name[2],
    programme: name[3],
    rank: name[4],
    createdUtcMs: name[5],
    test: flags[0] === 1,
    emergencyPermitted: flags[1] === 1,
    cancelled: flags[2] === 1,
    delayApplied: flags[3] === 1,
    start: times[0] ?? "now",
    ...(times[1] === null ? {} : { totalMs: fromJson(times[1]) }),
    rampUpMs: times[2],
    notificationMs: times[3],
    randomise: randomise === null ? undefined : { windowMs: randomise[0], law: randomise[1] },
    intervals: unpackIntervals(intervals),
  };
  return {
    event,
    slot,
    drawMs,
    firedTo,
    began: began === null ? undefined : { ms: undefined, utcMs: began[0] ?? undefined },
    cut:
      cut === null ? undefined : { anchor: { ms: undefined, utcMs: cut[0] ?? undefined }, afterMs: cut[1] },
    listed: true,
  };
}

/** JSON has no Infinity. */
function forJson(value: number | undefined): number | null {
  return value === undefined ? null : value === NEVER ? -1 : value;
}

function fromJson(value: number): number {
  return value === -1 ? NEVER : value;
}

/** Each interval as duration and ask; a gap before it as a lone number. */
function packIntervals(intervals: readonly GridInterval[]): (Packed | number)[] {
  const packed: (Packed | number)[] = [];
  let endMs = 0;
  for (const { offsetMs, durationMs, ask } of intervals) {
    if (offsetMs > endMs) packed.push(offsetMs - endMs);
    packed.push([forJson(durationMs), ...packAsk(ask)]);
    endMs = offsetMs + durationMs;
  }
  return packed;
}

function unpackIntervals(packed: readonly (Packed | number)[]): GridInterval[] {
  const intervals: GridInterval[] = [];
  let offsetMs = 0;
  for (const item of packed) {
    if (typeof item === "number") offsetMs += item;
    else {
      const durationMs = fromJson(Number(item[0]));
      intervals.push({ offsetMs, durationMs, ask: unpackAsk(item.slice(1)) });
      offsetMs += durationMs;
    }
  }
  return intervals;
}

export function packAsk(ask: Ask): Packed {
  switch (ask.ask) {
    case "limit":
      return [ask.ask, ask.unit, ask.value, ask.reference, ask.phases ?? null];
    case "price":
      return [ask.ask, ask.relative ?? null, ask.absolute ?? null, ask.currency];
    case "guidance":
      return [ask.ask, ask.level];
    case "reboot":
      return [ask.ask, ask.kind];
    case "override":
      return [ask.ask, ask.on];
    default:
      return [ask.ask];
  }
}

/** The ask that {@link packAsk} packed. */
export function unpackAsk(packed: Packed): Ask {
  const ask = packed[0];
  switch (ask) {
    case "limit": {
      const phases = packed[4] as 1 | 2 | 3 | null;
      return {
        ask,
        unit: packed[1] as "fraction" | "W" | "A" | "change-W",
        value: Number(packed[2]),
        reference: packed[3] as "rated" | "installer" | "dynamic",
        ...(phases === null ? {} : { phases }),
      };
    }
    case "price":
      return {
        ask,
        relative: (packed[1] as number | null) ?? undefined,
        absolute: (packed[2] as number | null) ?? undefined,
        currency: String(packed[3]),
      };
    case "guidance":
      return { ask, level: packed[1] as 0 | 1 | 2 };
    case "reboot":
      return { ask, kind: packed[1] as 0 | 1 };
    case "override":
      return { ask, on: packed[1] === true };
    default:
      return { ask } as Ask;
  }
}
