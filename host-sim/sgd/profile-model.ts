/**
 * Profiles: appliances as data. A profile document (profiles/*.json, schema.json) names what differs from the
 * defaults; {@link readProfile} refuses a wrong or unknown field by name.
 */
import { fault, type Fault } from "../../src/base/fault.js";
import { check } from "../../src/setup/spec.js";
import { BasicOp, type DeviceInformation } from "../../src/wire/message.js";
import { DEFAULT_CAR } from "../evse/car.js";
import type { ChargerConfig } from "../evse/charger.js";
import { type PROFILE_OPS, type PROFILE_REQUESTS, profileSpec } from "./profile-spec.js";

type OpName = (typeof PROFILE_OPS)[number];
type RequestName = (typeof PROFILE_REQUESTS)[number];

export interface Profile {
  readonly name: string;
  readonly title: string;
  readonly kind: "evse" | "water-heater";
  readonly identity: {
    readonly version: string;
    readonly vendorId: string;
    readonly deviceType: string;
    readonly revision: number;
    readonly capabilityBits: readonly number[];
    readonly model: string;
    readonly serial: string;
    readonly firmware: string;
    readonly payloadBytes: number;
  };
  readonly charger: {
    readonly ratedA: number;
    readonly installerMaxA: number;
    readonly phases: 1 | 3;
    readonly voltageV: number;
    readonly wakesCars: boolean;
    readonly powerLevelOf: "rated" | "installer-maximum";
    readonly powerLevelFloor: "clamp" | "stop";
    readonly guidance: "follow" | "ignore";
    readonly idleWithoutCar: 0 | 4;
    readonly ownerLimitA: number;
  };
  readonly car: {
    readonly capacityWh: number;
    readonly soc: number;
    readonly targetSoc: number;
    readonly maxCurrentA: number;
    readonly phases: 1 | 3;
    readonly taperFromSoc: number;
    readonly followMs: number;
    readonly rampAPerS: number;
    readonly sleepsAfterPauseSeconds: number;
    readonly pluggedAtStart: boolean;
  };
  readonly heater: {
    readonly heatPumpW: number;
    readonly elementW: number;
    readonly capacityWh: number;
    readonly level: number;
    readonly drawW: number;
  };
  readonly events: {
    readonly ownClock: boolean;
    readonly overrideHours: number;
    readonly overridable: readonly OpName[];
    readonly overriddenAtStart: boolean;
    readonly silenceSeconds: number;
  };
  readonly answers: {
    readonly types: readonly string[];
    readonly refusedOps: readonly OpName[];
    readonly refusal: "app-nak-01" | "nak-06" | "nak-07";
    readonly requests: readonly RequestName[];
    readonly requestRefusal: "nak-07" | "code-01";
    readonly commodities: readonly number[];
    readonly measured: boolean;
    readonly maxPayloadBytes: number;
    readonly override: "ack-then-override" | "app-nak-05";
    readonly ackDelayMs: number;
    readonly replyDelayMs: number;
    readonly replyDelayMaxMs: number;
    readonly payloadReplyDeafMs: number;
  };
  readonly dialogue: {
    readonly discovers: boolean;
    readonly startAfterMs: number;
    readonly repeatSeconds: number;
    readonly restSeconds: number;
    readonly giveUpSeconds: number;
    readonly reportsState: boolean;
    readonly stateEverySeconds: number;
    readonly sendsStateTwice: boolean;
    readonly sleepAfterSeconds: number;
  };
}

/** The default appliance: a Level 2 charger of 32 A that does all it should. */
export const DEFAULT_PROFILE: Profile = {
  name: "evse-level2-32a",
  title: "EVSE Level 2, 240 V, 32 A",
  kind: "evse",
  identity: {
    version: "B",
    vendorId: "0F0F",
    deviceType: "1102",
    revision: 1,
    capabilityBits: [4],
    model: "OpenUCM EVSE",
    serial: "SIM-0001",
    firmware: "2026-01-15 1.0",
    payloadBytes: 53,
  },
  charger: {
    ratedA: 32,
    installerMaxA: 32,
    phases: 1,
    voltageV: 240,
    wakesCars: false,
    powerLevelOf: "rated",
    powerLevelFloor: "clamp",
    guidance: "follow",
    idleWithoutCar: 0,
    ownerLimitA: 0,
  },
  car: {
    capacityWh: DEFAULT_CAR.capacityWh,
    soc: DEFAULT_CAR.soc,
    targetSoc: DEFAULT_CAR.targetSoc,
    maxCurrentA: DEFAULT_CAR.maxCurrentA,
    phases: DEFAULT_CAR.phases,
    taperFromSoc: DEFAULT_CAR.taperFromSoc,
    followMs: DEFAULT_CAR.followMs,
    rampAPerS: DEFAULT_CAR.rampAPerS,
    sleepsAfterPauseSeconds: 0,
    pluggedAtStart: false,
  },
  heater: { heatPumpW: 480, elementW: 4500, capacityWh: 9000, level: 0.5, drawW: 300 },
  events: {
    ownClock: true,
    overrideHours: 12,
    overridable: ["Shed", "CriticalPeak"],
    overriddenAtStart: false,
    silenceSeconds: 300,
  },
  answers: {
    types: ["0801", "0802", "0803"],
    refusedOps: [],
    refusal: "app-nak-01",
    requests: ["GetInformation", "GetCommodity", "GetTime", "SetTime", "SetPrice", "SetTier"],
    requestRefusal: "nak-07",
    commodities: [0, 6, 7, 8],
    measured: true,
    maxPayloadBytes: 256,
    override: "ack-then-override",
    ackDelayMs: 45,
    replyDelayMs: 110,
    replyDelayMaxMs: 110,
    payloadReplyDeafMs: 0,
  },
  dialogue: {
    discovers: true,
    startAfterMs: 700,
    repeatSeconds: 0,
    restSeconds: 20,
    giveUpSeconds: 900,
    reportsState: true,
    stateEverySeconds: 0,
    sendsStateTwice: false,
    sleepAfterSeconds: 0,
  },
};

