import { crcOfText } from "../base/json.js";
import type { EventVerdict, GridEvent } from "../grid/event.js";
import { isOptedOut, type OptOut } from "../grid/upstream.js";
import type { Reading } from "./asks.js";
import { readEvent, type Programme, type ReadEvent } from "./events.js";
import { textOf, type Json } from "./json-stream.js";
import type { Timing } from "./periods.js";
import type { ReportDescriptor } from "./report-descriptors.js";

/** An event that the server holds, as far as it is of use between two sweeps. */
export interface KnownEvent {
  readonly id: string;
  /** "now" as it was when the event was first seen; undefined while there is no clock. */
  readonly startUtcMs: number | undefined;
  readonly endUtcMs: number;
  readonly timing: Timing | undefined;
  readonly movesLoad: boolean;
  readonly reports: readonly ReportDescriptor[];
  readonly refusal: string;
  /** The owner may not override it. */
  readonly binding: boolean;
  /** The server was told that the customer has opted out of it. */
  optedOut: boolean;
}

interface Mark {
  readonly id: string;
  readonly revision: number;
  readonly crc: number;
}

/** Events of one source that the core keeps (src/grid/settings.ts), and some that only ask for reports. */
const MAX_EVENTS = 48;

/** Which programmes are wanted, and what of their events is known. */
export class EventBook {
  /** Events that did not fit. */
  overflows = 0;
  known: KnownEvent[] = [];
  private readonly source: string;
  private readonly reading: Reading;
  private marks: Mark[] = [];
  private draft: ReadEvent[] = [];

  constructor(source: string, reading: Reading) {
    this.source = source;
    this.reading = reading;
  }

  /** A sweep begins: nothing is known of what the server holds now. */
  begin(): void {
    this.draft = [];
  }

  /** Takes an event object of a sweep. False where it is none, so that the sweep proves nothing. */
  take(event: Json, programmes: readonly Programme[], nowUtcMs: number | undefined): boolean {
    const programId = textOf(event, "programID");
    const programme = programmes.find((one) => one.id === programId);
    const read = readEvent(event, this.source, programme, this.reading, nowUtcMs);
    if (read === undefined) return false;
    // Pages shift when events come and go: the same one may be on two.
    if (this.draft.some((other) => other.id === read.id)) return true;
    if (this.draft.length < MAX_EVENTS) this.draft.push(read);
    else this.overflows++;
    return true;
  }

  /** True where something that was there before is absent from the sweep. */
  get misses(): boolean {
    return this.known.some((old) => !this.draft.some((read) => read.id === old.id));
  }

  /**
   * The sweep is whole: hands everything to the core at once. `say` gets what is not followed, each once.
   */
  commit(
    replace: (events: readonly GridEvent[]) => readonly EventVerdict[],
    nowUtcMs: number | undefined,
    say: (text: string) => void,
  ): void {
    const events: GridEvent[] = [];
    const marks: Mark[] = [];
    for (const read of this.draft) {
      for (const event of read.grid) {
        const mark = this.markOf(event);
        marks.push(mark);
        events.push(mark.revision === event.revision ? event : { ...event, revision: mark.revision });
      }
    }
    const verdicts = replace(events);
    // The server's clock went back, or it was restored from a copy: what it says now counts, as something new.
    if (verdicts.some((one) => one.verdict === "stale")) {
      replace(events.filter((_, i) => verdicts[i]?.verdict !== "stale"));
      replace(events);
    }
    this.marks = marks;
    const before = this.known;
    let at = 0;
    this.known = this.draft.map((read) => {
      const binding = read.grid.length > 0 && verdicts[at]?.binding === true;
      at += read.grid.length;
      return knownOf(read, binding, before, nowUtcMs);
    });
    this.draft = [];
    for (const one of this.known) {
      const old = before.find((other) => other.id === one.id);
      if (one.refusal !== "" && one.refusal !== old?.refusal) say(`Event ${one.id}: ${one.refusal}.`);
    }
    for (const { id, verdict, why } of verdicts) {
      if (verdict === "refused" && !before.some((old) => id.startsWith(old.id))) {
        say(`Event ${id} cannot be kept: ${why}.`);
      }
    }
  }

  forget(): void {
    this.known = [];
    this.marks = [];
    this.draft = [];
  }

  /**
   * The events whose part-taking changes with the customer's override: those that run, or begin within 12 hours.
   * Each is given once a change.
   */
  optChanges(optOut: OptOut, nowUtcMs: number): KnownEvent[] {
    const changed: KnownEvent[] = [];
    for (const event of this.known) {
      const { startUtcMs, binding } = event;
      if (!event.movesLoad || startUtcMs === undefined || nowUtcMs >= event.endUtcMs) continue;
      const optedOut = isOptedOut({ startUtcMs, binding }, optOut, nowUtcMs);
      if (optedOut === event.optedOut) continue;
      event.optedOut = optedOut;
      changed.push(event);
    }
    return changed;
  }

  /**
   * The revision to store an event by. It grows where the meaning changes though the server's date does not (dates
   * of whole seconds), and stays where only the date changes, to spare the flash.
   */
  private markOf(event: GridEvent): Mark {
    const { id, start, totalMs, rank, intervals, randomise, cancelled, emergencyPermitted } = event;
    const crc = crcOfText(
      JSON.stringify([start, totalMs, rank, intervals, randomise, cancelled, emergencyPermitted]),
    );
    const old = this.marks.find((mark) => mark.id === id);
    if (old === undefined) return { id, revision: event.revision, crc };
    if (old.crc === crc) return old;
    return { id, revision: Math.max(event.revision, old.revision + 1), crc };
  }
}

function knownOf(
  read: ReadEvent,
  binding: boolean,
  before: readonly KnownEvent[],
  nowUtcMs: number | undefined,
): KnownEvent {
  const { id, timing, movesLoad, reports, refusal } = read;
  const old = before.find((other) => other.id === id);
  let startUtcMs: number | undefined;
  if (timing !== undefined) {
    const running = timing.start === "now" && old?.timing?.start === "now" ? old.startUtcMs : undefined;
    startUtcMs = timing.start === "now" ? (running ?? nowUtcMs) : timing.start;
  }
  const last = timing?.slots[timing.slots.length - 1];
  const lengthMs = timing?.totalMs ?? (last === undefined ? 0 : last.offsetMs + last.durationMs);
  return {
    id,
    startUtcMs,
    endUtcMs: (startUtcMs ?? 0) + lengthMs + (timing?.randomMs ?? 0),
    // What the intervals say is with the core; only when they are matters from here on.
    timing:
      timing === undefined
        ? undefined
        : {
            ...timing,
            slots: timing.slots.map(({ offsetMs, durationMs }) => ({ offsetMs, durationMs, payloads: [] })),
          },
    movesLoad,
    reports,
    refusal,
    binding,
    optedOut: old?.optedOut ?? false,
  };
}
