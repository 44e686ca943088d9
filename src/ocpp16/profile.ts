import type { Reader } from "./reader.js";

export const PURPOSES = ["ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"] as const;
export type Purpose = (typeof PURPOSES)[number];
const KINDS = ["Absolute", "Recurring", "Relative"] as const;
const RECURRENCES = ["Daily", "Weekly"] as const;
export const RATE_UNITS = ["A", "W"] as const;
export type RateUnit = (typeof RATE_UNITS)[number];

/** One step of a schedule; `limit` in the schedule's unit. */
export interface Period {
  /** Seconds from the schedule's begin. */
  readonly startS: number;
  readonly limit: number;
  /** Undefined: 3 is assumed (OCPP 1.6, 7.14). */
  readonly phases: number | undefined;
}

/** A charging profile as it is kept: the fields of OCPP 1.6, 7.8, with times as UTC ms. */
export interface ChargingProfile {
  readonly id: number;
  readonly connector: 0 | 1;
  readonly transactionId: number | undefined;
  readonly stackLevel: number;
  readonly purpose: Purpose;
  readonly kind: (typeof KINDS)[number];
  readonly recurrence: (typeof RECURRENCES)[number] | undefined;
  readonly validFromMs: number | undefined;
  readonly validToMs: number | undefined;
  readonly durationS: number | undefined;
  readonly startMs: number | undefined;
  readonly unit: RateUnit;
  readonly periods: readonly Period[];
}

/** Limits that GetConfiguration tells. */
export const MAX_STACK_LEVEL = 8;
export const MAX_PERIODS = 24;
export const MAX_PROFILES = 8;

/** Reads a ChargingProfile; what is wrong by the schema is noted in the reader. */
export function readProfile(from: Reader, connector: number): ChargingProfile | undefined {
  const id = from.integer("chargingProfileId");
  const transactionId = from.integer("transactionId", false);
  const stackLevel = from.integer("stackLevel");
  const purpose = from.choice("chargingProfilePurpose", PURPOSES);
  const kind = from.choice("chargingProfileKind", KINDS);
  const recurrence = from.choice("recurrencyKind", RECURRENCES, false);
  const validFromMs = from.date("validFrom", false);
  const validToMs = from.date("validTo", false);
  const schedule = from.object("chargingSchedule");
  const durationS = schedule?.integer("duration", false);
  const startMs = schedule?.date("startSchedule", false);
  const unit = schedule?.choice("chargingRateUnit", RATE_UNITS);
  schedule?.number("minChargingRate", false);
  const periods: Period[] = [];
  for (const member of schedule?.list("chargingSchedulePeriod") ?? []) {
    const startS = member.integer("startPeriod");
    const limit = member.number("limit");
    const phases = member.integer("numberPhases", false);
    if (startS !== undefined && limit !== undefined) periods.push({ startS, limit, phases });
  }
  if (from.violation !== undefined) return undefined;
  return {
    ...{ id: id!, connector: connector as 0 | 1, transactionId, stackLevel: stackLevel!, purpose: purpose! },
    ...{ kind: kind!, recurrence, validFromMs, validToMs, durationS, startMs, unit: unit!, periods },
  };
}

/**
 * Why a profile that fits the schema makes no sense here, or "" where it does. The standard has one answer for all
 * of them, Rejected; the words are for the log.
 */
export function profileFault(profile: ChargingProfile): string {
  const { purpose, kind, stackLevel, periods, connector, durationS } = profile;
  if (connector !== 0 && connector !== 1) return "there is no such connector";
  if (purpose === "ChargePointMaxProfile" && connector !== 0)
    return "a ChargePointMaxProfile is for connector 0";
  if (purpose === "TxProfile" && connector === 0) return "a TxProfile is for a connector";
  if (purpose === "ChargePointMaxProfile" && kind === "Relative")
    return "a ChargePointMaxProfile cannot be relative to a transaction";
  if (purpose !== "TxProfile" && profile.transactionId !== undefined)
    return "only a TxProfile is for a transaction";
  if (stackLevel < 0 || stackLevel > MAX_STACK_LEVEL) return "the stack level is out of range";
  if (kind === "Recurring" && (profile.recurrence === undefined || profile.startMs === undefined))
    return "a recurring profile needs recurrencyKind and startSchedule";
  if (durationS !== undefined && durationS < 0) return "the duration is negative";
  if (periods.length === 0 || periods.length > MAX_PERIODS) return "too many periods, or none";
  let last = -1;
  for (const { startS, limit, phases } of periods) {
    if (startS <= last || (last < 0 && startS !== 0)) return "the periods do not begin at 0 and grow";
    if (limit < 0) return "a limit is negative";
    if (phases !== undefined && (phases < 1 || phases > 3)) return "phases are 1 to 3";
    last = startS;
  }
  return "";
}

/** The fields in the order in which they are kept. */
const KEPT = [
  ...["id", "connector", "transactionId", "stackLevel", "purpose", "kind", "recurrence", "validFromMs"],
  ...["validToMs", "durationS", "startMs", "unit"],
] as readonly (keyof ChargingProfile)[];

/** As it is kept: the fields, then three numbers a period; about 90 characters and 10 a period. */
export function packProfile(profile: ChargingProfile): readonly unknown[] {
  const packed: unknown[] = KEPT.map((field) => profile[field] ?? null);
  for (const { startS, limit, phases } of profile.periods) packed.push(startS, limit, phases ?? null);
  return packed;
}

/** Undefined where it was kept in another form. */
export function unpackProfile(packed: readonly unknown[]): ChargingProfile | undefined {
  if (typeof packed[0] !== "number" || !PURPOSES.includes(packed[4] as Purpose)) return undefined;
  const profile: Record<string, unknown> = {};
  KEPT.forEach((field, i) => (profile[field] = packed[i] ?? undefined));
  const periods: Period[] = [];
  for (let i = KEPT.length; i < packed.length; i += 3) {
    const [startS, limit, phases] = packed.slice(i, i + 3) as [number, number, number | null];
    periods.push({ startS, limit, phases: phases ?? undefined });
  }
  return { ...profile, periods } as unknown as ChargingProfile;
}
