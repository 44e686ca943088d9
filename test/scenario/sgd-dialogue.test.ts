import { describe, expect, it } from "vitest";
import { FakeAppliance } from "../support/fake-appliance.js";
import { online, wishOf } from "../support/wishes.js";

const TYPES = [0x0801, 0x0802, 0x0803];
const queries = (a: FakeAppliance) => a.requests.filter((r) => r.payload.length === 0).map((r) => r.type);

describe("discovery", () => {
  it("asks types, payload, information, state and commodities, in this order", () => {
    const appliance = new FakeAppliance();
    appliance.until(() => appliance.status.link === "online", 10_000);
    const asked = appliance.commands.map((c) =>
      c.cmd === "request" ? [c.type.toString(16), ...c.payload].join(" ") : c.cmd,
    );
    expect(asked.slice(0, 8)).toEqual([
      "support",
      "801",
      "802",
      "803",
      "query-max-payload",
      "802 1 1",
      "801 18 0",
      "802 6 0",
    ]);
    expect(appliance.statuses.map((s) => s.link)).toContain("discovering");
  });

  it("leaves out what the appliance does not know", () => {
    const appliance = new FakeAppliance();
    appliance.react = (r) => (r.type === 0x0801 ? undefined : { nak: 6 });
    appliance.until(() => appliance.status.link === "online", 10_000);
    expect(appliance.commands.filter((c) => c.cmd === "query-max-payload")).toEqual([]);
    expect(appliance.requests.filter((r) => r.type === 0x0802 && r.payload.length > 0)).toEqual([]);
    expect(appliance.status).toMatchObject({ identity: undefined, opState: 1, powerW: undefined });
  });

  it("has patience for ever with an appliance that is not there", () => {
    const appliance = new FakeAppliance({ previousLoad: "normal" });
    appliance.present = false;
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(24 * 3_600_000);
    expect(appliance.status).toMatchObject({ link: "absent", load: { result: "waiting" } });
    const perHour = queries(appliance).length / 24;
    expect(perHour).toBeGreaterThan(100);
    expect(perHour).toBeLessThan(180);
    expect(appliance.loads).toEqual([]);
    appliance.present = true;
    appliance.until(() => appliance.status.load?.result === "verified", 40_000);
  });

  it("does not rest when the appliance is heard", () => {
    const appliance = new FakeAppliance();
    appliance.present = false;
    appliance.run(600_000);
    const before = appliance.requests.length;
    appliance.until(() => appliance.requests.length > before, 60_000);
    appliance.run(4_100);
    appliance.present = true;
    appliance.asks(0x0801);
    appliance.until(() => appliance.status.link === "online", 6_000);
  });

  it("lives with a peer that repeats its own discovery every 15–22 s for ever", () => {
    const appliance = online();
    appliance.requests.length = 0;
    for (let i = 0; i < 200; i++) {
      appliance.run(15_000 + (i % 8) * 1_000);
      for (const type of TYPES) appliance.asks(type);
      appliance.says(0x0802, 1, 1);
    }
    expect(queries(appliance)).toEqual([]);
    expect(appliance.status.link).toBe("online");
    expect(appliance.responses.length).toBe(200);
  });

  it("goes on without what is never answered", () => {
    const appliance = new FakeAppliance({ previousLoad: "normal" });
    appliance.react = (r) => (r.type === 0x0802 && r.payload[0] === 1 ? "mute" : undefined);
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.until(() => appliance.status.link === "online", 30_000);
    expect(appliance.status).toMatchObject({ identity: undefined, powerW: 3600 });
    // What it would not tell then, it is asked for later.
    appliance.react = () => undefined;
    appliance.until(() => appliance.status.identity !== undefined, 301_000);
  });

  it("does not keep a load command waiting for a discovery that drags on", () => {
    const appliance = new FakeAppliance({ previousLoad: "normal" });
    appliance.react = (r) => (r.type === 0x0803 ? "silent" : undefined);
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.until(() => appliance.status.load?.result === "verified", 20_000);
    expect(appliance.status.link).toBe("discovering");
    appliance.until(() => appliance.status.link === "online", 60_000);
    expect(appliance.basicSent(1).length).toBe(1);
  });

  it("starts anew after 15 min of silence, when the link says so", () => {
    const appliance = online();
    appliance.present = false;
    appliance.peer("lost");
    expect(appliance.status).toMatchObject({ link: "absent", identity: undefined, opState: undefined });
    appliance.run(600_000);
    appliance.present = true;
    appliance.until(() => appliance.status.link === "online", 40_000);
  });

  it("survives an appliance that vanishes at any step", () => {
    for (let vanishesAt = 0; vanishesAt < 8; vanishesAt++) {
      const appliance = new FakeAppliance({ previousLoad: "normal" });
      let left = vanishesAt;
      appliance.react = () => (left-- > 0 ? undefined : "silent");
      appliance.session.wish(wishOf("shed"), appliance.now);
      appliance.run(300_000);
      appliance.react = () => undefined;
      appliance.until(() => appliance.status.load?.result === "verified", 60_000);
      expect(appliance.status.link, `vanished at ${vanishesAt}`).not.toBe("absent");
    }
  });
});

