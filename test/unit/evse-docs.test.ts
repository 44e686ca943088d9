import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { faultNames } from "../../host-sim/sgd/faults.js";
import { profileNames } from "../../host-sim/sgd/profile.js";

const text = readFileSync(new URL("../../docs/charger-simulator.md", import.meta.url), "utf8");

describe("docs/charger-simulator.md", () => {
  it("names every profile and every fault", () => {
    for (const name of [...profileNames(), ...faultNames()]) expect(text).toContain(`\`${name}\``);
  });
});
