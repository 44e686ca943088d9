/** What the platform may want of a charge point, in short, as payloads of OCPP 1.6. */

type Json = Readonly<Record<string, unknown>>;

/** A call to a charge point. */
export interface Order {
  readonly action: string;
  readonly payload: Json;
}

export interface LimitWish {
  /** Amperes or watts. */
  readonly limit: number;
  readonly unit?: "A" | "W";
  readonly purpose?: "ChargePointMaxProfile" | "TxDefaultProfile" | "TxProfile";
  readonly stackLevel?: number;
  readonly durationSeconds?: number;
  readonly numberPhases?: number;
  readonly transactionId?: number;
}

/** The profile id under which a limit of a purpose is set, so that the next one replaces it. */
const PROFILE_ID = { ChargePointMaxProfile: 101, TxDefaultProfile: 102, TxProfile: 103 } as const;

/** SetChargingProfile with one limit from now on. */
export function limitOrder(wish: LimitWish, utcMs: number): Order {
  const purpose = wish.purpose ?? "ChargePointMaxProfile";
  const schedule: Json = {
    chargingRateUnit: wish.unit ?? "A",
    chargingSchedulePeriod: [
      {
        startPeriod: 0,
        limit: wish.limit,
        ...(wish.numberPhases === undefined ? {} : { numberPhases: wish.numberPhases }),
      },
    ],
    ...(purpose === "TxProfile"
      ? {}
      : { startSchedule: new Date(Math.floor(utcMs / 1000) * 1000).toISOString() }),
    ...(wish.durationSeconds === undefined ? {} : { duration: wish.durationSeconds }),
  };
  return {
    action: "SetChargingProfile",
    payload: {
      connectorId: purpose === "ChargePointMaxProfile" ? 0 : 1,
      csChargingProfiles: {
        chargingProfileId: PROFILE_ID[purpose],
        ...(wish.transactionId === undefined ? {} : { transactionId: wish.transactionId }),
        stackLevel: wish.stackLevel ?? 0,
        chargingProfilePurpose: purpose,
        chargingProfileKind: purpose === "TxProfile" ? "Relative" : "Absolute",
        chargingSchedule: schedule,
      },
    },
  };
}

export function clearOrder(purpose?: string): Order {
  return {
    action: "ClearChargingProfile",
    payload: purpose === undefined ? {} : { chargingProfilePurpose: purpose },
  };
}
