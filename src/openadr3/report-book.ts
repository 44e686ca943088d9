import { formatDateTime, formatDuration } from "../base/iso8601.js";
import type { SgdStatus } from "../ports/sgd-status.js";
import { NEVER } from "../ports/time.js";
import type { Slot, Timing } from "./periods.js";
import { measureOf, valueOf, type Span } from "./readings.js";
import type { ReportDescriptor } from "./report-descriptors.js";

/** A moment on both clocks; reports cannot be written without UTC. */
export interface ReportTime {
  readonly ms: number;
  readonly utcMs: number;
}

export interface ReportContext {
  readonly clientName: string;
  readonly resourceName: string;
  readonly installerW: number;
  readonly ratedW: number;
}

interface Row {
  readonly id: number;
  readonly startUtcMs: number;
  readonly durationMs: number;
  readonly value: number | string;
}

/** One descriptor of one event, as it is being served. */
interface Track {
  readonly eventId: string;
  readonly key: string;
  readonly descriptor: ReportDescriptor;
  readonly startUtcMs: number;
  /** Begin and end of each interval from the start, ms; repeated every `cycleMs` until `totalMs`. */
  readonly froms: readonly number[];
  readonly tos: readonly number[];
  readonly cycleMs: number;
  readonly totalMs: number;
  /** The interval that runs, or comes next. */
  index: number;
  /** Undefined while that interval has not begun. */
  running: { readonly sinceUtcMs: number; readonly energyWh: number | undefined } | undefined;
  /** Power times time of the running interval, W·ms, and the time of which the power was known. */
  workWms: number;
  knownMs: number;
  /** Number of intervals that must be over for the next report. */
  dueAt: number;
  sent: number;
  rows: Row[];
  over: boolean;
}

/** Descriptors served at a time, reports that wait, and intervals of a report. */
const MAX_TRACKS = 12;
const MAX_WAITING = 12;
const MAX_ROWS = 96;
/** The module's own choice of interval, where an event has none that ends. */
const OPEN_INTERVAL_MS = 900_000;

/** Keeps what events ask to be told: measures while their intervals run, and writes the reports when they are due. */
export class ReportBook {
  /** Types that were asked for and cannot be served, each told once. */
  readonly unserved: string[] = [];
  overflows = 0;
  private readonly context: ReportContext;
  private tracks: Track[] = [];
  private waiting: { readonly eventId: string; readonly body: string }[] = [];
  private status: SgdStatus | undefined;
  private sampledMs: number | undefined;
  private count = 0;

  constructor(context: ReportContext) {
    this.context = context;
  }

  /** The first report that waits to be sent. */
  get first(): { readonly eventId: string; readonly body: string } | undefined {
    return this.waiting[0];
  }

  drop(): void {
    this.waiting.shift();
  }

  clear(): void {
    this.tracks = [];
    this.waiting = [];
  }

  /** What all events now ask for. A descriptor that stands as before goes on where it was. */
  replace(
    events: readonly {
      readonly id: string;
      readonly startUtcMs: number;
      readonly timing: Timing;
      readonly reports: readonly ReportDescriptor[];
    }[],
    now: ReportTime,
  ): void {
    const tracks: Track[] = [];
    for (const event of events) {
      for (const descriptor of event.reports) {
        const key = JSON.stringify([
          event.startUtcMs,
          event.timing.totalMs,
          descriptor,
          event.timing.slots.length,
        ]);
        const old = this.tracks.find((one) => one.eventId === event.id && one.key === key);
        if (old !== undefined) tracks.push(old);
        else if (measureOf(descriptor.payloadType) === undefined) this.refuse(descriptor.payloadType);
        else if (tracks.length < MAX_TRACKS) {
          const track = newTrack(event.id, key, descriptor, event.startUtcMs, event.timing);
          if (track !== undefined) tracks.push(track);
        } else this.overflows++;
      }
    }
    this.tracks = tracks;
    for (const track of tracks) this.enter(track, now);
    this.poll(now);
  }

  onStatus(status: SgdStatus, now: ReportTime | undefined): void {
    if (now !== undefined) this.sample(now);
    this.status = status;
  }

  /** Closes intervals that are over, and writes what is due. */
  poll(now: ReportTime): void {
    this.sample(now);
    for (const track of this.tracks) {
      // A module that was away for a day must not write every report of that day.
      for (let guard = 0; !track.over && guard < 200; guard++) {
        if (!this.step(track, now)) break;
      }
    }
  }

  /** Monotonic time at which an interval begins or ends. */
  nextMs(now: ReportTime): number {
    let next = NEVER;
    for (const track of this.tracks) {
      if (track.over) continue;
      const at = track.running === undefined ? fromOf(track, track.index) : toOf(track, track.index);
      next = Math.min(next, now.ms + track.startUtcMs + at - now.utcMs);
    }
    return next;
  }