describe("what the appliance asks", () => {
  const answer = (appliance: FakeAppliance, ...payload: number[]) => {
    appliance.responses.length = 0;
    appliance.says(0x0802, ...payload);
    return appliance.responses[0]?.payload;
  };

  it("who we are, as long as it can take", () => {
    const appliance = online();
    const lengths = [16, 31, 32, 47, 48, 52, 53, 512].map((bytes) => {
      appliance.limits(bytes);
      return answer(appliance, 1, 1)!.length;
    });
    expect(lengths).toEqual([16, 16, 32, 32, 48, 48, 53, 53]);
    expect(answer(appliance, 1, 1)!.slice(0, 11)).toEqual([1, 0x81, 0, 0x42, 0, 0, 0, 0x40, 0x04, 0, 1]);
  });

  it("what time it is, when we know it", () => {
    const utcAtZeroMs = Date.UTC(2026, 6, 1, 12);
    const appliance = online({ utcAtZeroMs, settings: { timeZone: "CET-1CEST,M3.5.0,M10.5.0/3" } });
    const reply = answer(appliance, 2, 0)!;
    const seconds = (reply[3]! << 24) | (reply[4]! << 16) | (reply[5]! << 8) | reply[6]!;
    expect(reply.slice(0, 3)).toEqual([2, 0x80, 0]);
    expect(seconds).toBe(Math.floor((utcAtZeroMs + appliance.nowMs) / 1000) - 946_684_800);
    expect(reply.slice(7)).toEqual([4, 4]);
    expect(answer(online(), 2, 0)).toEqual([2, 0x80, 1]);
  });

  it("things that a module does not do", () => {
    const appliance = online();
    expect(answer(appliance, 3, 0)).toEqual([3, 0x80, 1]);
    expect(answer(appliance, 0x55, 0x66)).toEqual([0x55, 0xe6, 1]);
    expect(answer(appliance, 1, 1, 9)).toEqual([1, 0x81, 3]);
    expect(answer(appliance, 3, 0x80, 0)).toBeUndefined();
    expect(answer(appliance, 3)).toBeUndefined();
    appliance.responses.length = 0;
    appliance.says(0x0801, 0x01, 0);
    appliance.says(0x0801, 0x77, 0);
    appliance.says(0x0801, 0x11, 2);
    appliance.says(0x0801, 0x03, 0x01);
    appliance.says(0x0801, 0x04, 0x01);
    expect(appliance.responses.map((r) => r.payload)).toEqual([
      [4, 1],
      [4, 1],
      [4, 2],
    ]);
  });

  it("takes a commodity report that nobody asked for", () => {
    const appliance = online();
    const watts = [0, 0, 0, 0, 0x0b, 0xb8];
    expect(answer(appliance, 6, 0, 0x80, ...watts, 0, 0, 0, 0, 0, 9)).toEqual([6, 0x80, 0]);
    expect(appliance.status).toMatchObject({ powerW: 3000, energyWh: 9, measured: true, ratedW: 7680 });
  });
});

describe("a spontaneous state", () => {
  it("is acknowledged, believed, and asks for the power that goes with it", () => {
    const appliance = online();
    appliance.requests.length = 0;
    appliance.state = 0;
    appliance.says(0x0801, 0x13, 0);
    expect(appliance.status.opState).toBe(0);
    expect(appliance.responses.at(-1)!.payload).toEqual([3, 0x13]);
    appliance.run(2_000);
    expect(appliance.status.powerW).toBe(0);
  });
});

