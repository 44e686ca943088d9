/**
 * The configuration keys (OCPP 1.6, 9): every key that the standard requires of Core and Smart Charging, the
 * optional ones that mean something here, and those of the security extension. What the platform has changed is kept.
 */
import { openJson, sealJson } from "../base/json.js";
import type { StorePort } from "../ports/time.js";
import { MAX_PERIODS, MAX_PROFILES, MAX_STACK_LEVEL } from "./profile.js";

/** Measurands that the charger's commodity 0, or the limit in force, gives. */
export const MEASURANDS = [
  "Energy.Active.Import.Register",
  "Power.Active.Import",
  "Current.Offered",
  "Power.Offered",
] as const;
export type Measurand = (typeof MEASURANDS)[number];

type Kind =
  /** Cannot be changed. */
  | "fixed"
  | "boolean"
  /** Whole number from `min` to `max`. */
  | "number"
  /** Measurands, separated by commas. */
  | "measurands"
  | "text"
  /** Boolean that can have no other value here. */
  | "stays";

interface KeySpec {
  readonly key: string;
  readonly kind: Kind;
  readonly value: string;
  readonly min?: number;
  readonly max?: number;
}

const SAMPLED = "Energy.Active.Import.Register,Power.Active.Import";
const DAY_S = 86_400;

/** In the order in which GetConfiguration tells them. */
const KEYS: readonly KeySpec[] = [
  // Core, required
  { key: "AuthorizeRemoteTxRequests", kind: "boolean", value: "false" },
  { key: "ClockAlignedDataInterval", kind: "number", value: "0", min: 0, max: DAY_S },
  { key: "ConnectionTimeOut", kind: "number", value: "120", min: 0, max: 3600 },
  { key: "ConnectorPhaseRotation", kind: "text", value: "0.Unknown,1.Unknown" },
  { key: "GetConfigurationMaxKeys", kind: "fixed", value: "50" },
  { key: "HeartbeatInterval", kind: "number", value: "300", min: 0, max: DAY_S },
  // Without a card reader and a cache there is nothing to authorize before the platform has answered.
  { key: "LocalAuthorizeOffline", kind: "boolean", value: "true" },
  { key: "LocalPreAuthorize", kind: "stays", value: "false" },
  { key: "MeterValuesAlignedData", kind: "measurands", value: SAMPLED },
  { key: "MeterValuesSampledData", kind: "measurands", value: SAMPLED },
  { key: "MeterValueSampleInterval", kind: "number", value: "60", min: 0, max: DAY_S },
  { key: "NumberOfConnectors", kind: "fixed", value: "1" },
  { key: "ResetRetries", kind: "number", value: "0", min: 0, max: 10 },
  { key: "StopTransactionOnEVSideDisconnect", kind: "stays", value: "true" },
  { key: "StopTransactionOnInvalidId", kind: "boolean", value: "true" },
  { key: "StopTxnAlignedData", kind: "measurands", value: "" },
  { key: "StopTxnSampledData", kind: "measurands", value: "" },
  {
    key: "SupportedFeatureProfiles",
    kind: "fixed",
    value: "Core,FirmwareManagement,SmartCharging,RemoteTrigger",
  },
  { key: "TransactionMessageAttempts", kind: "number", value: "3", min: 1, max: 100 },
  { key: "TransactionMessageRetryInterval", kind: "number", value: "60", min: 0, max: DAY_S },
  { key: "UnlockConnectorOnEVSideDisconnect", kind: "stays", value: "false" },
  // Core, optional
  { key: "AuthorizationCacheEnabled", kind: "stays", value: "false" },
  { key: "MeterValuesAlignedDataMaxLength", kind: "fixed", value: "4" },
  { key: "MeterValuesSampledDataMaxLength", kind: "fixed", value: "4" },
  { key: "MinimumStatusDuration", kind: "number", value: "0", min: 0, max: 300 },
  { key: "StopTxnAlignedDataMaxLength", kind: "fixed", value: "4" },
  { key: "StopTxnSampledDataMaxLength", kind: "fixed", value: "4" },
  { key: "SupportedFeatureProfilesMaxLength", kind: "fixed", value: "4" },
  { key: "WebSocketPingInterval", kind: "number", value: "60", min: 0, max: 3600 },
  // Smart Charging
  { key: "ChargeProfileMaxStackLevel", kind: "fixed", value: String(MAX_STACK_LEVEL) },
  { key: "ChargingScheduleAllowedChargingRateUnit", kind: "fixed", value: "Current,Power" },
  { key: "ChargingScheduleMaxPeriods", kind: "fixed", value: String(MAX_PERIODS) },
  { key: "ConnectorSwitch3to1PhaseSupported", kind: "fixed", value: "false" },
  { key: "MaxChargingProfilesInstalled", kind: "fixed", value: String(MAX_PROFILES) },
  // Security extension
  { key: "CpoName", kind: "text", value: "" },
  { key: "CertificateSignedMaxChainSize", kind: "fixed", value: "10000" },
  { key: "SecurityProfile", kind: "fixed", value: "2" },
];

