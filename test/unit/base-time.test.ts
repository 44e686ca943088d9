import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffCeilingMs, backoffMs } from "../../src/base/backoff.js";
import {
  civilFromDays,
  DAY_MS,
  daysFromCivil,
  daysInMonth,
  formatDateTime,
  formatDuration,
  parseDateTime,
  parseDuration,
  weekday,
} from "../../src/base/iso8601.js";
import { seededRandom, uniformInt } from "../../src/base/random.js";

describe("ISO 8601 date-times", () => {
  it.each([
    ["1970-01-01T00:00:00Z", 0],
    ["2026-11-21T01:36:05Z", Date.UTC(2026, 10, 21, 1, 36, 5)],
    ["2026-11-21T01:36:05.25Z", Date.UTC(2026, 10, 21, 1, 36, 5, 250)],
    ["2026-11-21T01:36:05.123999Z", Date.UTC(2026, 10, 21, 1, 36, 5, 123)],
    ["2026-11-21T01:36:05.001Z", Date.UTC(2026, 10, 21, 1, 36, 5, 1)],
    ["2026-11-21T01:36:05", Date.UTC(2026, 10, 21, 1, 36, 5)],
    ["2026-11-21T01:36Z", Date.UTC(2026, 10, 21, 1, 36)],
    ["2026-11-21T01:36:05+10:30", Date.UTC(2026, 10, 20, 15, 6, 5)],
    ["2026-11-21T01:36:05-0800", Date.UTC(2026, 10, 21, 9, 36, 5)],
    ["2026-11-21T01:36:05+01", Date.UTC(2026, 10, 21, 0, 36, 5)],
    ["2016-12-31T23:59:60Z", Date.UTC(2017, 0, 1)],
    ["2026-11-21T24:00:00Z", Date.UTC(2026, 10, 22)],
    ["2024-02-29t12:00:00z", Date.UTC(2024, 1, 29, 12)],
    ["0001-01-01T00:00:00Z", -62_135_596_800_000],
  ])("reads %s", (text, utcMs) => {
    expect(parseDateTime(text)).toBe(utcMs);
  });

  it.each([
    "",
    "now",
    "2026-11-21",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2025-02-29T00:00:00Z",
    "2026-11-31T00:00:00Z",
    "2026-11-21T25:00:00Z",
    "2026-11-21T24:00:01Z",
    "2026-11-21T24:00:00.5Z",
    "2026-11-21T00:60:00Z",
    "2026-11-21T00:00:61Z",
    "2026-11-21T00:00:00+15:00",
    "2026-11-21T00:00:00+01:60",
    "2026-11-21T00:00:00ZZ",
    `2026-11-21T00:00:00.${"1".repeat(40)}Z`,
  ])("refuses %j", (text) => {
    expect(parseDateTime(text)).toBeUndefined();
  });

  it("agrees with the engine's own calendar over 8,000 years, both ways", () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1000, 0, 1), max: Date.UTC(9000, 0, 1) }), (utcMs) => {
        const reference = new Date(utcMs);
        const date = civilFromDays(Math.floor(utcMs / DAY_MS));
        expect(date).toEqual({
          year: reference.getUTCFullYear(),
          month: reference.getUTCMonth() + 1,
          day: reference.getUTCDate(),
        });
        expect(weekday(Math.floor(utcMs / DAY_MS))).toBe(reference.getUTCDay());
        expect(daysFromCivil(date.year, date.month, date.day)).toBe(Math.floor(utcMs / DAY_MS));
        expect(formatDateTime(utcMs)).toBe(reference.toISOString().replace(".000Z", "Z"));
        expect(parseDateTime(formatDateTime(utcMs))).toBe(utcMs);
      }),
      { numRuns: 2000 },
    );
  });

  it("knows the length of months", () => {
    expect([2024, 2025, 2000, 1900].map((year) => daysInMonth(year, 2))).toEqual([29, 28, 29, 28]);
    expect(daysInMonth(2026, 12)).toBe(31);
  });
});

describe("ISO 8601 durations", () => {
  it.each([
    ["PT1H", 3_600_000],
    ["PT0S", 0],
    ["P", 0],
    ["PT", 0],
    ["-PT15M", -900_000],
    ["-PT0S", 0],
    ["+P1D", 86_400_000],
    ["5W", 35 * DAY_MS],
    ["P5W", 35 * DAY_MS],
    ["P1Y2M3DT4H5M6S", (365 + 60 + 3) * DAY_MS + 14_706_000],
    ["PT0.5S", 500],
    ["PT1.001S", 1001],
    ["PT90M", 5_400_000],
    ["P1H30M", 5_400_000],
    ["P9999Y", 9999 * 365 * DAY_MS],
  ])("reads %s", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(["", "1H", "PT1", "PT1M1H", "P-1D", "PT1.5H", "W", "P99999999999999999999Y", "PT1S "])(
    "refuses or trims %j",
    (text) => {
      expect(parseDuration(text)).toBe(text.endsWith(" ") ? 1000 : undefined);
    },
  );

  it("writes what it reads", () => {
    expect([0, 1, 60_000, 5_400_000, -3_723_004, 90 * 3_600_000].map(formatDuration)).toEqual([
      "PT0S",
      "PT0.001S",
      "PT1M",
      "PT1H30M",
      "-PT1H2M3.004S",
      "PT90H",
    ]);
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });
});

describe("uniformInt", () => {
  it("throws away draws of the incomplete last run", () => {
    const draws = [0xffff_ffff, 0xffff_fffe, 7];
    expect(uniformInt({ uint32: () => draws.shift()! }, 9)).toBe(7);
    expect(draws).toEqual([]);
  });
  it("reaches both ends and nothing beyond", () => {
    const random = seededRandom(1);
    const seen = new Set(Array.from({ length: 1000 }, () => uniformInt(random, 5)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(uniformInt(random, 0)).toBe(0);
    expect(uniformInt(random, 0xffff_ffff)).toBeLessThanOrEqual(0xffff_ffff);
  });
  it("treats nonsense as our own bug", () => {
    for (const max of [-1, 0.5, 2 ** 32, NaN]) expect(() => uniformInt(seededRandom(1), max)).toThrow();
  });
});

describe("back-off", () => {
  it("doubles from the period to 15 minutes and stays there", () => {
    const rule = { periodMs: 60_000 };
    expect([1, 2, 3, 4, 5, 6, 5000].map((n) => backoffCeilingMs(rule, n))).toEqual([
      60_000, 120_000, 240_000, 480_000, 900_000, 900_000, 900_000,
    ]);
    expect(backoffCeilingMs({ periodMs: 3_600_000 }, 4)).toBe(3_600_000);
  });
  it("spreads over the whole span, above the floor that a server asked for", () => {
    const random = seededRandom(3);
    const full = Array.from({ length: 500 }, () => backoffMs({ periodMs: 1000 }, 3, random));
    expect(Math.min(...full)).toBeLessThan(100);
    expect(Math.max(...full)).toBeGreaterThan(3900);
    expect(Math.max(...full)).toBeLessThanOrEqual(4000);
    const floored = Array.from({ length: 500 }, () =>
      backoffMs({ periodMs: 1000, floorMs: 1000 }, 3, random),
    );
    expect(Math.min(...floored)).toBeGreaterThanOrEqual(1000);
    expect(backoffMs({ periodMs: 1000 }, 0, random)).toBe(0);
  });
});
