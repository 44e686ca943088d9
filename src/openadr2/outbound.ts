import { formatDateTime, formatDuration } from "../base/iso8601.js";
import { XmlWriter } from "../base/xml-writer.js";
import { EI, EMIX, OADR, POWER, PYLD, SCALE, STRM, XCAL } from "./names.js";

/*
 * Every message that the VEN sends, each valid against the 2.0b schema (test/interop validates them all).
 * Child order is the schema's and matters; XML signatures would go where `begin` opens oadrPayload.
 */

const CORE = ` xmlns:oadr="${OADR}" xmlns:ei="${EI}" xmlns:pyld="${PYLD}"`;
const FULL = `${CORE} xmlns:xcal="${XCAL}" xmlns:strm="${STRM}" xmlns:emix="${EMIX}" xmlns:power="${POWER}" xmlns:scale="${SCALE}"`;

function begin(payload: string, spaces = CORE): XmlWriter {
  return new XmlWriter('<?xml version="1.0" encoding="UTF-8"?>')
    .open("oadr:oadrPayload", spaces)
    .open("oadr:oadrSignedObject")
    .open(`oadr:${payload}`, ' ei:schemaVersion="2.0b"');
}

function response(w: XmlWriter, code: string, text: string, requestId: string): void {
  w.open("ei:eiResponse").leaf("ei:responseCode", code);
  if (text !== "") w.leaf("ei:responseDescription", text);
  w.leaf("pyld:requestID", requestId).close();
}

function dateTime(w: XmlWriter, name: string, utcMs: number): void {
  w.open(name).leaf("xcal:date-time", formatDateTime(utcMs)).close();
}

function duration(w: XmlWriter, name: string, ms: number): void {
  w.open(name).leaf("xcal:duration", seconds(ms)).close();
}

/** The schema's durations have no fractions. */
function seconds(ms: number): string {
  return formatDuration(Math.round(ms / 1000) * 1000);
}

export function queryRegistration(requestId: string): string {
  return begin("oadrQueryRegistration").leaf("pyld:requestID", requestId).done();
}

/** `venId` and `registrationId` are "" at the first time. */
export function createPartyRegistration(
  requestId: string,
  venName: string,
  venId: string,
  registrationId: string,
): string {
  const w = begin("oadrCreatePartyRegistration").leaf("pyld:requestID", requestId);
  if (registrationId !== "") w.leaf("ei:registrationID", registrationId);
  if (venId !== "") w.leaf("ei:venID", venId);
  return w
    .leaf("oadr:oadrProfileName", "2.0b")
    .leaf("oadr:oadrTransportName", "simpleHttp")
    .leaf("oadr:oadrReportOnly", "false")
    .leaf("oadr:oadrXmlSignature", "false")
    .leaf("oadr:oadrVenName", venName)
    .leaf("oadr:oadrHttpPullModel", "true")
    .done();
}

export function cancelPartyRegistration(requestId: string, registrationId: string, venId: string): string {
  return begin("oadrCancelPartyRegistration")
    .leaf("pyld:requestID", requestId)
    .leaf("ei:registrationID", registrationId)
    .leaf("ei:venID", venId)
    .done();
}

export function canceledPartyRegistration(
  code: string,
  text: string,
  requestId: string,
  registrationId: string,
  venId: string,
): string {
  const w = begin("oadrCanceledPartyRegistration");
  response(w, code, text, requestId);
  return w.leaf("ei:registrationID", registrationId).leaf("ei:venID", venId).done();
}

export function oadrResponse(code: string, text: string, requestId: string, venId: string): string {
  const w = begin("oadrResponse");
  response(w, code, text, requestId);
  return w.leaf("ei:venID", venId).done();
}

export function oadrPoll(venId: string): string {
  return begin("oadrPoll").leaf("ei:venID", venId).done();
}

export function requestEvent(requestId: string, venId: string, replyLimit: number): string {
  return begin("oadrRequestEvent")
    .open("pyld:eiRequestEvent")
    .leaf("pyld:requestID", requestId)
    .leaf("ei:venID", venId)
    .leaf("pyld:replyLimit", replyLimit)
    .done();
}

/** The answer to one event. */
export interface EventAnswer {
  readonly eventId: string;
  readonly modification: number;
  readonly code: string;
  readonly text: string;
  readonly optIn: boolean;
}

export function createdEvent(requestId: string, venId: string, answers: readonly EventAnswer[]): string {
  const w = begin("oadrCreatedEvent").open("pyld:eiCreatedEvent");
  response(w, "200", "OK", requestId);
  w.open("ei:eventResponses");
  for (const answer of answers) {
    w.open("ei:eventResponse").leaf("ei:responseCode", answer.code);
    if (answer.text !== "") w.leaf("ei:responseDescription", answer.text);
    w.leaf("pyld:requestID", requestId)
      .open("ei:qualifiedEventID")
      .leaf("ei:eventID", answer.eventId)
      .leaf("ei:modificationNumber", answer.modification)
      .close()
      .leaf("ei:optType", answer.optIn ? "optIn" : "optOut")
      .close();
  }
  return w.close().leaf("ei:venID", venId).done();
}

