/** The hand-written readers of dates and durations against regular expressions that say the same. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { daysFromCivil, daysInMonth, parseDateTime, parseDuration } from "../../src/base/iso8601.js";

const DATE =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?([Zz]|[+-]\d\d(?::?\d\d)?)?$/;
const DURATION =
  /^([+-])?(?:P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d+))?S)?)|(\d+)W)$/;

function oracleDate(text: string): number | undefined {
  const part = text.length > 48 ? null : DATE.exec(text.trim());
  if (part === null) return undefined;
  const [year, month, day, hour, minute] = part.slice(1, 6).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const second = Number(part[6] ?? 0);
  const ms = Math.floor(Number(`0.${part[7] ?? "0"}`) * 1000 + 1e-6);
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (minute > 59 || second > 60 || hour > 24 || (hour === 24 && minute + second + ms > 0)) return undefined;
  const zone = part[8] ?? "Z";
  let offset = 0;
  if (zone.length > 1) {
    const minutes = zone.length > 3 ? Number(zone.slice(-2)) : 0;
    const hours = Number(zone.slice(1, 3));
    if (hours > 14 || minutes > 59) return undefined;
    offset = (hours * 60 + minutes) * (zone[0] === "-" ? -1 : 1);
  }
  return (
    daysFromCivil(year, month, day) * 86_400_000 + ((hour * 60 + minute - offset) * 60 + second) * 1000 + ms
  );
}

function oracleDuration(text: string): number | undefined {
  const part = text.length > 48 ? null : DURATION.exec(text.trim());
  if (part === null) return undefined;
  const n = (i: number): number => Number(part[i] ?? 0);
  const days = n(2) * 365 + n(3) * 30 + (n(4) + n(10)) * 7 + n(5);
  const ms =
    ((days * 24 + n(6)) * 60 + n(7)) * 60_000 +
    n(8) * 1000 +
    Math.floor(Number(`0.${part[9] ?? "0"}`) * 1000 + 1e-6);
  if (ms > Number.MAX_SAFE_INTEGER) return undefined;
  return part[1] === "-" && ms > 0 ? -ms : ms;
}

const good = [
  "2026-11-21T01:02:03Z",
  "2026-11-21T01:02:03.123456+05:30",
  "2024-02-29 24:00",
  "P1Y2M3W4DT5H6M7.5S",
  "PT5M",
  "-P5W",
  "5W",
  "P",
  "PT",
  "P1D2H",
  "P1M2M",
];
/** A good text with a few characters changed, dropped or put in. */
const mutated = fc
  .tuple(
    fc.constantFrom(...good),
    fc.array(fc.tuple(fc.nat(30), fc.constantFrom(..."0123456789-+:.,TZPYMWDHS ", "")), { maxLength: 3 }),
  )
  .map(([text, edits]) =>
    edits.reduce((t, [at, c]) => t.slice(0, at) + c + t.slice(at + (c === "" ? 1 : at % 2)), text),
  );

describe("ISO 8601 by hand", () => {
  it("reads dates as the expression does", () => {
    fc.assert(
      fc.property(mutated, (text) => {
        expect([text, parseDateTime(text)]).toEqual([text, oracleDate(text)]);
      }),
      { numRuns: 20_000, seed: 1 },
    );
  });
  it("reads durations as the expression does", () => {
    fc.assert(
      fc.property(mutated, (text) => {
        expect([text, parseDuration(text)]).toEqual([text, oracleDuration(text)]);
      }),
      { numRuns: 20_000, seed: 2 },
    );
  });
});
