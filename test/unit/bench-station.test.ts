// A module of the bench renews its certificate at its platform's word, as one of `openucm ucm` does, and keeps it.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { Bench } from "../../host-sim/bench/bench.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";

const dataDir = mkdtempSync(join(tmpdir(), "openucm-bench-station-"));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

it("has keys of its own, for which its platform signs", { timeout: 200_000 }, async () => {
  const bench = await Bench.start({
    ...{
      dataDir,
      engines: [nodeEngine()],
      profiles: ["evse-level2-32a"],
      region: "us",
      seed: 1,
      pollSeconds: 2,
    },
    onMessage: () => undefined,
    onFailure: (error) => {
      throw error;
    },
  });
  try {
    bench.run();
    const { core } = bench.csms;
    await expect.poll(() => core.point("BENCH-1").boot !== undefined, { timeout: 200_000 }).toBe(true);
    const payload = { requestedMessage: "SignChargePointCertificate" };
    const answer = await bench.csms.ask({ action: "ExtendedTriggerMessage", payload }, "BENCH-1");
    expect(answer["status"]).toBe("Accepted");
    const names = ["platform.next.pem", "platform.pem"].map((name) =>
      join(dataDir, "bench-certificates", name),
    );
    await expect.poll(() => names.some((name) => existsSync(name)), { timeout: 200_000 }).toBe(true);
  } finally {
    await bench.close();
  }
});
