/** Shipped scenarios can fail: with any one expected value made wrong they do. All of them with OPENUCM_FULL=1. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { scenarioOf, shippedNames } from "../../host-sim/scenario/files.js";
import { runScenario } from "../../host-sim/scenario/run.js";
import { mutantsOf } from "../support/scenario-mutants.js";

const pathOf = (name: string): string =>
  fileURLToPath(new URL(`../../host-sim/scenario/shipped/${name}.yaml`, import.meta.url));

/** A day each. */
const long = (name: string): boolean => name.startsWith("price-day") || name === "override-runs-out";
const names =
  process.env["OPENUCM_FULL"] === "1"
    ? shippedNames().filter((name) => !long(name))
    : ["epri-2017-22a5", "drm-2-half", "implied-cancel", "ocpp-limit", "south-australia-40-to-60-percent"];

describe("a wrong expectation is found", () => {
  it.each(names)("%s", async (name) => {
    const path = pathOf(name);
    const mutants = mutantsOf(readFileSync(path, "utf8"));
    // What it expects of reports and counts of frames has no wrong value here.
    if (name !== "telemetry") expect(mutants.length).toBeGreaterThan(0);
    const survivors: string[] = [];
    for (const { what, text } of mutants) {
      const scenario = scenarioOf(text, path);
      if (!("steps" in scenario)) throw new Error(scenario.join("\n"));
      const { passed } = await runScenario(scenario, { engine: nodeEngine() });
      if (passed) survivors.push(what);
    }
    expect(survivors).toEqual([]);
  });
});
