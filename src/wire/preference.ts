/** User preference level (section 5.13). The replies carry no response code. */
import type { PreferenceMessage } from "./intermediate-message.js";
import { type LayoutOf, U8 } from "./layout.js";

export const preferenceLayouts: readonly LayoutOf<PreferenceMessage>[] = [
  { name: "GetPreference", op: 0x0b00, least: 1, fields: { preferenceType: U8 } },
  { name: "PreferenceReply", op: 0x0b80, least: 2, fields: { preferenceType: U8, level: U8 } },
  { name: "SetPreference", op: 0x0b01, least: 2, fields: { preferenceType: U8, level: U8 } },
  { name: "SetPreferenceReply", op: 0x0b81, least: 2, fields: { preferenceType: U8, level: U8 } },
];
