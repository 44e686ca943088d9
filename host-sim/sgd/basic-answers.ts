import { AppNakReason, type BasicMessage, BasicOp } from "../../src/wire/message.js";
import { type Appliance, isLoadEvent } from "./appliance.js";
import type { AnswerFaults } from "./faults.js";
import { opOf, type Profile } from "./profile-model.js";

/** What a Basic message leads to. */
export interface BasicAnswer {
  /** Undefined where none is owed. */
  readonly reply: BasicMessage | undefined;
  /** To be said or done once the reply has gone. */
  readonly then?: "say-override" | "reboot" | "factory-reset";
}

/** What stands in every answer. */
export interface Situation {
  readonly profile: Profile;
  readonly appliance: Appliance;
  readonly faults: AnswerFaults;
  /** The operational state to report. */
  readonly opState: number;
  readonly nowMs: number;
}

/** Carries a Basic message out and gives the answer owed to it (cta2045 4 and 4.5). */
export function answerBasic({ op, arg }: BasicMessage, situation: Situation): BasicAnswer {
  const { profile, appliance, faults, nowMs } = situation;
  if (op === BasicOp.QueryState) return { reply: basic(BasicOp.State, situation.opState) };
  if (op === BasicOp.AppAck || op === BasicOp.AppNak || op === BasicOp.State) return { reply: undefined };
  if (faults.hits("app-nak-refused")) return nak(AppNakReason.Opcode1Unsupported);
  if (profile.answers.refusedOps.some((name) => opOf(name) === op))
    return nak(AppNakReason.Opcode1Unsupported);
  if (isLoadEvent(op)) return answerLoadEvent({ family: "basic", op, arg }, situation);
  const { events } = appliance;
  switch (op) {
    case BasicOp.EndShed:
      if (faults.hits("app-nak-busy")) return nak(AppNakReason.Busy);
      if (!faults.hits("ack-only")) events.end();
      return ack(op);
    case BasicOp.GridGuidance:
      if (arg !== 0 && arg !== 1 && arg !== 2) return nak(AppNakReason.Opcode2Invalid);
      events.guidance = arg;
      return ack(op);
    case BasicOp.OutsideComm:
      if (arg > 2) return nak(AppNakReason.Opcode2Invalid);
      events.comm(arg, nowMs);
      return ack(op);
    case BasicOp.CustomerOverride:
      if (arg > 1) return nak(AppNakReason.Opcode2Invalid);
      events.setOverride(arg === 1, nowMs);
      return ack(op);
    case BasicOp.TimeSync:
      return (arg & 0x1f) > 23 || arg >> 5 > 6 ? nak(AppNakReason.Opcode2Invalid) : ack(op);
    case BasicOp.PendingEventType:
      return isLoadEvent(arg) || arg === BasicOp.EndShed ? ack(op) : nak(AppNakReason.Opcode2Invalid);
    case BasicOp.Reboot:
      if (arg > 1) return nak(AppNakReason.Opcode2Invalid);
      return { reply: basic(BasicOp.AppAck, op), then: arg === 1 ? "factory-reset" : "reboot" };
    case BasicOp.PresentPrice:
    case BasicOp.NextPrice:
    case BasicOp.PriceTimeRemaining:
    case BasicOp.PendingEventTime:
      return ack(op);
    default:
      // Sleep and Wake too: only an appliance says them.
      return nak(AppNakReason.Opcode1Unsupported);
  }
}

function answerLoadEvent({ op, arg }: BasicMessage, situation: Situation): BasicAnswer {
  const { profile, appliance, faults, nowMs } = situation;
  if (faults.hits("app-nak-busy")) return nak(AppNakReason.Busy);
  if (op === BasicOp.PowerLevel && !appliance.takesPowerLevel(arg)) return nak(AppNakReason.Opcode2Invalid);
  if (faults.hits("ack-only")) return ack(op);
  const optedOut = appliance.events.optsOutOf(op);
  if (optedOut && profile.answers.override === "app-nak-05") return nak(AppNakReason.CustomerOverride);
  appliance.events.start(op, arg, nowMs);
  return optedOut ? { ...ack(op), then: "say-override" } : ack(op);
}

function basic(op: number, arg: number): BasicMessage {
  return { family: "basic", op, arg };
}

function ack(op: number): BasicAnswer {
  return { reply: basic(BasicOp.AppAck, op) };
}

function nak(reason: number): BasicAnswer {
  return { reply: basic(BasicOp.AppNak, reason) };
}
