/**
 * Types whose payload is carried and not understood (sections 3, 6 and 7): commissioning (08 04, opcodes not
 * public), pass-through of another protocol (09 01–0C, payload = its raw bytes), vendors' own, and whatever
 * the future brings.
 */
import { MessageType, type RawMessage } from "./message.js";

export type TypeKind =
  | "basic"
  | "intermediate"
  | "data-link"
  | "commissioning"
  | "pass-through"
  | "vendor"
  /** 06 xx and 15 xx: told from frames by their first byte, they are link ACK and NAK. */
  | "reserved"
  | "future";

/** What a message type is for (section 3, whole range 0000–FFFF). */
export function kindOfType(type: number): TypeKind {
  switch (type) {
    case MessageType.Basic:
      return "basic";
    case MessageType.Intermediate:
      return "intermediate";
    case MessageType.DataLink:
      return "data-link";
    case MessageType.Commissioning:
      return "commissioning";
  }
  if (type >= 0x0901 && type <= 0x090c) return "pass-through";
  const first = type >> 8;
  if (first <= 0x05 || first >= 0xf0) return "vendor";
  return first === 0x06 || first === 0x15 ? "reserved" : "future";
}

/** A message of a type that is only carried; an empty payload would be a type query. */
export function raw(type: number, payload: Uint8Array): RawMessage {
  return { family: "raw", type, payload };
}
