import type { CallErrorCode, Json } from "./frames.js";
import {
  type ChargingProfile,
  PURPOSES,
  type Purpose,
  RATE_UNITS,
  type RateUnit,
  readProfile,
} from "./profile.js";
import { Reader } from "./reader.js";

const TRIGGERS = [
  "BootNotification",
  "DiagnosticsStatusNotification",
  "FirmwareStatusNotification",
  "Heartbeat",
  "MeterValues",
  "StatusNotification",
] as const;
const EXTENDED_TRIGGERS = [
  "BootNotification",
  "LogStatusNotification",
  "FirmwareStatusNotification",
  "Heartbeat",
  "MeterValues",
  "SignChargePointCertificate",
  "StatusNotification",
] as const;
export type Trigger = (typeof TRIGGERS)[number] | (typeof EXTENDED_TRIGGERS)[number];

/** What the platform asks, read and checked against the schemas of OCPP 1.6 and its security extension. */
export type Request =
  | { readonly action: "CancelReservation" | "ReserveNow" | "GetLocalListVersion" | "SendLocalList" }
  | { readonly action: "InstallCertificate" | "DeleteCertificate" | "GetInstalledCertificateIds" }
  | { readonly action: "SignedUpdateFirmware" }
  | { readonly action: "ClearCache" }
  | { readonly action: "DataTransfer" }
  | { readonly action: "GetDiagnostics"; readonly location: string }
  | { readonly action: "UnlockConnector"; readonly connectorId: number }
  | { readonly action: "CertificateSigned"; readonly chain: string }
  | {
      readonly action: "ChangeAvailability";
      readonly connectorId: number;
      readonly type: "Inoperative" | "Operative";
    }
  | { readonly action: "ChangeConfiguration"; readonly key: string; readonly value: string }
  | {
      readonly action: "ClearChargingProfile";
      readonly id: number | undefined;
      readonly connector: number | undefined;
      readonly purpose: Purpose | undefined;
      readonly stackLevel: number | undefined;
    }
  | {
      readonly action: "GetCompositeSchedule";
      readonly connectorId: number;
      readonly durationS: number;
      readonly unit: RateUnit | undefined;
    }
  | { readonly action: "GetConfiguration"; readonly keys: readonly string[] }
  | {
      readonly action: "GetLog";
      readonly logType: "DiagnosticsLog" | "SecurityLog";
      readonly requestId: number;
      readonly location: string;
    }
  | {
      readonly action: "RemoteStartTransaction";
      readonly connectorId: number | undefined;
      readonly idTag: string;
      readonly profile: ChargingProfile | undefined;
    }
  | { readonly action: "RemoteStopTransaction"; readonly transactionId: number }
  | { readonly action: "Reset"; readonly type: "Hard" | "Soft" }
  | { readonly action: "SetChargingProfile"; readonly profile: ChargingProfile }
  | {
      readonly action: "TriggerMessage" | "ExtendedTriggerMessage";
      readonly what: Trigger;
      readonly connectorId: number | undefined;
    }
  | {
      readonly action: "UpdateFirmware";
      readonly location: string;
      readonly retrieveUtcMs: number;
      readonly retries: number;
      readonly retryS: number;
    };

/** A request that cannot be carried out, as the CALLERROR that it earns. */
export interface Refused {
  readonly refused: CallErrorCode;
  readonly text: string;
}

/** Known to the standard and not built in: their own sentence instead of "unknown". */
const UNSUPPORTED = [
  "CancelReservation",
  "ReserveNow",
  "GetLocalListVersion",
  "SendLocalList",
  "InstallCertificate",
  "DeleteCertificate",
  "GetInstalledCertificateIds",
  "SignedUpdateFirmware",
];

