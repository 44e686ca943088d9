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

/** Cannot be changed, or boolean that can have no other value here; `min`–`max`: a whole number. */
type Kind = "fixed" | "stays" | "boolean" | "number" | "measurands" | "text";

interface KeySpec {
  readonly key: string;
  readonly kind: Kind;
  readonly value: string;
  readonly min: number;
  readonly max: number;
}

const SAMPLED = "Energy.Active.Import.Register,Power.Active.Import";

/**
 * In the order in which GetConfiguration tells them, a line each: key, kind, value, for numbers least and most. One
 * text, because a table of objects is four times the byte code, and is read once a change.
 */
const TABLE = `
AuthorizeRemoteTxRequests|boolean|false
ClockAlignedDataInterval|number|0|0|86400
ConnectionTimeOut|number|120|0|3600
ConnectorPhaseRotation|text|0.Unknown,1.Unknown
GetConfigurationMaxKeys|fixed|50
HeartbeatInterval|number|300|0|86400
LocalAuthorizeOffline|boolean|true
LocalPreAuthorize|stays|false
MeterValuesAlignedData|measurands|${SAMPLED}
MeterValuesSampledData|measurands|${SAMPLED}
MeterValueSampleInterval|number|60|0|86400
NumberOfConnectors|fixed|1
ResetRetries|number|0|0|10
StopTransactionOnEVSideDisconnect|stays|true
StopTransactionOnInvalidId|boolean|true
StopTxnAlignedData|measurands|
StopTxnSampledData|measurands|
SupportedFeatureProfiles|fixed|Core,FirmwareManagement,SmartCharging,RemoteTrigger
TransactionMessageAttempts|number|3|1|100
TransactionMessageRetryInterval|number|60|0|86400
UnlockConnectorOnEVSideDisconnect|stays|false
AuthorizationCacheEnabled|stays|false
MeterValuesAlignedDataMaxLength|fixed|4
MeterValuesSampledDataMaxLength|fixed|4
MinimumStatusDuration|number|0|0|300
StopTxnAlignedDataMaxLength|fixed|4
StopTxnSampledDataMaxLength|fixed|4
SupportedFeatureProfilesMaxLength|fixed|4
WebSocketPingInterval|number|60|0|3600
ChargeProfileMaxStackLevel|fixed|${String(MAX_STACK_LEVEL)}
ChargingScheduleAllowedChargingRateUnit|fixed|Current,Power
ChargingScheduleMaxPeriods|fixed|${String(MAX_PERIODS)}
ConnectorSwitch3to1PhaseSupported|fixed|false
MaxChargingProfilesInstalled|fixed|${String(MAX_PROFILES)}
CpoName|text|
CertificateSignedMaxChainSize|fixed|10000
SecurityProfile|fixed|2
`;

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
  /** Of the table, those that were asked for: they are asked for at every turn. */
  private readonly defaults: Record<string, string> = {};

  constructor(
    private readonly store: StorePort,
    private readonly at: string,
    private readonly securityProfile: string,
  ) {
    const kept = openJson(store.get(at));
    if (typeof kept !== "object" || kept === null) return;
    for (const [key, value] of Object.entries(kept)) {
      const spec = specOf(key);
      if (spec && typeof value === "string" && normal(spec, value) !== undefined) this.changed[key] = value;
    }
  }

  text(key: string): string {
    if (key === "SecurityProfile") return this.securityProfile;
    return this.changed[key] ?? (this.defaults[key] ??= specOf(key)?.value ?? "");
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
    if (names.length === 0) {
      for (let at = 1; at < TABLE.length; at = TABLE.indexOf("\n", at) + 1) {
        const spec = specAt(at);
        known.push(this.entry(spec, spec.key));
      }
    }
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
  // No key holds what stands between two of them.
  const at = key.includes("|") || key.includes("\n") ? -1 : TABLE.indexOf(`\n${key}|`);
  return at < 0 ? undefined : specAt(at + 1);
}

/** The line of the table that begins there. */
function specAt(at: number): KeySpec {
  const [key, kind, value, min, max] = TABLE.slice(at, TABLE.indexOf("\n", at)).split("|");
  return { key: key!, kind: kind as Kind, value: value!, min: Number(min), max: Number(max) };
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
      const sound = value.trim() !== "" && Number.isInteger(count) && count >= spec.min && count <= spec.max;
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
