/** The kept table of losses (test/vectors/loss-table.json) against theory, its targets, and a sample run anew. */
import { describe, expect, it } from "vitest";
import { conditions, expectedSuccess, ExchangeRun, nameOf, ShedRun } from "../../tools/loss/rig.js";
import { readTable } from "../../tools/loss/table.js";

const { cells } = readTable();
const table = conditions.map((condition) => {
  const cell = cells.find(({ kind, rate }) => kind === condition.kind && rate === condition.rate);
  return { name: nameOf(condition), condition, cell: cell! };
});

/** Standard deviation of a share of `runs`. */
function sigma(share: number, runs: number): number {
  return Math.sqrt((share * (1 - share)) / runs);
}

describe("the kept table", () => {
  it("has 10,000 seeds for every condition", () => {
    expect(cells).toHaveLength(13);
    for (const { cell } of table) expect(cell.seeds).toBe(10_000);
  });

  it.each(table)("$name: one exchange agrees with theory within 4 σ", ({ condition, cell }) => {
    const theory = expectedSuccess(condition);
    expect(cell.theory).toBeCloseTo(theory, 4);
    // The table has four places.
    expect(Math.abs(cell.once - theory)).toBeLessThanOrEqual(4 * sigma(theory, cell.seeds) + 1e-4);
    expect(cell.retried).toBeGreaterThanOrEqual(cell.once);
  });

  it.each(table.filter(({ condition }) => condition.rate <= 0.01))(
    "$name: a Shed is verified within 60 s in at least 99.99 % of the runs",
    ({ cell }) => {
      expect(cell.shedsLate).toBeLessThanOrEqual(cell.seeds / 10_000);
    },
  );
});

describe("a sample of it, run anew", () => {
  it.each(table)("$name: 300 exchanges", ({ condition, cell }) => {
    const runs = 300;
    let once = 0;
    let retried = 0;
    // Seeds that the table has not seen.
    for (let seed = 20_001; seed <= 20_000 + runs; seed++) {
      if (new ExchangeRun(seed, condition, 1).run()) once++;
      if (new ExchangeRun(seed, condition, 3).run()) retried++;
    }
    expect(Math.abs(once / runs - cell.once)).toBeLessThanOrEqual(4 * sigma(cell.once, runs));
    // Where hardly any fail, one or two may.
    const slack = 4 * sigma(cell.retried, runs) + (cell.retried < 1 ? 2 / runs : 0);
    expect(Math.abs(retried / runs - cell.retried)).toBeLessThanOrEqual(slack);
  });

  it.each(table.filter(({ condition }) => condition.rate <= 0.01))(
    "$name: 30 Sheds",
    ({ condition, cell }) => {
      const times: number[] = [];
      for (let seed = 20_001; seed <= 20_030; seed++) {
        const ms = new ShedRun(seed, condition).run();
        expect(ms, `seed ${seed}`).toBeDefined();
        times.push(ms!);
      }
      times.sort((a, b) => a - b);
      const median = times[15]! / 1000;
      expect(median).toBeGreaterThan(cell.shedSeconds.median / 2);
      expect(median).toBeLessThan(cell.shedSeconds.median * 2);
    },
  );
});
