/** What the VTN knows of one VEN. */
import type { EventAnswer } from "./ei-event.js";
import type { ReportOffer, ReportRequest } from "./ei-report.js";

export interface OptRecord {
  readonly optId: string;
  readonly optType: "optIn" | "optOut";
  readonly reason: string;
  /** Event that it is about; undefined for a schedule. */
  readonly eventId: string | undefined;
  readonly modification: number | undefined;
  readonly marketContext: string;
  /** Schedule: when it is (not) available. */
  readonly periods: readonly { readonly startUtcMs: number; readonly durationMs: number }[];
  readonly createdUtcMs: number;
  readonly receivedUtcMs: number;
}

/** Something that waits for the VEN's next poll: the payload's name and its inside. */
export interface QueuedMessage {
  readonly name: string;
  readonly inner: string;
}

export interface VenRecord {
  readonly venId: string;
  registrationId: string;
  readonly venName: string;
  /** Of its client certificate; undefined where the connection had none (virtual time). */
  fingerprint: string | undefined;
  readonly registeredUtcMs: number;
  lastSeenUtcMs: number;
  registrations: number;
  reportOnly: boolean;
  readonly queue: QueuedMessage[];
  /** Change number of the event store that it was last sent; −1 = never. */
  sentChange: number;
  /** The events that it was last sent, as ids and modifications. */
  sentSignature: string;
  sentUtcMs: number;
  /** Its latest answer for each event. */
  readonly answers: Map<string, EventAnswer & { readonly utcMs: number }>;
  /** Cancelled events that it has been told of and that need no more telling: id. */
  readonly told: Set<string>;
  readonly opts: Map<string, OptRecord>;
  offers: readonly ReportOffer[];
  readonly requests: Map<string, ReportRequest>;
}

export function newVen(
  venId: string,
  registrationId: string,
  venName: string,
  fingerprint: string | undefined,
  utcMs: number,
): VenRecord {
  return {
    venId,
    registrationId,
    venName,
    fingerprint,
    registeredUtcMs: utcMs,
    lastSeenUtcMs: utcMs,
    registrations: 1,
    reportOnly: false,
    queue: [],
    sentChange: -1,
    sentSignature: "",
    sentUtcMs: 0,
    answers: new Map(),
    told: new Set(),
    opts: new Map(),
    offers: [],
    requests: new Map(),
  };
}
