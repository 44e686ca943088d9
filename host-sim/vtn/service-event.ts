/** EiEvent: the list for a VEN, when it is due, and the VEN's answers. */
import { distributeEvent, readCreatedEvent, speaks20b } from "./ei-event.js";
import { type VtnEvent, statusOf } from "./event.js";
import { type Reply, type VtnState, oadrResponse } from "./state.js";
import type { VenRecord } from "./ven.js";
import { type XmlNode, textAt } from "./xml.js";

/** A cancelled event that nobody answers is dropped from the list after this. */
const FORGET_CANCELLED_MS = 15 * 60_000;

/** oadrRequestEvent and oadrCreatedEvent. */
export function eventService(
  state: VtnState,
  message: XmlNode,
  ven: VenRecord,
  requestId: string,
  utcMs: number,
): Reply {
  if (message.name === "oadrRequestEvent") {
    const limit = Number(textAt(message, "eiRequestEvent", "replyLimit") ?? Number.POSITIVE_INFINITY);
    return distribute(state, ven, requestId, utcMs, limit > 0 ? limit : Number.POSITIVE_INFINITY);
  }
  if (message.name !== "oadrCreatedEvent") return oadrResponse("200", requestId, ven.venId);
  const answers = readCreatedEvent(message);
  if (typeof answers === "string") return oadrResponse("459", requestId, ven.venId, answers);
  for (const answer of answers) {
    const event = state.events.get(answer.eventId);
    if (event === undefined)
      return oadrResponse("452", requestId, ven.venId, `event ${answer.eventId} is not known`);
    if (answer.modification > event.modification) {
      return oadrResponse(
        "450",
        requestId,
        ven.venId,
        `event ${event.id} has no modification ${answer.modification}`,
      );
    }
  }
  for (const answer of answers) {
    ven.answers.set(answer.eventId, { ...answer, utcMs: utcMs });
    const event = state.events.get(answer.eventId)!;
    if (event.cancelled && answer.modification === event.modification) ven.told.add(event.id);
    state.tell({ change: "answer", venId: ven.venId, answer });
  }
  return oadrResponse("200", requestId, ven.venId);
}

/** Sent on change only; and again where an answer is due and has not come (the reply may have been lost). */
export function eventsDue(state: VtnState, ven: VenRecord, utcMs: number): boolean {
  if (ven.reportOnly) return false;
  if (ven.sentSignature !== signature(state, ven)) return true;
  const patienceMs = Math.max(10_000, state.pollSeconds * 3000);
  if (utcMs - ven.sentUtcMs < patienceMs) return false;
  return eventsOf(state, ven, utcMs).some(
    (e) => e.content.responseRequired === "always" && ven.answers.get(e.id)?.modification !== e.modification,
  );
}

/** What the VEN would have to know: ids and modifications, whatever their time. */
function signature(state: VtnState, ven: VenRecord): string {
  if (ven.sentChange === state.events.change) return ven.sentSignature;
  return state.events
    .list()
    .filter((e) => isFor(e, ven) && !state.events.withdrawn(e.id))
    .map((e) => `${e.id}:${e.modification}`)
    .join(" ");
}

function eventsOf(state: VtnState, ven: VenRecord, utcMs: number): readonly VtnEvent[] {
  return state.events.current(utcMs).filter((e) => {
    const over = e.cancelled && utcMs - e.modifiedUtcMs > FORGET_CANCELLED_MS;
    return isFor(e, ven) && !over && !ven.told.has(e.id);
  });
}

/** oadrDistributeEvent with everything that the VEN has to know now. */
export function distribute(
  state: VtnState,
  ven: VenRecord,
  requestId: string,
  utcMs: number,
  limit = Number.POSITIVE_INFINITY,
): Reply {
  const events = eventsOf(state, ven, utcMs).slice(0, limit);
  ven.sentSignature = signature(state, ven);
  ven.sentChange = state.events.change;
  ven.sentUtcMs = utcMs;
  for (const e of events) {
    if (statusOf(e, utcMs) === "cancelled" && e.content.responseRequired === "never") ven.told.add(e.id);
  }
  const inner = distributeEvent(events, ven.venId, state.vtnId, requestId, utcMs, state.mistakes);
  return { name: "oadrDistributeEvent", inner, code: "200" };
}

function isFor(event: VtnEvent, ven: VenRecord): boolean {
  const { targets, deliverToAll } = event.content;
  return (
    speaks20b(event) && (deliverToAll || targets.venIds.length === 0 || targets.venIds.includes(ven.venId))
  );
}
