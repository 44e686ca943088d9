/** A command was acknowledged and then nothing could be seen: a bad line, not a disobedient appliance. */
import { describe, expect, it } from "vitest";
import { online, wishOf } from "../support/wishes.js";

const isLook = (type: number, op: number): boolean => type === 0x0802 || (type === 0x0801 && op === 0x12);

describe("a Shed whose proof is lost for the whole settling time", () => {
  it("is sent again soon after, and verified within a minute", () => {
    const appliance = online();
    const fromMs = appliance.nowMs;
    appliance.react = ({ type, payload }) =>
      isLook(type, payload[0]!) && appliance.nowMs < fromMs + 21_000 ? "silent" : undefined;
    appliance.session.wish(wishOf("shed", { endsAtMs: fromMs + 3_600_000 }), appliance.now);
    appliance.until(() => appliance.status.load?.result === "verified", 35_000);
    expect(appliance.state).toBe(2);
  });

  it("but an appliance that is seen to disobey is left alone for half a minute", () => {
    const appliance = online();
    appliance.becomes[1] = 1;
    appliance.session.wish(wishOf("shed", { endsAtMs: appliance.nowMs + 3_600_000 }), appliance.now);
    appliance.until(() => appliance.status.load?.result === "unverified", 60_000);
    const sent = (): number =>
      appliance.requests.filter(({ type, payload }) => type === 0x0801 && payload[0] === 1).length;
    const before = sent();
    appliance.run(30_000);
    expect(sent()).toBe(before);
    appliance.run(10_000);
    expect(sent()).toBe(before + 1);
  });
});

describe("a link NAK that one turned bit has made of another", () => {
  it.each([2, 7])("a single NAK %d to a Shed is not believed: it is sent again, and verified", (nak) => {
    const appliance = online();
    let times = 0;
    appliance.basic.set(1, () => (times++ === 0 ? { nak } : undefined));
    appliance.session.wish(wishOf("shed", { endsAtMs: appliance.nowMs + 3_600_000 }), appliance.now);
    appliance.until(() => appliance.status.load?.result === "verified", 10_000);
    expect(appliance.status.load).toMatchObject({ command: "Shed", step: 0 });
    expect(times).toBe(2);
  });
});
