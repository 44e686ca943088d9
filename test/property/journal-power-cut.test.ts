import { describe, expect, it } from "vitest";
import { seededRandom, uniformInt } from "../../src/base/random.js";
import { FlashLog } from "../../src/journal/flash-log.js";
import { FlashArea } from "../../src/journal/flash-sector.js";
import { FlashStore } from "../../src/journal/flash-store.js";
import { CUTS, FlashSim } from "../support/flash-sim.js";

/** Small sectors, so that a short activity turns the rings many times. */
const SECTOR = 256;

/** Power goes away at every operation of an activity, in five ways each. Returns how many cuts were tried. */
function everyCut(
  sim: FlashSim,
  seed: number,
  activity: () => void,
  inspect: (broken: FlashSim, random: ReturnType<typeof seededRandom>, why: string) => void,
): number {
  const random = seededRandom(seed);
  let cuts = 0;
  sim.onOperation = (operation) => {
    for (const cut of CUTS) {
      const broken = sim.cutWithin(operation, cut, random);
      cuts++;
      inspect(broken, random, `operation ${String(sim.operations)}, ${operation.kind}, ${cut}`);
    }
  };
  activity();
  sim.onOperation = undefined;
  return cuts;
}

function bytesOf(n: number, length: number): Uint8Array {
  // Full of bytes that look like headers, records and blank flash.
  const payload = new Uint8Array(length);
  for (let i = 0; i < length; i++) payload[i] = [0x5a, 0xff, n & 0xff, 0x00, n >> 8][(i + n) % 5]!;
  payload[0] = n & 0xff;
  payload[1] = n >> 8;
  return payload;
}

describe("a log of records", () => {
  it("keeps what was acknowledged and believes nothing half-written, wherever power goes away", () => {
    const sim = new FlashSim(4, SECTOR);
    const random = seededRandom(11);
    const acknowledged: string[] = [];
    let inFlight: string | undefined;
    let records = 0;
    const read = (log: FlashLog): string[] =>
      [...log.records()].map((r) => `${String(r.type)}:${Buffer.from(r.payload).toString("hex")}`);
    const log = new FlashLog(new FlashArea(sim, 0, 4), 64);
    const cuts = everyCut(
      sim,
      1,
      () => {
        for (let n = 0; n < 260; n++) {
          const payload = bytesOf(n, 2 + uniformInt(random, 60));
          inFlight = `${String(n % 7)}:${Buffer.from(payload).toString("hex")}`;
          expect(log.append(n % 7, payload)).toBe(true);
          acknowledged.push(inFlight);
          inFlight = undefined;
          records++;
          if (n % 3 === 0) log.tidy();
        }
      },
      (broken, rnd, why) => {
        const again = new FlashLog(new FlashArea(broken, 0, 4), 64);
        let found = read(again);
        if (inFlight !== undefined && found[found.length - 1] === inFlight) found = found.slice(0, -1);
        // Only the oldest may have been dropped, and of them no more than the ring must.
        expect(found, why).toEqual(acknowledged.slice(acknowledged.length - found.length));
        const bytes = found.reduce((sum, text) => sum + text.length / 2 + 7, 0);
        if (acknowledged.length > 40) expect(bytes, why).toBeGreaterThan(SECTOR);
        // And it goes on from there.
        const next = bytesOf(999, 2 + uniformInt(rnd, 60));
        again.append(9, next);
        expect(read(new FlashLog(new FlashArea(broken, 0, 4), 64)).at(-1)).toBe(
          `9:${Buffer.from(next).toString("hex")}`,
        );
      },
    );
    expect(records).toBe(260);
    expect(cuts).toBeGreaterThan(1500);
    expect(read(log).length).toBeGreaterThan(10);
    // Wear is even.
    expect(Math.max(...sim.erasesOf) - Math.min(...sim.erasesOf)).toBeLessThanOrEqual(1);
  });
});

