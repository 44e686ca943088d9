/** The whole application lives through a day in the chip's machine, and its live heap stays flat. */
import { expect, it } from "vitest";
import { xsHostEngine } from "../../host-sim/runtime/xs-engine.js";
import { xsHostMissing } from "../../host-sim/runtime/xs-host.js";
import { dayJob } from "../support/day-job.js";
import { describeWith } from "../support/needs.js";

/** What `npm run measure -- memory` found, with some room (1,824 slots and 16,896 B of chunks): 48 KB in all. */
const creation = { slots: 1920, chunks: 18_432 };

describeWith(xsHostMissing(), "memory of the whole application", () => {
  it("passes events, prices, an override and 24 h of polling in a machine of 48 KB", async () => {
    const engine = await xsHostEngine({ creation });
    const live: number[] = [];
    try {
      await dayJob(engine, {
        hours: 24,
        onHour: async () => {
          const { slots, chunks } = await engine.runtime.collect();
          live.push(slots.live * slots.bytes + chunks.live);
        },
      });
      const { stack } = await engine.runtime.stats();
      expect(stack.peak).toBeLessThan(stack.capacity * 0.9);
    } finally {
      await engine.close();
    }
    // What is under way at the end of an hour differs by a few hundred bytes; it must not grow.
    expect(Math.max(...live.slice(12)) - Math.max(...live.slice(0, 12))).toBeLessThanOrEqual(256);
    expect(Math.max(...live) - Math.min(...live)).toBeLessThan(1024);
  }, 600_000);
});
