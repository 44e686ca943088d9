/** What a page may ask for, checked field by field before anybody acts on it: a page can be any program. */
import { check, type Spec } from "../../src/setup/spec.js";
import type { Fault } from "../../src/base/fault.js";
import type { FromPage } from "./messages.js";

const text = (maxLength: number, ...oneOf: readonly string[]): Spec => ({
  ...{ type: "string", about: "", minLength: 1, maxLength },
  ...(oneOf.length > 0 ? { oneOf } : {}),
});
const number = (min: number, max: number, integer = false): Spec => ({
  ...{ type: "number", about: "", min, max, integer },
});
const flag: Spec = { type: "boolean", about: "" };

/** Longest scenario file that a page may bring, characters. */
export const maxScenario = 200_000;

type Fields = Readonly<Record<string, Spec>>;

const seconds = number(0, 7 * 86_400, true);

/** Each command with its fields; those whose name ends with `?` may be missing. */
const COMMANDS: Readonly<Record<FromPage["do"], Fields>> = {
  watch: { charger: number(1, 1000, true) },
  plug: {},
  unplug: {},
  override: { on: flag },
  event: { level: number(0, 3, true), startInSeconds: seconds, durationSeconds: seconds },
  change: { id: text(100), level: number(0, 3, true), durationSeconds: seconds },
  cancel: { id: text(100) },
  vtn: { down: flag },
  limit: { limit: number(0, 50_000), unit: text(1, "A", "W") },
  "clear-limit": {},
  "remote-start": { idTag: text(20) },
  "remote-stop": {},
  fault: { name: text(40), on: flag, "times?": number(1, 1_000_000, true) },
  noise: { flipPerBit: number(0, 0.1) },
  module: { what: text(10, "restart", "unplug", "replug") },
  // What stands in an order is the module's to judge (src/setup/orders.ts).
  owner: {},
  delay: {},
  journal: { what: text(10, "events", "security", "sessions", "energy") },
  "check-update": {},
  scenario: {
    name: text(200),
    "text?": text(maxScenario),
    realTime: flag,
    "seed?": number(0, 0x7fffffff, true),
  },
  "scenario-stop": {},
  "scenario-file": { what: text(10, "report", "trace") },
};

/** The command, or what is wrong with it in words that name the field. */
export function readCommand(message: unknown): FromPage | string {
  if (typeof message !== "object" || message === null || !("do" in message)) return "that is no command";
  const { do: verb, ...fields } = message as { do: unknown };
  if (typeof verb !== "string" || !Object.hasOwn(COMMANDS, verb))
    return "the bench does not know that command";
  if (verb === "owner" || verb === "delay") {
    const { order } = fields as { order?: unknown };
    return typeof order === "object" && order !== null ? (message as FromPage) : `${verb}: order is missing`;
  }
  const known = COMMANDS[verb as FromPage["do"]];
  const names = Object.keys(known);
  const spec: Spec = {
    type: "object",
    about: "",
    fields: Object.fromEntries(names.map((name) => [name.replace("?", ""), known[name]!])),
    required: names.filter((name) => !name.endsWith("?")),
  };
  const faults: Fault[] = [];
  check(spec, fields, verb, faults);
  return faults[0]?.text ?? (message as FromPage);
}
