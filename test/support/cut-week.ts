import assert from "node:assert/strict";
import { seededRandom, uniformInt } from "../../src/base/random.js";
import { GridCore } from "../../src/grid/core.js";
import { gridSettings } from "../../src/grid/settings.js";
import { FlashArea } from "../../src/journal/flash-sector.js";
import { FlashStore } from "../../src/journal/flash-store.js";
import { Journal, JOURNAL_SECTORS } from "../../src/journal/journal.js";
import { CUTS } from "./flash-sim.js";
import { DAY, MINUTE } from "./grid.js";
import { randomEvents, STORE_SECTORS, UkHome } from "./uk-home.js";

/**
 * A week of a UK charger is recorded. At every flash operation of it power goes away, within the operation
 * after none, one, half, all but one and a random part of its bits; the module starts again on what is left.
 */
const START = Date.UTC(2026, 2, 26);
const HALF = 30 * MINUTE;

/** What can be read from the journal, each list oldest first. */
function readingsOf(journal: Journal): Record<string, string[]> {
  return {
    energy: [...journal.energy.halfHours()].map(
      (r) => `${String((r.utcMs - START) / HALF)}:${String(r.energyWh)}`,
    ),
    sessions: [...journal.sessions.sessions()].map((s) => JSON.stringify(s)),
    events: [...journal.events.entries()].map((e) => JSON.stringify(e)),
    security: [...journal.security.entries()].map((e) => JSON.stringify(e)),
  };
}

export interface CutWeek {
  readonly operations: number;
  readonly cuts: number;
  readonly failures: number;
}

/** Cuts power at every so-manyth operation of the week; throws at the first failure. */
export function cutAWeek(every: number): CutWeek {
  const home = new UkHome(START, 5);
  const random = seededRandom(9);
  home.events = randomEvents(40, START - DAY, 10, random);
  // What was acknowledged: taken whenever the module is between two pieces of work.
  let settled = readingsOf(home.journal);
  let cuts = 0;
  let failures = 0;
  let operations = 0;
  const phase = uniformInt(random, every - 1);
  home.flash.onOperation = (operation) => {
    operations++;
    if (operations % every !== phase) return;
    for (const cut of CUTS) {
      cuts++;
      const broken = home.flash.cutWithin(operation, cut, random);
      try {
        const journal = new Journal(broken);
        const found = readingsOf(journal);
        for (const part of Object.keys(settled)) {
          // All of it, and beyond it at most what was being written since.
          assert.deepEqual(found[part]!.slice(0, settled[part]!.length), settled[part]);
          assert(found[part]!.length - settled[part]!.length <= 1, part);
        }
        for (const row of found["energy"]!) {
          const [half, energyWh] = row.split(":").map(Number) as [number, number];
          const end = home.meterAt[half + 1];
          assert(end !== undefined, row);
          assert(Math.abs(energyWh - (end - (home.meterAt[half] ?? 12_345.6))) <= 1, row);
        }
        assert.equal(journal.security.firstBroken(), -1);
        const store = new FlashStore(new FlashArea(broken, JOURNAL_SECTORS, STORE_SECTORS));
        const { inFlight } = home.store;
        for (const key of new Set([...home.acknowledged.keys(), ...store.keys()])) {
          const allowed = [home.acknowledged.get(key)];
          if (inFlight?.key === key) allowed.push(inFlight.value);
          assert(allowed.includes(store.get(key)), key);
        }
        const core = new GridCore({ store, random, settings: gridSettings({ region: "uk" }) });
        assert.equal(core.stats().brokenRecords, 0);
        core.evaluate(home.now);
      } catch (error) {
        failures++;
        throw new Error(`operation ${String(operations)} (${operation.kind}), ${cut}: ${String(error)}`, {
          cause: error,
        });
      }
    }
  };
  // Whenever the module has finished a piece of work, what it has written counts as acknowledged.
  let settledAt = 0;
  const settle = (): void => {
    if (operations === settledAt) return;
    settledAt = operations;
    settled = readingsOf(home.journal);
  };
  home.onWorked = settle;
  for (let minute = 0; minute < 7 * 24 * 60; minute += 5) {
    home.live(5 * MINUTE);
    if (minute % 700 === 0) home.journal.addSecurity("login-failed", `at ${String(minute)}`, home.now);
    if (minute % 95 === 0) home.journal.addEvent("info", `minute ${String(minute)}`, home.now);
    settle();
  }
  return { operations, cuts, failures };
}