/** What a report can tell of one quantity, for the metadata. */
export interface ReportPoint {
  readonly rid: string;
  readonly reportType: string;
  readonly readingType: string;
  readonly item: "powerReal" | "energyReal" | "";
  readonly minPeriodMs: number;
  readonly maxPeriodMs: number;
  readonly onChange: boolean;
}

export interface ReportOffer {
  readonly specifier: string;
  readonly name: string;
  /** How much of it can be had at once, ms. */
  readonly spanMs: number;
  readonly points: readonly ReportPoint[];
}

/** Metadata; `reportRequestId` is "0" unless it was asked for (rule 311). */
export function registerReport(
  requestId: string,
  venId: string,
  resourceId: string,
  offers: readonly ReportOffer[],
  reportRequestId: string,
  voltage: number,
  createdUtcMs: number,
): string {
  const w = begin("oadrRegisterReport", FULL).leaf("pyld:requestID", requestId);
  for (const offer of offers) {
    w.open("oadr:oadrReport");
    duration(w, "xcal:duration", offer.spanMs);
    for (const point of offer.points) {
      w.open("oadr:oadrReportDescription")
        .leaf("ei:rID", point.rid)
        .open("ei:reportDataSource")
        .leaf("ei:resourceID", resourceId)
        .close()
        .leaf("ei:reportType", point.reportType);
      if (point.item !== "") itemBase(w, point.item, voltage);
      w.leaf("ei:readingType", point.readingType)
        .open("oadr:oadrSamplingRate")
        .leaf("oadr:oadrMinPeriod", seconds(point.minPeriodMs))
        .leaf("oadr:oadrMaxPeriod", seconds(point.maxPeriodMs))
        .leaf("oadr:oadrOnChange", point.onChange ? "true" : "false")
        .close()
        .close();
    }
    w.leaf("ei:reportRequestID", reportRequestId)
      .leaf("ei:reportSpecifierID", offer.specifier)
      .leaf("ei:reportName", `METADATA_${offer.name}`)
      .leaf("ei:createdDateTime", formatDateTime(createdUtcMs))
      .close();
  }
  w.leaf("ei:venID", venId);
  if (reportRequestId !== "0") w.leaf("ei:reportRequestID", reportRequestId);
  return w.done();
}

function itemBase(w: XmlWriter, item: "powerReal" | "energyReal", voltage: number): void {
  w.open(`power:${item}`);
  if (item === "energyReal") {
    w.leaf("power:itemDescription", "RealEnergy")
      .leaf("power:itemUnits", "Wh")
      .leaf("scale:siScaleCode", "none");
  } else {
    w.leaf("power:itemDescription", "RealPower")
      .leaf("power:itemUnits", "W")
      .leaf("scale:siScaleCode", "none")
      .open("power:powerAttributes")
      .leaf("power:hertz", voltage === 240 ? 60 : 50)
      .leaf("power:voltage", voltage)
      .leaf("power:ac", "true")
      .close();
  }
  w.close();
}

/** The state of the appliance for TELEMETRY_STATUS. */
export interface ResourceStatus {
  readonly online: boolean;
  readonly manualOverride: boolean;
  /** Share of the rated power used now, 0…1; undefined where unknown. */
  readonly capacity: number | undefined;
}

/** One value of one point. `value` undefined: none could be had, which is said instead of left out. */
export interface ReportValue {
  readonly rid: string;
  readonly startUtcMs: number;
  readonly durationMs: number;
  readonly value: number | ResourceStatus | undefined;
  /** The appliance estimates rather than measures. */
  readonly estimated: boolean;
}

export interface ReportUpdate {
  readonly reportRequestId: string;
  readonly specifier: string;
  readonly name: string;
  readonly values: readonly ReportValue[];
}

export function updateReport(
  requestId: string,
  venId: string,
  updates: readonly ReportUpdate[],
  createdUtcMs: number,
): string {
  const w = begin("oadrUpdateReport", FULL).leaf("pyld:requestID", requestId);
  for (const update of updates) {
    w.open("oadr:oadrReport");
    const first = update.values[0];
    const last = update.values[update.values.length - 1];
    if (first !== undefined && last !== undefined) {
      dateTime(w, "xcal:dtstart", first.startUtcMs);
      duration(w, "xcal:duration", Math.max(0, last.startUtcMs + last.durationMs - first.startUtcMs));
      w.open("strm:intervals");
      for (const value of update.values) reportInterval(w, value);
      w.close();
    }
    w.leaf("ei:reportRequestID", update.reportRequestId)
      .leaf("ei:reportSpecifierID", update.specifier)
      .leaf("ei:reportName", update.name)
      .leaf("ei:createdDateTime", formatDateTime(createdUtcMs))
      .close();
  }
  return w.leaf("ei:venID", venId).done();
}

