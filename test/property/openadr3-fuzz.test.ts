// Whatever a server sends: the 3.1 VEN does not throw, takes no event in half, and recovers. A million: *.full.test.ts.
import { describe, expect, it } from "vitest";
import { fuzzEvents, fuzzSession } from "../support/openadr3-fuzz.js";

describe("mutated answers", () => {
  it("20,000 lists of events", () => {
    const report = fuzzEvents(20_000, 1);
    expect(report.messages).toBe(20_000);
    // Some must get through, or the mutations prove nothing.
    expect(report.accepted).toBeGreaterThan(1000);
  }, 60_000);

  it("150 sessions with a wrong answer on the way", () => {
    expect(fuzzSession(150, 2)).toBe(150);
  }, 60_000);
});
