/** A stop that only Grid Emergency makes whole, and the customer's button at the charger. */
import { describe, expect, it } from "vitest";
import { ChargerRig } from "../support/charger-rig.js";
import { event, interval, limit, SECOND } from "../support/grid.js";

const SETTLE_MS = 90 * SECOND;
const stop = event({
  id: "stop",
  source: "utility-a",
  start: "now",
  emergencyPermitted: true,
  intervals: [interval(limit(0), Infinity)],
});

function charging(region: string): ChargerRig {
  const rig = new ChargerRig({
    config: { region, offPeak: [], randomDelay: { enabled: false, maxSeconds: 0 } },
  });
  rig.sgd.plug();
  rig.run(60 * SECOND);
  return rig;
}

describe("a utility's stop, carried out by Grid Emergency, and the customer's button", () => {
  it.each(["before", "after"])("au: the customer may not override it, pressed %s", (when) => {
    const rig = charging("au");
    if (when === "before") {
      rig.sgd.override(true);
      rig.run(5 * SECOND);
    }
    rig.give("utility-a", [stop]);
    rig.run(SETTLE_MS);
    if (when === "after") {
      rig.sgd.override(true);
      rig.run(SETTLE_MS);
    }
    expect(rig.amperes).toBe(0);
    rig.give("utility-a", []);
    rig.run(SETTLE_MS);
    expect(rig.amperes).toBe(32);
  });

  it.each(["before", "after"])("us: he may, pressed %s: Grid Emergency does not stand in his way", (when) => {
    const rig = charging("us");
    if (when === "before") {
      rig.sgd.override(true);
      rig.run(5 * SECOND);
    }
    rig.give("utility-a", [stop]);
    rig.run(SETTLE_MS);
    if (when === "after") {
      expect(rig.amperes).toBe(0);
      rig.sgd.override(true);
      rig.run(SETTLE_MS);
    }
    // This charger's override opts out of Shed and Critical Peak; its least level stays.
    expect(rig.amperes).toBe(6);
    expect(rig.ucm!.state().sgd.load?.result).toBe("overridden");
    // He lets the utility have its way again.
    rig.sgd.override(false);
    rig.run(SETTLE_MS);
    expect(rig.amperes).toBe(0);
  });
});

describe("the customer's button", () => {
  it("ends a random delay that is running", () => {
    const rig = new ChargerRig({
      config: { region: "uk", offPeak: [], randomDelay: { enabled: true, maxSeconds: 1800 } },
      uint32: () => 1500,
    });
    rig.sgd.plug();
    rig.run(60 * SECOND);
    rig.cut();
    rig.boot();
    rig.run(SETTLE_MS);
    expect(rig.amperes).toBe(0);
    expect(rig.ucm!.state().delay).toMatchObject({ running: true, cause: "power-restored" });
    rig.sgd.override(true);
    rig.run(SETTLE_MS);
    expect(rig.amperes).toBe(32);
    expect(rig.ucm!.state().delay.running).toBe(false);
  });

  it("stays known under a Grid Emergency, which it does not end", () => {
    const rig = charging("us");
    rig.give("utility-a", [{ ...stop, intervals: [interval("emergency", Infinity)] }]);
    rig.run(SETTLE_MS);
    rig.sgd.override(true);
    rig.run(5 * 60 * SECOND);
    expect(rig.amperes).toBe(0);
    expect(rig.ucm!.state().sgd.override).toBe(true);
  });
});
