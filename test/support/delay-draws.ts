import { seededRandom } from "../../src/base/random.js";
import { GridCore } from "../../src/grid/core.js";
import { gridSettings } from "../../src/grid/settings.js";
import { event, HOUR, MemoryStore, MINUTE, T0 } from "./grid.js";

/** Greatest distance between the sample's distribution and the uniform one over low…high. */
export function kolmogorovSmirnov(sample: number[], low: number, high: number): number {
  const sorted = [...sample].sort((a, b) => a - b);
  let worst = 0;
  sorted.forEach((value, i) => {
    const expected = (value - low) / (high - low);
    worst = Math.max(
      worst,
      Math.abs(expected - i / sorted.length),
      Math.abs((i + 1) / sorted.length - expected),
    );
  });
  return worst;
}

export const DRAWS = 10_000;
/** Critical value at 1 %: 1.628 / √n. */
export const CRITICAL = 1.628 / Math.sqrt(DRAWS);

/** Delays of events that start after, or around, their time by up to five minutes, ms. */
export function eventDelays(law: "after" | "around"): number[] {
  const random = seededRandom(20_261_121);
  return Array.from({ length: DRAWS }, () => {
    const core = new GridCore({
      store: new MemoryStore(),
      random,
      settings: gridSettings({ maxEvents: 1 }),
    });
    const now = { ms: 0, utcMs: T0 };
    core.replaceEvents("demo", [event({ start: T0 + HOUR, randomise: { windowMs: 5 * MINUTE, law } })], now);
    return core.nextMs(now) - HOUR;
  });
}

/** Delays before changes of load in the UK, s. */
export function changeDelays(): number[] {
  const sample: number[] = [];
  const core = new GridCore({
    store: new MemoryStore(),
    random: seededRandom(3),
    settings: gridSettings({ region: "uk", offPeak: [{ days: 127, fromMin: 60, toMin: 120 }] }),
  });
  let now = { ms: 0, utcMs: T0 };
  core.evaluate(now);
  while (sample.length < DRAWS) {
    const ms = core.nextMs(now);
    now = { ms, utcMs: T0 + ms };
    core.evaluate(now);
    const delay = core.delay(now);
    if (delay.running && delay.remainingMs === delay.totalMs) sample.push(delay.totalMs / 1000);
  }
  return sample;
}
