import { describe, expect, it } from "vitest";
import { mayRead } from "../../src/journal/access.js";
import { HALF_HOUR_MS } from "../../src/journal/energy.js";
import { Journal, JOURNAL_SECTORS } from "../../src/journal/journal.js";
import { SECURITY_CODES } from "../../src/journal/security-log.js";
import type { SgdStatus } from "../../src/ports/sgd-status.js";
import { FlashSim } from "../support/flash-sim.js";
import { DAY, HOUR, MINUTE, T0 } from "../support/grid.js";

const at = (ms: number) => ({ ms, utcMs: T0 + ms });
const flash = () => new FlashSim(JOURNAL_SECTORS);

export function status(given: Partial<SgdStatus>): SgdStatus {
  return {
    link: "online",
    identity: undefined,
    opState: undefined,
    opStateAtMs: 0,
    override: false,
    powerW: undefined,
    energyWh: undefined,
    meteredAtMs: 0,
    measured: true,
    ratedW: undefined,
    storageTotalWh: undefined,
    storagePresentWh: undefined,
    load: undefined,
    ...given,
  };
}

const rows = (journal: Journal) => [...journal.energy.halfHours()].map((r) => [r.utcMs - T0, r.energyWh]);

describe("half-hour energy", () => {
  it("is the difference of the meter at the ends, interpolated where no reading falls on an end", () => {
    const journal = new Journal(flash());
    for (const [minute, energyWh] of [
      [10, 1000],
      [20, 1500],
      [40, 2500],
      [60, 2500],
      [100, 2501],
    ] as const) {
      journal.onSgd(status({ energyWh }), at(minute * MINUTE));
    }
    expect(rows(journal)).toEqual([
      [0, 1000],
      [HALF_HOUR_MS, 500],
      // 30 of 40 minutes of 1 Wh, rounded at the end and not twice.
      [HOUR, 1],
    ]);
    expect(journal.energy.nextUtcMs(T0 + 100 * MINUTE)).toBe(T0 + 2 * HOUR);
  });

  it("becomes one record a day, and survives a restart between any two readings", () => {
    const sim = flash();
    let journal = new Journal(sim);
    let energyWh = 50_000;
    const expected: number[][] = [];
    for (let half = 0; half < 5 * 48; half++) {
      journal.onSgd(status({ energyWh }), at(half * HALF_HOUR_MS));
      const used = (half * 37) % 3300;
      journal.onSgd(status({ energyWh: energyWh + used / 2 }), at((half + 0.5) * HALF_HOUR_MS));
      if (half % 5 === 0) journal = new Journal(sim);
      energyWh += used;
      journal.onSgd(status({ energyWh }), at((half + 1) * HALF_HOUR_MS));
      expected.push([half * HALF_HOUR_MS, used]);
      if (half % 7 === 0) journal = new Journal(sim);
      journal.tidy();
    }
    expect(rows(journal)).toEqual(expected);
    expect(rows(new Journal(sim))).toEqual(expected);
    const csv = [...journal.energy.csv()];
    expect(csv.slice(0, 3)).toEqual([
      "start_utc,energy_wh",
      "2026-11-23T00:00:00Z,0",
      "2026-11-23T00:30:00Z,37",
    ]);
    expect(csv).toHaveLength(241);
  });

  it("counts no half hour twice or not at all, wherever power goes away at midnight", () => {
    for (let operation = 0; operation < 4; operation++) {
      const sim = flash();
      let journal = new Journal(sim);
      for (let half = 0; half < 48; half++) {
        journal.onSgd(status({ energyWh: half * 100 }), at(half * HALF_HOUR_MS));
      }
      let left = operation;
      let image: FlashSim | undefined;
      sim.onOperation = (op) => {
        if (left-- === 0) image = sim.cutWithin(op, "none", { uint32: () => 0 });
      };
      journal.onSgd(status({ energyWh: 4800 }), at(DAY));
      sim.onOperation = undefined;
      journal = new Journal(image ?? sim);
      journal.onSgd(status({ energyWh: 4850 }), at(DAY + HALF_HOUR_MS / 2));
      journal.onSgd(status({ energyWh: 4900 }), at(DAY + HALF_HOUR_MS));
      const found = rows(journal);
      expect(found.map((r) => r[0])).toEqual(Array.from({ length: 49 }, (_, i) => i * HALF_HOUR_MS));
      // Where the last half hour of the day was not written, it is spread over the time until the next reading.
      const sum = found.reduce((total, r) => total + r[1]!, 0);
      expect(sum).toBe(4900);
      if (operation > 0) expect(found.every((r) => r[1] === 100)).toBe(true);
    }
  });

  it("spreads what was used during an outage over its half hours; a long silence stays unknown", () => {
    const sim = flash();
    new Journal(sim).onSgd(status({ energyWh: 0 }), at(0));
    let journal = new Journal(sim);
    journal.onSgd(status({ energyWh: 0 }), at(0));
    journal.onSgd(status({ energyWh: 100 }), at(HALF_HOUR_MS));
    journal = new Journal(sim);
    journal.onSgd(status({ energyWh: 700 }), at(4 * HALF_HOUR_MS));
    expect(rows(journal)).toEqual([
      [0, 100],
      [HALF_HOUR_MS, 200],
      [2 * HALF_HOUR_MS, 200],
      [3 * HALF_HOUR_MS, 200],
    ]);
    // Days too, up to a month; a power cut or not makes no difference.
    journal = new Journal(sim);
    journal.onSgd(status({ energyWh: 14_700 }), at(30 * DAY));
    expect(rows(journal)).toHaveLength(30 * 48);
    expect(rows(journal).reduce((sum, row) => sum + row[1]!, 0)).toBe(14_700);
    for (const row of rows(journal).slice(4)) expect(Math.abs(row[1]! - 9.75)).toBeLessThan(1);
    // Longer than that stays unknown.
    journal.onSgd(status({ energyWh: 99_000 }), at(62 * DAY));
    expect(rows(journal).slice(30 * 48)).toEqual([[30 * DAY, 0]]);
    journal.onSgd(status({ energyWh: 99_100 }), at(62 * DAY + HALF_HOUR_MS));
    expect(rows(journal).at(-1)).toEqual([62 * DAY, 100]);
  });

  it("takes a new meter, a clock set back and a missing clock as they come", () => {
    const journal = new Journal(flash());
    journal.onSgd(status({ energyWh: 1000 }), at(0));
    journal.onSgd(status({ energyWh: 1200 }), at(20 * MINUTE));
    journal.onSgd(status({ energyWh: 5 }), at(25 * MINUTE));
    journal.onSgd(status({ energyWh: 15 }), at(30 * MINUTE));
    expect(rows(journal)).toEqual([[0, 210]]);
    journal.onSgd(status({ energyWh: 115 }), { ms: 31 * MINUTE, utcMs: undefined });
    journal.onSgd(status({ energyWh: 115 }), at(45 * MINUTE));
    // Back by a quarter of an hour: the half hour before gets more.
    journal.onSgd(status({ energyWh: 115 }), { ms: 46 * MINUTE, utcMs: T0 + 20 * MINUTE });
    journal.onSgd(status({ energyWh: 145 }), { ms: 56 * MINUTE, utcMs: T0 + 30 * MINUTE });
    expect(rows(journal)).toEqual([
      [0, 240],
      [HALF_HOUR_MS, 100],
    ]);
  });

  it("counts from power where there is no meter, and loses the running half hour alone", () => {
    const sim = flash();
    let journal = new Journal(sim);
    for (let min = 0; min <= 70; min += 5) journal.onSgd(status({ powerW: 6000 }), at(min * MINUTE));
    journal = new Journal(sim);
    for (let min = 75; min <= 120; min += 5) journal.onSgd(status({ powerW: 6000 }), at(min * MINUTE));
    expect(rows(journal)).toEqual([
      [0, 3000],
      [HALF_HOUR_MS, 3000],
      // Counted anew from 75 min on, spread back to the last end that was kept.
      [2 * HALF_HOUR_MS, 1500],
      [3 * HALF_HOUR_MS, 3000],
    ]);
  });
});

