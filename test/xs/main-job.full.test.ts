/** The main job in virtual time on the engine of the device, in a machine of the chip's size. */
import { expect, it } from "vitest";
import { xsHostEngine } from "../../host-sim/runtime/xs-engine.js";
import { xsHostMissing } from "../../host-sim/runtime/xs-host.js";
import { mainJob } from "../support/main-job.js";
import { describeWith } from "../support/needs.js";

describeWith(xsHostMissing(), "main job in the 32-bit XS machine", () => {
  it("register, event, shed, verify, end: in the chip's memory, with the chip's stack", async () => {
    const engine = await xsHostEngine();
    try {
      const report = await mainJob(engine);
      expect(report.frames.filter((frame) => frame.startsWith("08 01 00 02 01 "))).toHaveLength(1);
      const { slots, chunks, stack } = await engine.runtime.collect();
      // Above ROM; what the whole application needs at its peak: tools/measure/memory.ts.
      expect(slots.live * slots.bytes + chunks.live).toBeLessThan(32_000);
      expect(stack.peak).toBeLessThan(stack.capacity * 0.9);
    } finally {
      await engine.close();
    }
  });
});
