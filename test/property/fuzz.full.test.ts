import { describe, expect, it } from "vitest";
import { readMutants, tryMutants } from "../../tools/fuzz/mutants.js";
import { fuzzInParallel } from "../../tools/fuzz/parallel.js";

describe("fuzz of src/wire and src/link, long", () => {
  it("10 million inputs: no throw, no hang, no growth", async () => {
    const { counts, grownBytes, seconds, threads } = await fuzzInParallel(10_000_000, 100);
    console.log(
      `${counts.inputs} inputs in ${seconds.toFixed(0)} s on ${threads} threads, heap ${grownBytes} bytes`,
    );
    expect(counts.inputs).toBe(10_000_000);
    // A byte kept of every input of a thread would be five times as much.
    expect(grownBytes).toBeLessThan(1_000_000);
  }, 900_000);

  it("finds at least nine of ten planted faults", async () => {
    const results = await tryMutants(readMutants());
    const survived = results
      .filter(({ found }) => !found)
      .map(({ mutant }) => `${mutant.file}: ${mutant.what}`);
    console.log(
      `${results.length - survived.length} of ${results.length} found; not: ${survived.join("; ") || "none"}`,
    );
    expect(results.length - survived.length, survived.join("\n")).toBeGreaterThanOrEqual(
      0.9 * results.length,
    );
  }, 900_000);
});
