import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/random.js";
import { FactoryReset, isResetting } from "../../src/journal/factory-reset.js";
import { FlashArea } from "../../src/journal/flash-sector.js";
import { FlashStore } from "../../src/journal/flash-store.js";
import { Journal, JOURNAL_SECTORS } from "../../src/journal/journal.js";
import { CUTS, FlashSim } from "../support/flash-sim.js";
import { event, HOUR, MINUTE, T0 } from "../support/grid.js";
import { packStored } from "../../src/grid/stored.js";

const SECTORS = JOURNAL_SECTORS + 6;
const now = (ms: number) => ({ ms, utcMs: T0 + ms });

function open(flash: FlashSim): { journal: Journal; store: FlashStore } {
  return {
    journal: new Journal(flash),
    store: new FlashStore(new FlashArea(flash, JOURNAL_SECTORS, SECTORS - JOURNAL_SECTORS)),
  };
}

/** A module that was used for a while. */
function used(): FlashSim {
  const flash = new FlashSim(SECTORS);
  const { journal, store } = open(flash);
  for (let i = 0; i < 100; i++) {
    const at = now(i * HOUR);
    journal.addSecurity("setup", `entry ${String(i)}`, at);
    journal.addEvent("info", `sentence ${String(i)}`, at);
    journal.energy.onMeter(1000 + i * 500, at);
    for (const [key, value] of SEEN) if (i % 33 === 0) store.set(key, value);
    store.set(
      `grid.e${String(i % 8)}`,
      packStored({
        event: event({ id: `secret-${String(i)}` }),
        ...{ slot: i % 8, drawMs: 0, began: undefined, cut: undefined, listed: true, firedTo: 0 },
      }),
    );
  }
  return flash;
}

/** The owner's words that still stand anywhere in the flash of the store. */
function leftovers(flash: FlashSim): string[] {
  const bytes = new Uint8Array(flash.sectorBytes * (SECTORS - JOURNAL_SECTORS));
  flash.read(flash.sectorBytes * JOURNAL_SECTORS, bytes);
  return (
    Buffer.from(bytes)
      .toString("latin1")
      .match(/secret-\d+/g) ?? []
  );
}

/** What the updater has seen, in the sizes that it has. */
const SEEN: readonly (readonly [string, string])[] = [
  ["update.root", "r".repeat(2500)],
  ["update.timestamp", "version 7"],
  ["update.floor", "1.4.0"],
];

function secrets(flash: FlashSim): { found: string[]; security: string[]; kept: unknown[] } {
  const { journal, store } = open(flash);
  return {
    found: [
      ...[...journal.energy.halfHours()].map((row) => `energy ${String(row.utcMs)}`),
      ...[...journal.events.entries()].map((row) => row.text),
      ...[...store.keys()].filter((key) => !key.startsWith("update.")),
      ...leftovers(flash),
    ],
    kept: [...store.keys()].filter((key) => key.startsWith("update.")).map((key) => [key, store.get(key)]),
    security: [...journal.security.entries()].map((row) => row.code),
  };
}

describe("a factory reset that loses power", () => {
  it.each([true, false])(
    "is ended by the next start, wherever it was cut (security log kept: %s)",
    (keep) => {
      const sim = used();
      const before = secrets(sim);
      expect(before.found.length).toBeGreaterThan(200);
      const random = seededRandom(5);
      let cuts = 0;
      let steps = 0;
      let begun = false;
      sim.onOperation = (operation) => {
        for (const cut of CUTS) {
          cuts++;
          const broken = sim.cutWithin(operation, cut, random);
          const again = open(broken);
          if (isResetting(again.store)) {
            begun = true;
            const reset = new FactoryReset(again.journal, again.store, keep);
            while (reset.step(now(100 * HOUR))) continue;
          } else if (!begun) continue;
          const { found, security, kept } = secrets(broken);
          expect(found, `${operation.kind}, ${cut}`).toEqual([]);
          expect(kept).toHaveLength(SEEN.length);
          expect(kept).toEqual(expect.arrayContaining([...SEEN]));
          expect(security.at(-1)).toBe("factory-reset");
          // It goes on from there.
          const fresh = open(broken);
          fresh.store.set("a", "b");
          fresh.journal.addSecurity("start", "", now(101 * HOUR));
          expect(open(broken).store.get("a")).toBe("b");
          expect(fresh.journal.security.firstBroken()).toBe(-1);
        }
      };
      const { journal, store } = open(sim);
      const reset = new FactoryReset(journal, store, keep);
      let erased = sim.erasesOf.reduce((sum, n) => sum + n, 0);
      for (let more = true; more; steps++) {
        more = reset.step(now(100 * HOUR + steps));
        const all = sim.erasesOf.reduce((sum, n) => sum + n, 0);
        // One sector at a time: the line is served between two.
        expect(all - erased).toBeLessThanOrEqual(1);
        erased = all;
      }
      sim.onOperation = undefined;
      expect(cuts).toBeGreaterThan(60);
      expect(secrets(sim).found).toEqual([]);
      expect(secrets(sim).kept).toHaveLength(SEEN.length);
      const { security } = secrets(sim);
      if (keep) expect(security.slice(0, -1)).toEqual(before.security);
      else expect(security).toEqual(["factory-reset"]);
    },
  );

  it("finds room for its note in a store that is full to the brim", () => {
    const flash = new FlashSim(SECTORS);
    const { journal, store } = open(flash);
    for (let i = 0; store.set(`key${String(i)}`, "v".repeat(20)); i++) continue;
    for (let i = 0; store.set(`k${String(i)}`, ""); i++) continue;
    const reset = new FactoryReset(journal, store, true);
    expect(isResetting(store)).toBe(true);
    while (reset.step(now(MINUTE))) continue;
    expect(secrets(flash).found).toEqual([]);
  });
});