describe("sleep and wake", () => {
  it("polls less while it sleeps, and tells everything within 10 s of Wake", () => {
    const utcAtZeroMs = Date.UTC(2026, 6, 1, 12, 10);
    const appliance = online({ utcAtZeroMs });
    appliance.session.information(
      {
        outsideComm: 1,
        presentPrice: 65,
        nextPrice: 80,
        priceEndsAtMs: appliance.nowMs + 7_200_000,
        guidance: 0,
        pending: { atMs: appliance.nowMs + 7_200_000, op: 1 },
      },
      appliance.now,
    );
    appliance.session.wish(wishOf("shed", { endsAtMs: appliance.nowMs + 3_600_000 }), appliance.now);
    appliance.run(20_000);
    appliance.says(0x0801, 0x14, 0);
    expect(appliance.responses.at(-1)!.payload).toEqual([3, 0x14]);
    appliance.run(120_000);
    appliance.requests.length = 0;
    appliance.run(300_000);
    expect(appliance.basicSent(0x12).length).toBe(1);
    appliance.requests.length = 0;
    // As slow as the certified water heater.
    appliance.exchangeMs = 700;
    appliance.says(0x0801, 0x15, 0);
    expect(appliance.responses.at(-1)!.payload).toEqual([3, 0x15]);
    appliance.run(10_000);
    const ops = new Set(appliance.basicSent().map((p) => p[0]));
    for (const op of [0x01, 0x0e, 0x16, 0x07, 0x08, 0x09, 0x0c, 0x18, 0x19]) expect(ops).toContain(op);
    expect(appliance.status.load?.result).toBe("verified");
  });
});

describe("reboot", () => {
  it.each([0, 1] as const)(
    "ordered by us (%i): both sides return to start-up, and the wish is sent again",
    (kind) => {
      const appliance = online();
      appliance.session.wish(wishOf("shed"), appliance.now);
      appliance.run(5_000);
      appliance.session.order({ order: "reboot", kind }, appliance.now);
      appliance.until(() => appliance.status.link === "absent", 2_000);
      expect(appliance.basicSent(0x1a)).toEqual([[0x1a, kind]]);
      expect(appliance.commands.filter((c) => c.cmd === "reset").length).toBe(1);
      appliance.state = 1;
      const sent = appliance.requests.length;
      appliance.run(4_500);
      expect(appliance.requests.length).toBe(sent);
      appliance.until(() => appliance.status.load?.result === "verified", 10_000);
      expect(appliance.basicSent(1).length).toBe(2);
      expect(queries(appliance)).toEqual([...TYPES, ...TYPES]);
    },
  );

  it("by the appliance: acknowledged first, then the same", () => {
    const appliance = online();
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(5_000);
    appliance.says(0x0801, 0x1a, 0);
    expect(appliance.responses.at(-1)!.payload).toEqual([3, 0x1a]);
    expect(appliance.commands.filter((c) => c.cmd === "reset")).toEqual([]);
    appliance.run(1_000);
    expect(appliance.commands.filter((c) => c.cmd === "reset").length).toBe(1);
    appliance.state = 1;
    appliance.until(() => appliance.status.load?.result === "verified", 20_000);
    expect(appliance.events).toContainEqual({ event: "reboot", by: "appliance", kind: 0 });
  });

  it("that is refused changes nothing", () => {
    const appliance = online();
    appliance.basic.set(0x1a, () => [4, 2]);
    appliance.session.order({ order: "reboot", kind: 1 }, appliance.now);
    appliance.run(2_000);
    expect(appliance.status.link).toBe("online");
    expect(appliance.events).toContainEqual({ event: "order-failed", order: "reboot", why: "app-nak" });
  });

  it("waits for an appliance that is not there, and orders do not pile up", () => {
    const appliance = new FakeAppliance({ previousLoad: "normal" });
    appliance.present = false;
    for (let i = 0; i < 10; i++) appliance.session.order({ order: "override", on: true }, appliance.now);
    expect(appliance.events.filter((e) => e.event === "order-failed").length).toBe(2);
    appliance.run(60_000);
    expect(appliance.basicSent(0x11)).toEqual([]);
    appliance.present = true;
    appliance.run(60_000);
    expect(appliance.basicSent(0x11).length).toBe(8);
  });
});