/** A profile from its document, or every fault in it (`bad-field`, `unknown-field`, `missing-field`). */
export function readProfile(document: unknown): Profile | readonly Fault[] {
  const faults: Fault[] = [];
  check(profileSpec, document, "", faults);
  if (faults.length > 0) return faults;
  const given = document as Record<string, object>;
  const base = DEFAULT_PROFILE;
  const profile = {
    name: given["name"],
    title: given["title"],
    kind: given["kind"],
    identity: { ...base.identity, ...given["identity"] },
    charger: { ...base.charger, ...given["charger"] },
    car: { ...base.car, ...given["car"] },
    heater: { ...base.heater, ...given["heater"] },
    events: { ...base.events, ...given["events"] },
    answers: { ...base.answers, ...given["answers"] },
    dialogue: { ...base.dialogue, ...given["dialogue"] },
  } as unknown as Profile;
  checkSense(profile, faults);
  return faults.length > 0 ? faults : profile;
}

function checkSense(profile: Profile, faults: Fault[]): void {
  const bad = (text: string): void => {
    faults.push(fault("configuration", "bad-field", text));
  };
  const { charger, identity, answers } = profile;
  if (charger.installerMaxA > charger.ratedA) bad("charger.installerMaxA must not exceed charger.ratedA");
  if (answers.replyDelayMaxMs < answers.replyDelayMs)
    bad("answers.replyDelayMaxMs must not be under replyDelayMs");
  const hexes = [identity.vendorId, identity.deviceType, ...answers.types];
  if (!hexes.every((digits) => /^[0-9A-Fa-f]{4}$/.test(digits))) {
    bad("identity.vendorId, identity.deviceType and answers.types must be four hex digits each");
  }
  if (!FIRMWARE.test(identity.firmware)) bad("identity.firmware must be YYYY-MM-DD MAJOR.MINOR");
}

const FIRMWARE = /^20(\d\d)-(\d\d)-(\d\d) (\d{1,3})\.(\d{1,3})$/;

/** Lengths that the answer to GetInformation can have: members are cut from the end. */
const INFORMATION_BYTES = [53, 48, 32, 16] as const;

/**
 * The answer to GetInformation, cut to the profile's length and to what the module takes; undefined where it
 * takes not even the shortest.
 */
export function informationOf({ identity }: Profile, maxBytes = 53): DeviceInformation | undefined {
  const most = Math.min(maxBytes, identity.payloadBytes);
  const payloadBytes = INFORMATION_BYTES.find((length) => length <= most);
  if (payloadBytes === undefined) return undefined;
  const { version, revision, model, serial } = identity;
  const [, year, month, day, major, minor] = (FIRMWARE.exec(identity.firmware) ?? []).map(Number);
  const firmware = { year: year!, month: month! - 1, day: day!, major: major!, minor: minor! };
  return {
    version,
    vendorId: Number.parseInt(identity.vendorId, 16),
    deviceType: Number.parseInt(identity.deviceType, 16),
    revision,
    capabilities: identity.capabilityBits.reduce((bitmap, bit) => bitmap + 2 ** bit, 0),
    ...(payloadBytes >= 32 ? { model } : {}),
    ...(payloadBytes >= 48 ? { serial } : {}),
    ...(payloadBytes >= 53 ? { firmware } : {}),
  };
}

/** opcode1 of a name in a profile. */
export function opOf(name: OpName): number {
  return BasicOp[name];
}

/** The charger that the profile describes. */
export function chargerConfigOf({ charger, car, events }: Profile): ChargerConfig {
  return {
    evse: {
      ratedA: charger.ratedA,
      installerMaxA: charger.installerMaxA,
      phases: charger.phases,
      voltageV: charger.voltageV,
      wakesCars: charger.wakesCars,
      offerAfterMs: 500,
      closeAfterMs: 100,
      openAfterMs: 3000,
    },
    car: {
      ...DEFAULT_CAR,
      ...car,
      sleepsAfterPauseMs: car.sleepsAfterPauseSeconds === 0 ? undefined : car.sleepsAfterPauseSeconds * 1000,
    },
    policy: {
      powerLevelOf: charger.powerLevelOf,
      powerLevelFloor: charger.powerLevelFloor,
      guidance: charger.guidance,
      idleWithoutCar: charger.idleWithoutCar,
      ownerLimitA: charger.ownerLimitA === 0 ? undefined : charger.ownerLimitA,
    },
    events: eventOptionsOf(events),
    pluggedAtStart: car.pluggedAtStart,
  };
}

/** How the profile's appliance takes events. */
export function eventOptionsOf(events: Profile["events"]): ChargerConfig["events"] {
  return {
    ownClock: events.ownClock,
    overrideHours: events.overrideHours,
    overridable: events.overridable.map(opOf),
    silenceS: events.silenceSeconds === 0 ? undefined : events.silenceSeconds,
  };
}
