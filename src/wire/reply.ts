/**
 * Which message answers which: the only place that knows it, for both sides of the line.
 * (Sections 4, 5 and 6 of docs/protocol/cta2045.md.)
 */
import { BasicOp, DataLinkOp, MessageType } from "./message.js";

/**
 * The application reply that a request is owed after its link ACK.
 * `app-ack`: Basic `03 opcode1`, or `04 reason`; `state`: Basic `13 state`, or `04 reason`;
 * `intermediate`: opcode1 repeated, bit 7 of opcode2 set; `data-link`: the opcode after the request's own.
 */
export type OwedReply = "none" | "app-ack" | "state" | "intermediate" | "data-link";

/**
 * What is owed to a message of `type` with `payload`. An opcode that we do not know is owed a reply all the
 * same (a peer may know it, or refuses it with `04 01`); a payload of a wrong length is owed none.
 */
export function replyTo(type: number, payload: Uint8Array): OwedReply {
  const n = payload.length;
  const op = payload[0]!;
  switch (type) {
    case MessageType.Basic:
      if (n !== 2 || op === BasicOp.AppAck || op === BasicOp.AppNak || op === BasicOp.State) return "none";
      return op === BasicOp.QueryState ? "state" : "app-ack";
    case MessageType.Intermediate:
      return n < 2 || payload[1]! & 0x80 ? "none" : "intermediate";
    case MessageType.DataLink:
      return n === 2 &&
        (op === DataLinkOp.QueryMaxPayload || op === DataLinkOp.GetSlot || op === DataLinkOp.GetSlots)
        ? "data-link"
        : "none";
    default:
      return "none";
  }
}

/** True where `candidate` (of the same type) answers the request `payload`. */
export function isReply(type: number, payload: Uint8Array, candidate: Uint8Array): boolean {
  const op = candidate[0];
  switch (replyTo(type, payload)) {
    case "app-ack":
      if (candidate.length !== 2) return false;
      return op === BasicOp.AppNak || (op === BasicOp.AppAck && candidate[1] === payload[0]);
    case "state":
      return candidate.length === 2 && (op === BasicOp.State || op === BasicOp.AppNak);
    case "intermediate":
      return candidate.length >= 2 && op === payload[0] && candidate[1] === (payload[1]! | 0x80);
    case "data-link":
      return candidate.length === 2 && op === payload[0]! + 1;
    case "none":
      return false;
  }
}
