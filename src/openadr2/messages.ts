import type { PayloadName } from "./names.js";

/*
 * What a 2.0b server says, as plain data: only the fields that a VEN acts on. Texts are trimmed; "" stands
 * for an element that was absent or empty. Times in UTC ms, durations in ms.
 */

/** Bounds of one message. What is beyond them is counted, never stored. */
export const MAX_EVENTS = 8;
export const MAX_SIGNALS = 4;
export const MAX_INTERVALS = 96;
export const MAX_TARGETS = 16;
export const MAX_REPORT_REQUESTS = 8;
export const MAX_RIDS = 16;
/** Events beyond {@link MAX_EVENTS} of which at least id and modification are kept, to answer 469. */
export const MAX_EXCESS_EVENTS = 24;

export interface VtnSignal {
  name: string;
  type: string;
  /** One of `ITEMS`, "" for none. */
  item: string;
  units: string;
  scale: string;
  /** mrid of the device classes that it is meant for; empty = all. */
  deviceClasses: string[];
  /** Intervals so far. */
  count: number;
  /** Of each its duration (0 = open or absent) and its value; longer than is used. A slot of an array is twice as big. */
  numbers: Float64Array;
}

export interface VtnEvent {
  id: string;
  modification: number;
  priority: number;
  marketContext: string;
  createdUtcMs: number;
  status: string;
  test: boolean;
  startUtcMs: number | undefined;
  durationMs: number | undefined;
  startAfterMs: number;
  notificationMs: number;
  rampUpMs: number;
  signals: VtnSignal[];
  /** `venID:…`, `resourceID:…`, `groupID:…`, `groupName:…`, `partyID:…`. */
  targets: string[];
  answerWanted: boolean;
  /** Wrong data, in words; "" where none. Answered 454. */
  bad: string;
  /** Over a bound of ours, in words; "" where not. Answered 469. */
  over: string;
}

export interface ReportRequest {
  id: string;
  specifier: string;
  granularityMs: number;
  backMs: number;
  /** True where a reportInterval was given. */
  interval: boolean;
  startUtcMs: number | undefined;
  /** 0 = until cancelled. */
  durationMs: number;
  rids: string[];
  bad: string;
}

export interface VtnMessage {
  payload: PayloadName;
  requestId: string;
  /** "" where the payload has no eiResponse. */
  responseCode: string;
  responseDescription: string;
  responseRequestId: string;
  venId: string;
  vtnId: string;
  registrationId: string;
  /** Undefined where not given. */
  pollMs: number | undefined;
  /** `2.0b/simpleHttp` … */
  profiles: string[];
  events: VtnEvent[];
  excessEvents: { id: string; modification: number; answerWanted: boolean }[];
  reports: ReportRequest[];
  cancelReportIds: string[];
  reportToFollow: boolean;
  optId: string;
  signed: boolean;
}
