import { describe, expect, it } from "vitest";
import type { FakeAppliance } from "../support/fake-appliance.js";
import { online, wishOf } from "../support/wishes.js";

const result = (a: FakeAppliance) => a.status.load?.result;

function shed(): FakeAppliance {
  const appliance = online();
  appliance.session.wish(wishOf("shed"), appliance.now);
  appliance.until(() => result(appliance) === "verified", 5_000);
  return appliance;
}

describe("the customer's override", () => {
  it("is seen as NAK reason 5, without falling back", () => {
    const appliance = online();
    appliance.basic.set(0x0a, () => [4, 5]);
    appliance.session.wish(wishOf("critical-peak"), appliance.now);
    appliance.run(10_000);
    expect(appliance.status).toMatchObject({ override: true, load: { result: "overridden", step: 0 } });
    expect(appliance.loads).toEqual([[10, 0]]);
    expect(appliance.events).toContainEqual({ event: "override", on: true });
  });

  it("is seen as opcode 11, acknowledged, and ends with 11 00; then the wish is sent again", () => {
    const appliance = shed();
    appliance.state = 12;
    appliance.says(0x0801, 0x11, 1);
    expect(appliance.responses.at(-1)).toMatchObject({ type: 0x0801, payload: [3, 0x11] });
    expect(appliance.status.override).toBe(true);
    appliance.until(() => result(appliance) === "overridden", 5_000);
    appliance.says(0x0801, 0x11, 0);
    expect(appliance.status.override).toBe(false);
    appliance.until(() => result(appliance) === "verified", 5_000);
    expect(appliance.basicSent(1).length).toBe(2);
  });

  it("is seen as an opted-out state, and ends with one that is not", () => {
    const appliance = shed();
    appliance.state = 12;
    appliance.says(0x0801, 0x13, 12);
    expect(appliance.responses.at(-1)).toMatchObject({ payload: [3, 0x13] });
    expect(appliance.status).toMatchObject({ override: true, opState: 12, load: { result: "overridden" } });
    appliance.state = 1;
    appliance.until(() => !appliance.status.override, 61_000);
    appliance.until(() => result(appliance) === "verified", 5_000);
  });

  it("is seen with an appliance that acknowledges, stays in state 1 and then says 11 01", () => {
    const appliance = online();
    appliance.becomes[1] = 1;
    appliance.basic.set(1, () => {
      appliance.at(700, () => appliance.says(0x0801, 0x11, 1));
      return undefined;
    });
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(6_000);
    expect(appliance.status).toMatchObject({ override: true, load: { result: "overridden" } });
    // Such an appliance never reports 11 or 12: its state 1 does not end the override.
    appliance.run(180_000);
    expect(appliance.status.override).toBe(true);
    appliance.becomes[1] = 2;
    appliance.basic.clear();
    appliance.says(0x0801, 0x11, 0);
    appliance.until(() => result(appliance) === "verified", 5_000);
  });

  it("ends with an unasked state that is not opted out", () => {
    const appliance = online();
    appliance.says(0x0801, 0x11, 1);
    appliance.run(10_000);
    appliance.says(0x0801, 0x13, 1);
    expect(appliance.status.override).toBe(false);
  });

  it("ends after 12 h as the last resort", () => {
    const appliance = online();
    appliance.says(0x0801, 0x11, 1);
    appliance.run(12 * 3_600_000 - 2_000);
    expect(appliance.status.override).toBe(true);
    appliance.run(4_000);
    expect(appliance.status.override).toBe(false);
  });

  it("does not stop load commands from being sent", () => {
    const appliance = online();
    appliance.state = 12;
    appliance.basic.set(1, () => [4, 5]);
    appliance.basic.set(10, () => [4, 5]);
    appliance.says(0x0801, 0x11, 1);
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(2_000);
    appliance.session.wish(wishOf("critical-peak"), appliance.now);
    appliance.run(2_000);
    expect(appliance.loads.map((l) => l[0])).toEqual([1, 10]);
    appliance.run(3_600_000);
    expect(appliance.basicSent(10).length).toBe(5);
    expect(result(appliance)).toBe("overridden");
  });

  it("does not release a Grid Emergency that is obeyed all the same", () => {
    const appliance = online();
    appliance.session.wish(wishOf("emergency", { permitted: true }), appliance.now);
    appliance.until(() => result(appliance) === "verified", 5_000);
    appliance.says(0x0801, 0x11, 1);
    appliance.run(10_000);
    expect(appliance.status.load).toMatchObject({ command: "GridEmergency", result: "verified" });
  });

  it("lets the end of an event be seen as done", () => {
    const appliance = shed();
    appliance.state = 12;
    appliance.becomes[2] = 12;
    appliance.says(0x0801, 0x11, 1);
    appliance.session.wish(wishOf("normal"), appliance.now);
    appliance.until(() => result(appliance) === "verified", 5_000);
    expect(appliance.session.endShedOwed).toBe(false);
  });

  it("can be ordered from outside", () => {
    const appliance = online();
    appliance.session.order({ order: "override", on: true }, appliance.now);
    appliance.session.order({ order: "override", on: false }, appliance.now);
    appliance.run(2_000);
    expect(appliance.basicSent(0x11)).toEqual([
      [0x11, 1],
      [0x11, 0],
    ]);
    appliance.basic.set(0x11, () => [4, 1]);
    appliance.session.order({ order: "override", on: true }, appliance.now);
    appliance.run(2_000);
    expect(appliance.events).toContainEqual({ event: "order-failed", order: "override", why: "app-nak" });
  });
});
