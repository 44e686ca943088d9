/** A pause that is the module's own never stands against the customer at the charger. */
import { describe, expect, it } from "vitest";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";

describe("off-peak pause", () => {
  it("stops a charger that lifts level 0 to 6 A, and ends when the customer presses the button", async () => {
    const bench = new VirtualBench({
      engine: nodeEngine(),
      // Monday 2026-06-01, 12:00 UTC: within the window.
      config: { region: "us", offPeak: [{ days: ["mon"], from: "00:01", to: "23:00" }] },
    });
    bench.sgd.plug();
    await bench.run(120_000);
    expect(bench.last("intent")).toMatchObject({ source: "local" });
    expect(bench.sgd.state()).toMatchObject({ currentA: 0 });
    bench.sgd.override(true);
    await bench.until("charging again", () => bench.sgd.state().currentA > 31, 90_000);
    expect(bench.last("intent")).not.toMatchObject({ source: "local" });
  });
});
