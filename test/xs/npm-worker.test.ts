/** The firmware's bundle in the XS engine of @agoric/xsnap: the whole main job, with the world bridged. */
import { describe, expect, it } from "vitest";
import { xsWorkerEngine } from "../../host-sim/runtime/xs-worker.js";
import { mainJob } from "../support/main-job.js";

describe("main job in XS, in virtual time", () => {
  it("does in XS what it does on Node", async () => {
    const engine = await xsWorkerEngine();
    try {
      const report = await mainJob(engine);
      expect(report.frames.filter((frame) => frame.startsWith("08 01 00 02 01 "))).toHaveLength(1);
      expect(engine.worker.meter.compute).toBeGreaterThan(0);
    } finally {
      engine.close();
    }
  });
});
