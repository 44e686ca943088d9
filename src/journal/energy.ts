import { DAY_MS, formatDateTime } from "../base/iso8601.js";
import type { Now } from "../ports/time.js";
import { ByteWriter, take } from "./bytes.js";
import type { FlashLog } from "./flash-log.js";

export const HALF_HOUR_MS = 1_800_000;
const SLOTS = 48;
/** A half hour of which nothing is known. */
const UNKNOWN = 0xffff;
const MOST_WH = 0xfffe;
/** A silence longer than 31 days is not spread over its half hours; they stay unknown. */
const LONGEST_SPREAD = 31 * SLOTS;

/** Record types of the log of the running day, which sessions share. */
export const TODAY_HALF_HOUR = 1;
export const TODAY_CLOSED = 2;
export const TODAY_SESSION = 3;
const TODAY_BASE = 4;

export interface HalfHour {
  /** Begin, UTC ms. */
  readonly utcMs: number;
  readonly energyWh: number;
}

/**
 * Energy by half hours of UTC, for a year. Each finished half hour is kept at once with the meter's reading at
 * its end; each finished day becomes one record of 48 × u16 Wh. After a power cut the meter's next reading
 * tells what was used meanwhile, and it is spread evenly over the time between; so with a meter that counts
 * on, a cut loses nothing. Where the charger tells power alone, it loses the running half hour.
 */
export class EnergyBook {
  private day = -1;
  private readonly slots = new Uint16Array(SLOTS);
  private closes = 0;
  /** The half hour that runs (since 1970), and the meter when it began. */
  private running: number | undefined;
  private beganWh = 0;
  private lastUtcMs = 0;
  private lastWh = 0;

  /** `today`: at least a day of half hours (2 sectors); `days`: as many 108-byte records as wanted. */
  constructor(
    private readonly today: FlashLog,
    private readonly days: FlashLog,
  ) {
    this.slots.fill(UNKNOWN);
    for (const { payload } of days.records()) this.closes = take(payload, 2, 2);
    let open: Uint8Array[] = [];
    let closed = -1;
    for (const { type, payload } of today.records()) {
      if (type === TODAY_HALF_HOUR) {
        open.push(payload);
        const next = take(payload, 0, 4) + 1;
        this.resume(next, take(payload, 6, 4), next * HALF_HOUR_MS);
      } else if (type === TODAY_BASE) {
        const utcMs = take(payload, 0, 4) * 1000;
        this.resume(Math.floor(utcMs / HALF_HOUR_MS), take(payload, 4, 4), utcMs);
      } else if (type === TODAY_CLOSED) {
        closed = take(payload, 0, 2);
        open = [];
      }
    }
    // Power went away between a day's record and the note that it was made.
    if (open.length > 0 && closed !== this.closes && this.dayIsKept(open)) this.noteClosed();
    else for (const payload of open) this.count(take(payload, 0, 4), take(payload, 4, 2));
  }

  /** The meter as it would have been read at the end of the last half hour; undefined before the first. */
  get lastReadingWh(): number | undefined {
    return this.running === undefined ? undefined : this.lastWh;
  }

  /** When a reading makes the record exact: the end of the running half hour, UTC ms. */
  nextUtcMs(utcMs: number): number {
    return (Math.floor(utcMs / HALF_HOUR_MS) + 1) * HALF_HOUR_MS;
  }

  /** Energy ever consumed, Wh. Without a clock nothing is counted until there is one. */
  onMeter(energyWh: number, now: Now): void {
    const { utcMs } = now;
    if (utcMs === undefined) return;
    const half = Math.floor(utcMs / HALF_HOUR_MS);
    const { running } = this;
    const wentOn = running !== undefined && energyWh >= this.lastWh - 0.5;
    if (!wentOn) {
      // The first reading ever, or another meter.
      if (running !== undefined) this.finish(this.lastWh);
      this.begin(energyWh, utcMs);
    } else if (half < running) {
      // The clock was set back: what was counted stays with the half hour it was counted in.
      this.finish(this.lastWh);
      this.begin(this.lastWh, utcMs);
    } else if (half - running > LONGEST_SPREAD) {
      this.finish(this.lastWh);
      this.begin(energyWh, utcMs);
    } else {
      const spanMs = utcMs - this.lastUtcMs;
      for (let next = running + 1; next <= half; next++) {
        const part = spanMs <= 0 ? 1 : (next * HALF_HOUR_MS - this.lastUtcMs) / spanMs;
        this.finish(this.lastWh + Math.max(0, part) * (energyWh - this.lastWh));
      }
    }
    this.lastUtcMs = utcMs;
    this.lastWh = Math.max(energyWh, wentOn ? this.lastWh : 0);
  }

