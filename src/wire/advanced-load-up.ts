/** Advanced Load Up of 2045-B (section 5.14); to be switched on first with `setCapability(6, true)`. */
import type { LoadUpMessage, LoadUpState } from "./intermediate-message.js";
import { type GroupOf, type LayoutOf, U16, U32, U8 } from "./layout.js";

const loadUp: GroupOf<LoadUpState> = {
  least: 3,
  fields: { remainingMinutes: U16, value: U16, units: U8, efficiency: U8 },
};

/** Payload of the longest Set whose members several sources agree on; the rest is a setting (`loadUpTail`). */
export const LOAD_UP_SETTLED = 8;

export const loadUpLayouts: readonly LayoutOf<LoadUpMessage>[] = [
  { name: "GetAdvancedLoadUp", op: 0x0c00, least: 0, fields: {} },
  {
    name: "SetAdvancedLoadUp",
    op: 0x0c00,
    least: 3,
    fields: {
      durationMinutes: U16,
      value: U16,
      units: U8,
      efficiency: U8,
      eventId: U32,
      startSeconds: U32,
      startRandomMinutes: U8,
      endRandomMinutes: U8,
    },
  },
  { name: "AdvancedLoadUpReply", op: 0x0c80, least: 1, fields: { responseCode: U8, loadUp } },
];

/** Units byte of "not active" in a reply, and of "no effect" with value 0 in a set. */
export const LOAD_UP_SPECIAL = 0xff;

/**
 * Asks to store `energyWh` more than usual within `durationMinutes`; Infinity = as much as possible.
 * Takes the finest unit that can tell the amount, rounded down to it: never asks for more than wanted.
 * Always the 8-byte form (open point 8); efficiency 0…10.
 */
export function setAdvancedLoadUp(durationMinutes: number, energyWh: number, efficiency = 0): LoadUpMessage {
  let units = 0;
  let value = energyWh;
  while (value >= 0xffff && units < 3) {
    units++;
    value /= 10;
  }
  value = energyWh === Infinity ? 0xffff : Math.min(0xfffe, Math.floor(value));
  return { family: "intermediate", name: "SetAdvancedLoadUp", durationMinutes, value, units, efficiency };
}

/** Watt hours of a value; undefined where the units are special or reserved, Infinity for as much as possible. */
export function loadUpWh(value: number, units: number): number | undefined {
  if (units > 3) return undefined;
  return value === 0xffff ? Infinity : value * 10 ** units;
}
