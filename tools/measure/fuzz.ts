import { readMutants, tryMutants } from "../fuzz/mutants.js";
import { fuzzInParallel } from "../fuzz/parallel.js";
import type { Measure } from "../measure.js";

const count = 10_000_000;

const measure: Measure = {
  name: "fuzz",
  about:
    "Structure-aware, seeded inputs to parse, emit, describe and the receiver, which is held against a model of its document event by event; and the faults that the short form of it finds when they are planted one at a time (tools/fuzz/mutants.json).",
  async run() {
    const { counts, seconds, threads, grownBytes } = await fuzzInParallel(count, 100);
    const results = await tryMutants(readMutants());
    const survived = results
      .filter(({ found }) => !found)
      .map(({ mutant }) => `${mutant.file}: ${mutant.what}`);
    const share = 1 - survived.length / results.length;
    return [
      {
        name: "inputs without a throw, a hang or a difference",
        value: counts.inputs,
        unit: "",
        target: "10 million",
        met: counts.inputs === count,
        conditions: `${threads} threads, ${seconds.toFixed(0)} s; ${counts.messages} messages, ${counts.frames} frames and ${counts.answers} link answers found, ${counts.discarded} bytes told as noise`,
      },
      { name: "rate", value: Math.round(counts.inputs / seconds), unit: "inputs/s" },
      {
        name: "growth of the live heap of a thread",
        value: grownBytes,
        unit: "bytes",
        target: "none (< 1,000,000)",
        met: grownBytes < 1_000_000,
      },
      {
        name: "planted faults found",
        value: `${results.length - survived.length} of ${results.length} (${(share * 100).toFixed(1)} %)`,
        unit: "",
        target: "≥ 90 %",
        met: share >= 0.9,
        conditions: survived.length > 0 ? `not found: ${survived.join("; ")}` : "",
      },
    ];
  },
};
export default measure;
