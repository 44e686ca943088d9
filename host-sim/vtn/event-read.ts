/** Reads what a person or a test asks for into an event; a wrong field is refused by name. */
import type { EventContent, FieldError, VtnInterval, VtnSignal, VtnTargets } from "./event.js";
import { checkReportDescriptors } from "./openadr3-check.js";
import { ALL_TYPES, OPENADR3_ONLY, SIGNALS } from "./signals.js";

const FIELDS = [
  "signal",
  "type",
  "level",
  "value",
  "unit",
  "intervals",
  "signals",
  "start",
  "startInSeconds",
  "durationSeconds",
  "openEnded",
  "priority",
  "startAfterSeconds",
  "rampUpSeconds",
  "recoverySeconds",
  "notificationSeconds",
  "testEvent",
  "marketContext",
  "responseRequired",
  "comment",
  "targets",
  "deliverToAll",
  "reportDescriptors",
];
const SIGNAL_FIELDS = ["signal", "type", "level", "value", "unit", "intervals"];
const TARGET_FIELDS = ["venIds", "resourceIds", "groupIds", "groupNames", "partyIds"] as const;
const DAY_S = 86_400;

/** Signals that a reader below throws to get out; never leaves this file. */
class Bad extends Error {
  constructor(
    readonly field: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Reads a request into the content of an event.
 * @param input what came in: anything
 * @param nowUtcMs for `startInSeconds`
 * @param base the event as it stands, for a modification: fields that are not given stay
 */
export function readEvent(
  input: unknown,
  nowUtcMs: number,
  defaultContext: string,
  base?: EventContent,
): EventContent | FieldError {
  try {
    return read(object(input, ""), nowUtcMs, defaultContext, base);
  } catch (error) {
    if (error instanceof Bad) return { field: error.field, error: error.message };
    throw error;
  }
}

type Raw = Readonly<Record<string, unknown>>;

function read(raw: Raw, nowUtcMs: number, context: string, base: EventContent | undefined): EventContent {
  known(raw, FIELDS, "");
  const startUtcMs = readStart(raw, nowUtcMs, base);
  const openEnded = bool(raw, "openEnded", false);
  const wantsSignal = SIGNAL_FIELDS.some((f) => raw[f] !== undefined) || raw["signals"] !== undefined;
  let durationMs =
    raw["durationSeconds"] === undefined ? undefined : whole(raw, "durationSeconds", 0, 366 * DAY_S) * 1000;
  if (openEnded && durationMs !== undefined && durationMs !== 0) {
    throw new Bad("openEnded", "give either openEnded or a durationSeconds above 0, not both");
  }
  if (openEnded) durationMs = 0;
  const oldDurationMs = base?.durationMs ?? 60_000;
  let signals: readonly VtnSignal[];
  if (wantsSignal || base === undefined) {
    signals = readSignals(raw, base, durationMs ?? impliedDuration(raw) ?? oldDurationMs);
  } else if (durationMs === undefined || durationMs === base.durationMs) {
    signals = base.signals;
  } else {
    signals = base.signals.map((s) => stretch(s, durationMs));
  }
  const total = sum(signals[0]!);
  for (const [i, s] of signals.entries()) {
    if (sum(s) !== total) {
      throw new Bad(
        `signals[${i}].intervals`,
        `lasts ${sum(s) / 1000} s where the first signal lasts ${total / 1000} s`,
      );
    }
  }
  return {
    startUtcMs,
    durationMs: total,
    signals,
    priority: whole(raw, "priority", 0, 0xffffffff, base?.priority ?? 0),
    startAfterMs: seconds(raw, "startAfterSeconds", 0, DAY_S, base?.startAfterMs),
    rampUpMs: seconds(raw, "rampUpSeconds", -DAY_S, DAY_S, base?.rampUpMs),
    recoveryMs: seconds(raw, "recoverySeconds", -DAY_S, DAY_S, base?.recoveryMs),
    notificationMs: seconds(raw, "notificationSeconds", 0, 30 * DAY_S, base?.notificationMs),
    testEvent: bool(raw, "testEvent", base?.testEvent ?? false),
    marketContext: string(raw, "marketContext", base?.marketContext ?? context),
    responseRequired: choice(
      raw,
      "responseRequired",
      ["always", "never"],
      base?.responseRequired ?? "always",
    ),
    comment: string(raw, "comment", base?.comment ?? ""),
    targets: raw["targets"] === undefined && base !== undefined ? base.targets : readTargets(raw["targets"]),
    deliverToAll: bool(raw, "deliverToAll", base?.deliverToAll ?? false),
    reportDescriptors: readReportDescriptors(raw, base),
  };
}

function readStart(raw: Raw, nowUtcMs: number, base: EventContent | undefined): number {
  if (raw["start"] !== undefined && raw["startInSeconds"] !== undefined) {
    throw new Bad("start", "give either start or startInSeconds, not both");
  }
  if (raw["start"] !== undefined) {
    const ms = typeof raw["start"] === "string" ? Date.parse(raw["start"]) : Number.NaN;
    if (Number.isNaN(ms)) throw new Bad("start", 'must be a date and time such as "2026-06-01T17:00:00Z"');
    return Math.floor(ms / 1000) * 1000;
  }
  if (raw["startInSeconds"] === undefined && base !== undefined) return base.startUtcMs;
  // Rounded up: the schema has whole seconds, and an event must not start before it was asked to.
  const inMs = number(raw, "startInSeconds", -30 * DAY_S, 366 * DAY_S, 0) * 1000;
  return Math.ceil((nowUtcMs + inMs) / 1000) * 1000;
}

/** Where intervals carry durations and the event none: their sum. */
function impliedDuration(raw: Raw): number | undefined {
  const first = Array.isArray(raw["signals"]) ? (raw["signals"][0] as unknown) : raw;
  const list = typeof first === "object" && first !== null ? (first as Raw)["intervals"] : undefined;
  if (!Array.isArray(list)) return undefined;
  let total = 0;
  for (const item of list as unknown[]) {
    const s = typeof item === "object" && item !== null ? (item as Raw)["durationSeconds"] : undefined;
    if (typeof s !== "number") return undefined;
    total += s * 1000;
  }
  return total;
}

function readSignals(raw: Raw, base: EventContent | undefined, durationMs: number): readonly VtnSignal[] {
  const list = raw["signals"];
  if (list === undefined) return [readSignal(raw, "", durationMs, base?.signals[0])];
  if (!Array.isArray(list) || list.length === 0)
    throw new Bad("signals", "must be a list of at least one signal");
  const both = SIGNAL_FIELDS.find((f) => raw[f] !== undefined);
  if (both !== undefined) throw new Bad(both, "stands inside each entry of signals when signals is given");
  return list.map((item, i) => {
    const one = object(item, `signals[${i}]`);
    known(one, SIGNAL_FIELDS, `signals[${i}].`);
    return readSignal(one, `signals[${i}].`, durationMs, undefined);
  });
}

function readSignal(raw: Raw, at: string, durationMs: number, base: VtnSignal | undefined): VtnSignal {
  const name = string(raw, "signal", base?.name ?? "SIMPLE", at);
  const kind = SIGNALS[name];
  const types =
    kind?.types ?? (name.startsWith("x-") ? ALL_TYPES : OPENADR3_ONLY.includes(name) ? ["value"] : undefined);
  if (types === undefined) {
    throw new Bad(
      `${at}signal`,
      `unknown; known are ${Object.keys(SIGNALS).join(", ")}, the payload types of OpenADR 3.1, and x-… extensions`,
    );
  }
  const keep = base !== undefined && base.name === name;
  const type = choice(raw, "type", types, keep ? base.type : types[0]!, at);
  if (raw["level"] !== undefined && raw["value"] !== undefined) {
    throw new Bad(`${at}level`, "level and value mean the same: give one");
  }
  const field = raw["level"] !== undefined ? "level" : "value";
  const simple = name.toUpperCase() === "SIMPLE";
  const check = (value: number, where: string): number => {
    if (simple && ![0, 1, 2, 3].includes(value)) throw new Bad(where, "must be 0, 1, 2 or 3 for SIMPLE");
    return value;
  };
  let intervals: readonly VtnInterval[];
  const list = raw["intervals"];
  if (list !== undefined) {
    if (raw[field] !== undefined) throw new Bad(`${at}${field}`, "stands inside each entry of intervals");
    if (!Array.isArray(list) || list.length === 0 || list.length > 10_000) {
      throw new Bad(`${at}intervals`, "must be a list of 1 to 10000 intervals");
    }
    intervals = list.map((item, i) =>
      readInterval(item, `${at}intervals[${i}]`, list.length, durationMs, check),
    );
    const total = intervals.reduce((ms, x) => ms + x.durationMs, 0);
    if (total !== durationMs) {
      throw new Bad(
        `${at}intervals`,
        `last ${total / 1000} s together where the event lasts ${durationMs / 1000} s`,
      );
    }
  } else if (raw[field] === undefined && keep) {
    return { ...stretch(base, durationMs), type, unit: string(raw, "unit", base.unit, at) };
  } else {
    const value = check(number(raw, field, -1e12, 1e12, undefined, at), `${at}${field}`);
    intervals = [{ durationMs, value }];
  }
  return { name, type, intervals, unit: string(raw, "unit", keep ? base.unit : "", at) };
}

function readInterval(
  item: unknown,
  at: string,
  count: number,
  durationMs: number,
  check: (value: number, where: string) => number,
): VtnInterval {
  const raw = object(item, at);
  known(raw, ["durationSeconds", "value", "level"], `${at}.`);
  const field = raw["level"] !== undefined ? "level" : "value";
  const value = check(number(raw, field, -1e12, 1e12, undefined, `${at}.`), `${at}.${field}`);
  const even = durationMs % (count * 1000) === 0;
  if (raw["durationSeconds"] === undefined && even) return { durationMs: durationMs / count, value };
  const min = count === 1 ? 0 : 1;
  return { durationMs: whole(raw, "durationSeconds", min, 366 * DAY_S, undefined, `${at}.`) * 1000, value };
}

/** The same signal over another duration: its last interval takes up the difference. */
function stretch(signal: VtnSignal, durationMs: number): VtnSignal {
  if (sum(signal) === durationMs) return signal;
  const kept: VtnInterval[] = [];
  let at = 0;
  for (const interval of signal.intervals) {
    if (kept.length > 0 && at >= durationMs) break;
    kept.push({ ...interval, durationMs: Math.min(interval.durationMs, durationMs - at) });
    at += interval.durationMs;
  }
  const last = kept.pop()!;
  const before = kept.reduce((ms, x) => ms + x.durationMs, 0);
  return { ...signal, intervals: [...kept, { ...last, durationMs: Math.max(0, durationMs - before) }] };
}

function sum(signal: VtnSignal): number {
  return signal.intervals.reduce((ms, x) => ms + x.durationMs, 0);
}

function readReportDescriptors(raw: Raw, base: EventContent | undefined): readonly unknown[] | null {
  const value = raw["reportDescriptors"];
  if (value === undefined) return base?.reportDescriptors ?? null;
  const fault = checkReportDescriptors(value);
  if (fault !== undefined) throw new Bad("reportDescriptors", fault);
  return value as readonly unknown[] | null;
}

function readTargets(input: unknown): VtnTargets {
  const raw = input === undefined ? {} : object(input, "targets");
  known(raw, [...TARGET_FIELDS], "targets.");
  const list = (field: string): readonly string[] => {
    const value = raw[field] ?? [];
    if (!Array.isArray(value) || value.some((x) => typeof x !== "string")) {
      throw new Bad(`targets.${field}`, "must be a list of strings");
    }
    return value as string[];
  };
  return {
    venIds: list("venIds"),
    resourceIds: list("resourceIds"),
    groupIds: list("groupIds"),
    groupNames: list("groupNames"),
    partyIds: list("partyIds"),
  };
}

function object(value: unknown, at: string): Raw {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Bad(at, "must be a JSON object");
  }
  return value as Raw;
}

function known(raw: Raw, fields: readonly string[], at: string): void {
  const bad = Object.keys(raw).find((key) => !fields.includes(key));
  if (bad !== undefined) throw new Bad(at + bad, `unknown field; known are ${fields.join(", ")}`);
}

function number(raw: Raw, field: string, min: number, max: number, fallback?: number, at = ""): number {
  const value = raw[field] ?? fallback;
  if (typeof value !== "number" || !Number.isFinite(value) || value < min || value > max) {
    throw new Bad(
      at + field,
      value === undefined ? "is missing: give a number" : `must be a number from ${min} to ${max}`,
    );
  }
  return value;
}

/** The schema's durations have whole seconds, its numbers are integers. */
function whole(raw: Raw, field: string, min: number, max: number, fallback?: number, at = ""): number {
  const value = number(raw, field, min, max, fallback, at);
  if (!Number.isInteger(value)) throw new Bad(at + field, "must be a whole number");
  return value;
}

/** Seconds in, milliseconds out. */
function seconds(raw: Raw, field: string, min: number, max: number, fallbackMs: number | undefined): number {
  return whole(raw, field, min, max, (fallbackMs ?? 0) / 1000) * 1000;
}

function bool(raw: Raw, field: string, fallback: boolean): boolean {
  const value = raw[field] ?? fallback;
  if (typeof value !== "boolean") throw new Bad(field, "must be true or false");
  return value;
}

function string(raw: Raw, field: string, fallback: string, at = ""): string {
  const value = raw[field] ?? fallback;
  if (typeof value !== "string" || value.length > 10_000) throw new Bad(at + field, "must be a string");
  return value;
}

function choice<T extends string>(raw: Raw, field: string, of: readonly T[], fallback: T, at = ""): T {
  const value = raw[field] ?? fallback;
  if (typeof value !== "string" || !(of as readonly string[]).includes(value)) {
    throw new Bad(at + field, `must be one of ${of.join(", ")}`);
  }
  return value as T;
}
