// An update through the whole module: configuration, journal, runtime. The same in XS: test/xs/update-worker.test.ts.
import { expect, it } from "vitest";
import { MemoryFiles } from "../../host-sim/release/files.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { updateJob } from "../support/update-job.js";
import { MachineRig } from "../support/update-machine.js";
import { imageOf, TestRepo } from "../support/update-rig.js";

const HOUR = 3_600_000;

it("the whole module takes an update, and refuses a forged one, by name in its security log", async () => {
  const { state, security } = await updateJob(nodeEngine());
  expect(state["update"]).toMatchObject({ version: "1.1.0", slot: "b", phase: "idle", board: "bench" });
  expect(security).toContain("update-accepted");
  expect(security).toContain("update-installed");
  expect(security).toContain("tuf-signature");
});

it("after a factory reset, by whoever presses the button, older metadata are refused as before", async () => {
  const repo = new TestRepo();
  repo.add("1.1.0", imageOf(20_000));
  const old = new MemoryFiles(repo.files);
  repo.repository.refresh(repo.context());
  const rig = new MachineRig(nodeEngine(), repo);
  const said = (words: string) => (): boolean => rig.logs.some((text) => text.startsWith(words));
  expect(await rig.run(4 * HOUR, said("update-installed: 1.1.0"))).toBe(true);
  const { boots } = rig;
  rig.put({ k: "button", heldMs: 11_000 });
  expect(await rig.run(HOUR, () => rig.boots > boots)).toBe(true);
  repo.files.all.clear();
  for (const [path, bytes] of old.all) repo.files.write(path, bytes);
  expect(await rig.run(4 * HOUR, said("update-refused"))).toBe(true);
  expect(rig.logs.find((text) => text.startsWith("update-refused"))).toContain("tuf-rollback");
});
