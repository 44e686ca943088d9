import type { ChargePoint } from "./charge-point.js";
import { composite, limitIn } from "./composite.js";
import type { Json } from "./frames.js";
import { formatInstant } from "./instant.js";
import { type ChargingProfile, profileFault } from "./profile.js";
import type { Refused, Request, Trigger } from "./requests.js";
import type { Time } from "./session.js";
import { Upload } from "./upload.js";

/** Most steps of a composite schedule that is told. */
const MOST_STEPS = 96;

/** Carries a request of the platform out and answers it; undefined where the answer follows. */
export function answerRequest(point: ChargePoint, request: Request, time: Time): Json | Refused | undefined {
  const { session, profiles } = point;
  switch (request.action) {
    case "ClearCache":
      // There is no cache of idTags.
      return { status: "Rejected" };
    case "DataTransfer":
      return { status: "UnknownVendorId" };
    case "UnlockConnector":
      // CTA-2045 knows no cable lock.
      return { status: "NotSupported" };
    case "ChangeAvailability":
      return { status: changeAvailability(point, request.connectorId, request.type === "Operative", time) };
    case "ChangeConfiguration":
      return { status: changeConfiguration(point, request.key, request.value, time) };
    case "GetConfiguration":
      return getConfiguration(point, request.keys);
    case "SetChargingProfile":
      return { status: setProfile(point, request.profile, time) };
    case "ClearChargingProfile": {
      const removed = profiles.clear(request);
      if (removed > 0) point.profilesChanged();
      return { status: removed > 0 ? "Accepted" : "Unknown" };
    }
    case "GetCompositeSchedule":
      return getComposite(point, request, time);
    case "RemoteStartTransaction":
      return { status: remoteStart(point, request.connectorId, request.idTag, request.profile, time) };
    case "RemoteStopTransaction": {
      const { transaction } = session.store;
      if (transaction === undefined || transaction.transactionId !== request.transactionId) {
        return { status: "Rejected" };
      }
      session.stop("Remote", time);
      return { status: "Accepted" };
    }
    case "Reset":
      point.restart(request.type === "Hard");
      return { status: "Accepted" };
    case "TriggerMessage":
    case "ExtendedTriggerMessage":
      return { status: trigger(point, request.what, request.connectorId, time) };
    case "UpdateFirmware": {
      const { firmware } = point.services;
      if (firmware === undefined) point.firmwareUnavailable();
      else firmware.request(request);
      return {};
    }
    case "GetDiagnostics":
      return upload(point, "DiagnosticsLog", request.location, 0, true) === undefined
        ? {}
        : { fileName: "diagnostics.log" };
    case "GetLog": {
      const filename = upload(point, request.logType, request.location, request.requestId, false);
      return filename === undefined ? { status: "Rejected" } : { status: "Accepted", filename };
    }
    case "CertificateSigned":
      if (point.services.certificates === undefined) return { status: "Rejected" };
      point.installCertificate(request.chain);
      return undefined;
    default:
      return { refused: "NotSupported", text: `${request.action} is not supported` };
  }
}

function changeAvailability(point: ChargePoint, connector: number, operative: boolean, time: Time): string {
  const { session } = point;
  if (connector !== 0 && connector !== 1) return "Rejected";
  if (!operative && session.inTransaction) {
    session.inoperativeNext = true;
    return "Scheduled";
  }
  session.setOperative(operative);
  session.poll(time);
  return "Accepted";
}

function changeConfiguration(point: ChargePoint, key: string, value: string, time: Time): string {
  if (key === "AuthorizationKey") {
    const password = passwordOf(value);
    if (password === undefined) return "Rejected";
    point.setPassword(password);
    return "Accepted";
  }
  const answer = point.keys.change(key, value);
  if (answer !== "Accepted") return answer;
  if (key === "HeartbeatInterval") point.heartbeatChanged();
  else if (key === "WebSocketPingInterval") point.pingChanged();
  else if (key === "MeterValueSampleInterval" || key === "ClockAlignedDataInterval") {
    point.session.reschedule(time.ms);
  }
  return answer;
}

