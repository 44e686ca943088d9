import { describe, expect, it } from "vitest";
import { parsePosixTz } from "../../src/base/posix-tz.js";
import { seededRandom } from "../../src/base/random.js";
import { GridCore } from "../../src/grid/core.js";
import { gridSettings, type GridSettings } from "../../src/grid/settings.js";
import { weekAt } from "../../src/grid/week.js";
import { DAY, event, HOUR, interval, limit, MemoryStore, MINUTE, SECOND, T0 } from "../support/grid.js";

const at = (ms: number) => ({ ms, utcMs: T0 + ms });
const london = parsePosixTz("GMT0BST,M3.5.0/1,M10.5.0");

/** T0 is a Monday in winter: the UK schedule pauses 08:00–11:00 and 16:00–22:00. */
function uk(given: Partial<GridSettings> = {}, store = new MemoryStore(), seed = 1): GridCore {
  return new GridCore({
    store,
    random: seededRandom(seed),
    settings: gridSettings({ region: "uk", zone: london, ...given }),
  });
}

describe("the random delay (UK)", () => {
  it("holds back a change by the schedule for whole seconds, at most 600, with a countdown", () => {
    const grid = uk();
    expect(grid.evaluate(at(8 * HOUR - 1)).intent.ask).toEqual({ ask: "normal" });
    const { intent } = grid.evaluate(at(8 * HOUR));
    expect(intent.ask).toEqual({ ask: "normal" });
    expect(intent.reason).toMatch(/^Charging changes at a random moment, until 08:0\d at the latest/);
    const delay = grid.delay(at(8 * HOUR));
    expect(delay).toMatchObject({ running: true, cause: "change", enabled: true, maxMs: 600_000 });
    expect(delay.totalMs % SECOND).toBe(0);
    expect(delay.totalMs).toBeGreaterThan(0);
    expect(delay.totalMs).toBeLessThanOrEqual(600_000);
    expect(grid.delay(at(8 * HOUR + 500)).remainingMs).toBe(delay.totalMs - 500);
    expect(grid.nextMs(at(8 * HOUR))).toBe(8 * HOUR + delay.totalMs);
    expect(grid.evaluate(at(8 * HOUR + delay.totalMs - 1)).intent.ask).toEqual({ ask: "normal" });
    expect(grid.evaluate(at(8 * HOUR + delay.totalMs)).intent).toMatchObject({
      ask: limit(0),
      source: "local",
      reason: "The off-peak schedule pauses charging until 11:00.",
    });
    expect(grid.delay(at(9 * HOUR)).running).toBe(false);
    grid.evaluate(at(11 * HOUR));
    expect(grid.delay(at(11 * HOUR)).running).toBe(true);
  });

  it("reaches both ends of its range", () => {
    for (const seconds of [0, 1, 600]) {
      const grid = new GridCore({
        store: new MemoryStore(),
        random: { uint32: () => seconds },
        settings: gridSettings({ region: "uk", zone: london }),
      });
      grid.evaluate(at(0));
      grid.evaluate(at(8 * HOUR));
      expect(grid.delay(at(8 * HOUR)).totalMs).toBe(seconds * SECOND);
      expect(grid.evaluate(at(8 * HOUR)).intent.ask).toEqual(seconds === 0 ? limit(0) : { ask: "normal" });
    }
  });

  it("draws anew each time", () => {
    const totals = new Set<number>();
    for (let seed = 0; seed < 20; seed++) {
      const grid = uk({}, new MemoryStore(), seed);
      grid.evaluate(at(8 * HOUR - 1));
      grid.evaluate(at(8 * HOUR));
      totals.add(grid.delay(at(8 * HOUR)).totalMs);
    }
    expect(totals.size).toBeGreaterThan(15);
  });

  it("does not hold back a utility's event, nor an emergency", () => {
    const grid = uk();
    grid.evaluate(at(0));
    grid.replaceEvents("demo", [event({ start: T0 + HOUR })], at(0));
    expect(grid.evaluate(at(HOUR)).intent.ask.ask).toBe("shed");
    grid.replaceEvents(
      "demo",
      [
        event({ start: T0 + HOUR }),
        event({ id: "e2", start: "now", intervals: [interval("emergency", HOUR)] }),
      ],
      at(HOUR + 1),
    );
    expect(grid.evaluate(at(HOUR + 1)).intent.ask.ask).toBe("emergency");
    expect(grid.delay(at(HOUR + 1)).running).toBe(false);
  });

  it("spreads the end of an event, unless its source has spread it as long already", () => {
    for (const [given, delayed] of [
      [{}, true],
      [{ delayApplied: true }, false],
      [{ randomise: { windowMs: 600_000, law: "after" as const } }, false],
      [{ randomise: { windowMs: 300_000, law: "after" as const } }, true],
    ] as const) {
      const grid = uk();
      grid.evaluate(at(0));
      grid.replaceEvents("demo", [event({ ...given, start: "now" })], at(0));
      const endOf = (ms: number): number => grid.evaluate(at(ms)).intent.endsAtMs!;
      // The event begins within its window.
      const end = endOf(30 * MINUTE);
      const ask = grid.evaluate(at(end)).intent.ask.ask;
      expect([ask, grid.delay(at(end)).running]).toEqual(delayed ? ["shed", true] : ["normal", false]);
    }
  });

  it("ends when the change is no longer wanted, and keeps its countdown when another is", () => {
    const grid = uk({ offPeak: [{ days: 127, fromMin: 60, toMin: 61 }] });
    grid.evaluate(at(0));
    grid.setDelay({ verb: "set-max", maxMs: 1_800_000 }, at(0));
    grid.evaluate(at(HOUR));
    const { totalMs } = grid.delay(at(HOUR));
    expect(totalMs).toBeGreaterThan(MINUTE);
    grid.evaluate(at(HOUR + MINUTE));
    expect(grid.delay(at(HOUR + MINUTE)).running).toBe(false);
    expect(grid.evaluate(at(HOUR + MINUTE)).intent).toMatchObject({ ask: { ask: "normal" }, source: "none" });
  });

  it("obeys enable, disable, cancel and set-max, and remembers them", () => {
    const store = new MemoryStore();
    const grid = uk({}, store);
    grid.evaluate(at(0));
    grid.evaluate(at(8 * HOUR));
    expect(grid.setDelay({ verb: "cancel" }, at(8 * HOUR + 1))).toBe(true);
    expect(grid.delay(at(8 * HOUR + 1))).toMatchObject({ running: false, enabled: true });
    expect(grid.evaluate(at(8 * HOUR + 1)).intent.ask).toEqual(limit(0));
    expect(grid.setDelay({ verb: "disable" }, at(9 * HOUR))).toBe(true);
    grid.evaluate(at(11 * HOUR));
    expect(grid.delay(at(11 * HOUR))).toMatchObject({ running: false, enabled: false });
    expect(grid.setDelay({ verb: "set-max", maxMs: 1_800_001 }, at(12 * HOUR))).toBe(false);
    expect(grid.setDelay({ verb: "set-max", maxMs: 1_234_567 }, at(12 * HOUR))).toBe(true);
    expect(grid.setDelay({ verb: "enable" }, at(12 * HOUR))).toBe(true);
    expect(uk({}, store).delay(at(12 * HOUR))).toMatchObject({ enabled: true, maxMs: 1_235_000 });
  });

  it("can be skipped by the owner, whose own orders are not delayed", () => {
    const grid = uk();
    grid.evaluate(at(0));
    grid.evaluate(at(8 * HOUR));
    expect(grid.setOwner({ verb: "skip-delay" }, at(8 * HOUR + 1)).ok).toBe(true);
    expect(grid.evaluate(at(8 * HOUR + 1)).intent.ask).toEqual(limit(0));
    grid.setOwner({ verb: "boost", durationMs: HOUR }, at(8 * HOUR + 2));
    expect(grid.evaluate(at(8 * HOUR + 2)).intent).toMatchObject({
      ask: { ask: "normal" },
      source: "owner",
      reason:
        "You asked to charge now, whatever the schedule says until 09:00; this outranks the off-peak schedule.",
    });
    // The end of the boost is nobody's order any more.
    grid.evaluate(at(9 * HOUR + 2));
    expect(grid.delay(at(9 * HOUR + 2)).running).toBe(true);
  });

  it("delays a plug-in in the UK alone, and a return of power as the region says", () => {
    const grid = uk();
    grid.evaluate(at(0));
    grid.started("plug-in", at(HOUR));
    expect(grid.evaluate(at(HOUR)).intent).toMatchObject({ ask: limit(0), source: "local" });
    const delay = grid.delay(at(HOUR));
    expect(delay).toMatchObject({ running: true, cause: "plug-in" });
    expect(grid.evaluate(at(HOUR + delay.totalMs)).intent.ask).toEqual({ ask: "normal" });

    const us = new GridCore({ store: new MemoryStore(), random: seededRandom(1), settings: gridSettings() });
    us.started("plug-in", at(0));
    us.started("power-restored", at(0));
    expect(us.evaluate(at(0)).intent.ask).toEqual({ ask: "normal" });
    expect(us.delay(at(0)).running).toBe(false);

    const back = uk();
    back.started("power-restored", at(HOUR));
    expect(back.delay(at(HOUR))).toMatchObject({ running: true, cause: "power-restored" });
    // An event of the utility is obeyed at once even then.
    back.replaceEvents("demo", [event({ start: "now" })], at(HOUR + 1));
    expect(back.evaluate(at(HOUR + 1)).intent.ask.ask).toBe("shed");
  });

  it("is nothing in us and au", () => {
    for (const region of ["us", "au"] as const) {
      const grid = new GridCore({
        store: new MemoryStore(),
        random: seededRandom(1),
        settings: gridSettings({ region, offPeak: [{ days: 127, fromMin: 60, toMin: 120 }] }),
      });
      grid.evaluate(at(0));
      expect(grid.evaluate(at(HOUR)).intent.ask).toEqual(limit(0));
      expect(grid.evaluate(at(2 * HOUR)).intent.ask).toEqual({ ask: "normal" });
    }
  });
});