describe("the key-value store", () => {
  it("keeps every value, old or new, wherever power goes away", () => {
    const sim = new FlashSim(6, SECTOR);
    const random = seededRandom(12);
    const values = new Map<string, string>();
    let inFlight: { key: string; value: string | undefined } | undefined;
    const store = new FlashStore(new FlashArea(sim, 0, 6), 64);
    const keys = ["grid.e0", "grid.e1", "grid.owner", "grid.held", "ü", "venID"];
    let steps = 0;
    const check = (again: FlashStore, why: string): void => {
      for (const key of keys) {
        const got = again.get(key);
        const allowed = [values.get(key)];
        if (inFlight?.key === key) allowed.push(inFlight.value);
        expect(allowed, `${why}: ${key}`).toContain(got);
      }
      expect(
        [...again.keys()].every((key) => keys.includes(key)),
        why,
      ).toBe(true);
    };
    const cuts = everyCut(
      sim,
      2,
      () => {
        for (let n = 0; n < 420; n++) {
          const key = keys[uniformInt(random, keys.length - 1)]!;
          const length = uniformInt(random, 9) === 0 ? 120 : uniformInt(random, 30);
          const value = uniformInt(random, 5) === 0 ? undefined : `${String(n)}Zé`.padEnd(length, "Z");
          inFlight = { key, value };
          if (value === undefined) store.delete(key);
          if (value === undefined || store.set(key, value)) {
            if (value === undefined) values.delete(key);
            else values.set(key, value);
            steps++;
          }
          inFlight = undefined;
          if (n % 4 === 0) store.tidy();
          check(store, `step ${String(n)}`);
        }
      },
      (broken, rnd, why) => {
        const again = new FlashStore(new FlashArea(broken, 0, 6), 64);
        check(again, why);
        // It goes on: enough writes to turn the ring, and everything is still there.
        if (uniformInt(rnd, 7) !== 0) return;
        for (let n = 0; n < 40; n++) again.set("scratch", String(n).padEnd(40, "s"));
        again.delete("scratch");
        check(new FlashStore(new FlashArea(broken, 0, 6), 64), `${why}, and on`);
      },
    );
    expect(steps).toBeGreaterThan(300);
    expect(cuts).toBeGreaterThan(2000);
    expect(sim.erasesOf.every((n) => n > 5)).toBe(true);
  });

  it("refuses what does not fit, keeps the old value, and takes half of the ring whatever the sizes", () => {
    for (const size of [10, 60, 120, 130, 200]) {
      const sim = new FlashSim(9, SECTOR);
      const store = new FlashStore(new FlashArea(sim, 0, 9));
      let kept = 0;
      for (; store.set(`key${String(kept)}`, "v".repeat(size)); kept++) continue;
      expect(store.usedBytes).toBeLessThanOrEqual(store.capacity);
      expect(store.usedBytes + size + 20).toBeGreaterThan(store.capacity);
      for (let turn = 0; turn < 300; turn++) {
        const key = `key${String(turn % kept)}`;
        expect(store.set(key, String(turn).padEnd(size, "x"))).toBe(true);
      }
      const again = new FlashStore(new FlashArea(sim, 0, 9));
      for (let i = 0; i < kept; i++) expect(again.get(`key${String(i)}`)).toBe(store.get(`key${String(i)}`));
      expect(store.refused).toBe(1);
      expect(store.set("key0", "y".repeat(1000))).toBe(false);
      expect(store.get("key0")).toHaveLength(size);
    }
  });

  it("forgets everything when cleared, wherever power goes away, but never gives an older value back", () => {
    const sim = new FlashSim(6, SECTOR);
    const store = new FlashStore(new FlashArea(sim, 0, 6));
    for (let n = 0; n < 60; n++) store.set(`k${String(n % 4)}`, `value ${String(n)}`);
    everyCut(
      sim,
      3,
      () => {
        while (store.purgeStep(() => false)) continue;
      },
      (broken, _random, why) => {
        const again = new FlashStore(new FlashArea(broken, 0, 6));
        for (let i = 0; i < 4; i++) {
          expect([undefined, `value ${String(56 + i)}`], why).toContain(again.get(`k${String(i)}`));
        }
      },
    );
    expect([...store.keys()]).toEqual([]);
    store.set("a", "b");
    expect(new FlashStore(new FlashArea(sim, 0, 6)).get("a")).toBe("b");
  });
});
