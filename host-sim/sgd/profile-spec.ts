import type { Spec } from "../../src/setup/spec.js";

/** opcode1 by the names that a profile uses. */
export const PROFILE_OPS = [
  "Shed",
  "EndShed",
  "PowerLevel",
  "PresentPrice",
  "NextPrice",
  "PriceTimeRemaining",
  "CriticalPeak",
  "GridEmergency",
  "GridGuidance",
  "OutsideComm",
  "CustomerOverride",
  "TimeSync",
  "LoadUp",
  "PendingEventTime",
  "PendingEventType",
  "Reboot",
] as const;

/** Intermediate requests that a simulated appliance can answer. */
export const PROFILE_REQUESTS = [
  "GetInformation",
  "GetCommodity",
  "GetTime",
  "SetTime",
  "SetPrice",
  "SetTier",
] as const;

const text = (about: string, maxLength: number): Spec => ({ type: "string", about, maxLength });
const hex4 = (about: string): Spec => ({ type: "string", about: `${about}, four hex digits`, maxLength: 4 });
const number = (about: string, min: number, max: number): Spec => ({ type: "number", about, min, max });
const integer = (about: string, min: number, max: number): Spec => ({
  type: "number",
  integer: true,
  about,
  min,
  max,
});
const flag = (about: string): Spec => ({ type: "boolean", about });
const choice = (about: string, ...oneOf: string[]): Spec => ({ type: "string", about, oneOf });
const phases: Spec = { type: "number", integer: true, about: "Phases in use", min: 1, max: 3, oneOf: [1, 3] };
const list = (about: string, items: Spec): Spec => ({ type: "array", about, items, maxItems: 32 });
const object = (about: string, fields: Readonly<Record<string, Spec>>): Spec => ({
  type: "object",
  about,
  required: [],
  fields,
});
const op = choice("opcode1 by name", ...PROFILE_OPS);

const identity = object("Answer to GetInformation", {
  version: text("Standard's revision, A or B", 2),
  vendorId: hex4("Vendor"),
  deviceType: hex4("CTA-2045 device type, e.g. 1102 = EVSE Level 2"),
  revision: integer("Device revision", 0, 0xffff),
  capabilityBits: list("Bits set in the capability bitmap", integer("Bit", 0, 31)),
  model: text("Model", 16),
  serial: text("Serial number", 16),
  firmware: text("Version of its firmware, YYYY-MM-DD MAJOR.MINOR", 24),
  payloadBytes: {
    type: "number",
    integer: true,
    about: "Length of the answer: optional members are cut from the end",
    min: 16,
    max: 53,
    oneOf: [16, 32, 48, 53],
  },
});

const charger = object("The charger's power part and how it reads what the standard leaves open", {
  ratedA: number("What the hardware is built for, amperes", 6, 80),
  installerMaxA: number("What the installer has set, amperes", 6, 80),
  phases,
  voltageV: number("Phase voltage (split phase: 240)", 90, 300),
  wakesCars: flag("Toggles the pilot when a car does not take up an offer after a pause"),
  powerLevelOf: choice("What 100 % of a power level means", "rated", "installer-maximum"),
  powerLevelFloor: choice("A power level under 6 A is lifted to 6 A, or stops", "clamp", "stop"),
  guidance: choice("Grid guidance bad acts as a Shed, or not", "follow", "ignore"),
  idleWithoutCar: {
    type: "number",
    integer: true,
    about: "State during a reduction while no car is there",
    min: 0,
    max: 4,
    oneOf: [0, 4],
  },
  ownerLimitA: number("What the owner has set, amperes; Load Up lifts it. 0 = no limit", 0, 80),
});

const car = object("The car on the cable", {
  capacityWh: number("Battery, watt hours", 1000, 500_000),
  soc: number("State of charge at start", 0, 1),
  targetSoc: number("Where it stops", 0, 1),
  maxCurrentA: number("Most that it takes per phase, amperes", 6, 80),
  phases,
  taperFromSoc: number("From here on the current falls", 0, 0.99),
  followMs: integer("From a new duty to the first change of current", 0, 5000),
  rampAPerS: number("Speed of a change of current", 1, 80),
  sleepsAfterPauseSeconds: integer("Falls asleep in a pause of this length; 0 = never", 0, 86_400),
  pluggedAtStart: flag("Is plugged in at start"),
});

const heater = object("The water heater, where kind is water-heater", {
  heatPumpW: number("Heat pump, watts", 100, 5000),
  elementW: number("Electric element, watts", 0, 10_000),
  capacityWh: number("Energy between cold and hot, watt hours", 100, 50_000),
  level: number("How much of it is in the tank at start, 0–1", 0, 1),
  drawW: number("Hot water taken, as a mean, watts", 0, 10_000),
});

const events = object("Events and the customer", {
  ownClock: flag("Ends an event by itself after its duration"),
  overrideHours: number("How long the customer's override lasts", 0.01, 48),
  overridable: list("Events that the override opts out of", op),
  overriddenAtStart: flag("The customer has pressed the button before"),
  silenceSeconds: integer(
    "Ends an event after so much silence of outside communication; 0 = never",
    0,
    86_400,
  ),
});

const answers = object("What it answers, and when", {
  types: list("Message types supported", hex4("Type")),
  refusedOps: list("Basic opcodes refused", op),
  refusal: choice("How it refuses a Basic opcode", "app-nak-01", "nak-06", "nak-07"),
  requests: list("Intermediate requests answered", choice("Request", ...PROFILE_REQUESTS)),
  requestRefusal: choice("How it refuses other Intermediate requests", "nak-07", "code-01"),
  commodities: list("Commodity codes reported", integer("Code", 0, 15)),
  measured: flag("Marks its commodities as measured"),
  maxPayloadBytes: integer("Longest payload that it takes", 2, 4096),
  override: choice("What an opted-out event gets", "ack-then-override", "app-nak-05"),
  ackDelayMs: integer("From the end of a frame to its link ACK", 5, 200),
  replyDelayMs: integer("From its link ACK to its reply, shortest", 0, 3000),
  replyDelayMaxMs: integer("The same, longest", 0, 3000),
  payloadReplyDeafMs: integer(
    "Misses an answer to its payload-limit query that comes so soon after the ACK",
    0,
    2000,
  ),
});

const dialogue = object("What it says without being asked", {
  discovers: flag("Asks for the module's types and payload limit at power-up"),
  startAfterMs: integer("From power-up to its first message", 0, 10_000),
  repeatSeconds: integer("Repeats the discovery for ever; 0 = once", 0, 3600),
  restSeconds: integer("Pause after an unanswered discovery", 1, 600),
  giveUpSeconds: integer("Silent for ever after so long without an answer, until spoken to", 60, 86_400),
  reportsState: flag("Sends its operational state when it changes"),
  stateEverySeconds: integer("And again so often; 0 = never", 0, 3600),
  sendsStateTwice: flag("Sends every spontaneous state twice"),
  sleepAfterSeconds: integer("Says Sleep when idle so long, and Wake after; 0 = never", 0, 86_400),
});

/** The whole of a profile document; everything but name, title and kind has a default. */
export const profileSpec: Spec = {
  type: "object",
  about: "A simulated appliance (SGD) of OpenUCM's bench",
  required: ["name", "title", "kind"],
  fields: {
    $schema: text("The schema of profiles", 200),
    name: text("Name for --profile", 32),
    title: text("What it is, in a sentence", 200),
    kind: choice("Appliance", "evse", "water-heater"),
    identity,
    charger,
    car,
    heater,
    events,
    answers,
    dialogue,
  },
};
