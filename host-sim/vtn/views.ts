/** Events and VENs as the API and the page show them: plain JSON, times in UTC ms. */
import { type EventStatus, type VtnEvent, type VtnSignal, statusOf, valueAt } from "./event.js";
import type { Vtn3Core } from "./openadr3-core.js";
import type { Stored } from "./openadr3-types.js";
import type { VtnState } from "./state.js";
import type { OptRecord, VenRecord } from "./ven.js";

export interface EventView {
  readonly id: string;
  readonly modification: number;
  readonly status: EventStatus | "withdrawn";
  /** Of the first signal. */
  readonly signal: string;
  readonly type: string;
  /** Of the first signal: in force now, else of its first interval. */
  readonly level: number;
  readonly startUtcMs: number;
  /** null = open-ended. */
  readonly endUtcMs: number | null;
  readonly priority: number;
  readonly testEvent: boolean;
  readonly marketContext: string;
  readonly signals: readonly VtnSignal[];
  /** The latest word of any VEN: optIn, optOut or "". */
  readonly response: string;
  readonly answers: readonly {
    readonly venId: string;
    readonly modification: number;
    readonly optType: string;
    readonly code: string;
    readonly utcMs: number;
  }[];
}

export function eventView(state: VtnState, event: VtnEvent, utcMs: number): EventView {
  const c = event.content;
  const first = c.signals[0]!;
  const status = statusOf(event, utcMs);
  const answers = [];
  let response = "";
  let responseUtcMs = Number.NEGATIVE_INFINITY;
  for (const ven of state.vens.values()) {
    const answer = ven.answers.get(event.id);
    if (answer !== undefined) {
      const { modification, optType, code, utcMs: at } = answer;
      answers.push({ venId: ven.venId, modification, optType, code, utcMs: at });
      if (at >= responseUtcMs) [response, responseUtcMs] = [optType, at];
    }
    for (const opt of ven.opts.values()) {
      if (opt.eventId === event.id && opt.receivedUtcMs >= responseUtcMs) {
        [response, responseUtcMs] = [opt.optType, opt.receivedUtcMs];
      }
    }
  }
  return {
    id: event.id,
    modification: event.modification,
    status: state.events.withdrawn(event.id) ? "withdrawn" : status,
    signal: first.name,
    type: first.type,
    level: status === "active" ? valueAt(event, first, utcMs) : first.intervals[0]!.value,
    startUtcMs: c.startUtcMs,
    endUtcMs: c.durationMs === 0 ? null : c.startUtcMs + c.durationMs,
    priority: c.priority,
    testEvent: c.testEvent,
    marketContext: c.marketContext,
    signals: c.signals,
    response,
    answers,
  };
}

export interface VenView {
  readonly protocol: "openadr2b" | "openadr3";
  readonly venId: string;
  readonly venName: string;
  readonly registrationId: string;
  readonly fingerprint: string;
  readonly registeredUtcMs: number;
  readonly lastSeenUtcMs: number;
  readonly registrations: number;
  readonly reportOnly: boolean;
  /** Reports that it offers, and those that were asked of it. */
  readonly offers: VenRecord["offers"];
  readonly requests: readonly unknown[];
  readonly opts: readonly OptRecord[];
}

export function venView(ven: VenRecord): VenView {
  return {
    protocol: "openadr2b",
    venId: ven.venId,
    venName: ven.venName,
    registrationId: ven.registrationId,
    fingerprint: ven.fingerprint ?? "",
    registeredUtcMs: ven.registeredUtcMs,
    lastSeenUtcMs: ven.lastSeenUtcMs,
    registrations: ven.registrations,
    reportOnly: ven.reportOnly,
    offers: ven.offers,
    requests: [...ven.requests.values()],
    opts: [...ven.opts.values()],
  };
}

/** A VEN object of OpenADR 3.1; what that protocol has not is empty. */
export function ven3View(ven: Stored, core3: Vtn3Core): VenView {
  const clientId = String(ven["clientID"]);
  const registeredUtcMs = Date.parse(ven.createdDateTime);
  return {
    protocol: "openadr3",
    venId: ven.id,
    venName: String(ven["venName"]),
    registrationId: clientId,
    fingerprint: "",
    registeredUtcMs,
    lastSeenUtcMs: core3.lastSeenUtcMs(clientId) ?? registeredUtcMs,
    registrations: 1,
    reportOnly: false,
    offers: [],
    requests: [],
    opts: [],
  };
}
