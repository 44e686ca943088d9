import { isOptedOut } from "../wire/basic.js";
import { BasicOp } from "../wire/message.js";
import { isIdle } from "./codes.js";
import type { Facts } from "./facts.js";
import type { LoadStep } from "./messages.js";

/** What a look at the appliance says about its obedience to a step. */
export type Sight =
  | "obeys"
  /** The state is right; the power has still to be read. */
  | "needs-power"
  /** The state is right, the power is too high. */
  | "over"
  | "opted-out"
  | "contradicts";

/**
 * Holds a state against what a step expects. Power counts only where it was read at or after `sinceMs`.
 * Where the appliance gives no power, the state alone decides.
 */
export function sightOf(step: LoadStep, state: number, facts: Facts, sinceMs: number, idleW: number): Sight {
  const { states, idleStates, maxPowerW } = step.verify;
  const fresh = facts.metersPower && facts.meteredAtMs >= sinceMs;
  // Commodities are read, but electric power is not among them.
  const blind = !facts.metersPower || (fresh && facts.powerW === undefined);
  if (states.length === 0 || states.includes(state)) {
    if (maxPowerW === undefined || blind) return "obeys";
    if (!fresh) return "needs-power";
    return facts.powerW! <= maxPowerW ? "obeys" : "over";
  }
  // An appliance that says so of what nobody can opt out of has not carried it out, or has forgotten it.
  if (isOptedOut(state)) return isOverridable(step) ? "opted-out" : "contradicts";
  if (idleStates?.includes(state)) {
    if (blind) return isIdle(state) ? "obeys" : "contradicts";
    if (!fresh) return "needs-power";
    return facts.powerW! <= idleW ? "obeys" : "contradicts";
  }
  return "contradicts";
}

/** No customer can opt out of a Grid Emergency (S4 2211). */
export function isOverridable(step: LoadStep): boolean {
  return step.op !== BasicOp.GridEmergency;
}

/** True for a state that fits the step, whatever the power says. */
export function follows(step: LoadStep, state: number | undefined): boolean {
  const { states, idleStates = [] } = step.verify;
  return state !== undefined && (states.includes(state) || idleStates.includes(state));
}

/**
 * A level lowered in proportion to what it was to give and what it gave, at least by one step; undefined where
 * it cannot go lower.
 */
export function loweredLevel(arg: number, targetW: number, powerW: number): number | undefined {
  const lower = Math.min((arg & 0x7f) - 1, Math.floor(((arg & 0x7f) * targetW) / powerW));
  return lower < 0 ? undefined : lower;
}