/** Reads a request of the platform. */
export function readRequest(action: string, payload: Json): Request | Refused {
  if (UNSUPPORTED.includes(action)) return { refused: "NotSupported", text: `${action} is not supported` };
  const reader = new Reader(payload);
  const request = read(action, reader);
  if (request === undefined && reader.violation === undefined) {
    return { refused: "NotImplemented", text: "this action is not known" };
  }
  const { violation } = reader;
  return violation === undefined ? request! : { refused: violation.code, text: violation.text };
}

/** The request where nothing is wrong; fields that are wrong are noted in the reader. */
function read(action: string, from: Reader): Request | undefined {
  switch (action) {
    case "ClearCache":
      return { action };
    case "DataTransfer":
      from.text("vendorId", 255);
      from.text("messageId", 50, false);
      from.text("data", 100_000, false);
      return { action };
    case "GetDiagnostics":
      from.integer("retries", false);
      from.integer("retryInterval", false);
      from.date("startTime", false);
      from.date("stopTime", false);
      return { action, location: from.text("location", 2000)! };
    case "UnlockConnector":
      return { action, connectorId: from.integer("connectorId")! };
    case "CertificateSigned":
      return { action, chain: from.text("certificateChain", 10_000)! };
    case "ChangeAvailability":
      return {
        action,
        connectorId: from.integer("connectorId")!,
        type: from.choice("type", ["Inoperative", "Operative"])!,
      };
    case "ChangeConfiguration":
      return { action, key: from.text("key", 50)!, value: from.text("value", 500)! };
    case "ClearChargingProfile":
      return {
        action,
        id: from.integer("id", false),
        connector: from.integer("connectorId", false),
        purpose: from.choice("chargingProfilePurpose", PURPOSES, false),
        stackLevel: from.integer("stackLevel", false),
      };
    case "GetCompositeSchedule":
      return {
        action,
        connectorId: from.integer("connectorId")!,
        durationS: from.integer("duration")!,
        unit: from.choice("chargingRateUnit", RATE_UNITS, false),
      };
    case "GetConfiguration":
      return { action, keys: from.texts("key", 50) ?? [] };
    case "GetLog": {
      const logType = from.choice("logType", ["DiagnosticsLog", "SecurityLog"])!;
      const requestId = from.integer("requestId")!;
      from.integer("retries", false);
      from.integer("retryInterval", false);
      const log = from.object("log");
      log?.date("oldestTimestamp", false);
      log?.date("latestTimestamp", false);
      return { action, logType, requestId, location: log?.text("remoteLocation", 512) ?? "" };
    }
    case "RemoteStartTransaction": {
      const connectorId = from.integer("connectorId", false);
      const idTag = from.text("idTag", 20)!;
      const part = from.object("chargingProfile", false);
      const profile = part === undefined ? undefined : readProfile(part, 1);
      return { action, connectorId, idTag, profile };
    }
    case "RemoteStopTransaction":
      return { action, transactionId: from.integer("transactionId")! };
    case "Reset":
      return { action, type: from.choice("type", ["Hard", "Soft"])! };
    case "SetChargingProfile": {
      const connectorId = from.integer("connectorId");
      const part = from.object("csChargingProfiles");
      return { action, profile: part === undefined ? NONE : readProfile(part, connectorId ?? 0)! };
    }
    case "TriggerMessage":
      return {
        action,
        what: from.choice("requestedMessage", TRIGGERS)!,
        connectorId: from.integer("connectorId", false),
      };
    case "ExtendedTriggerMessage":
      return {
        action,
        what: from.choice("requestedMessage", EXTENDED_TRIGGERS)!,
        connectorId: from.integer("connectorId", false),
      };
    case "UpdateFirmware":
      return {
        action,
        location: from.text("location", 2000)!,
        retrieveUtcMs: from.date("retrieveDate")!,
        retries: from.integer("retries", false) ?? 0,
        retryS: from.integer("retryInterval", false) ?? 60,
      };
    default:
      return undefined;
  }
}

/** Stands where a violation has been noted already. */
const NONE = undefined as unknown as ChargingProfile;
