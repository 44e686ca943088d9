import { describe, expect, it } from "vitest";
import { DEFAULT_CAR, type CarConfig } from "../../host-sim/evse/car.js";
import { Charger, type ChargerConfig, type ChargerPolicy } from "../../host-sim/evse/charger.js";
import type { EvseConfig } from "../../host-sim/evse/evse.js";
import type { LoadEventOptions } from "../../host-sim/evse/load-events.js";
import {
  amperesOfDuty,
  dutyOfAmperes,
  pilotInWords,
  PILOT_OFF,
  PILOT_STEADY,
} from "../../host-sim/evse/pilot.js";
import { BasicOp } from "../../src/wire/message.js";

interface Wish {
  evse?: Partial<EvseConfig>;
  car?: Partial<CarConfig>;
  policy?: Partial<ChargerPolicy>;
  events?: Partial<LoadEventOptions>;
  plugged?: boolean;
}

function make(wish: Wish = {}): Charger {
  const config: ChargerConfig = {
    evse: {
      ratedA: 32,
      installerMaxA: 32,
      phases: 1,
      voltageV: 240,
      offerAfterMs: 500,
      closeAfterMs: 100,
      openAfterMs: 3000,
      wakesCars: false,
      ...wish.evse,
    },
    car: { ...DEFAULT_CAR, ...wish.car },
    policy: {
      powerLevelOf: "rated",
      powerLevelFloor: "clamp",
      guidance: "follow",
      idleWithoutCar: 0,
      ownerLimitA: undefined,
      ...wish.policy,
    },
    events: {
      ownClock: true,
      overrideHours: 12,
      overridable: [BasicOp.Shed, BasicOp.CriticalPeak],
      silenceS: undefined,
      ...wish.events,
    },
    pluggedAtStart: wish.plugged ?? true,
  };
  return new Charger(config);
}

/** Steps to `untilMs` at the model's own deadlines, watching after each step. */
function run(charger: Charger, fromMs: number, untilMs: number, watch?: (atMs: number) => void): number {
  let nowMs = fromMs;
  charger.step(nowMs);
  while (nowMs < untilMs) {
    nowMs = Math.min(untilMs, charger.nextMs());
    charger.step(nowMs);
    watch?.(nowMs);
  }
  return nowMs;
}

/** A charger that charges in steady state; gives the time. */
function charging(wish: Wish = {}): [Charger, number] {
  const charger = make(wish);
  return [charger, run(charger, 0, 20_000)];
}

describe("control pilot", () => {
  it.each([
    ["C", 53.333, "C2, 53.3 %"],
    ["B", PILOT_STEADY, "B1"],
    ["A", PILOT_STEADY, "A1"],
    ["F", PILOT_OFF, "F"],
    ["E", PILOT_STEADY, "E"],
  ] as const)("%s at %d %% is told as SAE J1772 names it", (state, duty, words) => {
    expect(pilotInWords(state, duty)).toBe(words);
  });

  it("relates duty and amperes as SAE J1772 does", () => {
    expect(amperesOfDuty(10)).toBe(6);
    expect(amperesOfDuty(50)).toBe(30);
    expect(amperesOfDuty(85)).toBe(51);
    expect(amperesOfDuty(96)).toBe(80);
    expect(amperesOfDuty(9)).toBe(6);
    for (const nothing of [0, 5, 7.9, 97.5, PILOT_STEADY]) expect(amperesOfDuty(nothing)).toBe(0);
    expect(dutyOfAmperes(5.99)).toBe(PILOT_STEADY);
  });
  it("comes back to the same amperes over the whole range", () => {
    for (let deci = 60; deci <= 800; deci++) {
      const amperes = deci / 10;
      const inGap = amperes > 51 && amperes <= 52.5;
      expect(amperesOfDuty(dutyOfAmperes(amperes))).toBe(inGap ? 51 : amperes);
    }
  });
});

