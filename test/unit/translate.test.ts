import { describe, expect, it } from "vitest";
import { isFault } from "../../src/base/fault.js";
import type { Ask } from "../../src/grid/event.js";
import type { Intent } from "../../src/grid/intent.js";
import type { SgdStatus } from "../../src/ports/sgd-status.js";
import { drmAsk } from "../../src/grid/drm.js";
import { levelFor, levelOf } from "../../src/translate/power-level.js";
import { LoadReference } from "../../src/translate/reference.js";
import { siteOf, type Abilities } from "../../src/translate/settings.js";
import { informationOf, translate, type TranslateSettings } from "../../src/translate/translate.js";

const site: TranslateSettings = { installerMaxA: 32, ratedA: 32, phases: 1, voltage: 240 };
const evse: Abilities = { ratedW: 7680, identity: { deviceType: 0x1102 } };

function intent(ask: Ask, more: Partial<Intent> = {}): Intent {
  return {
    ask,
    source: "utility",
    eventId: "e1",
    revision: 0,
    reason: "",
    beganUtcMs: undefined,
    endsUtcMs: undefined,
    endsAtMs: undefined,
    emergencyPermitted: false,
    ...more,
  };
}

/** `op` or `op:arg` of every step, in hex. */
function chain(ask: Ask, permitted = false, settings = site, abilities = evse): string {
  const { wish } = translate(intent(ask, { emergencyPermitted: permitted }), abilities, settings);
  const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, "0");
  return wish.steps.map((s) => hex(s.op) + (s.arg === undefined ? "" : `:${hex(s.arg)}`)).join(" ");
}

const amps = (value: number): Ask => ({ ask: "limit", unit: "A", value, reference: "installer" });
const watts = (value: number, phases?: 1 | 2 | 3): Ask => ({
  ask: "limit",
  unit: "W",
  value,
  reference: "installer",
  ...(phases === undefined ? {} : { phases }),
});
const fraction = (value: number, reference: "rated" | "installer" | "dynamic" = "installer"): Ask => ({
  ask: "limit",
  unit: "fraction",
  value,
  reference,
});

