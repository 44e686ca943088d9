/**
 * Time zones by the POSIX TZ string (IEEE Std 1003.1, 8.3): `AEST-10AEDT,M10.1.0,M4.1.0/3`. The only time
 * zone data that the module needs: no database, no `Date`, no `Intl`. Offsets here are seconds *east* of UTC,
 * the opposite of the string's sign.
 *
 * Accepted: quoted names `<+0330>-3:30`, rules Mm.w.d, Jn and n, rule times −167…167 h as TZif version 3 has
 * them. A summer name without rules uses the American ones, as common libraries do.
 */
import { daysFromCivil, daysInMonth, civilFromDays, weekday } from "./iso8601.js";

type Rule =
  | { readonly kind: "month"; readonly month: number; readonly week: number; readonly day: number }
  /** 1…365, February 29 never counted. */
  | { readonly kind: "julian"; readonly day: number }
  /** 0…365, February 29 counted. */
  | { readonly kind: "zero-based"; readonly day: number };

interface Edge {
  readonly rule: Rule;
  /** Seconds after local midnight, of the time in force before the edge. */
  readonly atS: number;
}

export interface PosixZone {
  readonly standardOffsetS: number;
  readonly summer: { readonly offsetS: number; readonly starts: Edge; readonly ends: Edge } | undefined;
}

export interface LocalTime {
  /** Seconds east of UTC, summer time included. */
  readonly offsetS: number;
  /** The part of it that is summer time, seconds. */
  readonly dstS: number;
  /** 0 = Sunday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

/** Reads a TZ string; undefined where it is none. */
export function parsePosixTz(text: string): PosixZone | undefined {
  if (text.length > 64) return undefined;
  const reader = { rest: text };
  if (!takeName(reader)) return undefined;
  const west = takeTime(reader, 24);
  if (west === undefined) return undefined;
  const standardOffsetS = -west;
  if (reader.rest === "") return { standardOffsetS, summer: undefined };
  if (!takeName(reader)) return undefined;
  let offsetS = standardOffsetS + 3600;
  if (reader.rest !== "" && !reader.rest.startsWith(",")) {
    const summerWest = takeTime(reader, 24);
    if (summerWest === undefined) return undefined;
    offsetS = -summerWest;
  }
  if (reader.rest === "") reader.rest = ",M3.2.0,M11.1.0";
  const starts = takeEdge(reader);
  const ends = starts && takeEdge(reader);
  if (starts === undefined || ends === undefined || reader.rest !== "") return undefined;
  return { standardOffsetS, summer: { offsetS, starts, ends } };
}

/** Local time of a zone at a UTC instant, ms. */
export function localTime(zone: PosixZone, utcMs: number): LocalTime {
  const offsetS = offsetAt(zone, Math.floor(utcMs / 1000));
  const localS = Math.floor(utcMs / 1000) + offsetS;
  const days = Math.floor(localS / 86_400);
  const ofDay = localS - days * 86_400;
  return {
    offsetS,
    dstS: offsetS - zone.standardOffsetS,
    weekday: weekday(days),
    hour: Math.floor(ofDay / 3600),
    minute: Math.floor((ofDay % 3600) / 60),
  };
}

function offsetAt(zone: PosixZone, utcS: number): number {
  const { standardOffsetS, summer } = zone;
  if (summer === undefined) return standardOffsetS;
  const year = civilFromDays(Math.floor((utcS + standardOffsetS) / 86_400)).year;
  const startS = edgeS(summer.starts, year) - standardOffsetS;
  const endS = edgeS(summer.ends, year) - summer.offsetS;
  const inSummer = startS < endS ? utcS >= startS && utcS < endS : utcS >= startS || utcS < endS;
  return inSummer ? summer.offsetS : standardOffsetS;
}

/** Local seconds since 1970 at which an edge falls in a year. */
function edgeS(edge: Edge, year: number): number {
  return dayOf(edge.rule, year) * 86_400 + edge.atS;
}

function dayOf(rule: Rule, year: number): number {
  const newYear = daysFromCivil(year, 1, 1);
  if (rule.kind === "zero-based") return newYear + rule.day;
  if (rule.kind === "julian") {
    const afterFebruary = rule.day > 59 && daysInMonth(year, 2) === 29 ? 1 : 0;
    return newYear + rule.day - 1 + afterFebruary;
  }
  const first = daysFromCivil(year, rule.month, 1);
  let day = first + ((rule.day - weekday(first) + 7) % 7) + (rule.week - 1) * 7;
  if (day >= first + daysInMonth(year, rule.month)) day -= 7;
  return day;
}

interface Reader {
  rest: string;
}

function take(reader: Reader, pattern: RegExp): RegExpExecArray | undefined {
  const found = pattern.exec(reader.rest);
  if (found === null) return undefined;
  reader.rest = reader.rest.slice(found[0].length);
  return found;
}

function takeName(reader: Reader): boolean {
  return take(reader, /^(?:[A-Za-z]{3,10}|<[A-Za-z0-9+-]{3,10}>)/) !== undefined;
}

function takeTime(reader: Reader, maxHours: number): number | undefined {
  const found = take(reader, /^([+-])?(\d{1,3})(?::(\d\d)(?::(\d\d))?)?/);
  if (found === undefined) return undefined;
  const hours = Number(found[2]);
  const minutes = Number(found[3] ?? 0);
  const seconds = Number(found[4] ?? 0);
  if (hours > maxHours || minutes > 59 || seconds > 59) return undefined;
  const size = hours * 3600 + minutes * 60 + seconds;
  return found[1] === "-" ? -size : size;
}

function takeEdge(reader: Reader): Edge | undefined {
  const found = take(reader, /^,(?:M(\d{1,2})\.([1-5])\.([0-6])|(J?)(\d{1,3}))(\/)?/);
  if (found === undefined) return undefined;
  const rule = ruleOf(found);
  const atS = found[6] === undefined ? 7200 : takeTime(reader, 167);
  return rule === undefined || atS === undefined ? undefined : { rule, atS };
}

function ruleOf(found: RegExpExecArray): Rule | undefined {
  if (found[1] !== undefined) {
    const month = Number(found[1]);
    if (month < 1 || month > 12) return undefined;
    return { kind: "month", month, week: Number(found[2]), day: Number(found[3]) };
  }
  const day = Number(found[5]);
  if (day > 365) return undefined;
  if (found[4] === "J") return day < 1 ? undefined : { kind: "julian", day };
  return { kind: "zero-based", day };
}