/** One interval a value: servers seen take a single payload an interval. */
function reportInterval(w: XmlWriter, value: ReportValue): void {
  w.open("ei:interval");
  dateTime(w, "xcal:dtstart", value.startUtcMs);
  duration(w, "xcal:duration", value.durationMs);
  w.open("oadr:oadrReportPayload").leaf("ei:rID", value.rid);
  const v = value.value;
  if (typeof v === "object") {
    w.open("oadr:oadrPayloadResourceStatus")
      .leaf("oadr:oadrOnline", v.online ? "true" : "false")
      .leaf("oadr:oadrManualOverride", v.manualOverride ? "true" : "false");
    if (v.capacity !== undefined) {
      w.open("oadr:oadrLoadControlState")
        .open("oadr:oadrCapacity")
        .leaf("oadr:oadrMin", "0")
        .leaf("oadr:oadrMax", "1")
        .leaf("oadr:oadrCurrent", v.capacity)
        .leaf("oadr:oadrNormal", "1")
        .close()
        .close();
    }
    w.close();
  } else {
    w.leaf("ei:confidence", v === undefined ? 0 : value.estimated ? 50 : 100)
      .leaf("ei:accuracy", 0)
      .open("ei:payloadFloat")
      .leaf("ei:value", v ?? 0)
      .close()
      .leaf(
        "oadr:oadrDataQuality",
        v === undefined
          ? "No Quality - No Value"
          : value.estimated
            ? "Quality Uncertain - Non Specific"
            : "Quality Good - Non Specific",
      );
  }
  w.close().close();
}

/** `oadrCreatedReport` and `oadrCanceledReport`: what is still pending. */
export function reportsAnswer(
  payload: "oadrCreatedReport" | "oadrCanceledReport",
  code: string,
  text: string,
  requestId: string,
  pending: readonly string[],
  venId: string,
): string {
  const w = begin(payload);
  response(w, code, text, requestId);
  w.open("oadr:oadrPendingReports");
  for (const id of pending) w.leaf("ei:reportRequestID", id);
  return w.close().leaf("ei:venID", venId).done();
}

/** `oadrRegisteredReport` (no requests) and `oadrUpdatedReport`, to what the server reports to us. */
export function reportsTaken(
  payload: "oadrRegisteredReport" | "oadrUpdatedReport",
  requestId: string,
  venId: string,
): string {
  const w = begin(payload);
  response(w, "200", "OK", requestId);
  return w.leaf("ei:venID", venId).done();
}

export type OptReason =
  | "economic"
  | "emergency"
  | "mustRun"
  | "notParticipating"
  | "outageRunStatus"
  | "overrideStatus"
  | "participating"
  | "x-schedule";

/** An opt of one event (`event`) or of a span of time (`span`). */
export interface Opt {
  readonly optId: string;
  readonly optIn: boolean;
  readonly reason: OptReason;
  readonly event: { readonly id: string; readonly modification: number } | undefined;
  readonly span: { readonly startUtcMs: number; readonly durationMs: number } | undefined;
  /** "" for all. */
  readonly marketContext: string;
}

export function createOpt(requestId: string, venId: string, opt: Opt, createdUtcMs: number): string {
  const w = begin("oadrCreateOpt", FULL)
    .leaf("ei:optID", opt.optId)
    .leaf("ei:optType", opt.optIn ? "optIn" : "optOut")
    .leaf("ei:optReason", opt.reason);
  if (opt.marketContext !== "") w.leaf("emix:marketContext", opt.marketContext);
  w.leaf("ei:venID", venId);
  if (opt.span !== undefined) {
    w.open("xcal:vavailability").open("xcal:components").open("xcal:available").open("xcal:properties");
    dateTime(w, "xcal:dtstart", opt.span.startUtcMs);
    duration(w, "xcal:duration", opt.span.durationMs);
    w.close().close().close().close();
  }
  w.leaf("ei:createdDateTime", formatDateTime(createdUtcMs)).leaf("pyld:requestID", requestId);
  if (opt.event !== undefined) {
    w.open("ei:qualifiedEventID")
      .leaf("ei:eventID", opt.event.id)
      .leaf("ei:modificationNumber", opt.event.modification)
      .close();
  }
  return w.open("ei:eiTarget").leaf("ei:venID", venId).done();
}

export function cancelOpt(requestId: string, optId: string, venId: string): string {
  return begin("oadrCancelOpt")
    .leaf("pyld:requestID", requestId)
    .leaf("ei:optID", optId)
    .leaf("ei:venID", venId)
    .done();
}
