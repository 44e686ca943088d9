/** Switching a capability on or off, and the efficiency level, of 2045-B (section 5.3). */
import type { CapabilityMessage } from "./intermediate-message.js";
import { type LayoutOf, U8 } from "./layout.js";

export const capabilityLayouts: readonly LayoutOf<CapabilityMessage>[] = [
  { name: "GetEfficiency", op: 0x0102, least: 0, fields: {} },
  {
    name: "EfficiencyReply",
    op: 0x0182,
    least: 1,
    whole: true,
    fields: { responseCode: U8, level: U8 },
  },
  { name: "SetCapability", op: 0x0103, least: 2, fields: { bit: U8, value: U8 } },
  { name: "SetCapabilityReply", op: 0x0183, least: 1, fields: { responseCode: U8 } },
];

/** Switches a bit of the capability bitmap, see `Capability`. */
export function setCapability(bit: number, on: boolean): CapabilityMessage {
  return { family: "intermediate", name: "SetCapability", bit, value: on ? 1 : 0 };
}