describe("the off-peak schedule", () => {
  it("is offered at first use: accept, change, remove; and survives a restart", () => {
    const store = new MemoryStore();
    const grid = uk({ delayOn: false }, store);
    expect(grid.ownerStatus(at(0))).toMatchObject({ schedule: "offered" });
    expect(grid.setOwner({ verb: "accept-schedule" }, at(0)).ok).toBe(true);
    expect(grid.ownerStatus(at(0))).toMatchObject({ schedule: "accepted" });
    const windows = [{ days: 127, fromMin: 0, toMin: 30 }];
    expect(grid.setOwner({ verb: "change-schedule", windows }, at(0)).ok).toBe(true);
    expect(grid.evaluate(at(8 * HOUR)).intent.ask).toEqual({ ask: "normal" });
    expect(uk({ delayOn: false }, store).evaluate(at(DAY + MINUTE)).intent.ask).toEqual(limit(0));
    const bad = [{ days: 127, fromMin: 30, toMin: 30 }];
    expect(grid.setOwner({ verb: "change-schedule", windows: bad }, at(0))).toMatchObject({
      ok: false,
      why: "bad-window",
    });
    grid.setOwner({ verb: "remove-schedule" }, at(0));
    expect(uk({ delayOn: false }, store).evaluate(at(DAY + MINUTE)).intent.ask).toEqual({ ask: "normal" });
  });

  it("keeps local time over both changes of the clocks", () => {
    // 2026-03-29 01:00 UTC clocks go forward, 2026-10-25 01:00 UTC back; the schedule is 00:30–02:30 local.
    const windows = [{ days: 127, fromMin: 30, toMin: 150 }];
    const edges = (fromUtc: number): string[] => {
      const found: string[] = [];
      let ms = fromUtc;
      let inside = weekAt(windows, ms, london).inside;
      while (ms < fromUtc + DAY) {
        ms += weekAt(windows, ms, london).wakeMs;
        const next = weekAt(windows, ms, london).inside;
        if (next !== inside) found.push(new Date(ms).toISOString().slice(5, 16));
        inside = next;
      }
      return found;
    };
    expect(edges(Date.UTC(2026, 2, 28, 12))).toEqual(["03-29T00:30", "03-29T01:30"]);
    // 01:00–02:00 local comes twice.
    expect(edges(Date.UTC(2026, 9, 24, 12))).toEqual(["10-24T23:30", "10-25T02:30"]);
  });

  it("never misses an edge between two wakes, in any zone", () => {
    for (const name of ["GMT0BST,M3.5.0/1,M10.5.0", "AEST-10AEDT,M10.1.0,M4.1.0/3", "<+0545>-5:45"]) {
      const zone = parsePosixTz(name);
      const windows = [
        { days: 0b0101010, fromMin: 7, toMin: 127 },
        { days: 127, fromMin: 1380, toMin: 1440 },
      ];
      let ms = Date.UTC(2026, 2, 27);
      for (let i = 0; i < 2000; i++) {
        const here = weekAt(windows, ms, zone);
        expect(here.wakeMs).toBeGreaterThan(0);
        for (let t = ms + 30_000; t < ms + here.wakeMs; t += 5 * MINUTE) {
          expect(weekAt(windows, t, zone).inside).toBe(here.inside);
        }
        ms += here.wakeMs;
      }
    }
  });
});
