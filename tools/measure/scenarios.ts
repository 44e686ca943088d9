import { createHash } from "node:crypto";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { loadScenario, shippedNames } from "../../host-sim/scenario/files.js";
import { runScenario } from "../../host-sim/scenario/run.js";
import type { Measure } from "../measure.js";

/** Every scenario once: how long they take, what they cover, and one digest over all traces. */
async function runAll(): Promise<{
  cpuS: number;
  wallS: number;
  virtualS: number;
  failed: number;
  digest: string;
}> {
  const hash = createHash("sha256");
  const began = performance.now();
  const cpu = process.cpuUsage();
  let virtualMs = 0;
  let failed = 0;
  for (const name of shippedNames()) {
    const scenario = loadScenario(name);
    if (!("steps" in scenario)) throw new Error(scenario.join("\n"));
    const result = await runScenario(scenario, { engine: nodeEngine() });
    hash.update(result.trace);
    virtualMs += result.virtualMs;
    if (!result.passed) failed++;
  }
  const { user, system } = process.cpuUsage(cpu);
  return {
    ...{ cpuS: (user + system) / 1e6, wallS: (performance.now() - began) / 1000, virtualS: virtualMs / 1000 },
    ...{ failed, digest: hash.digest("hex").slice(0, 16) },
  };
}

const measure: Measure = {
  name: "scenarios",
  about: "All scenarios that come with the bench in virtual time, one after another on one core, twice.",
  async run() {
    const first = await runAll();
    const second = await runAll();
    const wallS = Math.max(first.wallS, second.wallS);
    return [
      {
        ...{ name: `${shippedNames().length} scenarios, the slower of two runs`, value: wallS, unit: "s" },
        ...{ target: "under 60 s", met: wallS < 60 && first.failed + second.failed === 0 },
        conditions: `${first.cpuS.toFixed(1)} s and ${second.cpuS.toFixed(1)} s of processor time; ${first.failed + second.failed} failed`,
      },
      { name: "time that passes in them", value: first.virtualS / 3600, unit: "h" },
      {
        ...{ name: "the same seed, the same traces", value: first.digest, unit: "" },
        ...{ target: "equal byte for byte", met: first.digest === second.digest },
        conditions: "SHA-256 over all traces of each run, its beginning",
      },
    ];
  },
};
export default measure;