describe("what is asked becomes a chain of commands", () => {
  it.each<[string, Ask, boolean, string]>([
    ["normal", { ask: "normal" }, false, "02:00"],
    ["shed", { ask: "shed" }, false, "01"],
    ["critical peak", { ask: "critical-peak" }, false, "0A 01"],
    ["emergency, not permitted", { ask: "emergency" }, false, "0A 01"],
    ["emergency, permitted", { ask: "emergency" }, true, "0B 01"],
    ["load up", { ask: "load-up" }, false, "17 02:00"],
    ["guidance", { ask: "guidance", level: 2 }, false, "02:00"],
    ["half", fraction(0.5), false, "06:3F 01"],
    ["three quarters", fraction(0.75), false, "06:5F 01"],
    ["all of it", fraction(1), false, "02:00"],
    ["more than all", amps(40), false, "02:00"],
    ["nothing", fraction(0), false, "06:00 01"],
    ["nothing, emergency permitted", fraction(0), true, "06:00 0B 06:00 01"],
    ["16 A", amps(16), false, "06:3F 01"],
    ["5.9 A is a stop", amps(5.9), false, "06:00 01"],
    ["exactly 6 A rounds up", amps(6), false, "06:18 01"],
    ["6.02 A does not fall under 6 A", amps(6.02), false, "06:18 01"],
    ["6.1 A rounds down", amps(6.1), false, "06:18 01"],
    ["6.4 A rounds down", amps(6.4), false, "06:19 01"],
    ["3,840 W", watts(3840), false, "06:3F 01"],
  ])("%s", (_name, ask, permitted, commands) => {
    expect(chain(ask, permitted)).toBe(commands);
  });

  it("never sends Grid Emergency where the site forbids it", () => {
    const settings = { ...site, emergencyAllowed: false };
    expect(chain({ ask: "emergency" }, true, settings)).toBe("0A 01");
    expect(chain(fraction(0), true, settings)).toBe("06:00 01");
  });

  it("counts power levels from the rated power, not from the installer's maximum", () => {
    const settings = { ...site, ratedA: 40, installerMaxA: 20 };
    const abilities = { ...evse, ratedW: 9600 };
    const { wish } = translate(intent(fraction(0.5)), abilities, settings);
    expect(wish.steps[0]).toMatchObject({ op: 6, arg: 31, level: { targetW: 2400, alternativeArg: 63 } });
  });

  it("converts watts by phases and voltage", () => {
    const settings: TranslateSettings = { installerMaxA: 32, ratedA: 32, phases: 3, voltage: 230 };
    const abilities = { ...evse, ratedW: 22_080 };
    expect(chain(watts(11_040), false, settings, abilities)).toBe("06:3F 01");
    // Meant for one phase: 16 A, which three phases then have each.
    expect(chain(watts(3680, 1), false, settings, abilities)).toBe("06:3F 01");
    expect(chain(amps(16), false, settings, abilities)).toBe("06:3F 01");
  });

  it("believes the appliance's rated power before the declared one, but not a mere difference of voltage", () => {
    expect(chain(amps(16), false, site, { ...evse, ratedW: 7360 })).toBe("06:3F 01");
    expect(chain(amps(16), false, site, { ...evse, ratedW: 11_520 })).toBe("06:2A 01");
    expect(chain(amps(16), false, site, { ...evse, ratedW: undefined })).toBe("06:3F 01");
  });

  it("takes the dynamic reference, and the installer's maximum where there is none", () => {
    expect(chain(fraction(0.5, "dynamic"), false, site, { ...evse, dynamicW: 3840 })).toBe("06:1F 01");
    // 1,920 W less than 3,840 W is half of it; without a meter it counts from the installer's maximum.
    const change = (value: number): Ask => ({ ask: "limit", unit: "change-W", value, reference: "dynamic" });
    expect(chain(change(-1920), false, site, { ...evse, dynamicW: 3840 })).toBe("06:1F 01");
    expect(chain(change(-3840))).toBe("06:3F 01");
    expect(chain(change(-9000), false, site, { ...evse, dynamicW: 3840 })).toMatch(/^06:00/);
    expect(chain(change(0), false, site, { ...evse, dynamicW: 3840 })).toBe("06:3F 01");
    expect(chain(change(9000), false, site, { ...evse, dynamicW: 3840 })).toBe("02:00");
    expect(chain(fraction(0.5, "dynamic"))).toBe("06:3F 01");
    // All of a mean is a limit still.
    expect(chain(fraction(1, "dynamic"), false, site, { ...evse, dynamicW: 3840 })).toBe("06:3F 01");
  });

  it("refuses what is no limit, in words", () => {
    const negative = translate(intent(amps(-1)), evse, site);
    expect(negative.wish.steps[0]).toMatchObject({ op: 6, arg: 0 });
    expect(negative.refusal).toContain("-1 A");
    const nonsense = translate(intent(amps(NaN)), evse, site);
    expect(nonsense.wish.steps[0]!.op).toBe(2);
    expect(nonsense.refusal).toBeDefined();
  });

  it("gives the same wish the same key, and another limit another", () => {
    const key = (ask: Ask, more: Partial<Intent> = {}): string =>
      translate(intent(ask, more), evse, site).wish.key;
    expect(key({ ask: "shed" })).toBe(key({ ask: "shed" }, { eventId: "e2", endsAtMs: 5 }));
    expect(key(amps(10))).not.toBe(key(amps(20)));
    expect(key(fraction(0))).not.toBe(key(fraction(0), { emergencyPermitted: true }));
  });
});

describe("what proves a command", () => {
  const verify = (ask: Ask, abilities = evse, permitted = false) =>
    translate(intent(ask, { emergencyPermitted: permitted }), abilities, site).wish.steps[0]!.verify;

  it("wants less power for a shed, still less for a critical peak, none for a stop", () => {
    expect(verify({ ask: "shed" })).toMatchObject({ states: [2, 4, 8, 9], maxPowerW: 5119 });
    expect(verify({ ask: "critical-peak" }).maxPowerW).toBe(3007);
    // "Following" is no proof of a stop: a charger that clamps up to 6 A says so too.
    expect(verify(fraction(0))).toMatchObject({ states: [4], maxPowerW: 100 });
    expect(verify({ ask: "emergency" }, evse, true)).toMatchObject({ states: [4], maxPowerW: 100 });
    expect(verify(fraction(0.5)).maxPowerW).toBe(4274);
    expect(verify({ ask: "normal" })).toMatchObject({ maxPowerW: undefined });
  });

  it("admits the 6 A floor of a critical peak on a small charger", () => {
    const small = { ...site, installerMaxA: 10, ratedA: 10 };
    const { wish } = translate(intent({ ask: "critical-peak" }), { ...evse, ratedW: 2400 }, small);
    expect(wish.steps[0]!.verify.maxPowerW).toBe(1634);
  });

  it("does not judge a water heater by amperes", () => {
    const heater: Abilities = { ratedW: 4500, identity: { deviceType: 3 } };
    expect(verify({ ask: "shed" }, heater).maxPowerW).toBeUndefined();
    const { wish } = translate(intent(fraction(0.1, "rated")), heater, site);
    expect(wish.steps[0]).toMatchObject({ op: 6, arg: 12, level: { alternativeArg: undefined } });
  });
});

