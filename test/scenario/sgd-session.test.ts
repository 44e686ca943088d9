import { describe, expect, it } from "vitest";
import { online, wishOf } from "../support/wishes.js";

describe("the thin way", () => {
  it("discovers, sheds, verifies, ends and verifies", () => {
    const appliance = online();
    expect(appliance.status.identity).toMatchObject({ deviceType: 0x1102, model: "FAKE", serial: "7" });
    expect(appliance.status).toMatchObject({ opState: 1, powerW: 7200, ratedW: 7680 });
    expect(appliance.commands[0]).toEqual({ cmd: "support", types: [0x0801, 0x0802, 0x0803] });
    expect(appliance.loads).toEqual([]);

    appliance.session.wish(wishOf("shed", { endsAtMs: appliance.nowMs + 20_000 }), appliance.now);
    expect(appliance.status.load).toMatchObject({ command: "Shed", result: "waiting", step: 0 });
    const tookMs = appliance.until(() => appliance.status.load?.result === "verified", 5_000);
    expect(tookMs).toBeLessThan(1_500);
    expect(appliance.loads).toEqual([[1, 4]]);
    expect(appliance.status.opState).toBe(2);
    expect(appliance.session.endShedOwed).toBe(true);

    appliance.session.wish(wishOf("normal"), appliance.now);
    appliance.until(() => appliance.status.load?.result === "verified", 5_000);
    expect(appliance.status.load).toMatchObject({ command: "EndShed", wish: "normal 2.0" });
    expect(appliance.loads).toEqual([
      [1, 4],
      [2, 0],
    ]);
    expect(appliance.session.endShedOwed).toBe(false);
    expect(appliance.events.filter((e) => e.event === "owed")).toEqual([
      { event: "owed", owed: true },
      { event: "owed", owed: false },
    ]);
  });

  it("does it with a peer of Basic DR alone", () => {
    const appliance = online({});
    appliance.react = (r) => (r.type === 0x0801 ? undefined : { nak: 6 });
    appliance.session.order({ order: "rediscover" }, appliance.now);
    appliance.until(() => appliance.status.link === "online", 20_000);
    appliance.requests.length = 0;
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.until(() => appliance.status.load?.result === "verified", 5_000);
    appliance.run(600_000);
    expect(appliance.requests.filter((r) => r.type !== 0x0801)).toEqual([]);
    expect(appliance.loads).toEqual([[1, 0]]);
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
    appliance.session.wish(wishOf("shed"), appliance.now);
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
    expect(appliance.requests.length).toBeGreaterThan(10);
  });
});

describe("nextMs", () => {
  it("sleeps between what is due, instead of being polled all the time", () => {
    const appliance = online();
    let polls = 0;
    const poll = appliance.session.poll.bind(appliance.session);
    // Defined, not assigned: in XS the class is frozen, and its methods cannot be hidden by assignment.
    Object.defineProperty(appliance.session, "poll", {
      value: (now: Parameters<typeof poll>[0]) => {
        polls++;
        poll(now);
      },
    });
    appliance.run(3_600_000);
    expect(polls).toBeLessThan(400);
  });

  it("gives up a request that its link has forgotten", () => {
    const appliance = online();
    appliance.react = () => {
      appliance.react = () => undefined;
      return "forgotten";
    };
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(59_000);
    expect(appliance.status.load?.result).toBe("waiting");
    appliance.until(() => appliance.status.load?.result === "verified", 10_000);
  });
});
