/**
 * Frames as JSON: what `openucm decode` prints and `openucm encode` takes. Never throws, whatever is given.
 */
import { fault, type Fault, isFault } from "../base/fault.js";
import { fromHex, toHex } from "../base/hex.js";
import { describe, nameOf } from "./describe.js";
import { fieldsOf } from "./fields.js";
import { ACK_BYTE, NAK_BYTE, parseAnswer, parseFrame } from "./frame.js";
import { describeAnswer, nakName, typeText } from "./link-words.js";
import type { WireMessage } from "./message.js";
import { parseMessage } from "./payload.js";
import { defaultSettings, type WireSettings } from "./settings.js";

export { encodeFrame } from "./encode.js";

/** One frame, decoded. */
export interface DecodedFrame {
  /** The bytes, upper case, a space between bytes; text that is no hex as it came. */
  readonly hex: string;
  readonly ok: boolean;
  /** "08 01"; of a link answer its two bytes; null where there are no two bytes. */
  readonly type: string | null;
  /** See `nameOf`; "LinkAck", "LinkNak"; null for a bad frame. */
  readonly name: string | null;
  /** null where the type has no opcodes. */
  readonly opcode1: number | null;
  readonly opcode2: number | null;
  readonly fields: Record<string, unknown>;
  /** One line for people; of a bad frame, what is wrong. */
  readonly text: string;
  /** Code of the fault, null for a good frame. */
  readonly fault: string | null;
}

function bad(hex: string, type: string | null, problem: Fault): DecodedFrame {
  return {
    hex,
    ok: false,
    type,
    name: null,
    opcode1: null,
    opcode2: null,
    fields: {},
    text: problem.text,
    fault: problem.fault,
  };
}

/** `06 00` and `15 cc`, which have neither length nor check bytes. */
function decodeAnswer(bytes: Uint8Array, hex: string): DecodedFrame {
  const code = parseAnswer(bytes);
  if (code === undefined) return bad(hex, hex, fault("wire", "bad-ack", "A link ACK is 06 00."));
  return {
    hex,
    ok: true,
    type: hex,
    name: code < 0 ? "LinkAck" : "LinkNak",
    opcode1: null,
    opcode2: null,
    fields: code < 0 ? {} : { code, codeName: nakName(code) },
    text: describeAnswer(bytes)!,
    fault: null,
  };
}

/** True for the messages that begin with opcode1 and opcode2. */
function hasOpcodes(message: WireMessage): boolean {
  return message.family === "basic" || message.family === "data-link" || message.family === "intermediate";
}

/**
 * Decodes one frame: its bytes, or hex text in which space, tab, line ends, `:`, `-`, `,` and `0x` count for
 * nothing. Faults: `bad-hex`, `bad-ack`, and those of `parseFrame` and `parseMessage`.
 */
export function decodeFrameText(frame: string | Uint8Array, settings = defaultSettings): DecodedFrame {
  if (typeof frame !== "string") return decodeFrame(frame, settings);
  const bytes = fromHex(frame.replace(/0x|[\s:,-]+/gi, " "));
  if (bytes === undefined) {
    return bad(frame, null, fault("wire", "bad-hex", "This is not whole bytes of hexadecimal digits."));
  }
  return decodeFrame(bytes, settings);
}

function decodeFrame(bytes: Uint8Array, settings: WireSettings): DecodedFrame {
  const hex = toHex(bytes, " ");
  if (bytes.length === 2 && (bytes[0] === ACK_BYTE || bytes[0] === NAK_BYTE)) return decodeAnswer(bytes, hex);
  const type = bytes.length < 2 ? null : typeText((bytes[0]! << 8) | bytes[1]!);
  const frame = parseFrame(bytes);
  if (isFault(frame)) return bad(hex, type, frame);
  const message = parseMessage(frame.type, frame.payload, settings);
  if (isFault(message)) return bad(hex, type, message);
  const opcodes = hasOpcodes(message);
  return {
    hex,
    ok: true,
    type: typeText(frame.type),
    name: nameOf(message),
    opcode1: opcodes ? frame.payload[0]! : null,
    opcode2: opcodes ? frame.payload[1]! : null,
    fields: fieldsOf(message, settings),
    text: describe(message, settings),
    fault: null,
  };
}
