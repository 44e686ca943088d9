/** Intermediate DR (08 02): all its messages together. The layouts are in a file per group. */
import { fault, type Fault } from "../base/fault.js";
import { toHex } from "../base/hex.js";
import { activationLayouts } from "./activation.js";
import { LOAD_UP_SETTLED, loadUpLayouts } from "./advanced-load-up.js";
import { capabilityLayouts } from "./capability.js";
import { commodityLayouts } from "./commodity.js";
import { cyclingLayouts } from "./cycling.js";
import { informationLayouts } from "./information.js";
import { type Layout, readGroup, writeGroup } from "./layout.js";
import type { IntermediateMessage, IntermediateOther } from "./message.js";
import { preferenceLayouts } from "./preference.js";
import { priceLayouts } from "./price.js";
import { defaultSettings, type WireSettings } from "./settings.js";
import { subscriptionLayouts } from "./subscription.js";
import { temperatureLayouts } from "./temperature.js";
import { timeLayouts } from "./time.js";

/** The layouts of every Intermediate message set that is built in. */
export const layoutGroups: readonly (readonly Layout[])[] = [
  informationLayouts,
  commodityLayouts,
  capabilityLayouts,
  timeLayouts,
  priceLayouts,
  temperatureLayouts,
  cyclingLayouts,
  subscriptionLayouts,
  activationLayouts,
  preferenceLayouts,
  loadUpLayouts,
];

/** Response codes of replies (section 5). */
export const ResponseCode = {
  Success: 0,
  NotImplemented: 1,
  BadValue: 2,
  CommandLength: 3,
  ResponseLength: 4,
  Busy: 5,
  Other: 6,
  CustomerOverride: 7,
  NotEnabled: 8,
} as const;

/** Success without the value that a query is for: neither taken nor sent. */
function tellsNothing(layout: Layout, size: number, values: Record<string, unknown>): boolean {
  return layout.whole === true && size === 3 && values["responseCode"] === ResponseCode.Success;
}

type Layouts = readonly (readonly Layout[])[];

function parseBy(
  layouts: Layouts,
  op: number,
  payload: Uint8Array,
  settings: WireSettings,
): IntermediateMessage | "no-length" | undefined {
  let known: "no-length" | undefined;
  for (const group of layouts) {
    for (const layout of group) {
      if (layout.op !== op) continue;
      known = "no-length";
      const message: Record<string, unknown> = { family: "intermediate", name: layout.name };
      if (readGroup(layout, payload, 2, message, settings.measuredBit) !== payload.length) continue;
      if (tellsNothing(layout, payload.length, message)) continue;
      // The layout has every member of the type, which its own type has checked.
      return message as unknown as IntermediateMessage;
    }
  }
  return known;
}

/**
 * The message of an Intermediate payload; an unknown opcode gives `Other`, whose `rest` shares memory with
 * `payload`. Faults: `bad-payload-length` (no two opcodes, or a known opcode with a length that it has not).
 */
export function parseIntermediate(
  payload: Uint8Array,
  settings = defaultSettings,
): IntermediateMessage | Fault {
  const size = payload.length;
  if (size < 2)
    return fault("wire", "bad-payload-length", "An Intermediate message has at least two opcodes.");
  const opcode1 = payload[0]!;
  const opcode2 = payload[1]!;
  const op = (opcode1 << 8) | opcode2;
  const doubted =
    settings.untrusted.includes(op) || (op === 0x0c00 && size > LOAD_UP_SETTLED && !settings.loadUpTail);
  const message = doubted
    ? undefined
    : (parseBy(layoutGroups, op, payload, settings) ?? parseBy(settings.messageSets, op, payload, settings));
  if (message === "no-length") {
    const name = toHex(payload.subarray(0, 2), " ");
    return fault("wire", "bad-payload-length", `Intermediate ${name} has no form of ${size} bytes.`);
  }
  return message ?? { family: "intermediate", name: "Other", opcode1, opcode2, rest: payload.subarray(2) };
}

function writeBy(
  layouts: Layouts,
  message: IntermediateMessage,
  out: Uint8Array | undefined,
  at: number,
  settings: WireSettings,
): number {
  const values = message as unknown as Record<string, unknown>;
  for (const group of layouts) {
    for (const layout of group) {
      if (layout.name !== message.name) continue;
      const end = writeGroup(layout, values, out, at + 2, settings.measuredBit);
      if (end < 0 || tellsNothing(layout, end - at, values)) continue;
      if (out) {
        out[at] = layout.op >> 8;
        out[at + 1] = layout.op;
      }
      return end - at;
    }
  }
  return -1;
}

/**
 * Writes the payload to `out[at…]`, or only measures where `out` is undefined. Gives its length in bytes, −1
 * where the message cannot be told in bytes: a member is missing, out of range or of the wrong kind.
 */
export function writeIntermediate(
  message: IntermediateMessage,
  out: Uint8Array | undefined,
  at: number,
  settings = defaultSettings,
): number {
  if (message.name === "Other") {
    if (out) {
      out[at] = message.opcode1;
      out[at + 1] = message.opcode2;
      out.set(message.rest, at + 2);
    }
    return message.rest.length + 2;
  }
  const size = writeBy(layoutGroups, message, out, at, settings);
  return size >= 0 ? size : writeBy(settings.messageSets, message, out, at, settings);
}

/**
 * The refusal of a request payload: its opcodes with bit 7 set, and a response code. For any request but
 * those of activation and preference (opcode1 0A, 0B), whose replies have no response code.
 */
export function refusal(request: Uint8Array, responseCode: number): IntermediateOther {
  return {
    family: "intermediate",
    name: "Other",
    opcode1: request[0]!,
    opcode2: request[1]! | 0x80,
    rest: new Uint8Array([responseCode]),
  };
}
