/** JSON to a frame: the way back from decode.ts. The check bytes are always computed. */
import { fault, type Fault, isFault } from "../base/fault.js";
import { fromHex } from "../base/hex.js";
import { emitAnswer, emitFrame, MAX_PAYLOAD } from "./frame.js";
import { BasicOp, DataLinkOp, type IntermediateMessage, MessageType, type WireMessage } from "./message.js";
import { payloadLength, payloadOf } from "./payload.js";
import { defaultSettings, type WireSettings } from "./settings.js";

type Values = Record<string, unknown>;

function isObject(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isByte(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xff;
}

function problem(code: string, text: string): Fault {
  return fault("configuration", code, text);
}

/** null means "not supported" or "not there", as decode writes it; no message is nested deeper than `depth`. */
function withoutNulls(value: unknown, depth: number): unknown {
  if (value === null || depth === 0) return undefined;
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, depth - 1));
  if (!isObject(value)) return value;
  const out: Values = {};
  for (const key of Object.keys(value)) out[key] = withoutNulls(value[key], depth - 1);
  return out;
}

/** The value of `table` under an own key, undefined for anything else. */
function lookUp(table: { readonly [key: string]: number }, name: unknown): number | undefined {
  return typeof name === "string" && Object.hasOwn(table, name) ? table[name] : undefined;
}

/** The type that the object tells, or that its name implies; −1 for none, −2 for a text that is no type. */
function typeFrom(object: Values): number {
  const { type, name } = object;
  if (typeof type === "string") {
    const bytes = fromHex(type);
    return bytes?.length === 2 ? (bytes[0]! << 8) | bytes[1]! : -2;
  }
  if (type !== undefined && type !== null) return -2;
  if (lookUp(BasicOp, name) !== undefined) return MessageType.Basic;
  if (lookUp(DataLinkOp, name) !== undefined) return MessageType.DataLink;
  return typeof name === "string" && name !== "Unknown" ? MessageType.Intermediate : -1;
}

function payloadBytes(text: unknown): Uint8Array | undefined {
  return typeof text === "string" ? fromHex(text) : undefined;
}

function messageFrom(object: Values, fields: Values, settings: WireSettings): WireMessage | Fault {
  const type = typeFrom(object);
  const { name } = object;
  if (type === -2) return problem("bad-type", 'The type must be two bytes of hex, such as "08 01".');
  if (type === -1) {
    return problem("no-meaning", "Give a type with opcode1 and opcode2, or a name with fields.");
  }
  if (name === "TypeQuery") return { family: "type-query", type };
  const payload = payloadBytes(fields["payload"]);
  if (payload !== undefined && payload.length > 0) return { family: "raw", type, payload };
  if (type === MessageType.Basic || type === MessageType.DataLink) {
    const isBasic = type === MessageType.Basic;
    const op = object["opcode1"] ?? lookUp(isBasic ? BasicOp : DataLinkOp, name);
    const arg = object["opcode2"] ?? 0;
    if (isByte(op) && isByte(arg)) return { family: isBasic ? "basic" : "data-link", op, arg };
    return problem("bad-opcode", "Give opcode1 and opcode2 as numbers from 0 to 255.");
  }
  if (type !== MessageType.Intermediate) {
    return problem("no-meaning", "A message of this type needs fields.payload as hex, not empty.");
  }
  const { opcode1, opcode2 } = object;
  const rest = payloadBytes(fields["rest"] ?? "");
  const unnamed = typeof name !== "string" || name === "Unknown" || name === "Other";
  if (unnamed && isByte(opcode1) && isByte(opcode2) && rest !== undefined) {
    return { family: "intermediate", name: "Other", opcode1, opcode2, rest };
  }
  if (unnamed) return problem("bad-opcode", "Give a name, or opcode1, opcode2 and fields.rest as hex.");
  // Every member is checked when it is written.
  const members = withoutNulls(fields, 5) as Values;
  const message = { ...members, family: "intermediate", name } as unknown as IntermediateMessage;
  if (payloadLength(message, settings) >= 0) return message;
  return problem(
    "bad-fields",
    `The fields do not make a ${name}: one is missing, too big or of the wrong kind.`,
  );
}

/**
 * The frame of an object as decode gives it. Needed are `type` with `opcode1` and `opcode2` for Basic and
 * data-link messages, `name` and `fields` for Intermediate ones, `type` and `fields.payload` for what is only
 * carried, `type` and the name "TypeQuery" for a type query, the name "LinkAck", or "LinkNak" with
 * `fields.code`. `hex`, `text` and the names beside numbers are not looked at. Faults: `bad-object`,
 * `bad-type`, `bad-opcode`, `bad-fields`, `no-meaning`, `too-long`.
 */
export function encodeFrame(object: unknown, settings = defaultSettings): Uint8Array | Fault {
  if (!isObject(object)) return problem("bad-object", "A frame is an object, as decode prints it.");
  const fields = object["fields"] ?? {};
  if (!isObject(fields)) return problem("bad-fields", "fields must be an object.");
  if (object["name"] === "LinkAck") return emitAnswer(-1);
  if (object["name"] === "LinkNak") {
    const code = fields["code"];
    return isByte(code) ? emitAnswer(code) : problem("bad-fields", "A link NAK needs fields.code, 0 to 255.");
  }
  const message = messageFrom(object, fields, settings);
  if (isFault(message)) return message;
  const { type, payload } = payloadOf(message, settings);
  if (payload.length > MAX_PAYLOAD)
    return problem("too-long", "A frame holds at most 8191 bytes of payload.");
  return emitFrame(type, payload);
}