describe("charging sessions", () => {
  it("get their begin as soon as the clock is known, where it was in this run", () => {
    const journal = new Journal(flash());
    for (let min = 0; min <= 20; min += 5) {
      const utcMs = min < 10 ? undefined : T0 + min * MINUTE;
      journal.onSgd(status({ powerW: 6000, energyWh: min * 100 }), { ms: min * MINUTE, utcMs });
    }
    journal.onSgd(status({ powerW: 0, energyWh: 2000 }), at(51 * MINUTE));
    expect([...journal.sessions.sessions()]).toMatchObject([
      { startUtcMs: T0, stopUtcMs: T0 + 20 * MINUTE, energyWh: 2000 },
    ]);
  });

  it("have begin, end, energy and every change by demand response, and go on through a stop", () => {
    const sim = flash();
    let journal = new Journal(sim);
    const reading = (min: number, powerW: number, energyWh: number) => {
      journal.onSgd(status({ powerW, energyWh }), at(min * MINUTE));
    };
    journal.onIntent({ ask: "normal", level: 1, source: "none" }, at(0));
    reading(0, 0, 100);
    reading(10, 7000, 100);
    reading(40, 7000, 3600);
    journal.onIntent({ ask: "shed", level: 0.5, source: "demo" }, at(40 * MINUTE));
    journal.onIntent({ ask: "shed", level: 0.5, source: "demo" }, at(41 * MINUTE));
    reading(70, 3500, 5350);
    journal.onIntent({ ask: "limit", level: 0, source: "local" }, at(70 * MINUTE));
    journal = new Journal(sim);
    journal.onIntent({ ask: "limit", level: 0, source: "local" }, at(71 * MINUTE));
    for (let min = 75; min <= 180; min += 15) reading(min, 0, 5350);
    journal.onIntent({ ask: "normal", level: 1, source: "none" }, at(180 * MINUTE));
    reading(185, 7000, 5350);
    reading(200, 7000, 7100);
    reading(205, 0, 7100);
    reading(229, 0, 7100);
    expect([...journal.sessions.sessions()]).toEqual([]);
    reading(231, 0, 7100);
    expect([...journal.sessions.sessions(["other", "demo", "local"])]).toEqual([
      {
        startUtcMs: T0 + 10 * MINUTE,
        stopUtcMs: T0 + 200 * MINUTE,
        energyWh: 7000,
        endGuessed: false,
        changes: [
          { utcMs: T0 + 40 * MINUTE, ask: "shed", percent: 50, source: "demo" },
          { utcMs: T0 + 70 * MINUTE, ask: "limit", percent: 0, source: "local" },
          { utcMs: T0 + 71 * MINUTE, ask: "limit", percent: 0, source: "local" },
          { utcMs: T0 + 180 * MINUTE, ask: "normal", percent: 100, source: "" },
        ],
      },
    ]);
    expect([...journal.sessions.csv(["demo", "local"])][1]).toBe(
      '2026-11-23T00:10:00Z,2026-11-23T03:20:00Z,7000,false,"2026-11-23T00:40:00Z shed 50% demo; 2026-11-23T01:10:00Z limit 0% local; 2026-11-23T01:11:00Z limit 0% local; 2026-11-23T03:00:00Z normal 100% "',
    );
  });

  it("interrupted by a power cut end where they were last seen, and say so", () => {
    const sim = flash();
    let journal = new Journal(sim);
    for (let min = 0; min <= 50; min += 10) {
      journal.onSgd(status({ opState: 1, energyWh: min * 100 }), at(min * MINUTE));
    }
    journal = new Journal(sim);
    for (let min = 60; min <= 100; min += 10) {
      journal.onSgd(status({ opState: 0, energyWh: 5100 }), at(min * MINUTE));
    }
    expect([...journal.sessions.sessions()]).toMatchObject([
      { startUtcMs: T0, stopUtcMs: T0 + 30 * MINUTE, energyWh: 3000, endGuessed: true },
    ]);
  });
});

