/** What we answer to what the appliance says and asks on its own (cta2045 sections 4 and 5). */
import { localTime, type PosixZone } from "../base/posix-tz.js";
import { isFault, type Fault } from "../base/fault.js";
import type { Now } from "../ports/time.js";
import { commodityReply } from "../wire/commodity.js";
import { informationReply } from "../wire/information.js";
import { ResponseCode } from "../wire/intermediate.js";
import { AppNakReason, BasicOp, type DeviceInformation, type IntermediateMessage } from "../wire/message.js";
import { payloadOf } from "../wire/payload.js";
import { secondsSince2000, timeReply } from "../wire/time.js";

/** The Basic DR answer to `payload`, or undefined where none is due: to an answer nothing is answered. */
export function answerBasic(payload: Uint8Array): Uint8Array | undefined {
  const op = payload[0]!;
  if (payload.length !== 2) return new Uint8Array([BasicOp.AppNak, AppNakReason.LengthInvalid]);
  switch (op) {
    case BasicOp.AppAck:
    case BasicOp.AppNak:
      return undefined;
    case BasicOp.CustomerOverride:
    case BasicOp.Reboot:
      // Their values above 1 are reserved.
      if (payload[1]! > 1) return new Uint8Array([BasicOp.AppNak, AppNakReason.Opcode2Invalid]);
      return new Uint8Array([BasicOp.AppAck, op]);
    case BasicOp.State:
    case BasicOp.Sleep:
    case BasicOp.Wake:
      return new Uint8Array([BasicOp.AppAck, op]);
    default:
      return new Uint8Array([BasicOp.AppNak, AppNakReason.Opcode1Unsupported]);
  }
}

export interface AnswerContext {
  readonly identity: DeviceInformation;
  readonly zone: PosixZone;
  /** Longest payload that the appliance takes. */
  readonly sendPayload: number;
}

/**
 * The Intermediate answer to a request; undefined where none is due. What we do not serve is answered with
 * "not implemented", a known opcode of a wrong length with "command length error".
 */
export function answerIntermediate(
  payload: Uint8Array,
  message: IntermediateMessage | Fault,
  context: AnswerContext,
  now: Now,
): Uint8Array | undefined {
  const op2 = payload[1] ?? 0;
  if (payload.length < 2 || op2 & 0x80) return undefined;
  if (isFault(message)) return refusal(payload, ResponseCode.CommandLength);
  switch (message.name) {
    case "GetInformation":
      return payloadOf(informationReply(fitting(context.identity, context.sendPayload))).payload;
    case "GetTime":
      if (now.utcMs === undefined) return refusal(payload, ResponseCode.NotImplemented);
      return payloadOf(timeReply(ResponseCode.Success, timeOf(context.zone, now.utcMs))).payload;
    case "SetCommodity":
      return payloadOf(commodityReply([], ResponseCode.Success)).payload;
    default:
      return refusal(payload, ResponseCode.NotImplemented);
  }
}

function refusal(request: Uint8Array, code: number): Uint8Array {
  return new Uint8Array([request[0]!, request[1]! | 0x80, code]);
}

function timeOf(zone: PosixZone, utcMs: number) {
  const local = localTime(zone, utcMs);
  return {
    utcSeconds: secondsSince2000(utcMs),
    offsetQuarters: Math.round((local.offsetS - local.dstS) / 900),
    dstQuarters: Math.round(local.dstS / 900) & 0xff,
  };
}

/**
 * As much of the identity as fits: optional fields may be missing from the end. An appliance that asks before
 * it has told a limit waits for the shortest form, 16 bytes.
 */
function fitting(identity: DeviceInformation, limit: number): DeviceInformation {
  const { model, serial, firmware, ...short } = identity;
  if (limit < 32 || model === undefined) return short;
  if (limit < 48 || serial === undefined) return { ...short, model };
  if (limit < 53 || firmware === undefined) return { ...short, model, serial };
  return identity;
}
