/**
 * What anyone may import: faults, time arithmetic, bounded readers, checksums, back-off. Nothing in this
 * folder keeps state between calls except in objects that the caller makes, and nothing throws on input.
 *
 * A **fault** is something the world did: a bad frame, a refusing peer, a server that is down. It is a value,
 * it says whose doing it is, and its code is stable: the same code stands in logs, counters and tests.
 * A `throw` in this code base means that we wrote a bug.
 */

/** Whose doing a fault is. */
export type Blame =
  "wire" | "peer" | "line" | "server" | "network" | "configuration" | "storage" | "customer";

export interface Fault {
  /** Stable code, `kebab-case`, unique over the project: `bad-checksum`, `unknown-signal`. */
  readonly fault: string;
  readonly blame: Blame;
  /** One sentence for a person; says what to do where something can be done. */
  readonly text: string;
}

export function fault(blame: Blame, code: string, text: string): Fault {
  return { fault: code, blame, text };
}

/** True for a {@link Fault}; narrows the `Message | Fault` unions that parsers give. */
export function isFault(value: unknown): value is Fault {
  return typeof value === "object" && value !== null && "fault" in value && "blame" in value;
}