describe("load control", () => {
  it("halves and quarters the installer's maximum, 22.5 A to 11.25 A and 6 A", () => {
    const [charger, at] = charging({ evse: { ratedA: 30, installerMaxA: 22.5 } });
    expect(charger.evse.currentA).toBe(22.5);
    charger.events.start(BasicOp.Shed, 0, at);
    const shed = run(charger, at, at + 5000);
    expect(charger.evse.currentA).toBe(11.25);
    expect(charger.opState()).toBe(2);
    charger.events.start(BasicOp.CriticalPeak, 0, shed);
    const peak = run(charger, shed, shed + 5000);
    expect(charger.evse.currentA).toBe(6);
    charger.events.end();
    run(charger, peak, peak + 5000);
    expect(charger.evse.currentA).toBe(22.5);
    expect(charger.opState()).toBe(1);
  });

  it("sheds 32 A to 16 A and 48 A to 24 A", () => {
    for (const full of [32, 48]) {
      const [charger, at] = charging({ evse: { ratedA: full, installerMaxA: full } });
      charger.events.start(BasicOp.Shed, 0, at);
      run(charger, at, at + 5000);
      expect(charger.evse.currentA).toBe(full / 2);
    }
  });

  it("in a grid emergency takes the pilot away first and opens without load; nobody overrides it", () => {
    const [charger, at] = charging();
    charger.events.setOverride(true, at);
    charger.events.start(BasicOp.GridEmergency, 0, at);
    charger.step(at);
    expect(charger.evse.dutyPercent).toBe(PILOT_STEADY);
    expect(charger.evse.contactorClosed).toBe(true);
    let currentAtOpening = -1;
    let before = charger.evse.car!.currentA;
    const done = run(charger, at, at + 5000, () => {
      if (!charger.evse.contactorClosed && currentAtOpening < 0) currentAtOpening = before;
      before = charger.evse.car!.currentA;
    });
    expect(currentAtOpening).toBeGreaterThanOrEqual(0);
    expect(currentAtOpening).toBeLessThan(4.1);
    expect(charger.evse.powerW).toBe(0);
    expect(charger.opState()).toBe(4);
    charger.events.end();
    run(charger, done, done + 10_000);
    expect(charger.evse.currentA).toBe(32);
    expect(charger.opState()).toBe(12);
  });

  it("opens the contactor after 3 s when the car does not let go", () => {
    const [charger, at] = charging();
    charger.evse.fault("car-ignores-pilot");
    charger.events.start(BasicOp.GridEmergency, 0, at);
    let openedAt = -1;
    run(charger, at, at + 5000, (now) => {
      if (openedAt < 0 && !charger.evse.contactorClosed) openedAt = now - at;
    });
    expect(openedAt).toBe(3000);
  });

  it("lets the customer out of shed and critical peak for 12 h, and of nothing else by default", () => {
    const [charger, at] = charging();
    charger.events.start(BasicOp.Shed, 0, at);
    charger.events.setOverride(true, at);
    let now = run(charger, at, at + 5000);
    expect(charger.evse.currentA).toBe(32);
    expect(charger.opState()).toBe(12);
    charger.events.start(BasicOp.PowerLevel, 64, now);
    now = run(charger, now, now + 5000);
    expect(charger.evse.currentA).toBeCloseTo((64 * 32) / 127, 2);
    charger.events.start(BasicOp.CriticalPeak, 0, now);
    now = run(charger, now, now + 5000);
    expect(charger.evse.currentA).toBe(32);
    charger.car.soc = 0.1;
    run(charger, now, at + 12 * 3_600_000 - 1);
    expect(charger.events.override).toBe(true);
    run(charger, at + 12 * 3_600_000 - 1, at + 12 * 3_600_000);
    expect(charger.events.override).toBe(false);
    expect(charger.limitA()).toBe(8);
  });

  it("reads a power level from the rating, or from the installer's maximum, as the profile says", () => {
    const evse = { ratedA: 40, installerMaxA: 20 };
    for (const [powerLevelOf, arg, expected] of [
      ["rated", 64, 20],
      ["rated", 32, 10.08],
      ["installer-maximum", 64, 10.08],
      ["rated", 0x7f, 20],
    ] as const) {
      const [charger, at] = charging({ evse, policy: { powerLevelOf } });
      charger.events.start(BasicOp.PowerLevel, arg, at);
      run(charger, at, at + 5000);
      expect(charger.evse.currentA).toBeCloseTo(expected, 2);
      expect(charger.opState()).toBe(9);
    }
  });

  it("lifts a power level under 6 A to 6 A, or stops, as the profile says", () => {
    for (const [powerLevelFloor, amperes, state] of [
      ["clamp", 6, 9],
      ["stop", 0, 10],
    ] as const) {
      const [charger, at] = charging({ policy: { powerLevelFloor } });
      charger.events.start(BasicOp.PowerLevel, 0, at);
      run(charger, at, at + 5000);
      expect(charger.evse.currentA).toBe(amperes);
      expect(charger.opState()).toBe(state);
    }
  });

  it("heeds Load Up only while a car wants energy", () => {
    const [charger, at] = charging({ policy: { ownerLimitA: 16 } });
    expect(charger.evse.currentA).toBe(16);
    charger.events.start(BasicOp.LoadUp, 0, at);
    let now = run(charger, at, at + 5000);
    expect(charger.evse.currentA).toBe(32);
    expect(charger.opState()).toBe(3);
    charger.car.soc = 1;
    now = run(charger, now, now + 10_000);
    expect([charger.opState(), charger.limitA(), charger.evse.currentA]).toEqual([0, 16, 0]);
    charger.unplug();
    run(charger, now, now + 1000);
    expect(charger.opState()).toBe(0);
  });

  it("ends an event by its own clock after 2·b² s, and by silence", () => {
    const [charger, at] = charging({ events: { silenceS: 300 } });
    charger.events.start(BasicOp.Shed, 6, at);
    let now = run(charger, at, at + 71_999);
    expect(charger.opState()).toBe(2);
    now = run(charger, now, at + 72_000);
    expect(charger.opState()).toBe(1);
    charger.events.start(BasicOp.Shed, 0xff, now);
    charger.events.comm(1, now + 100_000);
    run(charger, now, now + 399_000);
    expect(charger.events.event).toBeDefined();
    run(charger, now + 399_000, now + 400_000);
    expect(charger.events.event).toBeUndefined();
  });

  it("has a state for every situation", () => {
    const absent = make({ plugged: false });
    run(absent, 0, 1000);
    expect(absent.opState()).toBe(0);
    absent.events.start(BasicOp.Shed, 0, 1000);
    expect(absent.opState()).toBe(0);
    const curtailed = make({ plugged: false, policy: { idleWithoutCar: 4 } });
    curtailed.events.start(BasicOp.Shed, 0, 0);
    expect(curtailed.opState()).toBe(4);
    curtailed.events.setOverride(true, 0);
    expect(curtailed.opState()).toBe(11);
    const [bad, at] = charging();
    bad.events.guidance = 0;
    run(bad, at, at + 5000);
    expect([bad.opState(), bad.evse.currentA]).toEqual([2, 16]);
    bad.evse.fault("ground-fault");
    expect(bad.opState()).toBe(5);
    const [full] = charging({ car: { soc: 1 } });
    full.events.start(BasicOp.Shed, 0, 20_000);
    expect(full.opState()).toBe(4);
  });
});

