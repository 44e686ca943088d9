import { describe, expect, it } from "vitest";
import { GridCore } from "../../src/grid/core.js";
import { gridSettings } from "../../src/grid/settings.js";
import { event, HOUR, MINUTE, MemoryStore, T0, interval } from "../support/grid.js";
import { seededRandom } from "../../src/base/random.js";

function core(given: Parameters<typeof gridSettings>[0] = {}, store = new MemoryStore()): GridCore {
  return new GridCore({ store, random: seededRandom(7), settings: gridSettings(given) });
}

/** Monotonic time runs 1,000,000 s behind UTC here. */
const at = (ms: number) => ({ ms, utcMs: T0 + ms });

describe("one source", () => {
  it("obeys a SIMPLE 1 event from its start to its end", () => {
    const grid = core();
    expect(grid.replaceEvents("demo", [event({ start: T0 + HOUR })], at(0))).toEqual([
      { id: "e1", revision: 0, verdict: "new", why: "" },
    ]);
    expect(grid.evaluate(at(0)).intent).toMatchObject({ ask: { ask: "normal" }, source: "none" });
    expect(grid.evaluate(at(0)).outlook.next).toEqual({
      ask: { ask: "shed" },
      atMs: HOUR,
      source: "demo",
    });
    expect(grid.nextMs(at(0))).toBe(HOUR);
    expect(grid.evaluate(at(HOUR)).intent).toEqual({
      ask: { ask: "shed" },
      source: "demo",
      eventId: "e1",
      revision: 0,
      reason: "The utility 'demo' asks to reduce charging until 02:00 UTC.",
      beganUtcMs: T0 + HOUR,
      endsUtcMs: T0 + 2 * HOUR,
      endsAtMs: 2 * HOUR,
      emergencyPermitted: false,
    });
    expect(grid.nextMs(at(HOUR))).toBe(2 * HOUR);
    expect(grid.evaluate(at(2 * HOUR)).intent).toMatchObject({ ask: { ask: "normal" }, source: "none" });
    expect(grid.nextMs(at(2 * HOUR))).toBe(Infinity);
  });

  it("tells new, unchanged, changed, stale and cancelled apart", () => {
    const grid = core();
    const give = (...events: Parameters<typeof event>[0][]) =>
      grid.replaceEvents("demo", events.map(event), at(10)).map((v) => v.verdict);
    expect(give({ revision: 1, start: T0 })).toEqual(["new"]);
    expect(give({ revision: 1, start: T0 })).toEqual(["unchanged"]);
    expect(give({ revision: 2, start: T0, intervals: [interval("critical-peak", HOUR)] })).toEqual([
      "changed",
    ]);
    expect(grid.evaluate(at(20)).intent.ask.ask).toBe("critical-peak");
    expect(give({ revision: 1, start: T0 })).toEqual(["stale"]);
    expect(grid.evaluate(at(30)).intent.ask.ask).toBe("critical-peak");
    expect(give({ revision: 3, start: T0, cancelled: true })).toEqual(["cancelled"]);
    expect(give({ revision: 3, start: T0, cancelled: true })).toEqual(["unchanged"]);
    expect(grid.evaluate(at(40)).intent.ask.ask).toBe("normal");
    expect(give({ id: "never-seen", cancelled: true })).toEqual(["cancelled"]);
    expect(give({ id: "never-seen", cancelled: true })).toEqual(["unchanged"]);
  });

  it("takes absence for a cancel, and an event that returns for a changed one", () => {
    const grid = core();
    grid.replaceEvents("demo", [event({ start: T0 })], at(10));
    grid.replaceEvents("other", [], at(20));
    expect(grid.evaluate(at(20)).intent.ask.ask).toBe("shed");
    grid.replaceEvents("demo", [], at(30));
    expect(grid.evaluate(at(30)).intent.ask.ask).toBe("normal");
    expect(grid.stats().events).toBe(0);
  });

  it("keeps everything over a restart, the draw included", () => {
    const store = new MemoryStore();
    const randomise = { windowMs: 10 * MINUTE, law: "after" as const };
    const first = core({}, store);
    first.replaceEvents("demo", [event({ start: T0 + HOUR, randomise })], at(0));
    const begins = first.nextMs(at(0));
    expect(begins).toBeGreaterThan(HOUR);
    expect(begins).toBeLessThanOrEqual(HOUR + 10 * MINUTE);
    const again = core({}, store);
    const later = { ms: 5, utcMs: T0 + 5000 };
    expect(again.replaceEvents("demo", [event({ start: T0 + HOUR, randomise })], later)).toMatchObject([
      { verdict: "unchanged" },
    ]);
    expect(again.nextMs(later)).toBe(begins - 5000 + 5);
  });
});
