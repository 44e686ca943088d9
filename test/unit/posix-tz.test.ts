import { describe, expect, it } from "vitest";
import { localTime, parsePosixTz } from "../../src/base/posix-tz.js";

const zones: Record<string, string> = {
  "Europe/Berlin": "CET-1CEST,M3.5.0,M10.5.0/3",
  "Europe/London": "GMT0BST,M3.5.0/1,M10.5.0",
  "America/New_York": "EST5EDT,M3.2.0,M11.1.0",
  "America/St_Johns": "NST3:30NDT,M3.2.0,M11.1.0",
  "Australia/Adelaide": "ACST-9:30ACDT,M10.1.0,M4.1.0/3",
  "Australia/Lord_Howe": "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
  "Asia/Kathmandu": "<+0545>-5:45",
  "Asia/Tokyo": "JST-9",
  "America/Santiago": "<-04>4<-03>,M9.1.6/24,M4.1.6/24",
};

/** What the platform's own zone data says; only here, in a test. */
const formats = new Map(
  Object.keys(zones).map((timeZone) => [
    timeZone,
    new Intl.DateTimeFormat("en-GB", {
      timeZone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    }),
  ]),
);

function expected(zone: string, utcMs: number) {
  const parts = formats.get(zone)!.formatToParts(utcMs);
  const part = (type: string): string => parts.find((p) => p.type === type)!.value;
  return {
    weekday: ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].indexOf(part("weekday")),
    hour: Number(part("hour")),
    minute: Number(part("minute")),
  };
}

describe("POSIX TZ strings", () => {
  it.each(Object.entries(zones))(
    "%s agrees with the zone data, every 6 h and around each edge",
    (zone, text) => {
      const parsed = parsePosixTz(text)!;
      const startMs = Date.UTC(2025, 0, 1);
      let beforeS = localTime(parsed, startMs).offsetS;
      for (let ms = startMs; ms < Date.UTC(2027, 6, 1); ms += 6 * 3_600_000) {
        const local = localTime(parsed, ms);
        expect(local).toMatchObject(expected(zone, ms));
        if (local.offsetS === beforeS) continue;
        beforeS = local.offsetS;
        for (let minute = 0; minute <= 360; minute += 15) {
          const atMs = ms - minute * 60_000;
          expect(localTime(parsed, atMs)).toMatchObject(expected(zone, atMs));
        }
      }
    },
  );

  it("tells summer time apart from the zone", () => {
    const adelaide = parsePosixTz(zones["Australia/Adelaide"]!)!;
    expect(localTime(adelaide, Date.UTC(2026, 0, 1))).toMatchObject({ offsetS: 37_800, dstS: 3600 });
    expect(localTime(adelaide, Date.UTC(2026, 6, 1))).toMatchObject({ offsetS: 34_200, dstS: 0 });
  });

  it("knows Julian days, with and without the leap day", () => {
    const julian = parsePosixTz("AAA0BBB,J60/0,J305/0")!;
    const counted = parsePosixTz("AAA0BBB,59/0,304/0")!;
    for (const year of [2027, 2028]) {
      const marchMs = Date.UTC(year, 2, 1);
      expect(localTime(julian, marchMs - 1).dstS).toBe(0);
      expect(localTime(julian, marchMs).dstS).toBe(3600);
      const day59Ms = Date.UTC(year, 0, 1) + 59 * 86_400_000;
      expect(localTime(counted, day59Ms - 1).dstS).toBe(0);
      expect(localTime(counted, day59Ms).dstS).toBe(3600);
    }
  });

  it("uses the American rules where none are given", () => {
    expect(parsePosixTz("EST5EDT")).toEqual(parsePosixTz("EST5EDT,M3.2.0,M11.1.0"));
  });

  it.each([
    "",
    "X",
    "UTC",
    "UTC25",
    "CET-1CEST,M3.5.0",
    "CET-1CEST,M13.1.0,M10.5.0",
    "CET-1CEST,M3.5.0,M10.5.0,x",
  ])("refuses %j", (text) => {
    expect(parsePosixTz(text)).toBeUndefined();
  });

  it.each(["CET-1CEST,M3.6.0,M10.5.0", "A0", "UTC0:60", "AAA0BBB,J0,J5", "AAA0BBB,366,5", "UTC0 ", "<A>0"])(
    "refuses %j too",
    (text) => {
      expect(parsePosixTz(text)).toBeUndefined();
    },
  );
});