describe("car and charger", () => {
  it("starts in order: pilot, state C, contactor, current; and follows a new duty within 5 s", () => {
    const charger = make();
    const order: string[] = [];
    const note = (name: string, holds: boolean): void => {
      if (holds && !order.includes(name)) order.push(name);
    };
    run(charger, 0, 10_000, () => {
      note("pilot", charger.evse.dutyPercent < 96);
      note("C", charger.evse.pilotState === "C");
      note("closed", charger.evse.contactorClosed);
      note("current", charger.evse.currentA > 0);
      expect(charger.evse.currentA).toBeLessThanOrEqual(32);
    });
    expect(order).toEqual(["pilot", "C", "closed", "current"]);
    expect(charger.evse.currentA).toBe(32);
    charger.events.start(BasicOp.CriticalPeak, 0, 10_000);
    run(charger, 10_000, 15_000);
    expect(charger.evse.currentA).toBe(8);
  });

  it("meters energy, the same however often it is polled", () => {
    const often = make();
    const seldom = make();
    run(often, 0, 3_600_000);
    for (let now = 0; now <= 3_600_000; now += 1_200_000) seldom.step(now);
    expect(often.evse.energyWh).toBeGreaterThan(7600);
    expect(often.evse.energyWh).toBeLessThan(32 * 240);
    expect(Math.abs(often.evse.energyWh - seldom.evse.energyWh)).toBeLessThan(5);
  });

  it("tapers near full and stops at the target", () => {
    const charger = make({ car: { soc: 0.84, capacityWh: 20_000, targetSoc: 0.98 } });
    const currents: number[] = [];
    let now = 0;
    for (; now < 4 * 3_600_000; now += 60_000) {
      charger.step(now);
      currents.push(charger.evse.currentA);
    }
    expect(currents[1]).toBe(32);
    expect(currents.some((a) => a > 6 && a < 12)).toBe(true);
    expect(charger.evse.currentA).toBe(0);
    expect(charger.evse.contactorClosed).toBe(false);
    expect(charger.car.soc).toBeCloseTo(0.98, 2);
  });

  it("a car that fell asleep in the pause stays so until it is re-plugged", () => {
    const [charger, at] = charging({ car: { sleepsAfterPauseMs: 60_000 } });
    charger.events.start(BasicOp.GridEmergency, 0, at);
    let now = run(charger, at, at + 120_000);
    charger.events.end();
    now = run(charger, now, now + 300_000);
    expect([charger.opState(), charger.evse.currentA]).toEqual([0, 0]);
    charger.unplug();
    now = run(charger, now, now + 1000);
    charger.plug();
    run(charger, now, now + 10_000);
    expect(charger.evse.currentA).toBe(32);
  });

  it("wakes by a toggle of the pilot, by hand or by itself", () => {
    const car = { sleepsAfterPauseMs: 60_000 };
    const [byHand, at] = charging({ car });
    const [byItself] = charging({ car, evse: { wakesCars: true } });
    for (const charger of [byHand, byItself]) {
      charger.events.start(BasicOp.GridEmergency, 0, at);
      run(charger, at, at + 120_000);
      charger.events.end();
      run(charger, at + 120_000, at + 140_000);
      expect(charger.evse.currentA).toBe(0);
    }
    run(byItself, at + 140_000, at + 200_000);
    expect(byItself.evse.currentA).toBe(32);
    byHand.evse.wakeCar();
    byHand.step(at + 140_000);
    expect(byHand.evse.pilotState).toBe("F");
    run(byHand, at + 140_000, at + 155_000);
    expect(byHand.evse.currentA).toBe(32);
  });

  it("refuses state D without ventilation", () => {
    const [charger] = charging({ car: { ventilation: true } });
    expect(charger.evse.pilotState).toBe("D");
    expect(charger.evse.contactorClosed).toBe(false);
  });

  it("charges three phases with a three-phase car, one with a one-phase car", () => {
    const evse = { ratedA: 16, installerMaxA: 16, phases: 3 as const, voltageV: 230 };
    expect(charging({ evse, car: { phases: 3 } })[0].evse.powerW).toBe(11_040);
    expect(charging({ evse })[0].evse.powerW).toBe(3680);
  });

  it("trips on faults and comes back when they are cleared", () => {
    const [charger, at] = charging();
    charger.evse.fault("pilot-short");
    charger.step(at);
    expect([charger.evse.pilotState, charger.evse.contactorClosed, charger.opState()]).toEqual([
      "E",
      false,
      5,
    ]);
    charger.evse.clearFaults();
    let now = run(charger, at, at + 10_000);
    expect(charger.evse.currentA).toBe(32);
    charger.evse.fault("contactor-welded");
    charger.events.start(BasicOp.GridEmergency, 0, now);
    now = run(charger, now, now + 5000);
    expect([charger.evse.contactorClosed, charger.opState(), charger.evse.currentA]).toEqual([true, 5, 0]);
    charger.evse.clearFaults();
    charger.evse.fault("meter-stuck");
    charger.events.end();
    run(charger, now, now + 10_000);
    expect([charger.evse.currentA, charger.evse.powerW]).toEqual([32, 0]);
  });
});
