import { describe, expect, it } from "vitest";
import { lampOf, patternOf, type LampFacts } from "../../src/health/lamp.js";
import { CrashLoop, MemoryWatch, MOST_LATE_MS, Watch, WATCHED } from "../../src/health/watch.js";
import { NEVER } from "../../src/ports/time.js";

const at = (ms: number): { ms: number; utcMs: undefined } => ({ ms, utcMs: undefined });

function memory(): {
  get(k: string): string | undefined;
  set(k: string, v: string): void;
  delete(k: string): void;
} {
  const values = new Map<string, string>();
  return {
    get: (key) => values.get(key),
    set: (key, value) => void values.set(key, value),
    delete: (key) => void values.delete(key),
  };
}

describe("progress", () => {
  it.each(WATCHED)(
    "%s: overdue for longer than its limit, though polled, is stuck; progress mends it",
    (part) => {
      const watch = new Watch();
      watch.polled(part, 1000, at(0));
      watch.polled(part, 1000, at(1000));
      expect(watch.stuck(at(1000 + MOST_LATE_MS[part]))).toBeUndefined();
      watch.polled(part, 1000, at(1000 + MOST_LATE_MS[part]));
      expect(watch.stuck(at(1001 + MOST_LATE_MS[part]))).toBe(part);
      watch.polled(part, 9e9, at(2000 + MOST_LATE_MS[part]));
      expect(watch.stuck(at(9e8))).toBeUndefined();
    },
  );

  it("nothing to do is no lack of progress", () => {
    const watch = new Watch();
    for (const part of WATCHED) watch.polled(part, NEVER, at(0));
    expect(watch.stuck(at(1e12))).toBeUndefined();
  });
});

describe("crashes in a row", () => {
  it("the upstreams wait longer with each crash from the third on, an hour at most; a sound run forgets them", () => {
    const store = memory();
    const waits = Array.from(
      { length: 12 },
      () => new CrashLoop(store, true, at(0)).upstreamWaitMs() / 60_000,
    );
    expect(waits).toEqual([0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
    const last = new CrashLoop(store, true, at(0));
    last.poll(at(last.nextMs() - 1));
    expect(last.count).toBe(13);
    last.poll(at(last.nextMs()));
    expect(last.count).toBe(0);
    expect(last.nextMs()).toBe(NEVER);
    expect(new CrashLoop(store, true, at(0)).count).toBe(1);
  });

  it("a start in order forgets them at once, and what the store holds is never trusted blindly", () => {
    const store = memory();
    for (let i = 0; i < 5; i++) new CrashLoop(store, true, at(0));
    expect(new CrashLoop(store, false, at(0)).count).toBe(0);
    for (const nonsense of ["-3", "1e99", "x", ""]) {
      store.set("health.crashes", nonsense);
      expect(new CrashLoop(store, true, at(0)).count).toBe(1);
    }
  });
});

describe("memory", () => {
  it("is told once as short, and long enough again only well above", () => {
    const watch = new MemoryWatch();
    expect([20_000, 6000, 5000, 9000].map((free) => watch.onFree(free))).toEqual([false, true, false, false]);
    expect(watch.short).toBe(true);
    watch.onFree(11_000);
    expect(watch.short).toBe(false);
  });
});

describe("the lamp", () => {
  const well: LampFacts = {
    ...{ fault: false, setup: false, updating: false, network: true },
    ...{ utility: true, appliance: true, curtailed: false },
  };
  it("says the most urgent thing", () => {
    expect(lampOf(well)).toBe("well");
    expect(lampOf({ ...well, curtailed: true })).toBe("curtailed");
    expect(lampOf({ ...well, utility: false, curtailed: true })).toBe("no-utility");
    expect(lampOf({ ...well, network: false, utility: false })).toBe("no-network");
    expect(lampOf({ ...well, appliance: false, network: false })).toBe("no-appliance");
    expect(lampOf({ ...well, setup: true, updating: true })).toBe("setup");
    expect(lampOf({ ...well, setup: true, fault: true })).toBe("fault");
  });

  it("has another pattern for each word", () => {
    const lamps = [
      "fault",
      "setup",
      "updating",
      "no-network",
      "no-utility",
      "no-appliance",
      "curtailed",
      "well",
    ] as const;
    expect(new Set(lamps.map((lamp) => patternOf(lamp).join())).size).toBe(lamps.length);
  });
});
