import type { Ask, GridEvent, GridInterval } from "../../src/grid/event.js";
import type { StorePort } from "../../src/ports/time.js";

export const SECOND = 1000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
/** 2026-11-23, a Monday, 00:00 UTC. */
export const T0 = Date.UTC(2026, 10, 23);

/** A store in RAM that counts its writes. */
export class MemoryStore implements StorePort {
  readonly values = new Map<string, string>();
  writes = 0;
  get(key: string): string | undefined {
    return this.values.get(key);
  }
  set(key: string, value: string): void {
    this.writes++;
    this.values.set(key, value);
  }
  delete(key: string): void {
    this.writes++;
    this.values.delete(key);
  }
}

/** An interval of a simple ask from the event's start on. */
export function interval(ask: Ask | Ask["ask"], durationMs: number, offsetMs = 0): GridInterval {
  return { offsetMs, durationMs, ask: typeof ask === "string" ? ({ ask } as Ask) : ask };
}

export function limit(
  value: number,
  unit: "fraction" | "W" | "A" = "fraction",
  reference: "rated" | "installer" | "dynamic" = "installer",
): Ask {
  return { ask: "limit", unit, value, reference };
}

/** An hour of Shed at T0, but for what is given. */
export function event(given: Partial<GridEvent> = {}): GridEvent {
  return {
    id: "e1",
    revision: 0,
    source: "demo",
    programme: "",
    rank: 0,
    test: false,
    start: T0,
    intervals: [interval("shed", HOUR)],
    randomise: undefined,
    rampUpMs: 0,
    notificationMs: 0,
    emergencyPermitted: false,
    createdUtcMs: 0,
    cancelled: false,
    delayApplied: false,
    ...given,
  };
}
