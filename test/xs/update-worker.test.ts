/** Updates over the air in the XS engine: metadata, canonical form, blocks and trial, as in test/scenario/update-app.test.ts. */
import { expect, it } from "vitest";
import { xsWorkerEngine } from "../../host-sim/runtime/xs-worker.js";
import { updateJob } from "../support/update-job.js";

it("the whole module takes an update in XS as it does on Node", { timeout: 600_000 }, async () => {
  const engine = await xsWorkerEngine();
  try {
    const { state, security } = await updateJob(engine);
    expect(state["update"]).toMatchObject({ version: "1.1.0", slot: "b", phase: "idle" });
    expect(security).toContain("update-installed");
    expect(security).toContain("tuf-signature");
  } finally {
    await engine.close();
  }
});
