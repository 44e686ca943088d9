import { uniformInt } from "../base/random.js";
import { NEVER, type RandomPort } from "../ports/time.js";

/**
 * After a notification the server is asked within a quarter of the poll period, and within these bounds: ten thousand
 * modules that hear the same message then come four times as densely as they poll, and not all at once.
 */
const SPREAD_MIN_MS = 1000;
const SPREAD_MAX_MS = 15_000;
/** Not sooner after a sweep than this, however many messages come. */
const REST_MS = 1000;

/** When notifications want the server to be asked. */
export class Hints {
  /** One came while the server was being asked: what was asked may be older than it. */
  waiting = false;
  private dueMs: number | undefined;
  private sweptMs = 0;
  private readonly spreadMs: number;
  private readonly random: RandomPort;

  constructor(pollMs: number, random: RandomPort) {
    this.spreadMs = Math.floor(Math.min(Math.max(pollMs / 4, SPREAD_MIN_MS), SPREAD_MAX_MS));
    this.random = random;
  }

  nextMs(): number {
    return this.dueMs ?? NEVER;
  }

  /** One draw for all messages of one change: a draw for each would bring everybody to the front. */
  take(nowMs: number): void {
    this.waiting = false;
    this.dueMs ??= Math.max(nowMs + uniformInt(this.random, this.spreadMs), this.sweptMs + REST_MS);
  }

  /** The server is being asked. */
  clear(): void {
    this.dueMs = undefined;
  }

  /** It has answered; a hint that came meanwhile counts from now on. */
  swept(nowMs: number): void {
    this.sweptMs = nowMs;
    if (this.waiting) this.take(nowMs);
  }
}
