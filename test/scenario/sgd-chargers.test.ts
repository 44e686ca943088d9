/** The session over the real link against every simulated appliance, judged by the charger's own amperes. */
import { describe, expect, it } from "vitest";
import { profileNames } from "../../host-sim/sgd/profile.js";
import { limit } from "../support/wishes.js";
import { SessionRig } from "../support/session-rig.js";

const chargers = profileNames().filter((name) => name.startsWith("evse-"));

function charging(profile: string, seed = 1): SessionRig {
  const rig = new SessionRig(profile, seed);
  rig.sgd.plug();
  rig.wish("normal");
  rig.until(() => rig.status.link === "online", 60_000);
  rig.run(45_000);
  return rig;
}

describe("every charger", () => {
  it.each(chargers)("%s sheds, stops and runs on, each verified", (profile) => {
    const rig = charging(profile);
    const fullA = rig.sgd.state().currentA;
    expect(fullA).toBeGreaterThan(0);
    const overridden = profile === "evse-override-12h";
    rig.wish("shed", { lastsMs: 600_000 });
    rig.until(() => rig.status.load?.result === (overridden ? "overridden" : "verified"), 30_000);
    rig.run(10_000);
    if (!overridden) expect(rig.sgd.state().currentA).toBeLessThanOrEqual(Math.max(6, fullA * 0.55));
    rig.wish("normal");
    rig.until(() => rig.status.load?.result === "verified", 30_000);
    rig.run(30_000);
    expect(rig.sgd.state().currentA).toBe(fullA);
    rig.wish("emergency", { permitted: true });
    rig.until(() => rig.status.load?.result === "verified", 60_000);
    rig.run(5_000);
    const shedOnly = rig.status.load?.command === "Shed";
    expect(rig.sgd.state().currentA).toBeLessThanOrEqual(shedOnly ? fullA / 2 : 0);
    rig.wish("normal");
    rig.until(() => rig.status.load?.result === "verified", 30_000);
    expect(rig.session.endShedOwed).toBe(false);
    if (profile === "evse-sleepy-car") return;
    rig.run(60_000);
    expect(rig.sgd.state().currentA).toBe(fullA);
  });

  it.each(chargers)("%s without a car: a shed is verified by its missing power", (profile) => {
    const rig = new SessionRig(profile);
    rig.until(() => rig.status.link === "online", 60_000);
    rig.wish("shed");
    const expected = profile === "evse-override-12h" ? "overridden" : "verified";
    rig.until(() => rig.status.load?.result === expected, 30_000);
    if (expected !== "verified") return;
    rig.sgd.plug();
    rig.run(120_000);
    expect(rig.status.load?.result).toBe("verified");
    const { currentA, limitA } = rig.sgd.state();
    expect(currentA).toBe(limitA);
    expect(currentA).toBeLessThan(rig.site.installerMaxA);
  });

  it.each(chargers)(
    "%s keeps a limit of half of its installer's maximum, or falls back to Shed",
    (profile) => {
      const rig = charging(profile);
      if (rig.status.override) return;
      rig.wish(limit(0.5, "fraction"));
      rig.until(() => rig.status.load?.result === "verified", 60_000);
      rig.run(60_000);
      expect(rig.status.load?.result).toBe("verified");
      const share = rig.sgd.state().currentA / rig.site.installerMaxA;
      expect(share).toBeGreaterThanOrEqual(0.4);
      expect(share).toBeLessThanOrEqual(0.6);
    },
  );
});

describe("the South Australian acceptance, by the charger's own amperes", () => {
  it.each(["evse-level2-40a-at-20a", "evse-level2-40a-at-20a-installed"])(
    "%s: off, and 40–60 %% of the unconstrained limit",
    (profile) => {
      const rig = charging(profile);
      const half = (): void => {
        rig.wish(limit(0.5, "fraction"));
        rig.run(60_000);
        expect(rig.sgd.state().currentA).toBeGreaterThanOrEqual(8);
        expect(rig.sgd.state().currentA).toBeLessThanOrEqual(12);
      };
      const off = (): void => {
        rig.wish(limit(0, "fraction"), { permitted: true });
        rig.run(60_000);
        expect(rig.sgd.state().currentA).toBe(0);
        expect(rig.status.load).toMatchObject({ result: "verified", command: "GridEmergency" });
      };
      expect(rig.sgd.state().currentA).toBe(20);
      off();
      half();
      off();
      half();
      rig.wish("normal");
      rig.run(60_000);
      expect(rig.sgd.state().currentA).toBe(20);
    },
  );
});

