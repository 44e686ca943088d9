/** The engine of scenarios: what it says when an expectation is not met, and its reports. */
import { describe, expect, it } from "vitest";
import { SaxesParser } from "saxes";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import type { Scenario } from "../../host-sim/scenario/model.js";
import { readScenario } from "../../host-sim/scenario/read.js";
import { reportText } from "../../host-sim/scenario/report.js";
import { runScenario, type ScenarioResult } from "../../host-sim/scenario/run.js";

async function play(steps: string, bench = ""): Promise<ScenarioResult> {
  const scenario = readScenario(`title: <T> & "t"\nwhy: W\n${bench}steps:\n${steps}\n`, "my.yaml");
  if (!("steps" in scenario)) throw new Error(JSON.stringify(scenario));
  return await runScenario(scenario as Scenario, { engine: nodeEngine() });
}

const failed = (result: ScenarioResult) => result.steps.find((step) => step.outcome === "failed");

describe("an expectation that is not met", () => {
  it.each<[string, RegExp]>([
    ["- expect: { currentA: 16 }", /not now: current 16 A: it is 32 A/],
    ["- expect: { opState: 2, withinSeconds: 5 }", /not within 5 s: state 2 \(Running Curtailed\): it is 1/],
    [
      "- expect: { contactor: open, plugged: false }",
      /contactor open: it is closed; plugged false: it is true/,
    ],
    [
      "- expect: { frame: { from: module, name: Shed }, withinSeconds: 9 }",
      /frame Shed from the module: it is 0; last on the line: /,
    ],
    [
      "- expect: { frame: { name: QueryState, max: 0 }, forSeconds: 90 }",
      /only for [\d.]+ s of 90: 0 to 0|only for [\d.]+ s of 90/,
    ],
    ["- expect: { report: { rId: power }, withinSeconds: 1 }", /report any\/power: it is 0/],
    ["- expect: { logContains: nothing }", /log with "nothing": it is \[/],
    ["- expect: { intent: shed, source: utility }", /intent shed: it is normal/],
    ["- expect: { upstream: failing, upstreamFault: dns }", /upstream failing: it is online/],
  ])("%s", async (step, words) => {
    const result = await play(`  ${step}\n  - waitSeconds: 1`);
    expect(result.passed).toBe(false);
    expect(failed(result)!.why).toMatch(words);
    expect(failed(result)!.line).toBe(4);
    expect(result.steps.at(-1)!.outcome).toBe("skipped");
  });

  it("also while the bench finds itself: a charger that never answers", async () => {
    const result = await play("  - waitSeconds: 1", "bench:\n  profileChanges: { car: { soc: 1 } }\n");
    expect(failed(result)).toMatchObject({
      line: 0,
      why: expect.stringMatching(/not within 120 s/) as string,
    });
  });
});

describe("steps", () => {
  it("reach everything: car, customer, line, module, clock, network", async () => {
    const result = await play(`
  - car: unplug
  - expect: { plugged: false, currentA: 0, withinSeconds: 5 }
  - car: plug
  - expect: { currentA: 32, withinSeconds: 30 }
  - car: fall-asleep
  - expect: { currentA: 0, withinSeconds: 5 }
  - car: wake
  - expect: { currentA: 32, withinSeconds: 30 }
  - customer: opt-out
  - expect: { override: true, withinSeconds: 1 }
  - customer: opt-in
  - line: { losePerByte: 1 }
  - expect: { frame: { from: charger, name: State, max: 0 }, forSeconds: 30 }
  - line: { losePerByte: 0 }
  - module: power-off
  - expect: { frame: { from: module, max: 0 }, forSeconds: 120 }
  - module: power-on
  - expect: { link: online, upstream: online, withinSeconds: 60 }
  - utility: { network: timeout }
  - expect: { upstreamFault: timeout, withinSeconds: 30 }
  - utility: { network: ok }
  - expect: { upstream: online, withinSeconds: 120 }
  - clock: { stepSeconds: 60, known: true }
  - fault: no-ack:1
  - fault: none`);
    expect(failed(result)).toBeUndefined();
  });
});

describe("the module's clock", () => {
  it("tells the appliance the hour that comes twice in autumn twice", async () => {
    const result = await play(
      `  - expect: { frame: { from: module, name: TimeSync, textContains: "Sunday 2 h", min: 2 }, withinSeconds: 4500 }
  - expect: { frame: { from: module, name: TimeSync, textContains: "Sunday 3 h" }, withinSeconds: 3700 }`,
      `bench:\n  start: 2026-10-24T23:50:00Z\n  module: { timeZone: "CET-1CEST,M3.5.0,M10.5.0/3" }\n`,
    );
    expect(failed(result)).toBeUndefined();
  });
});

describe("reports", () => {
  it("JUnit: a suite a scenario, a case an expectation, well-formed whatever the texts", async () => {
    const results = [
      await play("  - expect: { currentA: 16 }\n  - expect: { currentA: 32 }"),
      await play("  - waitSeconds: 1"),
    ];
    const text = reportText("a.xml", results)!;
    const seen: string[] = [];
    const parser = new SaxesParser();
    parser.on("opentag", ({ name, attributes }) => {
      seen.push(name);
      if (name === "testsuites") expect(attributes).toEqual({ tests: "4", failures: "1", skipped: "1" });
    });
    parser.on("error", (error) => {
      throw error;
    });
    parser.write(text).close();
    expect(seen.filter((name) => name === "testsuite")).toHaveLength(2);
    expect(seen.filter((name) => name === "failure")).toHaveLength(1);
    expect(text).toContain("not now: current 16 A: it is 32 A");
  });

  it("HTML: stands alone, escapes, draws the current", async () => {
    const text = reportText("a.HTML", [await play("  - expect: { currentA: 16 }")])!;
    expect(text).toContain("&lt;T&gt; &amp; &quot;t&quot;");
    expect(text).toContain("0 passed, 1 failed");
    expect(text).toMatch(/<path d="M[\d.]+ [\d.]+H/);
    expect(text).not.toMatch(/src=|href=|http/);
  });

  it("refuses an ending that is none", () => {
    expect(reportText("a.pdf", [])).toBeUndefined();
  });
});
