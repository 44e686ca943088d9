import { describe, expect, it } from "vitest";
import { Fuzz } from "../../tools/fuzz/check.js";
import { fuzzExchanges } from "../../tools/fuzz/exchange.js";
import { planted, readMutants } from "../../tools/fuzz/mutants.js";

describe("fuzz of src/wire and src/link", () => {
  it("100,000 payloads, frames and lines: what check.ts promises holds for each", () => {
    const fuzz = new Fuzz(2045);
    try {
      fuzz.run(100_000);
    } catch (error) {
      throw fuzz.tell(error);
    }
    const { inputs, messages, frames, answers, discarded } = fuzz.counts;
    expect(inputs).toBe(100_000);
    // The inputs are such that much is taken and much is not.
    expect(messages).toBeGreaterThan(30_000);
    expect(inputs - messages).toBeGreaterThan(30_000);
    expect(frames).toBeGreaterThan(30_000);
    expect(answers).toBeGreaterThan(3_000);
    expect(discarded).toBeGreaterThan(1_000_000);
  });

  it("150 seeds of whole exchanges, judged on the line", () => {
    for (let seed = 1001; seed <= 1150; seed++) fuzzExchanges(seed);
  });

  it("tells the input of a failure, so that it can be tried again", () => {
    const fuzz = new Fuzz(7);
    fuzz.run(10);
    expect(fuzz.tell(new Error("boom")).message).toMatch(
      /^seed 7, input 10: Error: boom[^]*; ([0-9a-f]{2})+$/,
    );
  });
});

describe("the mutants that the fuzz has to find", () => {
  const mutants = readMutants();

  it("are at least 40, in both folders, each of its own", () => {
    expect(mutants.length).toBeGreaterThanOrEqual(40);
    expect(new Set(mutants.map(({ what }) => what)).size).toBe(mutants.length);
    for (const folder of ["wire/", "link/"]) {
      expect(mutants.filter(({ file }) => file.startsWith(folder)).length).toBeGreaterThanOrEqual(20);
    }
  });

  it.each(mutants)("$file: $what: can still be planted", (mutant) => {
    expect(planted(mutant)).not.toBe("");
    expect(mutant.search).not.toBe(mutant.replace);
  });
});
