// An update through the whole module: configuration, journal, runtime. The same in XS: test/xs/update-worker.test.ts.
import { expect, it } from "vitest";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { updateJob } from "../support/update-job.js";

it("the whole module takes an update, and refuses a forged one, by name in its security log", async () => {
  const { state, security } = await updateJob(nodeEngine());
  expect(state["update"]).toMatchObject({ version: "1.1.0", slot: "b", phase: "idle", board: "bench" });
  expect(security).toContain("update-accepted");
  expect(security).toContain("update-installed");
  expect(security).toContain("tuf-signature");
});
