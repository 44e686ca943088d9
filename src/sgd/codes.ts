/** What the session makes of the codes of Basic DR (cta2045 section 4). */
import { MAX_DURATION_SECONDS, OpState } from "../wire/basic.js";
import { AppNakReason, BasicOp, NakCode } from "../wire/message.js";

/** Takes part in an event of the grid, so is not opted out. */
export function isInEvent(state: number): boolean {
  return (
    (state >= OpState.RunningCurtailed && state <= OpState.IdleCurtailed) ||
    (state >= OpState.IdleHeightened && state <= OpState.VariableNotFollowing)
  );
}

/** "Idle": no or no significant consumption, by the meaning of the state alone. */
export function isIdle(state: number): boolean {
  return (
    state === OpState.IdleNormal ||
    state === OpState.IdleCurtailed ||
    state === OpState.IdleHeightened ||
    state === OpState.IdleOptedOut ||
    state === OpState.IdlePriceStream
  );
}

/** How long a duration byte shows, ms; FF counts as the longest that can be shown; undefined for 00. */
export function durationByteMs(byte: number): number | undefined {
  if (byte === 0) return undefined;
  return (byte === 0xff ? MAX_DURATION_SECONDS : 2 * byte * byte) * 1000;
}

/** The name of a load command, as statuses and logs have it. */
export function loadCommandName(op: number): string {
  switch (op) {
    case BasicOp.Shed:
      return "Shed";
    case BasicOp.EndShed:
      return "EndShed";
    case BasicOp.PowerLevel:
      return "PowerLevel";
    case BasicOp.CriticalPeak:
      return "CriticalPeak";
    case BasicOp.GridEmergency:
      return "GridEmergency";
    case BasicOp.LoadUp:
      return "LoadUp";
    case BasicOp.GridGuidance:
      return "GridGuidance";
    default:
      return `Basic ${op.toString(16).padStart(2, "0").toUpperCase()}`;
  }
}

/** An application NAK reason in words. */
export function appNakText(reason: number): string {
  switch (reason) {
    case AppNakReason.None:
      return "refused without a reason";
    case AppNakReason.Opcode1Unsupported:
      return "the appliance does not know this command";
    case AppNakReason.Opcode2Invalid:
      return "the appliance does not take this value";
    case AppNakReason.Busy:
      return "the appliance is busy";
    case AppNakReason.LengthInvalid:
      return "the appliance finds the length wrong";
    case AppNakReason.CustomerOverride:
      return "the customer has overridden at the appliance";
    default:
      return `refused with reason ${reason}`;
  }
}

/** A link NAK code in words. */
export function nakText(code: number): string {
  switch (code) {
    case NakCode.UnsupportedType:
      return "link NAK 06: message type not supported";
    case NakCode.NotSupported:
      return "link NAK 07: request not supported";
    case NakCode.InvalidLength:
      return "link NAK 02: length not taken";
    default:
      return `link NAK ${code.toString(16).padStart(2, "0").toUpperCase()}`;
  }
}
