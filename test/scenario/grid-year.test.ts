import { describe, expect, it } from "vitest";
import { seededRandom, uniformInt } from "../../src/base/random.js";
import { DAY, MINUTE } from "../support/grid.js";
import { randomCut, randomEvents, UkHome } from "../support/uk-home.js";

/**
 * A year of a charger in the UK: weekdays and weekends, both changes of the clocks, 200 events, 50 power cuts,
 * half of them inside a flash operation. Grid, journal, storage and charger model, without wire and XML.
 */
const START = Date.UTC(2026, 0, 1);
const HALF = 30 * MINUTE;

/** What the schedule and the utility may want at a moment, from the lists alone. */
function pausedBySchedule(utcMs: number): boolean {
  const half = Math.floor(utcMs / HALF);
  let paused = asked.get(half);
  if (paused === undefined) {
    const parts = london.formatToParts(utcMs);
    const part = (type: string) => parts.find((p) => p.type === type)!.value;
    const hour = Number(part("hour"));
    paused = !part("weekday").startsWith("S") && ((hour >= 8 && hour < 11) || (hour >= 16 && hour < 22));
    asked.set(half, paused);
  }
  return paused;
}
/** The platform's idea of London, asked once a half hour. */
const london = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Europe/London",
  weekday: "short",
  hour: "2-digit",
  hourCycle: "h23",
});
const asked = new Map<number, boolean>();

describe("a year in the UK", () => {
  it("runs in time, obeys everybody, and its half hours are the meter's", () => {
    const begin = Date.now();
    const home = new UkHome(START, 2026);
    const random = seededRandom(7);
    home.events = randomEvents(200, START, 365, random);
    const cuts = Array.from({ length: 50 }, () => DAY + uniformInt(random, 363 * 24 * 60) * MINUTE).sort(
      (a, b) => a - b,
    );
    let checked = 0;
    let quiet = 0;
    while (home.trueMs < 365 * DAY) {
      const cutAt = cuts[0] ?? Infinity;
      if (cutAt <= home.trueMs) {
        cuts.shift();
        home.cut(uniformInt(random, 180) * MINUTE + 1, uniformInt(random, 1) === 0, randomCut(random));
        continue;
      }
      home.live(Math.min(7 * MINUTE, cutAt - home.trueMs, 365 * DAY - home.trueMs));
      if (home.now.ms < 20 * MINUTE || home.now.utcMs === undefined) continue;
      const t = home.utcMs;
      const running = home.events.filter((e) => {
        const start = e.start as number;
        return t >= start + 5 * MINUTE && t < start + e.intervals[0]!.durationMs;
      });
      // An event that certainly runs is obeyed, in spite of all delays.
      if (running.length > 0) {
        expect(home.level).toBeLessThanOrEqual(0.5);
        checked++;
      }
      // And nothing outlives its end by more than the windows and the longest random delay.
      const settle = 16 * MINUTE;
      const lately = home.events.some((e) => {
        const start = e.start as number;
        return t >= start && t < start + e.intervals[0]!.durationMs + settle;
      });
      const paused = [0, settle].some((ms) => pausedBySchedule(t - ms));
      const delay = home.core.delay(home.now);
      if (!lately && !paused && !delay.running) {
        expect(home.level).toBe(1);
        quiet++;
      }
      if (delay.running) expect(delay.totalMs).toBeLessThanOrEqual(600_000);
      if (!lately && pausedBySchedule(t) && pausedBySchedule(t - settle)) expect(home.level).toBe(0);
    }
    const seconds = (Date.now() - begin) / 1000;
    const rows = [...home.journal.energy.halfHours()];
    let exact = 0;
    let spread = 0;
    let journalWh = 0;
    for (const { utcMs, energyWh } of rows) {
      const half = (utcMs - START) / HALF;
      const own = Math.round(home.meterAt[half + 1]!) - Math.round(home.meterAt[half] ?? 12_345.6);
      journalWh += energyWh;
      if (energyWh === own) exact++;
      else {
        spread++;
        expect(
          home.touched.has(half),
          `half hour ${String(half)}: ${String(energyWh)} Wh, not ${String(own)} Wh`,
        ).toBe(true);
      }
    }
    const last = (rows.at(-1)!.utcMs - START) / HALF + 1;
    const meterWh = Math.round(home.meterAt[last]!) - 12_346;
    const sessions = [...home.journal.sessions.sessions(["dno", "local"])];
    console.log(
      `a year in ${seconds.toFixed(1)} s: ${String(rows.length)} half hours, ${String(exact)} exact, ${String(spread)} spread over ${String(home.restarts)} outages; ` +
        `${String(journalWh)} Wh of ${String(meterWh)}; ${String(sessions.length)} sessions; ${String(checked)} checks within events, ${String(quiet)} without; ` +
        `${String(home.flash.operations)} flash operations, most erasures of a sector ${String(Math.max(...home.flash.erasesOf))}, forced ${String(home.journal.forcedErases + home.store.inner.forcedErases)}`,
    );
    expect(seconds).toBeLessThan(30);
    expect(home.restarts).toBe(50);
    expect(rows.length).toBe(365 * 48);
    // Nothing is lost in sum: the meter counted on.
    expect(journalWh).toBe(meterWh);
    expect(spread).toBeLessThan(50 * 8);
    expect(checked).toBeGreaterThan(1000);
    expect(quiet).toBeGreaterThan(10_000);
    expect(sessions.length).toBeGreaterThan(300);
    const sessionWh = sessions.reduce((sum, s) => sum + s.energyWh, 0);
    expect(sessionWh).toBeGreaterThan(0.9 * meterWh);
    expect(home.journal.security.firstBroken()).toBe(-1);
    // 100,000 erasures are what the poorest parts are good for: more than a thousand years.
    expect(Math.max(...home.flash.erasesOf)).toBeLessThan(150);
    expect(home.core.stats().brokenRecords).toBe(0);
  }, 60_000);
});
