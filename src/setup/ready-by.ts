import { localTime, type PosixZone } from "../base/posix-tz.js";
import { NEVER, type Now, type StorePort } from "../ports/time.js";

/** Store key: "MINUTE HOURS DAY": minutes from local midnight, hours of charging wanted, day number last served. */
const readyKey = "setup.ready";
const MINUTE_MS = 60_000;
const DAY_MIN = 1440;
export const MOST_READY_HOURS = 12;

export interface ReadyTime {
  /** The car is to be full at that minute of the local day. */
  readonly minute: number;
  /** It needs so many hours of charging before. */
  readonly hours: number;
}

/**
 * "Full at 7": so many hours before, what is the module's own (off-peak pause, random delay) yields, as if the owner
 * had pressed "charge now". A utility's events still hold: they are not the schedule's to break, and the owner has a
 * button for that. Served once a day, so that whoever ends it by hand is not overruled the same night; only "stay off
 * after a power cut" yields as often as the power is cut, or the car would not be full.
 */
export class ReadyBy {
  #time: ReadyTime | undefined;
  #servedDay = -1;

  constructor(
    private readonly store: StorePort,
    private readonly zone: PosixZone | undefined,
  ) {
    const [minute, hours, day] = (store.get(readyKey) ?? "").split(" ").map(Number);
    if (isSound(minute, hours)) this.#time = { minute: minute!, hours: hours! };
    if (day !== undefined && Number.isInteger(day)) this.#servedDay = day;
  }

  get time(): ReadyTime | undefined {
    return this.#time;
  }

  /** Sets or (undefined) forgets the time; false where it is none. */
  set(time: ReadyTime | undefined): boolean {
    if (time !== undefined && !isSound(time.minute, time.hours)) return false;
    this.#time = time;
    this.#servedDay = -1;
    this.#keep();
    return true;
  }

  #keep(): void {
    if (this.#time === undefined) this.store.delete(readyKey);
    else this.store.set(readyKey, `${this.#time.minute} ${this.#time.hours} ${this.#servedDay}`);
  }

  /** Where charging should begin now: for how long, ms; else 0. Says so once a day. */
  poll(now: Now, heldOff = false): number {
    const leftMs = this.#leftMs(now);
    if (leftMs <= 0) return 0;
    const day = this.#dayOfReady(now, leftMs);
    if (day === this.#servedDay) return heldOff ? leftMs : 0;
    this.#servedDay = day;
    this.#keep();
    return leftMs;
  }

  /** ms from now to the ready time where the hours before it have begun; else minus the ms until they begin. */
  #leftMs(now: Now): number {
    if (this.#time === undefined || this.zone === undefined || now.utcMs === undefined) return -NEVER;
    const { hour, minute } = localTime(this.zone, now.utcMs);
    const inMinuteMs = now.utcMs % MINUTE_MS;
    const toGoMin = (this.#time.minute - hour * 60 - minute + DAY_MIN) % DAY_MIN || DAY_MIN;
    const wallMs = toGoMin * MINUTE_MS - inMinuteMs;
    // The clock may change on the way: an hour more or less than it shows. A time that the change skips stays as it is.
    const offsetS = (utcMs: number): number => localTime(this.zone!, utcMs).offsetS;
    const trueMs = wallMs + (offsetS(now.utcMs) - offsetS(now.utcMs + wallMs)) * 1000;
    const leftMs = trueMs > 0 ? trueMs : wallMs;
    const needMs = this.#time.hours * 60 * MINUTE_MS;
    return leftMs <= needMs ? leftMs : needMs - leftMs;
  }

  /** Number of the local day on which it is to be ready. */
  #dayOfReady(now: Now, leftMs: number): number {
    const readyUtcMs = now.utcMs! + leftMs;
    return Math.floor(
      (readyUtcMs + localTime(this.zone!, readyUtcMs).offsetS * 1000) / (DAY_MIN * MINUTE_MS),
    );
  }

  nextMs(now: Now): number {
    const leftMs = this.#leftMs(now);
    if (leftMs === -NEVER) return NEVER;
    // While the hours run it has been served; look again when they are over, and at most an hour on: clocks step.
    return now.ms + Math.min(60 * MINUTE_MS, leftMs > 0 ? leftMs + MINUTE_MS : Math.max(1000, -leftMs));
  }
}

function isSound(minute: number | undefined, hours: number | undefined): boolean {
  return (
    Number.isInteger(minute) &&
    minute! >= 0 &&
    minute! < DAY_MIN &&
    Number.isFinite(hours) &&
    hours! >= 0.5 &&
    hours! <= MOST_READY_HOURS
  );
}
