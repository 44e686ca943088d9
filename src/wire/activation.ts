/** Activation of functions, with a key (section 5.12). The replies carry no response code. */
import type { ActivationMessage } from "./intermediate-message.js";
import { type LayoutOf, TEXT, U8 } from "./layout.js";

export const activationLayouts: readonly LayoutOf<ActivationMessage>[] = [
  { name: "GetActivation", op: 0x0a00, least: 1, fields: { index: U8 } },
  { name: "ActivationReply", op: 0x0a80, least: 2, fields: { index: U8, status: U8 } },
  { name: "SetActivation", op: 0x0a01, least: 2, fields: { index: U8, status: U8, key: TEXT } },
  { name: "SetActivationReply", op: 0x0a81, least: 2, fields: { index: U8, response: U8 } },
];
