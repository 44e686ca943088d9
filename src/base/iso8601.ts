/**
 * ISO 8601 date-times and durations as OpenADR 2.0b, OpenADR 3 and OCPP write them, to and from integer
 * milliseconds, without `Date`. Days are proleptic Gregorian and counted from 1970-01-01.
 *
 * Accepted beyond the letter of the 2.0b schema (docs/openadr, "real peers"): offsets, no zone (= UTC), a
 * space for the `T`, bare `P` and `PT`, weeks without `P`. Emitted: `YYYY-MM-DDThh:mm:ssZ` and `PTnHnMnS`.
 */

export const SECOND_MS = 1000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** The units of a duration in their order: M is months before the days and minutes after them. */
const UNITS = "YMWDHMS";
const UNIT_MS = [365 * DAY_MS, 30 * DAY_MS, 7 * DAY_MS, DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS];
const FIRST_TIME_UNIT = 4;

/** UTC ms of 2000-01-01T00:00:00Z, the epoch of CTA-2045 event times. */
export const EPOCH_2000_MS = 946_684_800_000;

export interface CivilDate {
  readonly year: number;
  /** 1…12. */
  readonly month: number;
  /** 1…31. */
  readonly day: number;
}

/** Days from 1970-01-01 of a civil date; any integers, so that month 13 or day 0 roll over as expected. */
export function daysFromCivil(year: number, month: number, day: number): number {
  // Counted in years that begin in March, so that the leap day is the last day of its year.
  const months = year * 12 + (month - 1) - 2;
  const y = Math.floor(months / 12);
  const m = months - y * 12;
  const leapDays = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return y * 365 + leapDays + Math.floor((m * 153 + 2) / 5) + day - 1 - 719_468;
}

/** The civil date of a day counted from 1970-01-01. */
export function civilFromDays(days: number): CivilDate {
  const shifted = Math.floor(days) + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const m = Math.floor((5 * dayOfYear + 2) / 153);
  const month = m < 10 ? m + 3 : m - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * m + 2) / 5) + 1,
  };
}

/** Day of the week of a day counted from 1970-01-01: 0 = Sunday … 6 = Saturday. */
export function weekday(days: number): number {
  return (((Math.floor(days) + 4) % 7) + 7) % 7;
}

/** Days in a month, 1…12. */
export function daysInMonth(year: number, month: number): number {
  return daysFromCivil(year, month + 1, 1) - daysFromCivil(year, month, 1);
}

/**
 * Reads a text by hand: a regular expression would be compiled anew for each date, 2.5 KB on the device's heap,
 * because a preloaded module may not hold one.
 */
class Scanner {
  at = 0;

  constructor(readonly text: string) {}

  get done(): boolean {
    return this.at >= this.text.length;
  }

