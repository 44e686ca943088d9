import { describe, expect, it } from "vitest";
import { liveAYear } from "../support/uk-year.js";

describe("a year in the UK", () => {
  it("runs in time, obeys everybody, and its half hours are the meter's", () => {
    const year = liveAYear();
    const { home } = year;
    expect(year.seconds).toBeLessThan(30);
    expect(home.restarts).toBe(50);
    expect(year.halfHours).toBe(365 * 48);
    // Nothing is lost in sum: the meter counted on.
    expect(year.journalWh).toBe(year.meterWh);
    expect(year.spread).toBeLessThan(50 * 8);
    expect(year.checked).toBeGreaterThan(1000);
    expect(year.quiet).toBeGreaterThan(10_000);
    expect(year.sessions).toBeGreaterThan(300);
    expect(year.sessionWh).toBeGreaterThan(0.9 * year.meterWh);
    expect(home.journal.security.firstBroken()).toBe(-1);
    // 100,000 erasures are what the poorest parts are good for: more than a thousand years.
    expect(Math.max(...home.flash.erasesOf)).toBeLessThan(150);
    expect(home.core.stats().brokenRecords).toBe(0);
  }, 60_000);
});
