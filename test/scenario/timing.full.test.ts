/** Two processes on a pseudo-terminal, in real time: what the peer sees of our delays, by its own clock. */
import { describe, expect, it } from "vitest";
import { measureTiming, percentile } from "../../tools/timing/run.js";

const cycles = 40;

describe("our link as a process, against a peer at the legal minimum delays", () => {
  it.each([false, true])(
    "no ACK of ours before 40.0 ms (other work in the process: %s)",
    async (load) => {
      let measured = await measureTiming(cycles, load);
      // Never too early, however busy the machine is; on one that is much too busy some come too late to be counted.
      expect(measured.ackMs[0]).toBeGreaterThanOrEqual(40);
      const undisturbed = (): boolean => measured.ackMs.length >= cycles - 3 && measured.strange === 0;
      for (let tries = 1; tries < 6 && !undisturbed(); tries++) {
        measured = await measureTiming(cycles, load);
        expect(measured.ackMs[0]).toBeGreaterThanOrEqual(40);
      }
      const { ackMs, cycleMs, strange } = measured;
      expect(cycleMs).toHaveLength(cycles);
      expect(ackMs.length).toBeGreaterThanOrEqual(cycles - 3);
      expect(strange).toBe(0);
      console.log(`99.9th percentile of the ACK: ${percentile(ackMs, 0.999).toFixed(1)} ms`);
    },
    600_000,
  );

  it("a command with its reply takes at most 1.15 times the sum of the legal minima", async () => {
    // What else runs on this machine can only make it longer: the best of six medians is ours.
    const ratios: number[] = [];
    for (let i = 0; i < 6 && !(Math.min(...ratios) <= 1.15); i++) {
      const { cycleMs, legalCycleMs } = await measureTiming(cycles, false);
      ratios.push(percentile(cycleMs, 0.5) / legalCycleMs);
    }
    expect(Math.min(...ratios)).toBeLessThanOrEqual(1.15);
    // Shorter would mean that we do not keep a minimum, or that the peer measures wrong.
    expect(Math.min(...ratios)).toBeGreaterThan(1);
  }, 600_000);
});
