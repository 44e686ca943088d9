/**
 * Payloads to messages and back, for every type; without the words for people (codec.ts has those too), so
 * that what does not show messages need not carry them.
 */
import type { Fault } from "../base/fault.js";
import { parseBasic } from "./basic.js";
import { parseDataLink } from "./data-link.js";
import { parseIntermediate, writeIntermediate } from "./intermediate.js";
import { MessageType, type WireMessage } from "./message.js";
import { defaultSettings } from "./settings.js";

/**
 * The message in the payload of a frame of `type`. Never throws, whatever the bytes; what it accepts, emit
 * gives back byte for byte. A message may share memory with `payload` (`raw` and `Other` do): copy the
 * payload first where its buffer is used again. Fault: `bad-payload-length`.
 */
export function parseMessage(
  type: number,
  payload: Uint8Array,
  settings = defaultSettings,
): WireMessage | Fault {
  if (payload.length === 0) return { family: "type-query", type };
  switch (type) {
    case MessageType.Basic:
      return parseBasic(payload);
    case MessageType.Intermediate:
      return parseIntermediate(payload, settings);
    case MessageType.DataLink:
      return parseDataLink(payload);
    default:
      return { family: "raw", type, payload };
  }
}

/** The message type under which a message travels. */
export function typeOf(message: WireMessage): number {
  switch (message.family) {
    case "basic":
      return MessageType.Basic;
    case "intermediate":
      return MessageType.Intermediate;
    case "data-link":
      return MessageType.DataLink;
    case "type-query":
    case "raw":
      return message.type;
  }
}

/** Bytes of payload, −1 where a member is missing, out of range or of the wrong kind. */
export function payloadLength(message: WireMessage, settings = defaultSettings): number {
  switch (message.family) {
    case "basic":
    case "data-link":
      return 2;
    case "intermediate":
      return writeIntermediate(message, undefined, 0, settings);
    case "type-query":
      return 0;
    case "raw":
      return message.payload.length;
  }
}

/**
 * Writes the payload (not the frame) to `out[at…]`, which must have room for {@link payloadLength}.
 * Gives the number of bytes written, −1 as there.
 */
export function emitMessage(
  message: WireMessage,
  out: Uint8Array,
  at: number,
  settings = defaultSettings,
): number {
  switch (message.family) {
    case "basic":
    case "data-link":
      out[at] = message.op;
      out[at + 1] = message.arg;
      return 2;
    case "intermediate":
      return writeIntermediate(message, out, at, settings);
    case "type-query":
      return 0;
    case "raw":
      out.set(message.payload, at);
      return message.payload.length;
  }
}

/**
 * Type and payload of a message, as a link takes them. Throws where a member is missing or out of range:
 * that message was made by us.
 */
export function payloadOf(
  message: WireMessage,
  settings = defaultSettings,
): { type: number; payload: Uint8Array } {
  const length = payloadLength(message, settings);
  if (length < 0) throw new RangeError(`a ${message.family} message has a member that is missing or too big`);
  const payload = new Uint8Array(length);
  emitMessage(message, payload, 0, settings);
  return { type: typeOf(message), payload };
}
