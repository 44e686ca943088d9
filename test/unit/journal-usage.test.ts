// The journal's half hours as OpenADR reports want them.
import { describe, expect, it } from "vitest";
import type { EnergyBook } from "../../src/journal/energy.js";
import { usageOf } from "../../src/journal/usage.js";

const HALF = 1_800_000;
const T = Date.UTC(2026, 10, 21, 0);
const book = (wh: readonly (number | undefined)[]): EnergyBook =>
  ({
    *halfHours() {
      for (const [i, energyWh] of wh.entries())
        if (energyWh !== undefined) yield { utcMs: T + i * HALF, energyWh };
    },
  }) as unknown as EnergyBook;
const all = [T - 1, T + 1e12] as const;

describe("usage of the past", () => {
  it("gives half hours as they are, as energy and as mean power", () => {
    const energy = book([100, undefined, 300]);
    expect(usageOf(energy, "energy", ...all, HALF, 48)).toEqual([
      { startUtcMs: T, durationMs: HALF, value: 100 },
      { startUtcMs: T + 2 * HALF, durationMs: HALF, value: 300 },
    ]);
    expect(usageOf(energy, "power", ...all, 60_000, 48).map(({ value }) => value)).toEqual([200, 600]);
  });

  it("adds them up to hours, and tells an hour that is known in half over that half", () => {
    expect(usageOf(book([100, 200, undefined, 50]), "energy", ...all, 2 * HALF, 48)).toEqual([
      { startUtcMs: T, durationMs: 2 * HALF, value: 300 },
      { startUtcMs: T + 2 * HALF, durationMs: HALF, value: 50 },
    ]);
  });

  it("takes what any part of lies between the times", () => {
    const energy = book([1, 2, 4, 8]);
    const sum = (from: number, to: number): number =>
      usageOf(energy, "energy", from, to, HALF, 48).reduce((total, { value }) => total + value, 0);
    expect(sum(T + HALF, T + 2 * HALF)).toBe(2);
    expect(sum(T + HALF + 1, T + 2 * HALF + 1)).toBe(6);
    expect(sum(T - 9 * HALF, T)).toBe(0);
    expect(usageOf(book([]), "energy", ...all, HALF, 48)).toEqual([]);
  });

  it.each([1, 2, 7, 48, 96])("makes a year fit into %i values and loses nothing", (most) => {
    const year = Array.from({ length: 365 * 48 }, (_, i) => (i % 5 === 0 ? undefined : i % 100));
    const total = year.reduce<number>((sum, one) => sum + (one ?? 0), 0);
    const points = usageOf(book(year), "energy", ...all, HALF, most);
    expect(points.length).toBeLessThanOrEqual(most);
    expect(points.reduce((sum, { value }) => sum + value, 0)).toBe(total);
  });

  it("adds a half hour that comes twice, because the clock was set back", () => {
    const twice = {
      *halfHours() {
        yield { utcMs: T, energyWh: 10 };
        yield { utcMs: T, energyWh: 5 };
      },
    } as unknown as EnergyBook;
    expect(usageOf(twice, "energy", ...all, HALF, 48)).toEqual([
      { startUtcMs: T, durationMs: HALF, value: 15 },
    ]);
  });
});