describe("the security log", () => {
  it("is a chain in which every missing, changed or foreign entry shows", () => {
    const sim = flash();
    const journal = new Journal(sim);
    SECURITY_CODES.forEach((code, i) => {
      journal.addSecurity(code, `because ${String(i)}`, i === 0 ? { ms: 0, utcMs: undefined } : at(i));
    });
    expect(journal.security.firstBroken()).toBe(-1);
    const entries = [...new Journal(sim).security.entries()];
    expect(entries.map((e) => e.code)).toEqual([...SECURITY_CODES]);
    expect(entries[0]).toMatchObject({ utcMs: undefined, text: "because 0" });
    expect(entries.at(-1)!.chain).toBe(journal.security.head);
    expect(new Set(entries.map((e) => e.chain)).size).toBe(entries.length);
    // A record in the middle is spoilt: it is gone, and the chain tells.
    const place = Buffer.from(sim.bytes).indexOf("because 5");
    sim.bytes[place]! &= 0x60;
    const spoilt = new Journal(sim);
    expect([...spoilt.security.entries()]).toHaveLength(entries.length - 1);
    expect(spoilt.security.firstBroken()).toBe(5);
  });

  it("wraps, keeps the newest, and still verifies after a restart", () => {
    const sim = flash();
    const journal = new Journal(sim);
    for (let i = 0; i < 500; i++) {
      journal.addSecurity("login-failed", `attempt ${String(i)} ${"é".repeat(60)}`, at(i));
      journal.tidy();
    }
    const again = new Journal(sim);
    const entries = [...again.security.entries()];
    expect(entries.length).toBeGreaterThan(40);
    expect(entries.at(-1)!.text).toMatch(/^attempt 499 é+$/);
    expect(again.security.firstBroken()).toBe(-1);
    again.addSecurity("start", "", at(1000));
    expect(again.security.firstBroken()).toBe(-1);
    expect(journal.forcedErases).toBe(0);
  });
});

