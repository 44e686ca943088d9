/** EiReport on the VTN's side: what a VEN offers, what is asked of it, what it delivers. */
import {
  type XmlNode,
  childrenOf,
  child,
  dateTime,
  duration,
  leaf,
  parseDateTime,
  parseDuration,
  textAt,
} from "./xml.js";

/** One data point of a report as the VEN offers it. */
export interface ReportPoint {
  readonly rId: string;
  readonly resourceId: string;
  readonly reportType: string;
  readonly readingType: string;
  /** "W", "Wh", "A" …, "" for none; with its scale code before it: "kW". */
  readonly unit: string;
  readonly minPeriodMs: number;
  readonly maxPeriodMs: number;
  readonly onChange: boolean;
}

export interface ReportOffer {
  readonly specifierId: string;
  /** Without `METADATA_`. */
  readonly name: string;
  readonly points: readonly ReportPoint[];
}

export interface ReportRequest {
  readonly id: string;
  readonly specifierId: string;
  readonly name: string;
  readonly rIds: readonly string[];
  readonly readingTypes: readonly string[];
  readonly granularityMs: number;
  readonly reportBackMs: number;
  /** undefined: no reportInterval. Duration 0 = until cancelled. */
  readonly interval: { readonly startUtcMs: number; readonly durationMs: number } | undefined;
  /** `asked`, then `accepted` by the VEN's oadrCreatedReport, or `cancelled`. */
  state: "asked" | "accepted" | "cancelled";
}

export interface ReportValue {
  readonly rId: string;
  readonly startUtcMs: number | undefined;
  readonly durationMs: number | undefined;
  /** undefined for a status payload. */
  readonly value: number | undefined;
  readonly status: ResourceStatus | undefined;
  /** A value that is no number (OpenADR 3.1: operating states). */
  readonly text?: string;
  readonly quality: string;
}

