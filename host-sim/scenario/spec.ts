/**
 * Scenarios: what a utility, a charger, a car, a customer, a line and a clock do, and what must come of it, as
 * files that people read. This folder guarantees: a mistake in a file is named with line and field before
 * anything runs; the same file and seed give the same trace byte for byte in virtual time; every expectation
 * has a time limit. The published schema (docs/scenario.schema.json) comes from the tables in this file.
 */
import { configurationSpec } from "../../src/setup/fields.js";
import { jsonSchemaOf, type Spec } from "../../src/setup/spec.js";
import { layoutGroups } from "../../src/wire/intermediate.js";
import { BasicOp, DataLinkOp } from "../../src/wire/message.js";
import { profileSpec } from "../sgd/profile-spec.js";
import { CORE_MISBEHAVIOURS } from "../vtn/misbehaviour.js";

type ObjectSpec = Extract<Spec, { readonly type: "object" }>;

const text = (about: string, maxLength = 256): Spec => ({ type: "string", about, minLength: 1, maxLength });
const choice = (about: string, ...oneOf: readonly string[]): Spec => ({ type: "string", about, oneOf });
const number = (about: string, min: number, max: number): Spec => ({ type: "number", about, min, max });
const integer = (about: string, min: number, max: number): Spec => ({
  type: "number",
  integer: true,
  about,
  min,
  max,
});
const flag = (about: string): Spec => ({ type: "boolean", about });
const object = (
  about: string,
  fields: ObjectSpec["fields"],
  required: readonly string[] = [],
): ObjectSpec => ({
  type: "object",
  about,
  fields,
  required,
});

const WEEK_S = 7 * 86_400;

/** Every name that `openucm decode` can give to a good frame. */
export const FRAME_NAMES: readonly string[] = [
  ...new Set([
    "LinkAck",
    "LinkNak",
    "TypeQuery",
    ...Object.keys(BasicOp),
    ...Object.keys(DataLinkOp),
    ...layoutGroups.flatMap((group) => group.map((layout) => layout.name)),
    "Commissioning",
    "PassThrough",
    "Vendor",
    "Unknown",
  ]),
];

const interval = object("One interval of a signal", {
  durationSeconds: integer("Its length", 0, 366 * 86_400),
  level: number("Payload", -1e12, 1e12),
  value: number("The same", -1e12, 1e12),
});

const signalFields: ObjectSpec["fields"] = {
  signal: text("Signal, e.g. SIMPLE, LOAD_CONTROL, ELECTRICITY_PRICE (docs/vtn.md); default SIMPLE", 64),
  type: text("Its signalType, e.g. x-loadControlCapacity; default the signal's first", 64),
  level: number("Payload of the whole event; SIMPLE takes 0 to 3", -1e12, 1e12),
  value: number("The same as level", -1e12, 1e12),
  unit: text("W, kW, Wh, kWh or a currency", 16),
  intervals: { type: "array", about: "In place of one level", items: interval, minItems: 1, maxItems: 200 },
};

const eventFields: ObjectSpec["fields"] = {
  ...signalFields,
  signals: {
    type: "array",
    about: "Several signals in one event",
    items: object("A signal", signalFields),
    minItems: 1,
    maxItems: 8,
  },
  startInSeconds: number("From this step; default now", -30 * 86_400, 366 * 86_400),
  start: text("The same as a date and time, e.g. 2026-03-29T00:00:00Z", 40),
  durationSeconds: integer("Length; 0 = until cancelled; default 60", 0, 366 * 86_400),
  openEnded: flag("Until cancelled"),
  priority: integer("Lower wins; 0 = none = lowest", 0, 0xffffffff),
  startAfterSeconds: integer("Random delay that the module applies", 0, 86_400),
  rampUpSeconds: integer("Ramp before the start", -86_400, 86_400),
  recoverySeconds: integer("Recovery after the end", -86_400, 86_400),
  notificationSeconds: integer("Notification before the start", 0, 30 * 86_400),
  testEvent: flag("A test event: answered, but moves no load"),
  marketContext: text("URI of the programme", 200),
  responseRequired: choice("Whether the module must answer", "always", "never"),
  comment: text("vtnComment", 200),
};

const eventName = text("The event's name in this file, given by create", 64);

const utility = object("Something that the utility does; one of these", {
  create: object("Makes an event", { name: eventName, ...eventFields }, ["name"]),
  modify: object("Changes an event; what is not given stays", { name: eventName, ...eventFields }, ["name"]),
  cancel: { ...eventName, about: "Cancels the event of this name" } as Spec,
  withdraw: { ...eventName, about: "Leaves it out without a word: an implied cancel" } as Spec,
  misbehave: choice("Its server misbehaves until behave (docs/vtn.md)", ...CORE_MISBEHAVIOURS),
  behave: flag("Its server behaves again"),
  network: choice("What becomes of the module's requests", "ok", "refused", "timeout"),
});

const purposes = ["ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"];

