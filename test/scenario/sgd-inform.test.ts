import { describe, expect, it } from "vitest";
import type { Information } from "../../src/sgd/messages.js";
import type { FakeAppliance } from "../support/fake-appliance.js";
import { online } from "../support/wishes.js";

const NOTHING: Information = {
  outsideComm: 1,
  presentPrice: undefined,
  nextPrice: undefined,
  priceEndsAtMs: undefined,
  guidance: undefined,
  pending: undefined,
};

function told(appliance: FakeAppliance, more: Partial<Information>): number[][] {
  appliance.requests.length = 0;
  appliance.session.information({ ...NOTHING, ...more }, appliance.now);
  appliance.run(8_000);
  return appliance.basicSent(0x07, 0x08, 0x09, 0x0c, 0x0e, 0x18, 0x19);
}

describe("information", () => {
  it("is told on change, and only then", () => {
    const appliance = online();
    expect(told(appliance, {})).toEqual([]);
    expect(told(appliance, { outsideComm: 2 })).toEqual([[0x0e, 2]]);
    expect(told(appliance, { outsideComm: 2, guidance: 0 })).toEqual([[0x0c, 0]]);
    expect(told(appliance, { outsideComm: 0, guidance: 0 })).toEqual([[0x0e, 0]]);
    expect(told(appliance, { outsideComm: 0, guidance: 0 })).toEqual([]);
  });

  it("withdraws guidance as neutral and a price as unknown", () => {
    const appliance = online();
    const priceEndsAtMs = appliance.nowMs + 1_800_000;
    expect(told(appliance, { guidance: 2, presentPrice: 0x41, nextPrice: 0x64, priceEndsAtMs })).toEqual([
      [0x07, 0x41],
      [0x08, 0x64],
      [0x09, 0x1e],
      [0x0c, 2],
    ]);
    expect(told(appliance, {})).toEqual([
      [0x07, 0],
      [0x08, 0],
      [0x0c, 1],
    ]);
    expect(told(appliance, {})).toEqual([]);
  });

  it("tells the price at the start of each period, also where it stays the same", () => {
    const appliance = online();
    const first = appliance.nowMs + 1_800_000;
    told(appliance, { presentPrice: 0x41, priceEndsAtMs: first });
    // The same end on a clock that is being disciplined.
    expect(told(appliance, { presentPrice: 0x41, priceEndsAtMs: first + 900 })).toEqual([]);
    expect(
      told(appliance, { presentPrice: 0x41, priceEndsAtMs: first + 1_800_000 }).map((p) => p[0]),
    ).toEqual([0x07, 0x09]);
  });

  it("announces the next event, and takes it back if it will not come", () => {
    const appliance = online();
    const atMs = appliance.nowMs + 600_000;
    expect(told(appliance, { pending: { atMs, op: 0x0a } })).toEqual([
      [0x18, 0x12],
      [0x19, 0x0a],
    ]);
    expect(told(appliance, {})).toEqual([
      [0x18, 0],
      [0x19, 2],
    ]);
    told(appliance, { pending: { atMs, op: 0x0a } });
    appliance.run(600_000);
    expect(told(appliance, {})).toEqual([]);
  });

  it("is not offered again where it was refused", () => {
    const appliance = online();
    appliance.basic.set(0x0c, () => [4, 1]);
    appliance.basic.set(0x07, () => ({ nak: 7 }));
    told(appliance, { guidance: 0, presentPrice: 0x41 });
    expect(told(appliance, { guidance: 2, presentPrice: 0x50 })).toEqual([]);
    appliance.run(3_600_000);
    expect(appliance.basicSent(0x0c, 0x07)).toEqual([]);
  });

  it("is offered again after silence or a busy answer", () => {
    const appliance = online();
    let busy = 2;
    appliance.basic.set(0x0c, () => (busy-- > 0 ? [4, 3] : undefined));
    told(appliance, { guidance: 0 });
    appliance.run(20_000);
    expect(appliance.basicSent(0x0c).length).toBe(3);
  });
});

describe("the time sync", () => {
  it("comes on the local hour, with summer time", () => {
    // 2026-03-29 01:00 UTC: summer time begins in Adelaide's opposite, Berlin; 02:00 becomes 03:00.
    const appliance = online({
      utcAtZeroMs: Date.UTC(2026, 2, 28, 23, 50),
      settings: { timeZone: "CET-1CEST,M3.5.0,M10.5.0/3" },
    });
    appliance.run(4 * 3_600_000);
    const syncs = appliance.requests.filter((r) => r.type === 0x0801 && r.payload[0] === 0x16);
    const hours = syncs.map((r) => r.payload[1]! & 0x1f);
    const days = syncs.map((r) => r.payload[1]! >> 5);
    // At the start, then on each hour.
    expect(hours).toEqual([0, 1, 3, 4, 5]);
    expect(days).toEqual([0, 0, 0, 0, 0]);
    for (const sync of syncs.slice(1)) {
      const intoHourMs = (Date.UTC(2026, 2, 28, 23, 50) + sync.atMs) % 3_600_000;
      expect(intoHourMs).toBeLessThan(2_000);
    }
  });

  it("knows half-hour zones, and says nothing while the clock is unknown", () => {
    const appliance = online({ settings: { timeZone: "ACST-9:30" } });
    appliance.run(7_200_000);
    expect(appliance.basicSent(0x16)).toEqual([]);
    appliance.utcAtZeroMs = Date.UTC(2026, 0, 1, 0, 25) - appliance.nowMs;
    appliance.run(600_000);
    expect(appliance.basicSent(0x16).map((p) => p[1]! & 0x1f)).toEqual([9, 10]);
  });
});
