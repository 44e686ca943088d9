/** 72 hours on a line that is not quite good, with the module pulled and put back a hundred times, in virtual time. */
import { queryObjects, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { endure } from "../../tools/loss/flat.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const count = queryObjects as (constructor: unknown, options: { format: "count" }) => number;

describe("72 hours of commands with random hot plugs", () => {
  it.each([1, 2])(
    "seed %d: every command is verified or reported; counters, objects and queues stay flat",
    (seed) => {
      const { run, flat } = endure(seed, 72, collect, (constructor) =>
        count(constructor, { format: "count" }),
      );
      const { verified, reported, lost, late } = run.outcomes;
      expect(lost).toEqual([]);
      expect(late).toEqual([]);
      expect(verified).toBeGreaterThan(150);
      const told = Object.values(reported).reduce((sum, value) => sum + value, 0);
      // One is under way when the time is over, at most.
      expect(run.commands - verified - told).toBe(0);
      expect(run.pulls).toBeGreaterThan(50);
      const c = run.counters;
      expect(c.unplugs).toBe(run.pulls);
      for (const value of Object.values(c).flat()) {
        expect(Number.isInteger(value) && value >= 0, JSON.stringify(c)).toBe(true);
      }
      // What one side has sent and the other has not received was lost, or sent while the module was out.
      expect(c.framesReceived).toBeLessThanOrEqual(run.chargerCounters.framesSent);
      expect(c.requestsOk / (c.requestsOk + c.requestsFailed)).toBeGreaterThan(0.95);
      // Live memory and objects after 12 hours and after 72.
      // Alone in its process it is flat to 50 KB (`npm run measure -- endurance`); a test runner breathes.
      expect(flat.grownBytes).toBeLessThan(500_000);
      expect(flat.grownObjects).toBeLessThan(50);
    },
    600_000,
  );
});