const platform = object("Something that the charging platform does; one of these (bench.platform: true)", {
  limit: object(
    "Sets a limit from now on",
    {
      limit: number("Amperes or watts", 0, 50_000),
      unit: choice("Default A", "A", "W"),
      purpose: choice("Default ChargePointMaxProfile", ...purposes),
      stackLevel: integer("Higher wins within a purpose; default 0", 0, 100),
      durationSeconds: integer("Default: until cleared", 1, 366 * 86_400),
    },
    ["limit"],
  ),
  clear: choice("Clears the limits of a purpose, or all", "all", ...purposes),
  start: text("RemoteStartTransaction with this idTag", 20),
  stop: flag("RemoteStopTransaction of the transaction that runs"),
  network: choice(
    "What becomes of the connection: it is there, cut once, or refused until ok",
    ...["ok", "cut", "refused"],
  ),
});

/** Names of the fields that the pages' forms have (src/setup/pages.ts, setup-form.ts). */
const formFields = [
  ...["ssid", "passphrase", "protocol", "url", "name", "secret", "id", "region", "zone"],
  ...["days", "from", "to", "instead", "at", "hours", "old", "new", "sure"],
];

const page = object("What the owner does on the module's own pages (bench.page)", {
  open: choice("The page; default: the one that is open", "now", "history", "settings", "setup"),
  press: text("A button on it, by its label; forms are filled in and sent as a browser does", 60),
  of: text("The upstream whose button is meant, where several have the same label", 32),
  fill: object(
    "What is typed before, by the field's name",
    Object.fromEntries(
      formFields.map((name) => [name, { type: "string", about: "As typed", maxLength: 200 }]),
    ),
  ),
  shows: text("Must be on the page that comes then", 200),
  showsNot: text("Must not be on it", 200),
});

const platformSeen = object("The platform's view of the charge point", {
  online: flag("It is connected"),
  status: text("Of its connector, in the words of OCPP 1.6, e.g. Charging", 32),
  transaction: flag("A transaction runs"),
  answer: text("What the last order was answered with, e.g. Accepted", 32),
});

const frame = object("Frames on the line since the last step that did something", {
  from: choice("Sender", "module", "charger"),
  name: choice("Name as `openucm decode --json` has it", ...FRAME_NAMES),
  textContains: text("Part of its meaning in words", 120),
  min: integer("At least so many; default 1, or 0 with max", 0, 1e6),
  max: integer("At most so many", 0, 1e6),
  since: choice("Where counting begins", "last-action", "start"),
});

const report = object("Report values that the utility received since the last step that did something", {
  name: choice("Report", "TELEMETRY_USAGE", "TELEMETRY_STATUS", "HISTORY_USAGE"),
  rId: text("Data point, e.g. power", 64),
  valueMin: number("Its value at least", -1e12, 1e12),
  valueMax: number("Its value at most", -1e12, 1e12),
  min: integer("At least so many; default 1", 1, 1e6),
});

/** What can be expected; all that is given must hold at one moment. */
const conditions: ObjectSpec["fields"] = {
  currentA: number("Current a phase, amperes, ± 0.15", 0, 100),
  currentMinA: number("Current at least, amperes", 0, 100),
  currentMaxA: number("Current at most, amperes", 0, 100),
  limitA: number("What the charger allows itself, amperes, ± 0.15", 0, 100),
  powerMaxW: number("Power at most, watts", 0, 1e5),
  opState: integer("Operational state of the appliance", 0, 255),
  opStateOneOf: {
    type: "array",
    about: "One of these operational states",
    items: integer("State", 0, 255),
    minItems: 1,
    maxItems: 16,
  },
  contactor: choice("The charger's contactor", "open", "closed"),
  plugged: flag("A car is on the cable"),
  override: flag("The customer has opted out at the charger"),
  intent: choice(
    "What the module wants",
    ...["normal", "shed", "critical-peak", "emergency", "limit", "load-up"],
  ),
  source: text("Who wants it: utility, local, owner, none", 32),
  reasonContains: text("Part of the module's reason in words", 120),
  command: choice(
    "Command that the module last tried",
    ...["EndShed", "Shed", "CriticalPeak", "GridEmergency", "PowerLevel", "LoadUp"],
  ),
  result: choice(
    "How far it has got",
    ...["waiting", "acknowledged", "verified", "unverified", "refused", "overridden", "failed"],
  ),
  link: choice("The module's link to the appliance", "absent", "discovering", "online"),
  upstream: choice(
    "The module's connection to the utility",
    ...["stopped", "connecting", "registering", "online", "failing"],
  ),
  lamp: choice(
    "What the module's lamp says (docs/network.md)",
    ...["fault", "setup", "updating", "no-network", "no-utility", "no-appliance", "curtailed", "well"],
  ),
  upstreamFault: text("Its fault code, or the beginning of it", 64),
  logContains: text("Part of a line of the module's log since the last step that did something", 120),
  event: object(
    "The utility's view of an event",
    {
      name: eventName,
      response: choice("The module's last word", "optIn", "optOut"),
      code: text("Its response code, e.g. 200", 8),
      status: choice("State", "far", "near", "active", "completed", "cancelled", "withdrawn"),
    },
    ["name"],
  ),
  frame,
  report,
  platform: platformSeen,
};

