import { describe, expect, it } from "vitest";
import { changeDelays, CRITICAL, eventDelays, kolmogorovSmirnov } from "../support/delay-draws.js";
import { MINUTE } from "../support/grid.js";

describe("the law of the random delays: 10,000 draws, Kolmogorov–Smirnov at 1 %", () => {
  it.each([
    ["after", 0, 5 * MINUTE],
    ["around", -5 * MINUTE, 5 * MINUTE],
  ] as const)("events %s their start", (law, low, high) => {
    const sample = eventDelays(law);
    expect(Math.min(...sample)).toBeGreaterThanOrEqual(low);
    expect(Math.max(...sample)).toBeLessThanOrEqual(high);
    expect(kolmogorovSmirnov(sample, low, high)).toBeLessThan(CRITICAL);
  });

  it("changes of load in the UK, to the second", () => {
    // Whole seconds 0…600: shifted by half a step to be compared with a continuous law.
    expect(kolmogorovSmirnov(changeDelays(), -0.5, 600.5)).toBeLessThan(CRITICAL + 1 / 1202);
  });
});
