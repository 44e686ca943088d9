import { describe, expect, it } from "vitest";
import { cellOf, readTable, runLosses } from "../../tools/loss/table.js";
import { expectedSuccess, nameOf, type Condition } from "../../tools/loss/rig.js";

const condition: Condition = { kind: "byte-loss", rate: 0.01 };

describe("10,000 seeds at 1 % byte loss", () => {
  it(`${nameOf(condition)}: at least 99.99 % of the Sheds are verified within 60 s, and the table is right`, async () => {
    const seeds = 10_000;
    const [part] = await runLosses([condition], seeds);
    const cell = cellOf(condition, expectedSuccess(condition), seeds, part!);
    console.log(JSON.stringify(cell));
    expect(cell.shedsLate).toBeLessThanOrEqual(1);
    const kept = readTable().cells.find(
      ({ kind, rate }) => kind === condition.kind && rate === condition.rate,
    )!;
    // The same seeds: only a change in the code makes a difference, and a small one is no fault.
    expect(Math.abs(cell.once - kept.once)).toBeLessThanOrEqual(0.015);
    expect(Math.abs(cell.retried - kept.retried)).toBeLessThanOrEqual(0.005);
    expect(cell.shedSeconds.median).toBeLessThanOrEqual(kept.shedSeconds.median * 1.25);
    expect(cell.shedSeconds.p99).toBeLessThanOrEqual(kept.shedSeconds.p99 * 1.25);
  }, 900_000);
});