describe("levels", () => {
  it("keeps every limit, but for the 6 A rule", () => {
    for (let deci = 60; deci < 400; deci++) {
      const amperes = deci / 10;
      const level = levelFor(amperes, 40, 6);
      const given = (level * 40) / 127;
      if (amperes > 6.3) expect(given).toBeLessThanOrEqual(amperes + 1e-9);
      expect(given).toBeGreaterThanOrEqual(6);
      expect(amperes - given).toBeLessThan(40 / 127);
    }
  });

  it("reaches 0x7F only as no limit", () => {
    const limit = { ask: "limit", unit: "A", value: 31.99, reference: "rated" } as const;
    expect(levelOf(limit, evse, siteOf(site))).toMatchObject({ is: "level", arg: 126 });
  });
});

describe("DRM", () => {
  it.each([
    [0, "0B 01"],
    [1, "06:00 01"],
    [2, "06:3F 01"],
    [3, "06:5F 01"],
    [4, "17 02:00"],
  ])("%i", (mode, commands) => {
    const drm = drmAsk(mode);
    if (isFault(drm)) throw new Error(drm.text);
    expect(chain(drm.ask, drm.emergencyPermitted)).toBe(commands);
  });

  it.each([5, 6, 7, 8])("%i is refused with the reason", (mode) => {
    expect(drmAsk(mode)).toMatchObject({
      fault: "drm-unsupported",
      text: expect.stringContaining("discharge"),
    });
  });

  it("knows no other", () => {
    expect(drmAsk(9)).toMatchObject({ fault: "drm-unknown" });
  });
});

describe("the dynamic reference", () => {
  const reading = (meteredAtMs: number, powerW: number | undefined) => ({ meteredAtMs, powerW }) as SgdStatus;

  it("is the mean of the 5 min before, weighted by time, and frozen for the event", () => {
    const reference = new LoadReference();
    reference.onStatus(reading(0, 9999));
    reference.onStatus(reading(100_000, 7200));
    reference.onStatus(reading(100_000, 7200));
    reference.onStatus(reading(300_000, 3600));
    expect(reference.meanFor("a", 400_000)).toBe((7200 * 2 + 3600) / 3);
    reference.onStatus(reading(430_000, 0));
    expect(reference.meanFor("a", 500_000)).toBe(6000);
    expect(reference.meanFor("b", 530_000)).not.toBe(6000);
  });

  it("is unknown without readings, and bounded with many", () => {
    const reference = new LoadReference();
    expect(reference.meanFor("a", 0)).toBeUndefined();
    reference.onStatus(reading(1, undefined));
    for (let i = 1; i <= 1000; i++) reference.onStatus(reading(i * 1000, 1000));
    expect(reference.meanFor("b", 1_000_000)).toBeCloseTo(1000);
  });
});

describe("information", () => {
  const outlook = { price: undefined, nextPrice: undefined, guidance: undefined, next: undefined };

  it("encodes prices and announces the next event", () => {
    const information = informationOf(
      {
        price: { relative: 1, endsAtMs: 900 },
        nextPrice: { relative: 2 },
        guidance: 0,
        next: { ask: { ask: "critical-peak" }, atMs: 500, source: "u" },
      },
      1,
    );
    expect(information).toEqual({
      outsideComm: 1,
      presentPrice: 0x41,
      nextPrice: 0x64,
      priceEndsAtMs: 900,
      guidance: 0,
      pending: { atMs: 500, op: 0x0a },
    });
  });

  it("has nothing to say without an outlook", () => {
    expect(informationOf(undefined, 0)).toMatchObject({ outsideComm: 0, presentPrice: undefined });
    expect(informationOf(outlook, 2)).toMatchObject({ outsideComm: 2, pending: undefined });
  });

  it("does not take an absolute price for a relative one, nor announce what has no opcode", () => {
    const next = { ask: { ask: "guidance", level: 0 }, atMs: 5, source: "u" } as const;
    const price = { relative: undefined, endsAtMs: 5 };
    expect(informationOf({ ...outlook, price, next }, 1)).toMatchObject({
      presentPrice: undefined,
      pending: undefined,
    });
  });

  it("goes along with guidance and load up", () => {
    expect(informationOf(outlook, 1, intent({ ask: "guidance", level: 0 })).guidance).toBe(0);
    expect(informationOf(outlook, 1, intent({ ask: "load-up" })).guidance).toBe(2);
    expect(informationOf({ ...outlook, guidance: 1 }, 1, intent({ ask: "load-up" })).guidance).toBe(1);
  });
});