/**
 * A new basic-auth password. The whitepaper writes it as up to 40 hexadecimal digits of 20 bytes; as most platforms
 * do, the text itself is the password. At least 16 characters, as the later edition wants.
 */
function passwordOf(value: string): string | undefined {
  if (value.length < 16 || value.length > 40) return undefined;
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c < 0x21 || c > 0x7e) return undefined;
  }
  return value;
}

function getConfiguration(point: ChargePoint, names: readonly string[]): Json {
  const { known, unknown } = point.keys.list(names.filter((name) => name !== "AuthorizationKey"));
  // Write-only: that it is there is told, what it is never.
  const secret = names.length === 0 || names.includes("AuthorizationKey");
  const configurationKey: Json[] = known.map((one) => ({ ...one }));
  if (secret) configurationKey.push({ key: "AuthorizationKey", readonly: false });
  return {
    ...(configurationKey.length === 0 ? {} : { configurationKey }),
    ...(unknown.length === 0 ? {} : { unknownKey: [...unknown] }),
  };
}

function setProfile(point: ChargePoint, profile: ChargingProfile, time: Time): string {
  const { session, profiles } = point;
  const why = profileFault(profile) || txFault(point, profile) || dateFault(profile, time);
  if (why !== "") {
    point.log("warning", `charging profile ${String(profile.id)} is rejected: ${why}.`);
    return "Rejected";
  }
  if (time.utcMs !== undefined) profiles.expire(time.utcMs);
  if (!profiles.install(withBegin(profile, session.inTransaction, time))) return "Rejected";
  point.profilesChanged();
  return "Accepted";
}

/** A schedule that is bound to no transaction and names no begin begins when it comes. */
function withBegin(profile: ChargingProfile, inTransaction: boolean, time: Time): ChargingProfile {
  const free = profile.purpose === "ChargePointMaxProfile" || (profile.kind === "Absolute" && !inTransaction);
  if (!free || profile.startMs !== undefined || profile.kind === "Relative") return profile;
  return { ...profile, startMs: time.utcMs };
}

function txFault(point: ChargePoint, profile: ChargingProfile): string {
  if (profile.purpose !== "TxProfile") return "";
  const { transaction } = point.session.store;
  if (transaction === undefined) return "no transaction runs";
  const { transactionId } = profile;
  return transactionId === undefined || transactionId === transaction.transactionId
    ? ""
    : "it is for another transaction";
}

function dateFault(profile: ChargingProfile, time: Time): string {
  const { validFromMs = 0, validToMs } = profile;
  if (validToMs === undefined) return "";
  if (validToMs <= validFromMs) return "it ends before it begins";
  return time.utcMs !== undefined && validToMs <= time.utcMs ? "it has expired" : "";
}

function getComposite(
  point: ChargePoint,
  request: Request & { readonly action: "GetCompositeSchedule" },
  time: Time,
): Json {
  const { connectorId, durationS } = request;
  if ((connectorId !== 0 && connectorId !== 1) || durationS < 0 || time.utcMs === undefined) {
    return { status: "Rejected" };
  }
  const { config, profiles } = point;
  const mains = config;
  const fromMs = Math.floor(time.utcMs / 1000) * 1000;
  const { context, held } = point.limitSources();
  const { stretches, toMs } = composite(
    profiles.profiles,
    fromMs,
    fromMs + durationS * 1000,
    context,
    mains,
    MOST_STEPS,
  );
  const unit = request.unit ?? stretches.find((one) => one.limit !== undefined)?.limit?.unit ?? "A";
  const full = { unit: "A", value: mains.installerMaxA, phases: mains.phases } as const;
  const steps: { startPeriod: number; limit: number; numberPhases: number }[] = [];
  for (const { fromMs: beginMs, limit } of stretches) {
    // Outside of a transaction the schedule is still what would hold; only a charge point out of service offers none.
    const one = held && !point.session.operative ? { ...full, value: 0 } : (limit ?? full);
    const most = limitIn(unit, { ...full, phases: one.phases }, mains);
    const value = Math.floor(Math.min(most, limitIn(unit, one, mains)) * 10 + 1e-6) / 10;
    const step = {
      startPeriod: Math.round((beginMs - fromMs) / 1000),
      limit: value,
      numberPhases: one.phases,
    };
    const last = steps[steps.length - 1];
    if (last?.limit !== step.limit || last.numberPhases !== step.numberPhases) steps.push(step);
  }
  const startSchedule = formatInstant(fromMs);
  return {
    status: "Accepted",
    connectorId,
    scheduleStart: startSchedule,
    chargingSchedule: {
      duration: Math.round((toMs - fromMs) / 1000),
      startSchedule,
      chargingRateUnit: unit,
      chargingSchedulePeriod: steps,
    },
  };
}

