import { describe, expect, it } from "vitest";
import { ChargerRig } from "../support/charger-rig.js";

describe("two sides that both have something to say", () => {
  it("take turns at start-up instead of speaking into each other", () => {
    let collisions = 0;
    let retries = 0;
    const runs = 40;
    for (let seed = 1; seed <= runs; seed++) {
      const rig = new ChargerRig({ seed, profile: seed % 2 === 0 ? "evse-chatty" : "evse-level2-32a" });
      rig.run(30_000);
      collisions += rig.line.collisions;
      retries += rig.ucm!.state().counters.retries + rig.sgd.counters.retries;
    }
    console.log(
      `start-up: ${String(collisions)} bytes collided, ${String(retries)} retries in ${String(runs)} runs`,
    );
    expect(retries).toBeLessThanOrEqual(runs / 10);
  });
});
