/**
 * What the firmware asks of the world, and the plain data that crosses. Types only: an implementation stands
 * in `drivers/` (the chip) or `host-sim/` (this computer), never here.
 *
 * Everything is plain and copyable, because the world may be another machine: the firmware runs in an XS
 * engine behind a pipe, on an emulated microcontroller behind a socket, and in this process, unchanged.
 */

/** The time at which something is handled. Always a parameter; the firmware has no clock of its own. */
export interface Now {
  /** Monotonic milliseconds since some start, an integer; never steps back. */
  readonly ms: number;
  /** UTC in milliseconds since 1970, or undefined while the clock has never been set. May step. */
  readonly utcMs: number | undefined;
}

/** A deadline that never comes: what `nextMs()` gives when nothing is due. */
export const NEVER = Number.POSITIVE_INFINITY;

/** Uniform random numbers of the hardware. */
export interface RandomPort {
  /** An integer 0 … 2^32 − 1. */
  uint32(): number;
}

/** Small values that survive a restart. Reads are answered at once: the world hands over everything at start. */
export interface StorePort {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
  delete(key: string): void;
}