/** Written by some platforms (ev.energy) for the real key. */
const ALIASES: Readonly<Record<string, string>> = { MeterValuesSampleData: "MeterValuesSampledData" };

export interface ConfigurationKey {
  readonly key: string;
  readonly readonly: boolean;
  readonly value: string;
}

export type ChangeAnswer = "Accepted" | "Rejected" | "NotSupported";

/** Values as they stand, and the rules for changing them. */
export class Keys {
  private readonly changed: Record<string, string> = {};

  constructor(
    private readonly store: StorePort,
    private readonly at: string,
    private readonly securityProfile: string,
  ) {
    const kept = openJson(store.get(at));
    if (typeof kept !== "object" || kept === null) return;
    for (const spec of KEYS) {
      const value = (kept as Record<string, unknown>)[spec.key];
      if (typeof value === "string" && normal(spec, value) !== undefined) this.changed[spec.key] = value;
    }
  }

  text(key: string): string {
    if (key === "SecurityProfile") return this.securityProfile;
    return this.changed[key] ?? specOf(key)?.value ?? "";
  }

  number(key: string): number {
    return Number(this.text(key));
  }

  flag(key: string): boolean {
    return this.text(key) === "true";
  }

  measurands(key: string): readonly string[] {
    const text = this.text(key);
    return text === "" ? [] : text.split(",");
  }

  /** Changes a key where that is allowed. `AuthorizationKey` is the caller's business. */
  change(name: string, value: string): ChangeAnswer {
    const spec = specOf(ALIASES[name] ?? name);
    if (spec === undefined) return "NotSupported";
    const fit = normal(spec, value);
    if (fit === undefined) return "Rejected";
    if (this.text(spec.key) === fit) return "Accepted";
    this.changed[spec.key] = fit;
    this.store.set(this.at, sealJson(this.changed));
    return "Accepted";
  }

  /** The keys asked for, all of them for an empty list, and the names that are not known. */
  list(names: readonly string[]): {
    readonly known: readonly ConfigurationKey[];
    readonly unknown: readonly string[];
  } {
    const unknown: string[] = [];
    const known: ConfigurationKey[] = [];
    if (names.length === 0) for (const spec of KEYS) known.push(this.entry(spec, spec.key));
    for (const name of names) {
      const spec = specOf(ALIASES[name] ?? name);
      if (spec === undefined) unknown.push(name);
      else known.push(this.entry(spec, name));
    }
    return { known, unknown };
  }

  private entry(spec: KeySpec, key: string): ConfigurationKey {
    const readonly = spec.kind === "fixed" || spec.kind === "stays";
    return { key, readonly, value: this.text(spec.key) };
  }
}

function specOf(key: string): KeySpec | undefined {
  for (const spec of KEYS) if (spec.key === key) return spec;
  return undefined;
}

/** The value in its normal form, or undefined where the key cannot have it. */
function normal(spec: KeySpec, value: string): string | undefined {
  switch (spec.kind) {
    case "fixed":
      return undefined;
    case "stays":
      return value.toLowerCase() === spec.value ? spec.value : undefined;
    case "boolean": {
      const word = value.toLowerCase();
      return word === "true" || word === "false" ? word : undefined;
    }
    case "number": {
      const count = Number(value);
      const sound =
        value.trim() !== "" && Number.isInteger(count) && count >= spec.min! && count <= spec.max!;
      return sound ? String(count) : undefined;
    }
    case "measurands": {
      const names = value === "" ? [] : value.split(",").map((name) => name.trim());
      for (const name of names) if (!(MEASURANDS as readonly string[]).includes(name)) return undefined;
      return names.filter((name, i) => names.indexOf(name) === i).join(",");
    }
    case "text":
      return value.length <= 500 ? value : undefined;
  }
}
