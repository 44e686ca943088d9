/** Every scenario twice: the same seed gives the same trace byte for byte, and all of them take less than a minute. */
import { describe, expect, it } from "vitest";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { xsWorkerEngine } from "../../host-sim/runtime/xs-worker.js";
import { loadScenario, shippedNames } from "../../host-sim/scenario/files.js";
import { runScenario, type ScenarioResult } from "../../host-sim/scenario/run.js";

async function runAll(seed?: number): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const name of shippedNames()) {
    const scenario = loadScenario(name);
    if (!("steps" in scenario)) throw new Error(scenario.join("\n"));
    const options = { engine: nodeEngine(), ...(seed === undefined ? {} : { seed }) };
    results.push(await runScenario(scenario, options));
  }
  return results;
}

describe("every scenario that comes with the bench", () => {
  it("repeats byte for byte, within a minute", { timeout: 600_000 }, async () => {
    const cpu = process.cpuUsage();
    const first = await runAll();
    const { user, system } = process.cpuUsage(cpu);
    expect((user + system) / 1e6).toBeLessThan(60);
    const second = await runAll();
    const differ = first.filter((one, i) => one.trace !== second[i]!.trace).map((one) => one.name);
    expect(differ).toEqual([]);
    expect(first.every((one) => one.trace.length > 1000)).toBe(true);
  });

  it.each([7, 1234])("passes with seed %d too", { timeout: 600_000 }, async (seed) => {
    const failed = (await runAll(seed)).filter((one) => !one.passed);
    const why = failed.map(
      (one) => `${one.name}: ${one.steps.find((step) => step.outcome === "failed")!.why}`,
    );
    expect(why).toEqual([]);
  });

  it.each(["epri-2017-22a5", "override-and-its-end", "uk-random-delay", "line-noise", "stairs"])(
    "%s gives the same trace on Node and in XS",
    { timeout: 600_000 },
    async (name) => {
      const scenario = loadScenario(name);
      if (!("steps" in scenario)) throw new Error(scenario.join("\n"));
      const xs = await xsWorkerEngine();
      const inXs = await runScenario(scenario, { engine: xs });
      await xs.close();
      const onNode = await runScenario(scenario, { engine: nodeEngine() });
      expect(inXs.trace === onNode.trace).toBe(true);
    },
  );
});
