/** The event as the VTN keeps it. The same event goes out over OpenADR 2.0b and 3.1. */

export interface VtnInterval {
  /** 0 = open-ended; only in an event of one interval. */
  readonly durationMs: number;
  readonly value: number;
}

export interface VtnSignal {
  readonly name: string;
  readonly type: string;
  readonly intervals: readonly VtnInterval[];
  /** "W", "kW", "Wh", "kWh", or an ISO 4217 currency; "" for none. */
  readonly unit: string;
}

export interface VtnTargets {
  readonly venIds: readonly string[];
  readonly resourceIds: readonly string[];
  readonly groupIds: readonly string[];
  readonly groupNames: readonly string[];
  readonly partyIds: readonly string[];
}

/** What an event says; the part that a modification replaces. */
export interface EventContent {
  readonly startUtcMs: number;
  /** 0 = until cancelled. */
  readonly durationMs: number;
  readonly signals: readonly VtnSignal[];
  /** 0 = none given = lowest; else lower wins (2.0b). */
  readonly priority: number;
  readonly startAfterMs: number;
  readonly rampUpMs: number;
  readonly recoveryMs: number;
  readonly notificationMs: number;
  readonly testEvent: boolean;
  readonly marketContext: string;
  readonly responseRequired: "always" | "never";
  readonly comment: string;
  readonly targets: VtnTargets;
  /** Sent to every VEN although `targets.venIds` names others: to test a target mismatch. */
  readonly deliverToAll: boolean;
  /** OpenADR 3.1 only: the reports that the event asks for, as its API has them; null = the VTN's usual ones. */
  readonly reportDescriptors: readonly unknown[] | null;
}

export interface VtnEvent {
  readonly id: string;
  readonly modification: number;
  readonly createdUtcMs: number;
  readonly modifiedUtcMs: number;
  readonly cancelled: boolean;
  readonly content: EventContent;
}

export type EventStatus = "far" | "near" | "active" | "completed" | "cancelled";

/** A request that cannot be met: which field, and what to do about it. */
export interface FieldError {
  readonly field: string;
  readonly error: string;
}

export function isFieldError(value: unknown): value is FieldError {
  return typeof value === "object" && value !== null && "field" in value && "error" in value;
}

/** When the last VEN that obeys it has ended it (the random delay shifts the whole event); Infinity if open. */
export function endUtcMs(c: EventContent): number {
  return c.durationMs === 0 ? Number.POSITIVE_INFINITY : c.startUtcMs + c.durationMs + c.startAfterMs;
}

/** `near` begins a ramp-up before the start, as two other VTNs do it. */
export function statusOf(event: VtnEvent, utcMs: number): EventStatus {
  const c = event.content;
  if (event.cancelled) return "cancelled";
  if (utcMs >= endUtcMs(c)) return "completed";
  if (utcMs >= c.startUtcMs) return "active";
  return utcMs >= c.startUtcMs - Math.max(0, c.rampUpMs) ? "near" : "far";
}

/** The value of a signal at a time; 0 outside the event (2.0b rules 9, 14). */
export function valueAt(event: VtnEvent, signal: VtnSignal, utcMs: number): number {
  let at = event.content.startUtcMs;
  if (event.cancelled || utcMs < at) return 0;
  for (const interval of signal.intervals) {
    if (interval.durationMs === 0 || utcMs < at + interval.durationMs) return interval.value;
    at += interval.durationMs;
  }
  return 0;
}
