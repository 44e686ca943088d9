/**
 * Data-link messages (08 03, section 6): two bytes. The one that may be longer is "available slots" (1D),
 * whose form no source tells: any other length of it is carried as raw bytes.
 */
import { fault, type Fault } from "../base/fault.js";
import { type DataLinkMessage, DataLinkOp, MessageType, type RawMessage } from "./message.js";
import { maxPayloads } from "./settings.js";

/** Fault: `bad-payload-length`, where the payload is not two bytes. */
export function parseDataLink(payload: Uint8Array): DataLinkMessage | RawMessage | Fault {
  if (payload.length === 2) return { family: "data-link", op: payload[0]!, arg: payload[1]! };
  if (payload[0] === DataLinkOp.Slots) return { family: "raw", type: MessageType.DataLink, payload };
  return fault("wire", "bad-payload-length", `A data-link message has 2 bytes, not ${payload.length}.`);
}

export function dataLink(op: number, arg = 0): DataLinkMessage {
  return { family: "data-link", op, arg };
}

/** Bytes of a max-payload code (19), undefined for a code that is none. */
export function maxPayloadBytes(code: number): number | undefined {
  return maxPayloads[code];
}

/** The code of the greatest payload limit that is not over `bytes`; 0 (2 bytes) at the least. */
export function maxPayloadCode(bytes: number): number {
  let code = 0;
  while (code + 1 < maxPayloads.length && maxPayloads[code + 1]! <= bytes) code++;
  return code;
}
