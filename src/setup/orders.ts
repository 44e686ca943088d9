import { check, type Spec } from "./spec.js";
import type { Fault } from "../base/fault.js";

/**
 * What the owner may order at the module itself, as JSON (docs/regions.md). The fields that a verb needs are
 * checked here; whether the region lets the owner have it is the demand-response core's to say.
 */
const ownerOrder: Spec = {
  type: "object",
  about: "An order of the owner",
  required: ["verb"],
  fields: {
    verb: {
      type: "string",
      about: "What to do",
      oneOf: [
        "override",
        "boost",
        "resume",
        "skip-delay",
        "admit",
        "pause",
        "dismiss",
        "provider",
        "accept-schedule",
        "remove-schedule",
        "change-schedule",
      ],
    },
    durationMs: { type: "number", about: "For override and boost", min: 1, max: 604_800_000 },
    source: {
      type: "string",
      about: "An upstream's id, for admit, pause, dismiss and provider",
      minLength: 1,
    },
    windows: {
      type: "array",
      about: "For change-schedule: hours without charging",
      maxItems: 32,
      items: {
        type: "object",
        about: "A span of local time",
        required: ["days", "fromMin", "toMin"],
        fields: {
          days: {
            type: "number",
            integer: true,
            about: "Bit 0 = Sunday … bit 6 = Saturday",
            min: 1,
            max: 127,
          },
          fromMin: { type: "number", integer: true, about: "Minutes from midnight", min: 0, max: 1439 },
          toMin: { type: "number", integer: true, about: "Minutes from midnight", min: 1, max: 1440 },
        },
      },
    },
  },
};

const delayOrder: Spec = {
  type: "object",
  about: "An order about the random delay",
  required: ["verb"],
  fields: {
    verb: { type: "string", about: "What to do", oneOf: ["enable", "disable", "cancel", "set-max"] },
    maxMs: { type: "number", about: "For set-max", min: 0, max: 1_800_000 },
  },
};

/** The field that a verb cannot do without. */
function needs(verb: string): string | undefined {
  switch (verb) {
    case "boost":
      return "durationMs";
    case "admit":
    case "pause":
    case "dismiss":
    case "provider":
      return "source";
    case "change-schedule":
      return "windows";
    case "set-max":
      return "maxMs";
    default:
      return undefined;
  }
}

/** What is wrong with an order, in words that name the field; "" where nothing is. */
export function orderFault(kind: "owner" | "delay", order: unknown): string {
  const faults: Fault[] = [];
  check(kind === "owner" ? ownerOrder : delayOrder, order, "order", faults);
  if (faults.length > 0) return faults[0]!.text;
  const { verb } = order as { verb: string };
  const field = needs(verb);
  return field === undefined || Object.hasOwn(order as object, field)
    ? ""
    : `order.${field} is missing for ${verb}`;
}