export interface ResourceStatus {
  readonly online: boolean;
  readonly manualOverride: boolean;
  /** min/max/current/normal by `capacity`, `levelOffset`, `percentOffset`, `setPoint`. */
  readonly loadControl: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** One oadrReport as it came in. */
export interface ReportReceived {
  readonly protocol: "openadr2b" | "openadr3";
  readonly venId: string;
  readonly receivedUtcMs: number;
  readonly name: string;
  readonly requestId: string;
  readonly specifierId: string;
  readonly createdUtcMs: number;
  readonly values: readonly ReportValue[];
  /** What a strict tester would say of it, e.g. an rID that was not asked for. */
  readonly warnings: readonly string[];
}

const UNITS = [
  "powerReal",
  "powerApparent",
  "powerReactive",
  "energyReal",
  "energyApparent",
  "energyReactive",
  "voltage",
  "current",
  "frequency",
  "temperature",
  "customUnit",
  "currency",
  "currencyPerKWh",
  "currencyPerKW",
  "pulseCount",
  "Therm",
];

/** What oadrRegisterReport offers, or in words what it lacks. */
export function readRegisterReport(message: XmlNode): readonly ReportOffer[] | string {
  const offers: ReportOffer[] = [];
  for (const node of childrenOf(message, "oadrReport")) {
    const specifierId = textAt(node, "reportSpecifierID");
    const name = textAt(node, "reportName");
    if (specifierId === undefined) return "oadrReport/reportSpecifierID is missing";
    if (textAt(node, "reportRequestID") === undefined) return "oadrReport/reportRequestID is missing";
    if (!(name ?? "").startsWith("METADATA_")) return "oadrReport/reportName is not a METADATA_ report";
    const points: ReportPoint[] = [];
    for (const d of childrenOf(node, "oadrReportDescription")) {
      const rId = textAt(d, "rID");
      const reportType = textAt(d, "reportType");
      const readingType = textAt(d, "readingType");
      if (rId === undefined || reportType === undefined || readingType === undefined) {
        return "oadrReportDescription lacks rID, reportType or readingType";
      }
      const base = d.children.find((c) => UNITS.includes(c.name));
      const scale = textAt(base, "siScaleCode") ?? "none";
      const rate = child(d, "oadrSamplingRate");
      points.push({
        rId,
        resourceId:
          textAt(d, "reportDataSource", "resourceID") ?? textAt(d, "reportSubject", "resourceID") ?? "",
        reportType,
        readingType,
        unit: (scale === "none" ? "" : scale) + (textAt(base, "itemUnits") ?? ""),
        minPeriodMs: parseDuration(textAt(rate, "oadrMinPeriod")) || 0,
        maxPeriodMs: parseDuration(textAt(rate, "oadrMaxPeriod")) || 0,
        onChange: textAt(rate, "oadrOnChange") === "true",
      });
    }
    if (new Set(points.map((p) => p.rId)).size !== points.length) return "an rID occurs twice in one report";
    offers.push({ specifierId, name: name!.slice("METADATA_".length), points });
  }
  return offers;
}

/** oadrReportRequest elements. */
export function reportRequests(requests: readonly ReportRequest[]): string {
  return requests
    .map((r) => {
      const interval =
        r.interval === undefined
          ? ""
          : "<ei:reportInterval><xcal:properties>" +
            `<xcal:dtstart>${leaf("xcal:date-time", dateTime(r.interval.startUtcMs))}</xcal:dtstart>` +
            `<xcal:duration>${leaf("xcal:duration", duration(r.interval.durationMs))}</xcal:duration>` +
            "</xcal:properties></ei:reportInterval>";
      const points = r.rIds.map(
        (rId, i) =>
          `<ei:specifierPayload>${leaf("ei:rID", rId)}${leaf("ei:readingType", r.readingTypes[i] ?? "x-notApplicable")}</ei:specifierPayload>`,
      );
      return (
        `<oadr:oadrReportRequest>${leaf("ei:reportRequestID", r.id)}<ei:reportSpecifier>` +
        leaf("ei:reportSpecifierID", r.specifierId) +
        `<xcal:granularity>${leaf("xcal:duration", duration(r.granularityMs))}</xcal:granularity>` +
        `<ei:reportBackDuration>${leaf("xcal:duration", duration(r.reportBackMs))}</ei:reportBackDuration>` +
        `${interval}${points.join("")}</ei:reportSpecifier></oadr:oadrReportRequest>`
      );
    })
    .join("");
}

/**
 * Reads oadrUpdateReport.
 * @param find the request of an id, for the check of rIDs ("RID count mismatch" of a well-known tester)
 */
export function readUpdateReport(
  message: XmlNode,
  venId: string,
  utcMs: number,
  find: (requestId: string) => ReportRequest | undefined,
): readonly ReportReceived[] | string {
  const received: ReportReceived[] = [];
  for (const node of childrenOf(message, "oadrReport")) {
    const requestId = textAt(node, "reportRequestID");
    const specifierId = textAt(node, "reportSpecifierID");
    const createdUtcMs = parseDateTime(textAt(node, "createdDateTime"));
    if (requestId === undefined || specifierId === undefined) {
      return "oadrReport lacks reportRequestID or reportSpecifierID";
    }
    if (Number.isNaN(createdUtcMs)) return "oadrReport/createdDateTime is missing or no date-time of 2.0b";
    const warnings: string[] = [];
    const values: ReportValue[] = [];
    let at = parseDateTime(textAt(node, "dtstart", "date-time"));
    for (const interval of childrenOf(child(node, "intervals"), "interval")) {
      const own = parseDateTime(textAt(interval, "dtstart", "date-time"));
      if (!Number.isNaN(own)) at = own;
      const length = parseDuration(textAt(interval, "duration", "duration"));
      for (const p of childrenOf(interval, "oadrReportPayload")) {
        const value = readPayload(p, at, length);
        if (typeof value === "string") return value;
        values.push(value);
      }
      if (!Number.isNaN(at) && !Number.isNaN(length)) at += length;
    }
    const asked = find(requestId);
    if (asked === undefined) warnings.push(`report request ${requestId} was never made`);
    else {
      if (asked.state === "cancelled") warnings.push(`report request ${requestId} was cancelled`);
      if (asked.specifierId !== specifierId)
        warnings.push(`specifier ${specifierId} where ${asked.specifierId} was asked`);
      const given = new Set(values.map((v) => v.rId));
      const extra = [...given].filter((rId) => !asked.rIds.includes(rId));
      const missing = values.length === 0 ? [] : asked.rIds.filter((rId) => !given.has(rId));
      if (extra.length > 0) warnings.push(`rID not asked for: ${extra.join(", ")}`);
      if (missing.length > 0) warnings.push(`rID missing: ${missing.join(", ")}`);
    }
    const name = textAt(node, "reportName") ?? asked?.name ?? "";
    received.push({
      protocol: "openadr2b",
      venId,
      receivedUtcMs: utcMs,
      name,
      requestId,
      specifierId,
      createdUtcMs,
      values,
      warnings,
    });
  }
  return received;
}

function readPayload(node: XmlNode, atUtcMs: number, lengthMs: number): ReportValue | string {
  const rId = textAt(node, "rID");
  if (rId === undefined) return "oadrReportPayload/rID is missing";
  const floatText = textAt(node, "payloadFloat", "value");
  const status = child(node, "oadrPayloadResourceStatus");
  if (floatText === undefined && status === undefined)
    return `the payload of ${rId} is neither float nor status`;
  const value = floatText === undefined ? undefined : Number(floatText);
  if (value !== undefined && (floatText === "" || Number.isNaN(value)))
    return `the value of ${rId} is no number`;
  return {
    rId,
    startUtcMs: Number.isNaN(atUtcMs) ? undefined : atUtcMs,
    durationMs: Number.isNaN(lengthMs) ? undefined : lengthMs,
    value,
    status: status === undefined ? undefined : readStatus(status),
    quality: textAt(node, "oadrDataQuality") ?? "",
  };
}

function readStatus(node: XmlNode): ResourceStatus {
  const loadControl: Record<string, Record<string, number>> = {};
  const short = (name: string): string => name.charAt(4).toLowerCase() + name.slice(5);
  for (const kind of child(node, "oadrLoadControlState")?.children ?? []) {
    const values: Record<string, number> = {};
    for (const one of kind.children) values[short(one.name)] = Number(one.text);
    loadControl[short(kind.name)] = values;
  }
  return {
    online: ["true", "1"].includes(textAt(node, "oadrOnline") ?? ""),
    manualOverride: ["true", "1"].includes(textAt(node, "oadrManualOverride") ?? ""),
    loadControl,
  };
}
