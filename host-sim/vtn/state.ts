/** What the services of the VTN share: options, events, VENs, what came in, and who wants to hear of it. */
import { type EventAnswer, NO_MISTAKES, type EventMistakes } from "./ei-event.js";
import type { ReportReceived } from "./ei-report.js";
import type { VtnEvent } from "./event.js";
import { EventStore } from "./event-store.js";
import type { OptRecord, VenRecord } from "./ven.js";
import { leaf, payload } from "./xml.js";

export interface VtnCoreOptions {
  /** Not lower-case: one well-known VEN insists. */
  readonly vtnId?: string;
  /** oadrRequestedOadrPollFreq, whole seconds. */
  readonly pollSeconds?: number;
  /** For events that name none. */
  readonly marketContext?: string;
  /** What is asked of a VEN when it registers its reports. */
  readonly requestReports?: "telemetry" | "all" | "none";
  /** Granularity and back duration of those requests. */
  readonly reportSeconds?: number;
  /** Refuse (452) a re-registration with IDs that are not known, instead of giving new ones. */
  readonly strictIds?: boolean;
  /** Makes a unique id; default counts up, which is what virtual time wants. */
  readonly newId?: (kind: string) => string;
}

/** What happened, for the page and for tests. */
export type VtnChange =
  | { readonly change: "event"; readonly item: VtnEvent }
  | { readonly change: "registered" | "unregistered"; readonly venId: string; readonly venName: string }
  | { readonly change: "answer"; readonly venId: string; readonly answer: EventAnswer }
  | { readonly change: "opt"; readonly venId: string; readonly opt: OptRecord; readonly cancelled: boolean }
  | { readonly change: "offers"; readonly venId: string }
  | { readonly change: "report"; readonly report: ReportReceived }
  | { readonly change: "callback-failed"; readonly url: string; readonly why: string }
  /** Every exchange: the names of what was asked and answered ("" where there was none). */
  | {
      readonly change: "exchange";
      readonly venId: string;
      readonly service: string;
      readonly request: string;
      readonly reply: string;
      readonly code: string;
    };

/** A reply before it becomes a document. */
export interface Reply {
  readonly name: string;
  readonly inner: string;
  /** responseCode inside. */
  readonly code: string;
}

/** Reports and answers kept; the oldest go first. */
const KEEP_REPORTS = 2000;

export class VtnState {
  readonly vtnId: string;
  readonly pollSeconds: number;
  readonly requestReports: "telemetry" | "all" | "none";
  readonly reportSeconds: number;
  readonly strictIds: boolean;
  readonly marketContext: string;
  readonly newId: (kind: string) => string;
  readonly events: EventStore;
  readonly vens = new Map<string, VenRecord>();
  readonly reports: ReportReceived[] = [];
  requireSignatures = false;
  mistakes: EventMistakes = NO_MISTAKES;
  readonly #listeners = new Set<(change: VtnChange) => void>();
  #nextId = 1;

  constructor(options: VtnCoreOptions) {
    this.vtnId = options.vtnId ?? "OPENUCM-BENCH-VTN";
    this.pollSeconds = Math.max(1, Math.round(options.pollSeconds ?? 10));
    this.requestReports = options.requestReports ?? "telemetry";
    this.reportSeconds = options.reportSeconds ?? 60;
    this.strictIds = options.strictIds ?? false;
    this.newId = options.newId ?? ((kind) => `${kind}-${this.#nextId++}`);
    this.marketContext = options.marketContext ?? "http://openucm.example/programme";
    this.events = new EventStore({
      marketContext: this.marketContext,
      newId: () => this.newId("event"),
    });
    this.events.onChange((event) => this.tell({ change: "event", item: event }));
  }

  onChange(listener: (change: VtnChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(change: VtnChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  keepReport(report: ReportReceived): void {
    this.reports.push(report);
    if (this.reports.length > KEEP_REPORTS) this.reports.shift();
    this.tell({ change: "report", report });
  }
}

/** eiResponse. */
export function eiResponse(code: string, requestId: string, description = "OK"): string {
  return (
    `<ei:eiResponse>${leaf("ei:responseCode", code)}${leaf("ei:responseDescription", description)}` +
    `${leaf("pyld:requestID", requestId)}</ei:eiResponse>`
  );
}

/** oadrResponse: nothing to say, or an error that has no message of its own. */
export function oadrResponse(code: string, requestId: string, venId?: string, description = "OK"): Reply {
  return {
    name: "oadrResponse",
    inner: eiResponse(code, requestId, description) + leaf("ei:venID", venId),
    code,
  };
}

export function toDocument(reply: Reply): string {
  return payload(reply.name, reply.inner);
}
