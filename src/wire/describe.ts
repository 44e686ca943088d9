/** A message in one line, and its name. Apart from payload.ts, so that a device may leave the words out. */
import { toHex } from "../base/hex.js";
import { basicName, describeBasic } from "./basic-words.js";
import { describeIntermediate } from "./intermediate-words.js";
import { dataLinkName, describeDataLink, typeName } from "./link-words.js";
import type { WireMessage } from "./message.js";
import { kindOfType } from "./raw.js";
import { defaultSettings } from "./settings.js";

/**
 * The message's name for programs: a key of `BasicOp` or `DataLinkOp` ("Shed", "MaxPayload"), the `name` of an
 * Intermediate message, "TypeQuery", "PassThrough", "Commissioning", "Vendor"; "Unknown" for the rest.
 */
export function nameOf(message: WireMessage): string {
  switch (message.family) {
    case "basic":
      return basicName(message.op) ?? "Unknown";
    case "intermediate":
      return message.name === "Other" ? "Unknown" : message.name;
    case "data-link":
      return dataLinkName(message.op) ?? "Unknown";
    case "type-query":
      return "TypeQuery";
    case "raw":
      switch (kindOfType(message.type)) {
        case "data-link":
          return "Slots";
        case "commissioning":
          return "Commissioning";
        case "pass-through":
          return "PassThrough";
        case "vendor":
          return "Vendor";
        default:
          return "Unknown";
      }
  }
}

/** More bytes than this of a payload that nobody understands are not shown. */
const SHOWN_BYTES = 16;

/** One line in the field's words: "Shed for 30 min", "State: Running Curtailed (2)". Never throws. */
export function describe(message: WireMessage, settings = defaultSettings): string {
  switch (message.family) {
    case "basic":
      return describeBasic(message, settings);
    case "intermediate":
      return describeIntermediate(message, settings);
    case "data-link":
      return describeDataLink(message, settings);
    case "type-query":
      return `Supported? ${typeName(message.type)}`;
    case "raw": {
      const size = message.payload.length;
      const shown = toHex(message.payload.subarray(0, SHOWN_BYTES), " ");
      return `${typeName(message.type)}, ${size} bytes: ${shown}${size > SHOWN_BYTES ? " …" : ""}`;
    }
  }
}
