/**
 * Every signal of OpenADR 2.0b with the types it may have and the unit that its payload is in
 * (2.0b schema: SignalNameEnumeratedType, SignalTypeEnumeratedType; openadr.md 1.4), and how an event of the
 * store is said in OpenADR 3.
 */
export type UnitFamily = "none" | "powerReal" | "energyReal" | "currencyPerKWh" | "currencyPerKW";

export interface SignalKind {
  /** The first is the default. */
  readonly types: readonly string[];
  /** Unit for types in which the payload is a quantity. */
  readonly unit: UnitFamily;
}

const priceTypes = ["price", "priceRelative", "priceMultiplier"] as const;
const LOAD_CONTROL_TYPES = [
  "x-loadControlCapacity",
  "x-loadControlPercentOffset",
  "x-loadControlLevelOffset",
  "x-loadControlSetpoint",
] as const;

export const SIGNALS: Readonly<Record<string, SignalKind>> = {
  SIMPLE: { types: ["level"], unit: "none" },
  simple: { types: ["level"], unit: "none" },
  LOAD_CONTROL: { types: LOAD_CONTROL_TYPES, unit: "none" },
  LOAD_DISPATCH: { types: ["setpoint", "delta", "multiplier", "level"], unit: "powerReal" },
  ELECTRICITY_PRICE: { types: priceTypes, unit: "currencyPerKWh" },
  ENERGY_PRICE: { types: priceTypes, unit: "currencyPerKWh" },
  DEMAND_CHARGE: { types: priceTypes, unit: "currencyPerKW" },
  CHARGE_STATE: { types: ["setpoint", "delta", "multiplier"], unit: "energyReal" },
  BID_PRICE: { types: ["price"], unit: "currencyPerKWh" },
  BID_LOAD: { types: ["setpoint"], unit: "powerReal" },
  BID_ENERGY: { types: ["setpoint"], unit: "energyReal" },
};

/** What an extension signal (`x-…`) may be typed as: anything the schema knows. */
export const ALL_TYPES: readonly string[] = [
  ...new Set(Object.values(SIGNALS).flatMap((kind) => [...kind.types])),
];

/** Payload types of OpenADR 3.1 that have no 2.0b signal; an event that asks for one goes out over 3.1 only. */
export const OPENADR3_ONLY: readonly string[] = [
  "PRICE",
  "PRICE_ALTERNATE",
  "EXPORT_PRICE",
  "GHG",
  "CHARGE_STATE_SETPOINT",
  "DISPATCH_SETPOINT",
  "DISPATCH_SETPOINT_RELATIVE",
  "DISPATCH_INSTRUCTION",
  "CONTROL_SETPOINT",
  "CONTROL_LEVEL_OFFSET",
  "CONTROL_LEVEL_OFFSET_PERCENT",
  "CURVE",
  "OLS",
  "IMPORT_CAPACITY_SUBSCRIPTION",
  "IMPORT_CAPACITY_RESERVATION",
  "IMPORT_CAPACITY_RESERVATION_FEE",
  "IMPORT_CAPACITY_AVAILABLE",
  "IMPORT_CAPACITY_AVAILABLE_PRICE",
  "IMPORT_CAPACITY_LIMIT",
  "EXPORT_CAPACITY_SUBSCRIPTION",
  "EXPORT_CAPACITY_RESERVATION",
  "EXPORT_CAPACITY_RESERVATION_FEE",
  "EXPORT_CAPACITY_AVAILABLE",
  "EXPORT_CAPACITY_AVAILABLE_PRICE",
  "EXPORT_CAPACITY_LIMIT",
  "ALERT_GRID_EMERGENCY",
  "ALERT_BLACK_START",
  "ALERT_POSSIBLE_OUTAGE",
  "ALERT_FLEX_ALERT",
  "ALERT_FIRE",
  "ALERT_FREEZING",
  "ALERT_WIND",
  "ALERT_TSUNAMI",
  "ALERT_AIR_QUALITY",
  "ALERT_OTHER",
  "CTA2045_REBOOT",
  "CTA2045_SET_OVERRIDE_STATUS",
];
