import assert from "node:assert/strict";
import { seededRandom, uniformInt } from "../../src/base/random.js";
import { DAY, MINUTE } from "./grid.js";
import { randomCut, randomEvents, UkHome } from "./uk-home.js";

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

export interface Year {
  readonly seconds: number;
  readonly home: UkHome;
  readonly halfHours: number;
  readonly exact: number;
  /** Half hours that an outage touched and whose energy was spread. */
  readonly spread: number;
  readonly journalWh: number;
  readonly meterWh: number;
  readonly sessions: number;
  readonly sessionWh: number;
  /** Moments checked within events, and without any. */
  readonly checked: number;
  readonly quiet: number;
}

/** Lives through the year, checking all the while; throws at the first disagreement. */
export function liveAYear(): Year {
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
      assert(home.level <= 0.5, "an event that runs is not obeyed");
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
      assert.equal(home.level, 1, "something outlives its end");
      quiet++;
    }
    if (delay.running) assert(delay.totalMs <= 600_000);
    if (!lately && pausedBySchedule(t) && pausedBySchedule(t - settle))
      assert.equal(home.level, 0, "the schedule is not obeyed");
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
      assert(
        home.touched.has(half),
        `half hour ${String(half)}: ${String(energyWh)} Wh, not ${String(own)} Wh`,
      );
    }
  }
  const last = (rows.at(-1)!.utcMs - START) / HALF + 1;
  const meterWh = Math.round(home.meterAt[last]!) - 12_346;
  const sessions = [...home.journal.sessions.sessions(["dno", "local"])];
  const sessionWh = sessions.reduce((sum, s) => sum + s.energyWh, 0);
  return {
    ...{ seconds, home, halfHours: rows.length, exact, spread, journalWh, meterWh },
    ...{ sessions: sessions.length, sessionWh, checked, quiet },
  };
}
