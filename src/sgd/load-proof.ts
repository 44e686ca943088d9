/** Looking at an appliance that is to prove its obedience (load.ts): what to ask, and what an answer says. */
import { BasicOp } from "../wire/message.js";
import type { Facts } from "./facts.js";
import type { Proof } from "./load-phase.js";
import type { LoadStep } from "./messages.js";
import type { SgdSettings } from "./settings.js";
import { follows, isOverridable, sightOf, type Sight } from "./verify.js";

/**
 * What to ask now; `none` while an answer is awaited or it is not yet time, `blind` where this appliance tells
 * neither state nor a power that could prove the step.
 */
export function questionOf(proof: Proof, step: LoadStep, facts: Facts, nowMs: number) {
  if (proof.ask === "asked" || nowMs < proof.askAtMs) return "none";
  const stateless = facts.refuses(BasicOp.QueryState);
  if (stateless && (!facts.metersPower || step.verify.maxPowerW === undefined)) return "blind";
  if (stateless) proof.stateAtMs = nowMs;
  const question = stateless ? "power" : proof.ask;
  proof.ask = "asked";
  return question;
}

/** What the last look has shown; `open`: not yet, and the next look is lined up. */
export function judge(
  proof: Proof,
  step: LoadStep,
  facts: Facts,
  settings: SgdSettings,
  nowMs: number,
): "obeys" | "overridden" | "open" {
  if (proof.stateAtMs === 0) return "open";
  const stateless = facts.refuses(BasicOp.QueryState);
  const state = stateless ? (step.verify.states[0] ?? 0) : (facts.opState ?? 0);
  const sight = sightOf(step, state, facts, proof.stateAtMs, settings.idleW);
  if (follows(step, state)) proof.followed = true;
  // Looked at again, it is still what the last power has shown.
  if (sight !== "needs-power" || proof.sight !== "over") proof.sight = sight;
  if (sight === "obeys") return "obeys";
  // An appliance that is overridden and says so by opcode 11 alone has had time enough to change its state.
  const overridden =
    sight === "contradicts" && facts.override && isOverridable(step) && nowMs - proof.sent.atMs >= 2_000;
  if (sight === "opted-out" || overridden) return "overridden";
  proof.ask = sight === "needs-power" ? "power" : "state";
  proof.askAtMs = sight === "needs-power" ? nowMs : nowMs + settings.settleQueryMs;
  return "open";
}

/** Why an appliance counts as not obeying, in words. */
export function contradictionText(sight: Sight | undefined, facts: Facts): string {
  const { opState, powerW } = facts;
  if (sight === undefined) return "the appliance does not tell its state";
  if (sight === "over") return `the appliance takes ${powerW ?? 0} W, more than asked`;
  if (sight === "needs-power" && powerW === undefined) return "the appliance does not tell its power";
  return `the appliance reports state ${opState ?? "?"}${powerW === undefined ? "" : ` and ${powerW} W`}`;
}
