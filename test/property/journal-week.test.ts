import { describe, expect, it } from "vitest";
import { CUTS } from "../support/flash-sim.js";
import { cutAWeek } from "../support/cut-week.js";

/** By default a part of the operations; all of them with OPENUCM_FULL=1. */
const EVERY = process.env["OPENUCM_FULL"] === "1" ? 1 : 9;

describe("power cut at every operation of a week", () => {
  it("loses nothing acknowledged and believes nothing half-written", () => {
    const { operations, cuts, failures } = cutAWeek(EVERY);
    expect(operations).toBeGreaterThan(600);
    expect(cuts).toBeGreaterThanOrEqual(Math.floor(operations / EVERY) * CUTS.length);
    expect(failures).toBe(0);
  }, 600_000);
});