  /** The number of `min` to `max` digits that stands here, or −1. */
  digits(min: number, max: number): number {
    let value = 0;
    let n = 0;
    for (; n < max; n++) {
      const digit = this.text.charCodeAt(this.at + n) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    if (n < min) return -1;
    this.at += n;
    return value;
  }

  /** Steps over one of `characters`; answers it, or "". */
  one(characters: string): string {
    const here = this.text.charAt(this.at);
    if (here === "" || !characters.includes(here)) return "";
    this.at++;
    return here;
  }

  /** `.5` as 0.5; 0 where no fraction stands here; −1 for a point without digits. */
  fraction(max: number): number {
    if (this.one(".,") === "") return 0;
    const from = this.at;
    const value = this.digits(1, max);
    return value < 0 ? -1 : value / 10 ** (this.at - from);
  }
}

/**
 * UTC milliseconds of an ISO date-time, or undefined where it is none. Fractions beyond the millisecond are
 * cut; no zone means UTC; second 60 and 24:00:00 are the next second and day, as they should be.
 */
export function parseDateTime(text: string): number | undefined {
  if (text.length > 48) return undefined;
  const scan = new Scanner(text.trim());
  const year = scan.digits(4, 4);
  if (scan.one("-") === "") return undefined;
  const month = scan.digits(2, 2);
  if (scan.one("-") === "") return undefined;
  const day = scan.digits(2, 2);
  if (scan.one("Tt ") === "") return undefined;
  const hour = scan.digits(2, 2);
  if (scan.one(":") === "") return undefined;
  const minute = scan.digits(2, 2);
  let second = 0;
  let fraction = 0;
  if (scan.one(":") !== "") {
    second = scan.digits(2, 2);
    fraction = scan.fraction(12);
  }
  const offsetMs = zoneOffset(scan);
  if (offsetMs === undefined || year < 0 || hour < 0 || minute < 0 || second < 0 || fraction < 0)
    return undefined;
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (minute > 59 || second > 60 || hour > 24 || (hour === 24 && (minute > 0 || second > 0)))
    return undefined;
  const fractionMs = Math.floor(fraction * 1000 + 1e-6);
  if (hour === 24 && fractionMs > 0) return undefined;
  return (
    daysFromCivil(year, month, day) * DAY_MS +
    hour * HOUR_MS +
    minute * MINUTE_MS +
    second * SECOND_MS +
    fractionMs -
    offsetMs
  );
}

/** What is left of the text as a zone, ms east of UTC: nothing, `Z`, `±hh`, `±hhmm` or `±hh:mm`. */
function zoneOffset(scan: Scanner): number | undefined {
  if (scan.done) return 0;
  const sign = scan.one("Zz+-");
  if (sign === "Z" || sign === "z") return scan.done ? 0 : undefined;
  const hours = sign === "" ? -1 : scan.digits(2, 2);
  let minutes = 0;
  if (!scan.done) {
    scan.one(":");
    minutes = scan.digits(2, 2);
  }
  if (!scan.done || hours < 0 || hours > 14 || minutes < 0 || minutes > 59) return undefined;
  return (hours * 60 + minutes) * MINUTE_MS * (sign === "-" ? -1 : 1);
}

/** `YYYY-MM-DDThh:mm:ssZ`, with `.mmm` where the milliseconds are not zero. Years 0…9999. */
export function formatDateTime(utcMs: number): string {
  const days = Math.floor(utcMs / DAY_MS);
  const ms = Math.floor(utcMs) - days * DAY_MS;
  const date = civilFromDays(days);
  const fraction = ms % SECOND_MS;
  return (
    `${padded(date.year, 4)}-${padded(date.month, 2)}-${padded(date.day, 2)}` +
    `T${padded(Math.floor(ms / HOUR_MS), 2)}:${padded(Math.floor(ms / MINUTE_MS) % 60, 2)}` +
    `:${padded(Math.floor(ms / SECOND_MS) % 60, 2)}${fraction > 0 ? `.${padded(fraction, 3)}` : ""}Z`
  );
}

function padded(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

/**
 * Milliseconds of an ISO duration, or undefined where it is none. A year counts 365 and a month 30 days:
 * both occur only as "long" (`P9999Y` = for ever), for which see the caller. May be negative.
 */
export function parseDuration(text: string): number | undefined {
  if (text.length > 48) return undefined;
  const scan = new Scanner(text.trim());
  const negative = scan.one("+-") === "-";
  /** Without its `P` only weeks are a duration: `5W`. */
  const bare = scan.one("P") === "";
  let ms = 0;
  let timed = false;
  /** The first unit that may still come: they stand in order, each once. */
  let unit = bare ? UNITS.indexOf("W") : 0;
  if (bare && scan.done) return undefined;
  while (!scan.done) {
    // Some peers leave the `T` out; none may stand where a time has begun.
    if (!timed && unit <= FIRST_TIME_UNIT && !bare && scan.one("T") !== "") {
      timed = true;
      unit = FIRST_TIME_UNIT;
      continue;
    }
    const value = scan.digits(1, 48);
    const wholeEnd = scan.at;
    const fraction = scan.fraction(48);
    const pointed = scan.at !== wholeEnd;
    const letter = scan.one(bare ? "W" : pointed ? "S" : UNITS);
    const index = letter === "" ? -1 : UNITS.indexOf(letter, unit);
    if (value < 0 || fraction < 0 || index < 0) return undefined;
    ms += value * UNIT_MS[index]! + Math.floor(fraction * 1000 + 1e-6);
    unit = index + 1;
  }
  if (ms > Number.MAX_SAFE_INTEGER) return undefined;
  return negative && ms > 0 ? -ms : ms;
}

/** `PTnHnMnS` without the parts that are zero; `PT0S` for zero; finite input. */
export function formatDuration(ms: number): string {
  const size = Math.abs(Math.trunc(ms));
  if (size === 0) return "PT0S";
  const hours = Math.floor(size / HOUR_MS);
  const minutes = Math.floor(size / MINUTE_MS) % 60;
  const seconds = Math.floor(size / SECOND_MS) % 60;
  const fraction = size % SECOND_MS;
  let text = ms < 0 ? "-PT" : "PT";
  if (hours > 0) text += `${String(hours)}H`;
  if (minutes > 0) text += `${String(minutes)}M`;
  if (seconds > 0 || fraction > 0) {
    text += `${String(seconds)}${fraction > 0 ? `.${padded(fraction, 3)}` : ""}S`;
  }
  return text;
}
