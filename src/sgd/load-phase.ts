/** The states of the load command (load.ts), each named by what it awaits and holding only what is valid then. */
import { NEVER } from "../ports/time.js";
import { encodeDuration, hasDuration } from "../wire/basic.js";
import { durationByteMs } from "./codes.js";
import type { Facts } from "./facts.js";
import type { LoadStep } from "./messages.js";
import type { Sight } from "./verify.js";

/** How long an appliance that did not answer, or seems to have forgotten, is looked at before it is told again. */
export const DOUBT_MS = 3_000;
/** A duration is renewed so long before it lapses. */
const RENEW_MS = 5_000;

/** What was sent, and how. */
export interface Sent {
  readonly step: number;
  readonly arg: number;
  /** When it went out, ms. */
  readonly atMs: number;
  /** A renewal: the status keeps saying what it said until the outcome differs. */
  readonly quiet: boolean;
}

/** To be sent when its time comes. */
export interface Turn {
  readonly awaits: "turn";
  readonly step: number;
  readonly dueMs: number;
  readonly quiet: boolean;
  /** Times that the appliance was busy. */
  readonly busy: number;
}

/** Acknowledged, or perhaps taken: does the appliance show it? */
export interface Proof {
  readonly awaits: "proof";
  readonly sent: Sent;
  readonly untilMs: number;
  /**
   * Not obeyed by then: told again at once (an answer got lost, or it forgot), judged, or, where only the
   * power is too high, given the settling time and judged then.
   */
  readonly then: "resend" | "judge" | "settle";
  askAtMs: number;
  ask: "state" | "power" | "asked";
  /** When the last state came, and what it and the power said. */
  stateAtMs: number;
  sight: Sight | undefined;
  /** Its state has shown obedience, though its power did not: if that ends, it has forgotten. */
  followed: boolean;
}

export type Phase =
  /** No wish, or the wish holds and needs no watch. */
  | { readonly awaits: "wish" }
  /** The appliance is not there. */
  | { readonly awaits: "link" }
  | Turn
  | { readonly awaits: "answer"; readonly sent: Sent; readonly busy: number }
  | Proof
  /** In force and seen to be; watched. */
  | { readonly awaits: "lapse"; readonly sent: Sent; readonly lapseMs: number; trimMs: number }
  /** Overridden or not obeyed: again later, or sooner when the appliance shows a change; without `sent`: not heard. */
  | { readonly awaits: "retry"; dueMs: number; readonly sent: Sent | undefined; follows: boolean }
  /** Refused for good: until another wish or another discovery. */
  | { readonly awaits: "change" }
  /** An older command must not outlive its wish: End Shed is to be sent, and then is under way. */
  | { readonly awaits: "release"; readonly dueMs: number; readonly next: Phase }
  | { readonly awaits: "release-answer"; readonly next: Phase };

/** True where nothing is done for the wish until later, or only an older command is being ended. */
export function isResting(phase: Phase): boolean {
  return phase.awaits === "retry" || phase.awaits === "release" || phase.awaits === "release-answer";
}

/** When a phase wants to be looked at. */
export function phaseDueMs(phase: Phase): number {
  switch (phase.awaits) {
    case "turn":
    case "retry":
    case "release":
      return phase.dueMs;
    case "proof":
      return phase.ask === "asked" ? phase.untilMs : Math.min(phase.askAtMs, phase.untilMs);
    case "lapse":
      return Math.min(phase.lapseMs, phase.trimMs);
    default:
      return NEVER;
  }
}

/** When a command has to be sent again because the duration that it told runs out; `endsAtMs` of the wish. */
export function lapseMsOf(step: LoadStep, sent: Sent, endsAtMs: number | undefined): number {
  const shownMs = hasDuration(step.op) ? durationByteMs(sent.arg) : undefined;
  if (shownMs === undefined) return NEVER;
  const lapseMs = sent.atMs + shownMs;
  const endMs = endsAtMs ?? NEVER;
  // Where the wish ends before the duration does, only a wish that outlives its own end needs a renewal.
  return lapseMs < endMs ? lapseMs - RENEW_MS : Math.max(lapseMs - RENEW_MS, endMs + 1_000);
}

/** opcode2 of a step that no correction applies to: its own, or the duration that is left. */
export function argOf(step: LoadStep, endsAtMs: number | undefined, facts: Facts, nowMs: number): number {
  if (step.arg !== undefined) return step.arg;
  if (facts.noDurations || endsAtMs === undefined || endsAtMs <= nowMs) return 0;
  return encodeDuration((endsAtMs - nowMs) / 1000);
}

export function quietly(sent: Sent): Sent {
  return sent.quiet ? sent : { ...sent, quiet: true };
}
