/** EiReport: offers of the VEN, requests to it, reports of it. */
import {
  type ReportOffer,
  type ReportRequest,
  readRegisterReport,
  readUpdateReport,
  reportRequests,
} from "./ei-report.js";
import { type Reply, type VtnState, eiResponse, oadrResponse } from "./state.js";
import type { VenRecord } from "./ven.js";
import { type XmlNode, childrenOf, child, leaf, textAt } from "./xml.js";

export function report(state: VtnState, message: XmlNode, ven: VenRecord, utcMs: number): Reply {
  const requestId = textAt(message, "requestID") ?? textAt(message, "eiResponse", "requestID") ?? "";
  switch (message.name) {
    case "oadrRegisterReport":
      return registerReport(state, message, ven, requestId);
    case "oadrUpdateReport":
      return updateReport(state, message, ven, requestId, utcMs);
    case "oadrCreatedReport":
      for (const id of pending(message)) {
        const request = ven.requests.get(id);
        if (request?.state === "asked") request.state = "accepted";
      }
      return oadrResponse("200", requestId, ven.venId);
    case "oadrCreateReport":
      // The VTN offers no reports of its own.
      return {
        name: "oadrCreatedReport",
        code: "461",
        inner: eiResponse("461", requestId, "this VTN offers no reports") + "<oadr:oadrPendingReports/>",
      };
    case "oadrCancelReport": {
      for (const node of childrenOf(message, "reportRequestID")) {
        const request = ven.requests.get(node.text);
        if (request !== undefined) request.state = "cancelled";
      }
      return {
        name: "oadrCanceledReport",
        code: "200",
        inner: eiResponse("200", requestId) + pendingReports(ven) + leaf("ei:venID", ven.venId),
      };
    }
    default:
      return oadrResponse("200", requestId, ven.venId);
  }
}

function registerReport(state: VtnState, message: XmlNode, ven: VenRecord, requestId: string): Reply {
  const offers = readRegisterReport(message);
  const reply = (code: string, text: string, requests: readonly ReportRequest[]): Reply => ({
    name: "oadrRegisteredReport",
    code,
    inner: eiResponse(code, requestId, text) + reportRequests(requests) + leaf("ei:venID", ven.venId),
  });
  if (typeof offers === "string") return reply("459", offers, []);
  ven.offers = offers;
  // New metadata replaces the old, and what was asked of the old with it.
  ven.requests.clear();
  state.tell({ change: "offers", venId: ven.venId });
  const wanted = offers.filter(
    (o) =>
      state.requestReports === "all" ||
      (state.requestReports === "telemetry" && o.name.startsWith("TELEMETRY_")),
  );
  return reply(
    "200",
    "OK",
    wanted.filter((o) => o.points.length > 0).map((o) => ask(state, ven, o, periodOf(state, o))),
  );
}

/** As often as the VTN wishes, within what every point of the report allows. */
function periodOf(state: VtnState, offer: ReportOffer): ReportAsk {
  const min = Math.max(...offer.points.map((p) => p.minPeriodMs));
  const max = Math.min(
    ...offer.points.map((p) => (p.maxPeriodMs === 0 ? Number.POSITIVE_INFINITY : p.maxPeriodMs)),
  );
  const granularityMs = Math.max(min, Math.min(max, state.reportSeconds * 1000));
  return { granularityMs, reportBackMs: Math.max(granularityMs, state.reportSeconds * 1000) };
}

export interface ReportAsk {
  readonly granularityMs: number;
  readonly reportBackMs: number;
  readonly interval?: { readonly startUtcMs: number; readonly durationMs: number } | undefined;
  readonly rIds?: readonly string[] | undefined;
}

/** Makes and remembers a request for an offered report. */
export function ask(state: VtnState, ven: VenRecord, offer: ReportOffer, how: ReportAsk): ReportRequest {
  const points = offer.points.filter((p) => how.rIds === undefined || how.rIds.includes(p.rId));
  const request: ReportRequest = {
    id: state.newId("report"),
    specifierId: offer.specifierId,
    name: offer.name,
    rIds: points.map((p) => p.rId),
    readingTypes: points.map((p) => p.readingType),
    granularityMs: how.granularityMs,
    reportBackMs: how.reportBackMs,
    interval: how.interval,
    state: "asked",
  };
  ven.requests.set(request.id, request);
  return request;
}

function updateReport(
  state: VtnState,
  message: XmlNode,
  ven: VenRecord,
  requestId: string,
  utcMs: number,
): Reply {
  const reports = readUpdateReport(message, ven.venId, utcMs, (id) => ven.requests.get(id));
  const bad = typeof reports === "string";
  if (!bad) for (const one of reports) state.keepReport(one);
  const code = bad ? "459" : "200";
  return {
    name: "oadrUpdatedReport",
    code,
    inner: eiResponse(code, requestId, bad ? reports : "OK") + leaf("ei:venID", ven.venId),
  };
}

function pending(message: XmlNode): string[] {
  return childrenOf(child(message, "oadrPendingReports"), "reportRequestID").map((node) => node.text);
}

function pendingReports(ven: VenRecord): string {
  const ids = [...ven.requests.values()]
    .filter((r) => r.state !== "cancelled")
    .map((r) => leaf("ei:reportRequestID", r.id));
  return `<oadr:oadrPendingReports>${ids.join("")}</oadr:oadrPendingReports>`;
}
