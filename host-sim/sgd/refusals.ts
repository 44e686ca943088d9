import { isFault } from "../../src/base/fault.js";
import { parseFrame } from "../../src/wire/frame.js";
import { parseIntermediate } from "../../src/wire/intermediate.js";
import { BasicOp, MessageType, NakCode } from "../../src/wire/message.js";
import type { AnswerFaults } from "./faults.js";
import { isAnswered } from "./intermediate-answers.js";
import { opOf, type Profile } from "./profile-model.js";

/**
 * The link NAK that a profile's appliance gives to a message of a supported type, undefined where it
 * acknowledges. Some appliances refuse opcodes in the link, where the standard has an application NAK.
 */
export function linkRefusal(
  profile: Profile,
  faults: AnswerFaults,
  type: number,
  payload: Uint8Array,
): number | undefined {
  if (faults.has("overstates-payload") && payload.length > 8) return NakCode.InvalidLength;
  if (type === MessageType.Basic) {
    const { refusal, refusedOps } = profile.answers;
    const op = payload[0];
    if (refusal === "app-nak-01" || op === BasicOp.QueryState) return undefined;
    if (!refusedOps.some((name) => opOf(name) === op)) return undefined;
    return refusal === "nak-06" ? NakCode.UnsupportedType : NakCode.NotSupported;
  }
  if (
    type === MessageType.Intermediate &&
    payload.length >= 2 &&
    profile.answers.requestRefusal === "nak-07"
  ) {
    // A reply to a question of ours is never refused.
    if ((payload[1]! & 0x80) !== 0) return undefined;
    const message = parseIntermediate(payload);
    if (isFault(message)) return NakCode.InvalidLength;
    return isAnswered(profile, message.name) ? undefined : NakCode.NotSupported;
  }
  return undefined;
}

/** The same for a whole frame, as a fault line asks. */
export function frameRefusal(profile: Profile, faults: AnswerFaults, frame: Uint8Array): number | undefined {
  const parsed = parseFrame(frame);
  return isFault(parsed) ? undefined : linkRefusal(profile, faults, parsed.type, parsed.payload);
}