describe("the journal", () => {
  it("is purged by a factory reset, the security log only where the law lets it go", () => {
    for (const keep of [true, false]) {
      const sim = flash();
      const journal = new Journal(sim);
      journal.onSgd(status({ powerW: 7000, energyWh: 0 }), at(0));
      journal.onSgd(status({ powerW: 7000, energyWh: 9000 }), at(2 * HOUR));
      journal.addEvent("info", "the owner lives here", at(0));
      journal.addSecurity("setup", "by the owner", at(0));
      const before = journal.security.head;
      journal.purge(keep, at(3 * HOUR));
      for (const j of [journal, new Journal(sim)]) {
        expect([...j.energy.halfHours(), ...j.sessions.sessions(), ...j.events.entries()]).toEqual([]);
        expect([...j.security.entries()].map((e) => e.code)).toEqual(
          keep ? ["setup", "factory-reset"] : ["factory-reset"],
        );
      }
      expect(journal.security.head).not.toBe(before);
      const text = Buffer.from(sim.bytes).toString("latin1");
      expect(text.includes("the owner lives here")).toBe(false);
      journal.onSgd(status({ powerW: 0, energyWh: 9000 }), at(4 * HOUR));
      journal.onSgd(status({ powerW: 0, energyWh: 9100 }), at(5 * HOUR));
      expect(rows(new Journal(sim)).map((r) => r[1])).toEqual([50, 50]);
    }
  });

  it("keeps events once, oldest out first", () => {
    const sim = flash();
    const journal = new Journal(sim);
    for (let i = 0; i < 400; i++) {
      journal.addEvent(
        "warning",
        `sentence ${String(i)} with some more words that make it as long as they are`,
        at(i),
      );
      journal.addEvent(
        "warning",
        `sentence ${String(i)} with some more words that make it as long as they are`,
        at(i),
      );
    }
    const entries = [...new Journal(sim).events.entries()];
    expect(entries.length).toBeGreaterThan(45);
    expect(entries.at(-1)).toEqual({
      utcMs: Math.floor((T0 + 399) / 1000) * 1000,
      level: "warning",
      text: "sentence 399 with some more words that make it as long as they are",
    });
    expect(entries.at(-2)!.text).toContain("sentence 398");
  });

  it("is read by whom it concerns", () => {
    expect(mayRead("agent", "security", false)).toBe(true);
    expect(mayRead("agent", "energy", false)).toBe(false);
    expect(mayRead("agent", "energy", true)).toBe(true);
    expect(mayRead("manager", "events", false)).toBe(true);
    expect(mayRead("manager", "sessions", true)).toBe(false);
    expect(mayRead("owner", "sessions", false)).toBe(true);
  });

  it("fits into 96 KB", () => {
    expect(JOURNAL_SECTORS * 4096).toBe(96 * 1024);
  });
});
