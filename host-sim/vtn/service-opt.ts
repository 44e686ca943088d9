/** EiOpt: the VEN changes its mind on an event, or tells a schedule. */
import { type Reply, type VtnState, eiResponse } from "./state.js";
import type { OptRecord, VenRecord } from "./ven.js";
import { type XmlNode, childrenOf, child, leaf, parseDateTime, parseDuration, textAt } from "./xml.js";

const REASONS = [
  "economic",
  "emergency",
  "mustRun",
  "notParticipating",
  "outageRunStatus",
  "overrideStatus",
  "participating",
];

export function opt(state: VtnState, message: XmlNode, ven: VenRecord, utcMs: number): Reply {
  const requestId = textAt(message, "requestID") ?? "";
  const optId = textAt(message, "optID") ?? "";
  const reply = (name: string, code: string, text = "OK"): Reply => ({
    name,
    code,
    inner: eiResponse(code, requestId, text) + leaf("ei:optID", optId),
  });
  if (optId === "") return reply("oadrCreatedOpt", "459", "optID is missing");
  if (message.name === "oadrCancelOpt") {
    const old = ven.opts.get(optId);
    if (old === undefined) return reply("oadrCanceledOpt", "452", "this optID is not known");
    ven.opts.delete(optId);
    state.tell({ change: "opt", venId: ven.venId, opt: old, cancelled: true });
    return reply("oadrCanceledOpt", "200");
  }
  const record = readOpt(message, optId, utcMs);
  if (typeof record === "string") return reply("oadrCreatedOpt", "459", record);
  if (record.eventId !== undefined && state.events.get(record.eventId) === undefined) {
    return reply("oadrCreatedOpt", "452", `event ${record.eventId} is not known`);
  }
  ven.opts.set(optId, record);
  state.tell({ change: "opt", venId: ven.venId, opt: record, cancelled: false });
  return reply("oadrCreatedOpt", "200");
}

function readOpt(message: XmlNode, optId: string, receivedUtcMs: number): OptRecord | string {
  const optType = textAt(message, "optType");
  const reason = textAt(message, "optReason") ?? "";
  const createdUtcMs = parseDateTime(textAt(message, "createdDateTime"));
  const modification = textAt(message, "qualifiedEventID", "modificationNumber");
  const availability = child(child(message, "vavailability"), "components");
  if (optType !== "optIn" && optType !== "optOut") return "optType is neither optIn nor optOut";
  if (!REASONS.includes(reason) && !reason.startsWith("x-")) return "optReason is not one of the profile's";
  if (Number.isNaN(createdUtcMs)) return "createdDateTime is missing or no date-time of 2.0b";
  if (child(message, "eiTarget") === undefined) return "eiTarget is missing";
  if (child(message, "qualifiedEventID") === undefined && availability === undefined) {
    return "neither qualifiedEventID nor vavailability";
  }
  const periods = childrenOf(availability, "available").map((a) => ({
    startUtcMs: parseDateTime(textAt(a, "properties", "dtstart", "date-time")),
    durationMs: parseDuration(textAt(a, "properties", "duration", "duration")),
  }));
  if (periods.some((p) => Number.isNaN(p.startUtcMs + p.durationMs)))
    return "available lacks dtstart or duration";
  return {
    optId,
    optType,
    reason,
    eventId: textAt(message, "qualifiedEventID", "eventID"),
    modification: modification === undefined ? undefined : Number(modification),
    marketContext: textAt(message, "marketContext") ?? "",
    periods,
    createdUtcMs,
    receivedUtcMs,
  };
}
