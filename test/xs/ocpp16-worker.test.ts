/** OCPP in the XS engine of @agoric/xsnap: from the platform's limits to the charger's current, and 24 h of meter values. */
import { describe, expect, it } from "vitest";
import { xsWorkerEngine } from "../../host-sim/runtime/xs-worker.js";
import { ocppJob } from "../support/ocpp-job.js";

describe("OCPP 1.6 in XS, in virtual time", () => {
  it("does in XS what it does on Node", async () => {
    const engine = await xsWorkerEngine();
    try {
      const bench = await ocppJob(engine);
      expect(bench.csms.point.got("MeterValues").length).toBeGreaterThan(5);
    } finally {
      await engine.close();
    }
  });
});
