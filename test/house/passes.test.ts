/** The full run's two passes (tools/test-passes.ts): each suite is in exactly one, and none in real time shares the machine. */
import { describe, expect, it } from "vitest";
import {
  ALONE,
  BESIDE,
  byTheClock,
  everySuite,
  LONG,
  realWorldOf,
  runsBeside,
  suitesLeft,
  TOUCHY,
} from "../../tools/test-passes.js";

const left = suitesLeft();

describe("the passes of the full run", () => {
  it("name suites of the full run, each once", () => {
    const named = [...BESIDE.flatMap(({ suites }) => suites), ...Object.keys(ALONE)];
    expect(named.filter((suite) => !left.includes(suite))).toEqual([]);
    expect(new Set(named).size).toBe(named.length);
    expect(LONG.filter((suite) => !runsBeside(suite))).toEqual([]);
  });

  it("run no suite beside another that deals with processes, sockets or browsers", () => {
    const real = left.filter(runsBeside).flatMap((suite) => realWorldOf(suite).map((file) => [suite, file]));
    expect(real).toEqual([]);
  });

  it("leave no suite that nothing says anything of", () => {
    const unsaid = left.filter(
      (suite) => !runsBeside(suite) && !(suite in ALONE) && realWorldOf(suite).length === 0,
    );
    expect(unsaid, "name it in tools/test-passes.ts").toEqual([]);
  });

  it("try nothing again that only computes, and what a machine can disturb once more", () => {
    const every = everySuite();
    expect(Object.keys(TOUCHY).filter((suite) => !every.includes(suite))).toEqual([]);
    expect(byTheClock("test/property/model-charger.test.ts")).toBe(false);
    expect(byTheClock("test/scenario/timing.full.test.ts")).toBe(true);
    expect(byTheClock("test/cli/csms.full.test.ts")).toBe(true);
  });

  it("see real time where it is", () => {
    expect(realWorldOf("test/page/chargers.full.test.ts")).toContain("test/page/page-rig.ts");
    expect(realWorldOf("test/property/fuzz.full.test.ts")).toEqual([]);
  });
});
