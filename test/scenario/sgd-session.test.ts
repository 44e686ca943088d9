import { describe, expect, it } from "vitest";
import type { LoadStep, LoadWish } from "../../src/sgd/messages.js";
import { FakeAppliance, type ApplianceOptions } from "../support/fake-appliance.js";

const settleMs = 15_000;
const shedStep: LoadStep = {
  op: 1,
  arg: undefined,
  verify: { states: [2, 4, 9], idleStates: [0], maxPowerW: 4500, settleMs },
};
export const criticalStep: LoadStep = { ...shedStep, op: 10 };
const normalStep: LoadStep = {
  op: 2,
  arg: 0,
  verify: { states: [0, 1, 11, 12, 13, 14], maxPowerW: undefined, settleMs },
};

function wish(key: string, steps: readonly LoadStep[], endsAtMs?: number): LoadWish {
  return { key, steps, endsAtMs, source: "test" };
}

const normal = wish("normal", [normalStep]);

function online(options: ApplianceOptions = {}): FakeAppliance {
  const appliance = new FakeAppliance({ previousLoad: "normal", ...options });
  appliance.until(() => appliance.status.link === "online", 20_000);
  appliance.run(5_000);
  return appliance;
}

describe("the thin way", () => {
  it("discovers, sheds, verifies, ends and verifies", () => {
    const appliance = online();
    expect(appliance.status.identity).toMatchObject({ deviceType: 0x1102, model: "FAKE", serial: "7" });
    expect(appliance.status).toMatchObject({ opState: 1, powerW: 7200, ratedW: 7680 });
    expect(appliance.commands[0]).toEqual({ cmd: "support", types: [0x0801, 0x0802, 0x0803] });
    expect(appliance.loads).toEqual([]);

    appliance.session.wish(wish("shed", [shedStep], appliance.nowMs + 20_000), appliance.now);
    expect(appliance.status.load).toMatchObject({ command: "Shed", result: "waiting", step: 0 });
    const tookMs = appliance.until(() => appliance.status.load?.result === "verified", 5_000);
    expect(tookMs).toBeLessThan(1_500);
    expect(appliance.loads).toEqual([[1, 4]]);
    expect(appliance.status.opState).toBe(2);
    expect(appliance.session.endShedOwed).toBe(true);

    appliance.session.wish(normal, appliance.now);
    appliance.until(() => appliance.status.load?.result === "verified", 5_000);
    expect(appliance.status.load).toMatchObject({ command: "EndShed", wish: "normal" });
    expect(appliance.loads).toEqual([
      [1, 4],
      [2, 0],
    ]);
    expect(appliance.session.endShedOwed).toBe(false);
  });

  it("polls the state every 60 s, commodities every 30 s and repeats the comm status every 60 s", () => {
    const appliance = online();
    appliance.requests.length = 0;
    appliance.run(600_000);
    expect(appliance.basicSent(0x12).length).toBe(10);
    expect(appliance.basicSent(0x0e)).toEqual(Array.from({ length: 10 }, () => [0x0e, 1]));
    const reads = appliance.requests.filter((r) => r.type === 0x0802 && r.payload[0] === 6).length;
    expect(reads).toBeGreaterThanOrEqual(19);
    expect(reads).toBeLessThanOrEqual(20);
  });

  it("never has two requests under way", () => {
    const appliance = online();
    let underWay = 0;
    appliance.react = () => {
      underWay++;
      expect(underWay).toBe(1);
      appliance.at(appliance.exchangeMs - 1, () => underWay--);
      return undefined;
    };
    appliance.session.wish(wish("shed", [shedStep]), appliance.now);
    appliance.session.information(
      {
        outsideComm: 2,
        presentPrice: 65,
        nextPrice: 70,
        priceEndsAtMs: appliance.nowMs + 900_000,
        guidance: 0,
        pending: { atMs: appliance.nowMs + 60_000, op: 10 },
      },
      appliance.now,
    );
    appliance.run(120_000);
  });
});
