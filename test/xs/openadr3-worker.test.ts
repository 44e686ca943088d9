/** OpenADR 3.1 with the firmware's bundle in the XS engine: the same way as test/scenario/openadr3-job.test.ts. */
import { describe, expect, it } from "vitest";
import { xsWorkerEngine } from "../../host-sim/runtime/xs-worker.js";
import { openadr3Job } from "../support/openadr3-job.js";

describe("OpenADR 3.1 in XS, in virtual time", () => {
  it("does in XS what it does on Node", async () => {
    const engine = await xsWorkerEngine();
    try {
      const bench = await openadr3Job(engine);
      expect(bench.vtn3.vens()).toHaveLength(1);
    } finally {
      engine.close();
    }
  });
});