function remoteStart(
  point: ChargePoint,
  connectorId: number | undefined,
  idTag: string,
  profile: ChargingProfile | undefined,
  time: Time,
): string {
  if (connectorId !== undefined && connectorId !== 1) return "Rejected";
  if (profile !== undefined && (profile.purpose !== "TxProfile" || profileFault(profile) !== ""))
    return "Rejected";
  if (!point.session.remoteStart(idTag, time)) return "Rejected";
  if (profile !== undefined) {
    // Bound to the transaction that this begins, whatever number it will get.
    point.startProfile = { ...profile, transactionId: undefined };
  }
  if (point.keys.flag("AuthorizeRemoteTxRequests")) point.authorize(idTag);
  return "Accepted";
}

function trigger(point: ChargePoint, what: Trigger, connectorId: number | undefined, time: Time): string {
  if (connectorId !== undefined && connectorId !== 0 && connectorId !== 1) return "Rejected";
  switch (what) {
    case "BootNotification":
      point.sendBoot();
      return "Accepted";
    case "Heartbeat":
      point.sendHeartbeat();
      return "Accepted";
    case "StatusNotification":
      point.sendStatus(connectorId);
      return "Accepted";
    case "FirmwareStatusNotification":
      point.send("FirmwareStatusNotification", { status: point.firmwareStatus() });
      return "Accepted";
    case "DiagnosticsStatusNotification": {
      const { status, isDiagnostics } = point.upload;
      const last = isDiagnostics && status === "Uploading" ? status : "Idle";
      point.send("DiagnosticsStatusNotification", { status: last });
      return "Accepted";
    }
    case "LogStatusNotification": {
      const { status, requestId, isDiagnostics } = point.upload;
      const busy = status === "Uploading" && !isDiagnostics;
      point.send("LogStatusNotification", busy ? { status, requestId } : { status: "Idle" });
      return "Accepted";
    }
    case "MeterValues":
      return triggerMeter(point, time);
    case "SignChargePointCertificate":
      if (point.services.certificates === undefined) return "NotImplemented";
      point.requestCertificate();
      return "Accepted";
  }
}

function triggerMeter(point: ChargePoint, time: Time): string {
  if (time.utcMs === undefined) return "Rejected";
  const { session } = point;
  const value = session.sampleNow("Trigger", "MeterValuesSampledData", time.utcMs);
  if (value === undefined) return "Rejected";
  const number = session.store.transaction?.transactionId;
  point.send("MeterValues", {
    connectorId: 1,
    ...(number === undefined ? {} : { transactionId: number }),
    meterValue: [value],
  });
  return "Accepted";
}

/** Starts an upload; the file's name, or undefined where it cannot be. */
function upload(
  point: ChargePoint,
  which: "SecurityLog" | "DiagnosticsLog",
  location: string,
  requestId: number,
  isDiagnostics: boolean,
): string | undefined {
  const text = point.services.logs?.read(which);
  if (text === undefined || !Upload.isPossible(location)) return undefined;
  const name = which === "SecurityLog" ? "security.log" : "diagnostics.log";
  const { upload: job } = point;
  job.requestId = requestId;
  job.isDiagnostics = isDiagnostics;
  job.start(point.requestId(), location, name, text);
  point.tellUpload();
  return name;
}
