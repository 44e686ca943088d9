/** Data-link messages, types, and the two-byte link answers, in words. */
import { parseAnswer } from "./frame.js";
import { maxPayloadBytes } from "./data-link.js";
import { type DataLinkMessage, DataLinkOp } from "./message.js";
import { kindOfType } from "./raw.js";
import { defaultSettings } from "./settings.js";
import { hexByte, keyOf, pick } from "./words.js";

/** `DataLinkOp`'s own word for an opcode, undefined for an unknown one. */
export function dataLinkName(op: number): string | undefined {
  return keyOf(DataLinkOp, op);
}

/** One line: "Max payload: 256 bytes (7)". */
export function describeDataLink({ op, arg }: DataLinkMessage, settings = defaultSettings): string {
  switch (op) {
    case DataLinkOp.PowerMode: {
      const watts = settings.powerModeWatts[arg];
      return `Request power mode ${arg}${watts === undefined ? "" : `: ${watts} W`}`;
    }
    case DataLinkOp.BitRate:
      return `Request bit rate: ${settings.bitRates[arg] ?? "unknown"} bit/s (${arg})`;
    case DataLinkOp.QueryMaxPayload:
      return `Query max payload${tail(arg)}`;
    case DataLinkOp.MaxPayload:
      return `Max payload: ${maxPayloadBytes(arg) ?? "unknown"} bytes (${arg})`;
    case DataLinkOp.GetSlot:
      return `Get slot number${tail(arg)}`;
    case DataLinkOp.Slot:
      return `Slot number ${arg}`;
    case DataLinkOp.GetSlots:
      return `Get available slots${tail(arg)}`;
    case DataLinkOp.Slots:
      return settings.slotList === "unknown"
        ? `Available slots: ${hexByte(arg)}`
        : `Available slots: ${settings.slotList === "count" ? arg : slotsOf(arg).join(", ")}`;
    case DataLinkOp.ToSlot:
      return `Next command to slot ${arg}`;
    default:
      return `Data-link ${hexByte(op)} ${hexByte(arg)}`;
  }
}

function tail(arg: number): string {
  return arg === 0 ? "" : ` (${hexByte(arg)})`;
}

/** Slots of a bitmap, bit 0 = slot 0: one of the readings of "available slots". */
function slotsOf(bitmap: number): number[] {
  const slots: number[] = [];
  for (let slot = 0; slot < 8; slot++) if ((bitmap >> slot) & 1) slots.push(slot);
  return slots;
}

export function dataLinkFields(
  { op, arg }: DataLinkMessage,
  settings = defaultSettings,
): Record<string, unknown> {
  switch (op) {
    case DataLinkOp.PowerMode:
      return { mode: arg, watts: settings.powerModeWatts[arg] ?? null };
    case DataLinkOp.BitRate:
      return { code: arg, bitsPerSecond: settings.bitRates[arg] ?? null };
    case DataLinkOp.MaxPayload:
      return { code: arg, bytes: maxPayloadBytes(arg) ?? null };
    case DataLinkOp.Slot:
    case DataLinkOp.ToSlot:
      return { slot: arg };
    case DataLinkOp.Slots:
      if (settings.slotList === "bitmap") return { slots: slotsOf(arg) };
      return settings.slotList === "count" ? { count: arg } : { argument: arg };
    default:
      return arg === 0 ? {} : { argument: arg };
  }
}

const passThrough = `USNAP 1.0
ClimateTalk
Smart Energy Profile 1.0
Smart Energy Profile 2.0
OpenADR 1.0
OpenADR 2.0
generic IP
ECHONET Lite
KNX
LonTalk
SunSpec Modbus
BACnet`;

/** "08 01". */
export function typeText(type: number): string {
  return `${hexByte(type >> 8)} ${hexByte(type & 0xff)}`;
}

/** What a type carries, in words: "Basic DR", "BACnet", "vendor F0 01". */
export function typeName(type: number): string {
  switch (kindOfType(type)) {
    case "basic":
      return "Basic DR";
    case "intermediate":
      return "Intermediate DR";
    case "data-link":
      return "data-link";
    case "commissioning":
      return "commissioning";
    case "pass-through":
      return pick(passThrough, (type & 0xff) - 1)!;
    case "vendor":
      return `vendor ${typeText(type)}`;
    case "reserved":
      return `reserved type ${typeText(type)}`;
    case "future":
      return `unknown type ${typeText(type)}`;
  }
}

const nakNames = `no reason
invalid byte
invalid length
checksum error
reserved
message timeout
unsupported message type
request not supported`;

/** Name of a link NAK code; never empty. */
export function nakName(code: number): string {
  return pick(nakNames, code) ?? "unknown";
}

/** One line for the two bytes of a link answer; undefined for any other bytes. */
export function describeAnswer(bytes: Uint8Array): string | undefined {
  const code = parseAnswer(bytes);
  if (code === undefined) return undefined;
  return code < 0 ? "Link ACK" : `Link NAK: ${nakName(code)} (${code})`;
}