export const CONDITIONS: readonly string[] = Object.keys(conditions);

const stepActions: ObjectSpec["fields"] = {
  utility,
  platform,
  car: choice("The car", "plug", "unplug", "fall-asleep", "wake"),
  customer: choice("The customer's button at the charger", "opt-out", "opt-in"),
  owner: object(
    "What the owner says to the module (docs/regions.md)",
    {
      verb: choice(
        "What to do",
        ...["override", "boost", "resume", "skip-delay", "admit", "pause", "dismiss"],
        ...["accept-schedule", "remove-schedule"],
      ),
      durationSeconds: number("For override and boost", 1, WEEK_S),
      source: text("An upstream's id, for admit, pause and dismiss", 32),
    },
    ["verb"],
  ),
  page,
  buttonSeconds: number("The module's button is held so long: 1 opens setup, 10 forgets everything", 0.1, 60),
  fault: text(
    "A fault of charger or line by name, NAME or NAME:TIMES; none ends all (docs/charger-simulator.md)",
    40,
  ),
  line: object("The wire itself", {
    breakMs: integer("Holds it at space for so long", 1, 60_000),
    flipPerBit: number("Probability that a bit is turned", 0, 1),
    losePerByte: number("Probability that a byte is lost", 0, 1),
    duplicatePerByte: number("Probability that a byte comes twice", 0, 1),
  }),
  module: choice(
    "The module's power and socket",
    ...["power-off", "power-on", "restart", "unplug", "replug"],
  ),
  clock: object("The module's clock", {
    stepSeconds: number("Steps it, against the utility's", -366 * 86_400, 366 * 86_400),
    known: flag("False: it has never been set"),
  }),
  waitSeconds: number("Lets time pass", 0, WEEK_S),
  expect: object("What must come true", {
    ...conditions,
    withinSeconds: number("At the latest after so long; default now", 0, WEEK_S),
    forSeconds: number("And must stay true for so long", 0, WEEK_S),
  }),
};

/** What a step can do; exactly one of these in each. */
export const ACTIONS: readonly string[] = Object.keys(stepActions);
export const UTILITY_ACTIONS: readonly string[] = Object.keys(utility.fields);
export const PLATFORM_ACTIONS: readonly string[] = Object.keys(platform.fields);

const step = object("One thing that is done, or expected", {
  note: text("Why, for the reader", 400),
  ...stepActions,
});

const { upstreams: _upstreams, ...moduleFields } = (configurationSpec as ObjectSpec).fields;
const {
  $schema: _schema,
  name: _name,
  title: _title,
  kind: _kind,
  ...profileFields
} = (profileSpec as ObjectSpec).fields;

const bench = object("The bench; all of it has defaults", {
  profile: text("Charger: a name or a JSON file beside this file; default evse-level2-32a", 200),
  profileChanges: object("Fields of the profile that differ", profileFields),
  module: object("The module's configuration; the charger's size comes from the profile", moduleFields),
  platform: flag("A charging platform (OCPP 1.6) beside the utility; default false"),
  page: choice(
    "The module has its own pages, set up by the configuration, or not at all yet",
    "set-up",
    "new",
  ),
  emergency: flag("The programme permits Grid Emergency"),
  pollSeconds: integer("How often the module polls the utility; default 10", 1, 3600),
  start: text("UTC at the start; default 2026-06-01T12:00:00Z, a Monday", 40),
  plugged: flag("A car is on the cable at the start; default true"),
  settle: flag(
    "Begin when module, utility and charger have found each other and the car charges; default true",
  ),
  seed: integer("Of all random numbers; default 1", 0, 0x7fffffff),
});

export const scenarioSpec: Spec = object(
  "A scenario of OpenUCM's bench",
  {
    $schema: text("The schema of scenarios", 200),
    title: text("What it shows, in a line", 120),
    why: text("Why it matters and where it comes from", 2000),
    bench,
    steps: { type: "array", about: "In order", items: step, minItems: 1, maxItems: 300 },
  },
  ["title", "why", "steps"],
);

type Schema = Record<string, unknown>;

/** JSON Schema of a scenario file, with what the tables cannot say: one action a step. */
export function scenarioSchema(): Schema {
  const schema = jsonSchemaOf(scenarioSpec);
  const steps = (schema["properties"] as Schema)["steps"] as Schema;
  const items = steps["items"] as Schema;
  items["oneOf"] = ACTIONS.map((action) => ({ required: [action] }));
  const acts = (items["properties"] as Schema)["utility"] as Schema;
  acts["minProperties"] = 1;
  acts["maxProperties"] = 1;
  const orders = (items["properties"] as Schema)["platform"] as Schema;
  orders["minProperties"] = 1;
  orders["maxProperties"] = 1;
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "OpenUCM scenario",
    ...schema,
  };
}