  /** All that is known, oldest first. Where the clock was set back a half hour may come twice: add them. */
  *halfHours(): Generator<HalfHour> {
    for (const { payload } of this.days.records()) {
      yield* rowsOf(take(payload, 0, 2), (slot) => take(payload, 4 + 2 * slot, 2));
    }
    if (this.day >= 0) yield* rowsOf(this.day, (slot) => this.slots[slot]!);
  }

  /** Lines of CSV, with a head. */
  *csv(): Generator<string> {
    yield "start_utc,energy_wh";
    for (const { utcMs, energyWh } of this.halfHours()) {
      yield `${formatDateTime(utcMs)},${String(energyWh)}`;
    }
  }

  /** Forgets what is in RAM; the caller clears the logs. */
  forget(): void {
    this.day = -1;
    this.slots.fill(UNKNOWN);
    this.running = undefined;
    this.closes = 0;
  }

  private resume(half: number, readingWh: number, utcMs: number): void {
    this.running = half;
    this.beganWh = readingWh;
    this.lastWh = readingWh;
    this.lastUtcMs = utcMs;
  }

  /** A reading to count from that follows from no earlier one; noted, so that a power cut does not lose it. */
  private begin(readingWh: number, utcMs: number): void {
    const wh = Math.round(readingWh);
    this.resume(Math.floor(utcMs / HALF_HOUR_MS), wh, utcMs);
    this.today.append(
      TODAY_BASE,
      new ByteWriter(8)
        .put(Math.floor(utcMs / 1000), 4)
        .put(wh, 4)
        .done(),
    );
  }

  /** Ends the running half hour at a reading, and begins the next one with it. */
  private finish(readingWh: number): void {
    const half = this.running!;
    // Whole readings are kept, not whole differences: rounding never adds up.
    const endWh = Math.max(this.beganWh, Math.round(readingWh));
    const energyWh = Math.min(MOST_WH, endWh - this.beganWh);
    this.closeBefore(half);
    this.today.append(TODAY_HALF_HOUR, new ByteWriter(10).put(half, 4).put(energyWh, 2).put(endWh, 4).done());
    this.count(half, energyWh);
    this.running = half + 1;
    this.beganWh = endWh;
    if (half % SLOTS === SLOTS - 1) this.closeBefore(half + 1);
  }

  private count(half: number, energyWh: number): void {
    this.day = Math.floor(half / SLOTS);
    const slot = half % SLOTS;
    const before = this.slots[slot]!;
    this.slots[slot] = Math.min(MOST_WH, (before === UNKNOWN ? 0 : before) + energyWh);
  }

  /** Makes a day's record as soon as a half hour of another day is to be counted. */
  private closeBefore(half: number): void {
    if (this.day < 0 || Math.floor(half / SLOTS) === this.day) return;
    this.closes = (this.closes + 1) & 0xffff;
    const record = new ByteWriter(4 + 2 * SLOTS).put(this.day, 2).put(this.closes, 2);
    for (const energyWh of this.slots) record.put(energyWh, 2);
    this.days.append(1, record.done());
    this.noteClosed();
  }

  private noteClosed(): void {
    this.today.append(TODAY_CLOSED, new ByteWriter(2).put(this.closes, 2).done());
    this.day = -1;
    this.slots.fill(UNKNOWN);
  }

  /** True where the newest day record is of the day of these half hours. */
  private dayIsKept(open: readonly Uint8Array[]): boolean {
    let day = -1;
    for (const { payload } of this.days.records()) day = take(payload, 0, 2);
    return open.every((payload) => Math.floor(take(payload, 0, 4) / SLOTS) === day);
  }
}

function* rowsOf(day: number, wh: (slot: number) => number): Generator<HalfHour> {
  for (let slot = 0; slot < SLOTS; slot++) {
    const energyWh = wh(slot);
    if (energyWh !== UNKNOWN) yield { utcMs: day * DAY_MS + slot * HALF_HOUR_MS, energyWh };
  }
}
