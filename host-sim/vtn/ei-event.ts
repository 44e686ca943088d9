/** EiEvent on the VTN's side: writing oadrDistributeEvent, reading oadrCreatedEvent. */
import { type VtnEvent, type VtnSignal, statusOf, valueAt } from "./event.js";
import { SIGNALS } from "./signals.js";
import { type XmlNode, childrenOf, child, dateTime, duration, escapeXml, leaf, textAt } from "./xml.js";

/** Deliberate mistakes in what is written (misbehaviour by name). */
export interface EventMistakes {
  /** Children of eventDescriptor in an order that the schema forbids. */
  readonly wrongOrder: boolean;
  /** Every event twice. */
  readonly duplicate: boolean;
  /** The last event is left out. */
  readonly absent: boolean;
  /** Every signal is named by an extension that nobody knows. */
  readonly unknownSignal: boolean;
}

export const NO_MISTAKES: EventMistakes = {
  wrongOrder: false,
  duplicate: false,
  absent: false,
  unknownSignal: false,
};

/** True where 2.0b can say the event: the payload types of OpenADR 3 alone have no signal name there. */
export function speaks20b(event: VtnEvent): boolean {
  return event.content.signals.some((s) => s.name in SIGNALS || s.name.startsWith("x-"));
}

/** The inside of oadrDistributeEvent for one VEN. */
export function distributeEvent(
  events: readonly VtnEvent[],
  venId: string,
  vtnId: string,
  requestId: string,
  utcMs: number,
  mistakes: EventMistakes = NO_MISTAKES,
): string {
  let list = mistakes.absent ? events.slice(0, -1) : events;
  if (mistakes.duplicate) list = [...list, ...list];
  return (
    `<ei:eiResponse>${leaf("ei:responseCode", "200")}${leaf("ei:responseDescription", "OK")}` +
    `${leaf("pyld:requestID", requestId)}</ei:eiResponse>` +
    leaf("pyld:requestID", requestId) +
    leaf("ei:vtnID", vtnId) +
    list.map((event) => oadrEvent(event, venId, utcMs, mistakes)).join("")
  );
}

function oadrEvent(event: VtnEvent, venId: string, utcMs: number, mistakes: EventMistakes): string {
  const c = event.content;
  const descriptor = [
    leaf("ei:eventID", event.id),
    leaf("ei:modificationNumber", event.modification),
    event.modification === 0 ? "" : leaf("ei:modificationDateTime", dateTime(event.modifiedUtcMs)),
    leaf("ei:priority", c.priority),
    `<ei:eiMarketContext>${leaf("emix:marketContext", c.marketContext)}</ei:eiMarketContext>`,
    leaf("ei:createdDateTime", dateTime(event.createdUtcMs)),
    leaf("ei:eventStatus", statusOf(event, utcMs)),
    c.testEvent ? leaf("ei:testEvent", "true") : leaf("ei:testEvent", "false"),
    c.comment === "" ? "" : leaf("ei:vtnComment", c.comment),
  ];
  if (mistakes.wrongOrder) descriptor.reverse();
  const signals = c.signals.filter((s) => s.name in SIGNALS || s.name.startsWith("x-"));
  return (
    "<oadr:oadrEvent><ei:eiEvent>" +
    `<ei:eventDescriptor>${descriptor.join("")}</ei:eventDescriptor>` +
    `<ei:eiActivePeriod><xcal:properties>${activePeriod(event)}</xcal:properties><xcal:components/></ei:eiActivePeriod>` +
    `<ei:eiEventSignals>${signals.map((s, i) => eventSignal(event, s, i, utcMs, mistakes)).join("")}</ei:eiEventSignals>` +
    `<ei:eiTarget>${target(event, venId)}</ei:eiTarget>` +
    `</ei:eiEvent>${leaf("oadr:oadrResponseRequired", c.responseRequired)}</oadr:oadrEvent>`
  );
}

function activePeriod(event: VtnEvent): string {
  const c = event.content;
  const wrapped = (name: string, ms: number): string =>
    ms === 0 ? "" : `<${name}>${leaf("xcal:duration", duration(ms))}</${name}>`;
  return (
    `<xcal:dtstart>${leaf("xcal:date-time", dateTime(c.startUtcMs))}</xcal:dtstart>` +
    `<xcal:duration>${leaf("xcal:duration", duration(c.durationMs))}</xcal:duration>` +
    (c.startAfterMs === 0
      ? ""
      : `<xcal:tolerance><xcal:tolerate>${leaf("xcal:startafter", duration(c.startAfterMs))}</xcal:tolerate></xcal:tolerance>`) +
    wrapped("ei:x-eiNotification", c.notificationMs) +
    wrapped("ei:x-eiRampUp", c.rampUpMs) +
    wrapped("ei:x-eiRecovery", c.recoveryMs)
  );
}

