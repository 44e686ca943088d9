import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { seededRandom } from "../../src/base/random.js";
import { GridCore } from "../../src/grid/core.js";
import { gridSettings } from "../../src/grid/settings.js";
import { event, HOUR, interval, MemoryStore, MINUTE, T0 } from "./grid.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** A core that holds so many events, three intervals each, one a quarter of an hour. */
function filled(count: number): { core: GridCore; store: MemoryStore } {
  const store = new MemoryStore();
  const core = new GridCore({
    store,
    random: seededRandom(1),
    settings: gridSettings({ maxEvents: count, maxEventsPerSource: count, maxStoredChars: 1e6 }),
  });
  const events = Array.from({ length: count }, (_, i) =>
    event({
      id: `event-${String(i)}`,
      rank: i % 7,
      start: T0 + i * 15 * MINUTE,
      randomise: { windowMs: 5 * MINUTE, law: "after" },
      intervals: [
        interval("shed", HOUR),
        interval("critical-peak", HOUR, HOUR),
        interval("shed", HOUR, 2 * HOUR),
      ],
    }),
  );
  core.replaceEvents("demo", events, { ms: 0, utcMs: T0 });
  return { core, store };
}

/** Microseconds of one re-plan, the best of some rounds. */
function replanUs(core: GridCore): number {
  let best = Infinity;
  for (let round = 0; round < 12; round++) {
    const rounds = 200;
    const begin = process.hrtime.bigint();
    for (let i = 0; i < rounds; i++) {
      // A step of the clock makes every answer new.
      core.evaluate({ ms: round * rounds + i, utcMs: T0 + (i % 2) * HOUR });
    }
    best = Math.min(best, Number(process.hrtime.bigint() - begin) / 1000 / rounds);
  }
  return best;
}

export interface Replan {
  readonly count: number;
  /** Microseconds of one re-plan. */
  readonly us: number;
  readonly heapB: number;
  readonly storedB: number;
  /** Heap that 2,400 re-plans leave behind. */
  readonly grownB: number;
}

/** Time and heap of a re-plan for so many stored events. */
export function replanFigures(counts: readonly number[]): readonly Replan[] {
  // Compiled before it is measured.
  replanUs(filled(Math.max(...counts)).core);
  return counts.map((count) => {
    // Of a small thing the collector's own comings and goings are larger: many are weighed at once.
    const copies = Math.max(1, Math.floor(1000 / count));
    const cores: GridCore[] = [];
    let storedB = 0;
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < copies; i++) {
      const { core, store } = filled(count);
      storedB = [...store.values.values()].reduce((sum, text) => sum + text.length, 0);
      store.values.clear();
      cores.push(core);
    }
    collect();
    const heapB = Math.round((process.memoryUsage().heapUsed - before) / copies);
    const us = replanUs(cores[0]!);
    collect();
    const grownB = process.memoryUsage().heapUsed - before - heapB * copies;
    return { count, us, heapB, storedB, grownB };
  });
}
