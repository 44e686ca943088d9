/** The scenarios in the how-to pages run, and their numbers are true. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { shippedNames } from "../../host-sim/scenario/files.js";
import { readScenario } from "../../host-sim/scenario/read.js";
import { runScenario } from "../../host-sim/scenario/run.js";
import { ACTIONS, CONDITIONS } from "../../host-sim/scenario/spec.js";

const page = readFileSync(new URL("../../docs/how-to/write-a-scenario.md", import.meta.url), "utf8");
const files = [...page.matchAll(/```yaml\n(title:[\s\S]*?)```/g)].map((match) => match[1]!);

describe("docs/how-to/write-a-scenario.md", () => {
  it.each(files)("its example passes: %s", async (text) => {
    const scenario = readScenario(text, "example.yaml");
    expect(scenario).toHaveProperty("steps");
    if (!("steps" in scenario)) return;
    const result = await runScenario(scenario, { engine: nodeEngine() });
    expect(result.steps.filter((step) => step.outcome === "failed")).toEqual([]);
  });

  it("names every step and condition, and how many scenarios there are", () => {
    expect(files.length).toBeGreaterThanOrEqual(2);
    for (const name of [...ACTIONS, ...CONDITIONS]) expect(page, name).toContain(name);
    expect(page).toContain(`The ${shippedNames().length} that come with the bench`);
  });

  it("shows a mistake as it is told", () => {
    const wrong = files[0]!.replace("customer: opt-out", "customer: optout");
    const [mistake] = readScenario(wrong, "evening.yaml") as readonly {
      line: number;
      column: number;
      text: string;
    }[];
    expect(page).toContain(`evening.yaml:${mistake!.line}:${mistake!.column}: ${mistake!.text}`);
  });
});
