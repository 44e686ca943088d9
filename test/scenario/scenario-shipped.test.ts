/** The scenarios that come with the bench: all pass in virtual time, and repeat byte for byte. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LINE_FAULTS } from "../../host-sim/line/fault-names.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { loadScenario, shippedNames } from "../../host-sim/scenario/files.js";
import type { Scenario } from "../../host-sim/scenario/model.js";
import { runScenario, type ScenarioResult } from "../../host-sim/scenario/run.js";
import { ACTIONS, ANSWER_FAULTS, APPLIANCE_FAULTS } from "../../host-sim/sgd/faults.js";
import { profileNames } from "../../host-sim/sgd/profile.js";
import { repoRoot } from "../support/process.js";

function load(name: string): Scenario {
  const scenario = loadScenario(name);
  if (!("steps" in scenario)) throw new Error(scenario.join("\n"));
  return scenario;
}

const run = (name: string, seed?: number): Promise<ScenarioResult> =>
  runScenario(load(name), { engine: nodeEngine(), ...(seed === undefined ? {} : { seed }) });

const failure = (result: ScenarioResult): string =>
  result.steps
    .flatMap((step) => (step.outcome === "failed" ? [`line ${step.line}: ${step.text}: ${step.why}`] : []))
    .join();

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");

/** A day each: in scenario-all.full.test.ts alone. */
const long = (name: string): boolean => name.startsWith("price-day") || name === "override-runs-out";

/** Those whose repetition is compared here, faults of the line above all; all of them in scenario-all.full.test.ts. */
const repeated = (name: string, i: number): boolean =>
  (i % 5 === 0 && !long(name)) || name.startsWith("line-");

describe("the scenarios that come with the bench", () => {
  it("are at least 40, each with a title, a reason and an expectation", () => {
    const names = shippedNames();
    expect(names.length).toBeGreaterThanOrEqual(40);
    for (const name of names) {
      const { title, why, steps } = load(name);
      expect(title.length, name).toBeGreaterThan(10);
      expect(why.length, name).toBeGreaterThan(15);
      expect(
        steps.some((step) => "expect" in step),
        name,
      ).toBe(true);
    }
    const titles = names.map((name) => load(name).title);
    expect(new Set(titles).size).toBe(titles.length);
  });

  it("cover every profile", () => {
    const used = new Set(shippedNames().map((name) => load(name).profile.name));
    expect(profileNames().filter((name) => !used.has(name))).toEqual([]);
  });

  it("are as many as the documents say, as are the profiles and the faults of a line", () => {
    const numbers = (path: string, what: string): number[] =>
      [...readFileSync(join(repoRoot, path), "utf8").matchAll(new RegExp(`(\\d+) ${what}`, "g"))].map((one) =>
        Number(one[1]),
      );
    const lineFaults = Object.keys(LINE_FAULTS);
    expect(numbers("README.md", "scenarios")).toEqual([shippedNames().length]);
    expect(numbers("docs/measurements.md", "scenarios, the slower")).toEqual([shippedNames().length]);
    expect(numbers("README.md", "charger profiles")).toEqual([profileNames().length]);
    expect(numbers("docs/bench-page.md", "faults by name")).toEqual([lineFaults.length]);
    const simulator = readFileSync(join(repoRoot, "docs/charger-simulator.md"), "utf8");
    const faults = [LINE_FAULTS, ANSWER_FAULTS, APPLIANCE_FAULTS, ACTIONS].flatMap(Object.keys);
    expect([...profileNames(), ...faults].filter((name) => !simulator.includes(`\`${name}\``))).toEqual([]);
  });

  it.each(shippedNames().filter((name) => !long(name)))("%s", async (name) => {
    const result = await run(name);
    expect(failure(result)).toBe("");
    if (!repeated(name, shippedNames().indexOf(name))) return;
    const again = await run(name);
    expect(hash(again.trace)).toBe(hash(result.trace));
  });

  it("differ with the seed where chance has a part", async () => {
    const [one, two] = [await run("uk-random-delay", 1), await run("uk-random-delay", 2)];
    expect(failure(two)).toBe("");
    expect(hash(one.trace)).not.toBe(hash(two.trace));
  });
});
