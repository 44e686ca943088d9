/**
 * Staying alive. This folder guarantees that the hardware watchdog is fed only while the link, the upstreams, the
 * storage and the updater each make progress, that a module which crashes again and again still keeps its appliance in order, and that
 * what can be left out is left out when memory runs short.
 */
import { NEVER, type Now, type StorePort } from "../ports/time.js";

/** What has to make progress. */
export const WATCHED = ["link", "upstreams", "storage", "update"] as const;
export type Watched = (typeof WATCHED)[number];

/**
 * How late each may be, ms: it had something to do and has not done it. Storage may wait long for a quiet line.
 * The hardware's own time-out is longer than any turn of the wheel and shorter than the customer's patience.
 */
export const MOST_LATE_MS: Readonly<Record<Watched, number>> = Object.freeze({
  link: 10_000,
  upstreams: 60_000,
  storage: 15 * 60_000,
  // A slow server is no lateness: each request, pause and call has an end of its own.
  update: 60_000,
});

/**
 * Judges progress by what each part says is due: a part whose time has come and that, having been polled, still says
 * the same is stuck. A part with nothing to do makes progress by being asked.
 */
export class Watch {
  /** Since when each has been overdue; NEVER = it is not. */
  readonly #lateSinceMs: Record<Watched, number> = {
    ...{ link: NEVER, upstreams: NEVER, storage: NEVER, update: NEVER },
  };

  /** After a poll: when the part wants to be polled next. */
  polled(part: Watched, nextMs: number, now: Now): void {
    if (nextMs > now.ms) this.#lateSinceMs[part] = NEVER;
    else this.#lateSinceMs[part] = Math.min(this.#lateSinceMs[part], now.ms);
  }

  /** The part that is stuck; undefined = all is well, feed the watchdog. */
  stuck(now: Now): Watched | undefined {
    return WATCHED.find((part) => now.ms - this.#lateSinceMs[part] > MOST_LATE_MS[part]);
  }
}

/** Store key: "COUNT UTC-or-0" of starts in a row that came from a crash or the watchdog. */
const crashesKey = "health.crashes";
/** A module that has run so long without a fault has got over it. */
const SOUND_MS = 10 * 60_000;
/** The first crashes cost nothing; then upstreams wait a minute, doubled by each further one, at most an hour. */
const FREE_CRASHES = 2;
const FIRST_WAIT_MS = 60_000;
const MOST_WAIT_MS = 3_600_000;

/**
 * Counts crashes in a row. What makes a module crash again and again comes, as good as always, from a server; so its
 * upstreams start later and later, and meanwhile the link, the stored schedule and the appliance are served.
 */
export class CrashLoop {
  #count: number;
  #soundAtMs: number;

  /** `crashed`: this start was not in order (watchdog, panic, brown-out). */
  constructor(
    private readonly store: StorePort,
    crashed: boolean,
    now: Now,
  ) {
    const kept = Number(store.get(crashesKey) ?? 0);
    const before = Number.isSafeInteger(kept) && kept > 0 ? Math.min(kept, 1000) : 0;
    this.#count = crashed ? before + 1 : 0;
    if (this.#count !== before) this.#keep();
    this.#soundAtMs = this.#count > 0 ? now.ms + this.upstreamWaitMs() + SOUND_MS : NEVER;
  }

  #keep(): void {
    if (this.#count === 0) this.store.delete(crashesKey);
    else this.store.set(crashesKey, String(this.#count));
  }

  /** Crashes in a row. */
  get count(): number {
    return this.#count;
  }

  /** How long the upstreams are to wait after this start. */
  upstreamWaitMs(): number {
    const over = this.#count - FREE_CRASHES;
    return over <= 0 ? 0 : Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(10, over - 1));
  }

  poll(now: Now): void {
    if (now.ms < this.#soundAtMs) return;
    this.#soundAtMs = NEVER;
    this.#count = 0;
    this.#keep();
  }

  nextMs(): number {
    return this.#soundAtMs;
  }
}

/** Below the first, what can wait waits; at the second it may go on. Bytes free for JavaScript. */
const SHORT_BYTES = 6 * 1024;
const ENOUGH_BYTES = 10 * 1024;

/** Whether memory is short, with a gap between the two thresholds so that it does not flutter. */
export class MemoryWatch {
  #short = false;

  /** Answers true where it has just become short. */
  onFree(bytes: number): boolean {
    const was = this.#short;
    this.#short = bytes < (was ? ENOUGH_BYTES : SHORT_BYTES);
    return this.#short && !was;
  }

  get short(): boolean {
    return this.#short;
  }
}