  /** A report of a moment, asked for or not: how the module tells that the customer has opted out. */
  tellState(eventId: string, now: ReportTime): void {
    const type = "OPERATING_STATE";
    const value = this.value(type, { usedWh: undefined, meanW: undefined });
    if (value !== undefined)
      this.write(eventId, type, [{ id: 0, startUtcMs: now.utcMs, durationMs: 0, value }]);
  }

  /** Carries a track on by one event: an interval begins or ends, or a report is due. False where nothing is. */
  private step(track: Track, now: ReportTime): boolean {
    const at = now.utcMs - track.startUtcMs;
    const { descriptor, index } = track;
    if (track.running === undefined) {
      const from = fromOf(track, index);
      if (from >= track.totalMs) {
        track.over = true;
        return false;
      }
      if (at < from) return false;
      if (!descriptor.historical && index >= track.dueAt) this.forecast(track);
      this.begin(track, now);
      return true;
    }
    const to = toOf(track, index);
    if (at < to) return false;
    this.close(track, to);
    track.index++;
    if (descriptor.historical && track.index >= track.dueAt) this.report(track);
    return true;
  }

  /** Takes a track up in the middle of its event. */
  private enter(track: Track, now: ReportTime): void {
    const at = now.utcMs - track.startUtcMs;
    if (track.running !== undefined || track.over || at < 0 || track.index > 0) return;
    const n = track.froms.length;
    const rounds = track.totalMs > track.cycleMs ? Math.floor(at / track.cycleMs) : 0;
    track.index = rounds * n;
    while (track.index < (rounds + 1) * n && toOf(track, track.index) <= at) track.index++;
    const { startInterval, numIntervals, frequency } = track.descriptor;
    const stride = frequency > 0 ? frequency : numIntervals > 0 ? numIntervals : n;
    if (startInterval >= 0 || rounds > 0) while (track.dueAt <= track.index) track.dueAt += stride;
  }

  private begin(track: Track, now: ReportTime): void {
    track.running = { sinceUtcMs: now.utcMs, energyWh: this.energyWh(now) };
    track.workWms = 0;
    track.knownMs = 0;
  }

  private close(track: Track, toMs: number): void {
    const { running } = track;
    track.running = undefined;
    if (running === undefined) return;
    const endUtcMs = track.startUtcMs + toMs;
    const durationMs = endUtcMs - running.sinceUtcMs;
    const energyWh = this.energyWh({ ms: this.sampledMs ?? 0, utcMs: endUtcMs });
    const used =
      energyWh === undefined || running.energyWh === undefined ? undefined : energyWh - running.energyWh;
    const meanW = track.knownMs > 0 ? track.workWms / track.knownMs : undefined;
    const usedWh =
      used !== undefined && used >= 0 ? used : meanW === undefined ? undefined : (meanW * durationMs) / 3.6e6;
    const value = this.value(track.descriptor.payloadType, { usedWh, meanW });
    if (value === undefined || durationMs <= 0) return;
    track.rows.push({ id: track.index, startUtcMs: running.sinceUtcMs, durationMs, value });
    if (track.rows.length > MAX_ROWS) track.rows.shift();
  }

  /** On intervals before now. */
  private report(track: Track): void {
    const { descriptor } = track;
    const want = descriptor.numIntervals > 0 ? descriptor.numIntervals : track.index;
    const rows = track.rows.filter((row) => row.id >= track.index - want);
    if (rows.length > 0) this.write(track.eventId, descriptor.payloadType, rows);
    this.advance(track);
  }

  /** On intervals from now: what would be true of them as things stand. */
  private forecast(track: Track): void {
    const { payloadType, numIntervals } = track.descriptor;
    const value =
      measureOf(payloadType)?.spans === true
        ? undefined
        : this.value(payloadType, { usedWh: undefined, meanW: undefined });
    if (value === undefined) this.refuse(`${payloadType} of intervals to come`);
    else {
      const n = track.froms.length;
      const count = Math.min(numIntervals > 0 ? numIntervals : n, MAX_ROWS);
      const rows: Row[] = [];
      for (let i = track.index; i < track.index + count && fromOf(track, i) < track.totalMs; i++) {
        const from = fromOf(track, i);
        rows.push({ id: i, startUtcMs: track.startUtcMs + from, durationMs: toOf(track, i) - from, value });
      }
      this.write(track.eventId, payloadType, rows);
    }
    this.advance(track);
  }

  /** To the next report, if there is one. */
  private advance(track: Track): void {
    const { frequency, numIntervals, repeat } = track.descriptor;
    const n = track.froms.length;
    track.sent++;
    if (repeat >= 0 && track.sent >= Math.max(1, repeat)) track.over = true;
    track.dueAt += frequency > 0 ? frequency : numIntervals > 0 ? numIntervals : n;
  }

