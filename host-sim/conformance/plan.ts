import type { Entry } from "./probe.js";

/** The part that we play; the peer under test is the other. */
export type Role = "ucm" | "sgd";

/** Confidence of a requirement's source, as in docs/protocol/cta2045.md. */
export type Mark = "C" | "1" | "I" | "X";

/**
 * `advice`: not kept, but its source is too weak to call that a failure, or certified devices do the same.
 * `inconclusive`: could not be judged. `not-applicable`: the peer says that it does not do this.
 */
export type Verdict = "pass" | "fail" | "advice" | "inconclusive" | "not-applicable";

export interface Outcome {
  readonly verdict: Verdict;
  /** One sentence: what was seen. */
  readonly reason: string;
  /** Entries of the trace that show it; where none are given, all of the test's own. */
  readonly shown?: readonly Entry[];
}

/** What a step of a test waits for: the time, or `done` before it. */
export interface Wait {
  readonly untilMs: number;
  readonly done?: () => boolean;
}

/** A test is a generator of waits, so that it runs in virtual and in real time alike. */
export type Steps<T> = Generator<Wait, T, void>;

export const BOTH: readonly Role[] = ["ucm", "sgd"];

export function pass(reason: string): Outcome {
  return { verdict: "pass", reason };
}
export function fail(reason: string, shown?: readonly Entry[]): Outcome {
  return { verdict: "fail", reason, ...(shown ? { shown } : {}) };
}
export function advice(reason: string, shown?: readonly Entry[]): Outcome {
  return { verdict: "advice", reason, ...(shown ? { shown } : {}) };
}
export function inconclusive(reason: string): Outcome {
  return { verdict: "inconclusive", reason };
}
export function notApplicable(reason: string): Outcome {
  return { verdict: "not-applicable", reason };
}

/** Ends a test from within a helper. */
export class Verdicted extends Error {
  constructor(readonly outcome: Outcome) {
    super(outcome.reason);
  }
}

/** Ours and the peer's bytes were on the line together: the test begins anew. */
export class Crossed extends Error {}