function target(event: VtnEvent, venId: string): string {
  const t = event.content.targets;
  const others = t.groupIds.length + t.groupNames.length + t.resourceIds.length + t.partyIds.length;
  const venIds = t.venIds.length === 0 && others === 0 ? [venId] : t.venIds;
  return (
    t.groupIds.map((id) => leaf("ei:groupID", id)).join("") +
    t.groupNames.map((id) => leaf("ei:groupName", id)).join("") +
    t.resourceIds.map((id) => leaf("ei:resourceID", id)).join("") +
    venIds.map((id) => leaf("ei:venID", id)).join("") +
    t.partyIds.map((id) => leaf("ei:partyID", id)).join("")
  );
}

function eventSignal(
  event: VtnEvent,
  signal: VtnSignal,
  index: number,
  utcMs: number,
  mistakes: EventMistakes,
): string {
  const float = (value: number): string => `<ei:payloadFloat>${leaf("ei:value", value)}</ei:payloadFloat>`;
  const intervals = signal.intervals.map(
    (interval, uid) =>
      `<ei:interval><xcal:duration>${leaf("xcal:duration", duration(interval.durationMs))}</xcal:duration>` +
      `<xcal:uid>${leaf("xcal:text", uid)}</xcal:uid>` +
      `<ei:signalPayload>${float(interval.value)}</ei:signalPayload></ei:interval>`,
  );
  return (
    `<ei:eiEventSignal><strm:intervals>${intervals.join("")}</strm:intervals>` +
    leaf("ei:signalName", mistakes.unknownSignal ? "x-openucm-nobody-knows-this" : signal.name) +
    leaf("ei:signalType", signal.type) +
    leaf("ei:signalID", `${event.id}-${index}`) +
    itemBase(signal) +
    `<ei:currentValue>${float(valueAt(event, signal, utcMs))}</ei:currentValue></ei:eiEventSignal>`
  );
}

/** The unit of a payload that is a quantity; factors and levels have none. */
function itemBase(signal: VtnSignal): string {
  const family = SIGNALS[signal.name]?.unit ?? "none";
  const quantity = ["setpoint", "delta", "price", "priceRelative"].includes(signal.type);
  const asked = /^(k|M)?(Wh|W)$/.exec(signal.unit);
  const scale = asked?.[1] ?? "none";
  const unitless = family === "none" || !quantity;
  if (unitless && asked === null) return "";
  if (asked?.[2] === "Wh" || (asked === null && family === "energyReal")) {
    return `<power:energyReal>${item("RealEnergy", "Wh", scale, "power")}</power:energyReal>`;
  }
  if (asked?.[2] === "W" || family === "powerReal") {
    const attributes =
      "<power:powerAttributes><power:hertz>60</power:hertz><power:voltage>240</power:voltage><power:ac>true</power:ac></power:powerAttributes>";
    return `<power:powerReal>${item("RealPower", "W", scale, "power")}${attributes}</power:powerReal>`;
  }
  const currency = signal.unit === "" ? "USD" : signal.unit;
  return `<oadr:${family}>${item(family, currency, "none", "oadr")}</oadr:${family}>`;
}

function item(description: string, units: string, scale: string, prefix: string): string {
  return (
    `<${prefix}:itemDescription>${description}</${prefix}:itemDescription>` +
    `<${prefix}:itemUnits>${escapeXml(units)}</${prefix}:itemUnits>${leaf("scale:siScaleCode", scale)}`
  );
}

export interface EventAnswer {
  readonly eventId: string;
  readonly modification: number;
  readonly optType: "optIn" | "optOut";
  readonly code: string;
  readonly description: string;
}

/** The answers of an oadrCreatedEvent, or in words what it lacks. */
export function readCreatedEvent(message: XmlNode): readonly EventAnswer[] | string {
  const created = child(message, "eiCreatedEvent");
  if (textAt(created, "eiResponse", "responseCode") === undefined)
    return "eiCreatedEvent/eiResponse is missing";
  const answers: EventAnswer[] = [];
  for (const node of childrenOf(child(created, "eventResponses"), "eventResponse")) {
    const eventId = textAt(node, "qualifiedEventID", "eventID");
    const modification = textAt(node, "qualifiedEventID", "modificationNumber");
    const code = textAt(node, "responseCode");
    const optType = textAt(node, "optType");
    if (eventId === undefined || !/^\d+$/.test(modification ?? "") || !/^\d{3}$/.test(code ?? "")) {
      return "eventResponse lacks responseCode or qualifiedEventID";
    }
    if (optType !== "optIn" && optType !== "optOut")
      return "eventResponse/optType is neither optIn nor optOut";
    if (textAt(node, "requestID") === undefined) return "eventResponse/requestID is missing";
    answers.push({
      eventId,
      modification: Number(modification),
      optType,
      code: code!,
      description: textAt(node, "responseDescription") ?? "",
    });
  }
  return answers;
}
