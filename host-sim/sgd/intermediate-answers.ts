import type { UtcTime } from "../../src/wire/intermediate-message.js";
import { ResponseCode } from "../../src/wire/intermediate.js";
import type { CommodityRecord, IntermediateMessage } from "../../src/wire/message.js";
import type { Appliance } from "./appliance.js";
import { informationOf, type Profile } from "./profile-model.js";

/** Before the records of a commodity reply, and each of them (cta2045 5.11). */
const REPLY_HEAD_BYTES = 3;
const RECORD_BYTES = 13;

/** What the appliance has been told by Intermediate messages. */
export interface Told {
  time: { readonly value: UtcTime; readonly atMs: number } | undefined;
}

/**
 * Carries an Intermediate request out and gives its reply, cut to the `maxBytes` that the module takes. Undefined: not one that this appliance answers
 * (refused by link NAK 07 or by response code 01, as its profile has it), or a reply itself.
 */
export function answerIntermediate(
  message: IntermediateMessage,
  profile: Profile,
  appliance: Appliance,
  told: Told,
  maxBytes: number,
  nowMs: number,
): IntermediateMessage | undefined {
  if (!isAnswered(profile, message.name)) return undefined;
  const { Success, BadValue, Busy, ResponseLength } = ResponseCode;
  switch (message.name) {
    case "GetInformation": {
      const information = informationOf(profile, maxBytes);
      const responseCode = information === undefined ? ResponseLength : Success;
      return { family: "intermediate", name: "InformationReply", responseCode, information };
    }
    case "GetCommodity": {
      const { commodities, measured } = profile.answers;
      const wanted =
        message.code === undefined ? commodities : commodities.filter((code) => code === message.code);
      const records = wanted
        .map((code) => appliance.commodity(code, measured))
        .filter((record): record is CommodityRecord => record !== undefined)
        .slice(0, Math.max(0, Math.floor((maxBytes - REPLY_HEAD_BYTES) / RECORD_BYTES)));
      const responseCode = records.length === 0 ? BadValue : Success;
      return { family: "intermediate", name: "CommodityReply", responseCode, records };
    }
    case "SetTime":
      told.time = { value: message.time, atMs: nowMs };
      return { family: "intermediate", name: "TimeReply", responseCode: Success, time: undefined };
    case "GetTime":
      if (told.time === undefined) {
        return { family: "intermediate", name: "TimeReply", responseCode: Busy, time: undefined };
      }
      return {
        family: "intermediate",
        name: "TimeReply",
        responseCode: Success,
        time: clock(told.time, nowMs),
      };
    case "SetPrice":
      return { family: "intermediate", name: "PriceReply", responseCode: Success, price: undefined };
    case "SetTier":
      return { family: "intermediate", name: "TierReply", responseCode: Success, tier: undefined };
    default:
      return undefined;
  }
}

/** True where the profile's appliance answers the request of this name. */
export function isAnswered(profile: Profile, name: string): boolean {
  return (profile.answers.requests as readonly string[]).includes(name);
}

function clock(told: NonNullable<Told["time"]>, nowMs: number): UtcTime {
  const passed = Math.floor((nowMs - told.atMs) / 1000);
  return { ...told.value, utcSeconds: told.value.utcSeconds + passed };
}