describe("the customer and the plug", () => {
  it("override at the charger during a shed, and back", () => {
    const rig = charging("evse-level2-32a");
    rig.wish("shed");
    rig.until(() => rig.status.load?.result === "verified", 10_000);
    rig.sgd.override(true);
    rig.until(() => rig.status.load?.result === "overridden", 5_000);
    expect(rig.status.override).toBe(true);
    rig.run(600_000);
    expect(rig.status.override).toBe(true);
    rig.sgd.override(false);
    rig.until(() => rig.status.load?.result === "verified", 10_000);
    rig.run(2_000); // The car follows the pilot by and by.
    expect(rig.sgd.state().currentA).toBe(16);
  });

  it("override at a charger that refuses it by NAK: an emergency that is over does not hold it", () => {
    const rig = charging("evse-override-12h");
    rig.wish("emergency", { permitted: true });
    rig.until(() => rig.status.load?.result === "verified", 10_000);
    rig.run(5_000);
    expect(rig.sgd.state().currentA).toBe(0);
    rig.wish("shed");
    rig.run(60_000);
    expect(rig.status.load?.result).toBe("overridden");
    expect(rig.sgd.state().currentA).toBe(32);
  });

  it("the module is pulled out and put back at any moment of a shed", () => {
    for (let pullMs = 0; pullMs < 2_000; pullMs += 50) {
      const rig = charging("evse-level2-32a", pullMs + 1);
      rig.wish("shed");
      rig.run(pullMs);
      rig.pull();
      rig.run(30_000);
      rig.insert();
      rig.until(() => rig.status.load?.result === "verified" && rig.sgd.state().currentA === 16, 60_000);
    }
  });

  it("the charger reboots during a shed, by itself", () => {
    const rig = charging("evse-level2-32a");
    rig.wish("shed");
    rig.until(() => rig.status.load?.result === "verified", 10_000);
    rig.sgd.fault("reboot");
    rig.run(100_000);
    expect(rig.sgd.state().currentA).toBe(16);
    expect(rig.status.load?.result).toBe("verified");
  });

  it("wakes the module: everything is told within 10 s", () => {
    const rig = charging("evse-level2-32a");
    rig.wish("shed", { lastsMs: 3_600_000 });
    rig.run(10_000);
    rig.sgd.fault("sleep");
    rig.run(120_000);
    const before = rig.taps.length;
    rig.sgd.fault("wake");
    rig.run(10_000);
    const ops = rig.taps.slice(before).map(({ from, bytes }) => (from === "module" ? bytes[4] : -1));
    for (const op of [0x01, 0x0e, 0x16]) expect(ops).toContain(op);
  });
});

describe("a line that loses one byte in a hundred", () => {
  it("does not keep a shed from being verified within 60 s, nor its end", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const rig = charging("evse-level2-32a", seed);
      rig.line.noise.losePerByte = 0.01;
      rig.wish("shed");
      rig.until(() => rig.status.load?.result === "verified", 60_000);
      expect(rig.sgd.state().currentA).toBeLessThanOrEqual(0.6 * 32);
      rig.run(2_000); // The car follows the pilot by and by.
      expect(rig.sgd.state().currentA).toBeLessThanOrEqual(16);
      rig.wish("normal");
      rig.until(() => rig.status.load?.result === "verified", 60_000);
    }
  });
});

describe("a certified water heater's manners", () => {
  it("is discovered, sheds by its own rules and is verified by its state", () => {
    const rig = new SessionRig("water-heater-heat-pump");
    rig.wish("normal");
    rig.until(() => rig.status.link === "online", 60_000);
    rig.run(30_000);
    expect(rig.status.identity?.deviceType).toBe(3);
    rig.wish("shed");
    rig.until(() => rig.status.load?.result === "verified", 30_000);
    rig.wish("load-up");
    rig.until(() => rig.status.load?.result === "verified", 30_000);
    rig.wish("normal");
    rig.until(() => rig.status.load?.result === "verified", 30_000);
    rig.run(3_600_000);
    expect(rig.status.link).toBe("online");
  });
});