  private write(eventId: string, type: string, rows: readonly Row[]): void {
    const measure = measureOf(type)!;
    const { clientName, resourceName } = this.context;
    this.count++;
    const { units, readingType } = measure;
    // A type without unit explains itself; and some readers trip over descriptors of reports (docs/openadr3.md).
    const descriptors =
      units === ""
        ? {}
        : {
            payloadDescriptors: [
              { objectType: "REPORT_PAYLOAD_DESCRIPTOR", payloadType: type, units, readingType },
            ],
          };
    const intervals = rows.map((row) => ({
      id: row.id,
      intervalPeriod: { start: formatDateTime(row.startUtcMs), duration: formatDuration(row.durationMs) },
      payloads: [{ type, values: [row.value] }],
    }));
    const reportName = `${clientName} ${type} ${formatDateTime(rows[0]!.startUtcMs)} ${String(this.count)}`;
    const body = JSON.stringify({
      eventID: eventId,
      clientName,
      reportName,
      ...descriptors,
      resources: [{ resourceName, intervals }],
    });
    if (this.waiting.length >= MAX_WAITING) {
      // Not the first: it may be on its way.
      this.waiting.splice(1, 1);
      this.overflows++;
    }
    this.waiting.push({ eventId, body });
  }

  private value(type: string, span: Span): number | string | undefined {
    if (this.status === undefined) return type === "OPERATING_STATE" ? "ERROR" : undefined;
    return valueOf(type, this.status, span, this.context);
  }

  /** The meter now: the last reading, carried on by the last power. */
  private energyWh(now: ReportTime): number | undefined {
    const { energyWh, powerW, meteredAtMs } = this.status ?? {};
    if (energyWh === undefined || meteredAtMs === undefined) return undefined;
    const sinceMs = Math.min(120_000, Math.max(0, now.ms - meteredAtMs));
    return energyWh + ((powerW ?? 0) * sinceMs) / 3.6e6;
  }

  /** Adds up what the power was since the last look. */
  private sample(now: ReportTime): void {
    const before = this.sampledMs;
    this.sampledMs = now.ms;
    const power = this.status?.powerW;
    if (before === undefined || power === undefined || this.status?.link !== "online") return;
    for (const track of this.tracks) {
      if (track.running === undefined) continue;
      track.workWms += power * (now.ms - before);
      track.knownMs += now.ms - before;
    }
  }

  private refuse(type: string): void {
    if (!this.unserved.includes(type) && this.unserved.length < 16) this.unserved.push(type);
  }
}

function fromOf(track: Track, index: number): number {
  const n = track.froms.length;
  return Math.floor(index / n) * track.cycleMs + track.froms[index % n]!;
}

function toOf(track: Track, index: number): number {
  const n = track.froms.length;
  return Math.min(track.totalMs, Math.floor(index / n) * track.cycleMs + track.tos[index % n]!);
}

/** Undefined where no interval ever ends and the module may not choose its own. */
function newTrack(
  eventId: string,
  key: string,
  descriptor: ReportDescriptor,
  startUtcMs: number,
  timing: Timing,
): Track | undefined {
  const slots = slotsOf(timing.slots, descriptor);
  const last = slots[slots.length - 1];
  if (last === undefined) return undefined;
  const endless = timing.slots[timing.slots.length - 1]?.durationMs === Infinity;
  const cycleMs = last.offsetMs + last.durationMs;
  const totalMs = timing.totalMs ?? (endless && timing.slots.length === 1 ? Infinity : cycleMs);
  const n = slots.length;
  const { startInterval, numIntervals } = descriptor;
  // Historical reports are written when so many intervals are over; others when the interval of that index begins.
  let dueAt = startInterval >= 0 ? startInterval : n;
  if (endless && startInterval < 0) dueAt = Math.max(1, numIntervals);
  if (descriptor.historical && dueAt === 0) dueAt = Math.max(1, numIntervals > 0 ? numIntervals : n);
  if (!descriptor.historical && startInterval < 0) dueAt = 0;
  return {
    ...{ eventId, key, descriptor, startUtcMs, cycleMs, totalMs, dueAt },
    froms: slots.map((slot) => slot.offsetMs),
    tos: slots.map((slot) => slot.offsetMs + slot.durationMs),
    ...{ index: 0, running: undefined, workWms: 0, knownMs: 0, sent: 0, rows: [], over: false },
  };
}

function slotsOf(slots: readonly Slot[], descriptor: ReportDescriptor): readonly Slot[] {
  const last = slots[slots.length - 1];
  if (last?.durationMs !== Infinity) return slots.filter((slot) => slot.durationMs > 0).slice(0, 512);
  if (!descriptor.open || slots.length > 1) return slots.slice(0, -1);
  return [{ ...last, durationMs: OPEN_INTERVAL_MS }];
}
