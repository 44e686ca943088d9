import { describe, expect, it } from "vitest";
import { limit, online, wishOf, SITE } from "../support/wishes.js";
import { FakeAppliance } from "../support/fake-appliance.js";

const result = (a: FakeAppliance) => a.status.load?.result;
const refuse = (reason: number) => () => [4, reason];

describe("refusals go down the chain", () => {
  it.each([
    ["application NAK 1", [4, 1] as const],
    ["application NAK 2", [4, 2] as const],
    ["link NAK 07", { nak: 7 }],
    ["link NAK 06", { nak: 6 }],
    ["link NAK 02", { nak: 2 }],
  ])("critical peak refused by %s becomes a shed", (_name, reaction) => {
    const appliance = online();
    appliance.basic.set(0x0a, () => reaction);
    appliance.session.wish(wishOf("critical-peak"), appliance.now);
    // Half the installer's maximum is 3,600 W here.
    appliance.until(() => result(appliance) === "verified", 5_000);
    expect(appliance.status.load).toMatchObject({ command: "Shed", step: 1 });
    // 02 and 07 are one bit away from "checksum": asked once more before they are believed.
    const doubtful = reaction !== undefined && "nak" in reaction && reaction.nak !== 6;
    expect(appliance.loads).toEqual([...(doubtful ? [[10, 0]] : []), [10, 0], [1, 0]]);
  });

  it("remembers what was refused until the next discovery", () => {
    const appliance = online();
    appliance.basic.set(0x0a, refuse(1));
    for (let i = 0; i < 3; i++) {
      appliance.session.wish(wishOf("critical-peak"), appliance.now);
      appliance.until(() => result(appliance) === "verified", 5_000);
      appliance.session.wish(wishOf("normal"), appliance.now);
      appliance.until(() => result(appliance) === "verified", 5_000);
    }
    expect(appliance.basicSent(10).length).toBe(1);
    appliance.session.wish(wishOf("critical-peak"), appliance.now);
    appliance.session.order({ order: "rediscover" }, appliance.now);
    appliance.run(20_000);
    expect(appliance.basicSent(10).length).toBe(2);
    expect(result(appliance)).toBe("verified");
  });

  it("says refused, and why, when nothing is left; and keeps quiet then", () => {
    const appliance = online();
    appliance.basic.set(1, refuse(1));
    appliance.basic.set(10, refuse(1));
    appliance.session.wish(wishOf("critical-peak"), appliance.now);
    appliance.run(3_600_000);
    expect(appliance.status.load).toMatchObject({ result: "refused", command: "Shed", step: 1 });
    expect(appliance.status.load?.text).toContain("does not know this command");
    expect(appliance.loads).toEqual([
      [10, 0],
      [1, 0],
    ]);
  });

  it("tries a refusal without a lasting reason again, much later", () => {
    const appliance = online();
    let refusals = 1;
    appliance.basic.set(1, () => (refusals-- > 0 ? [4, 0] : undefined));
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(10_000);
    expect(result(appliance)).toBe("refused");
    appliance.until(() => result(appliance) === "verified", 400_000);
  });

  it("drops the duration where the appliance takes none", () => {
    const appliance = online();
    appliance.basic.set(1, (arg) => (arg === 0 ? undefined : [4, 2]));
    const endsAtMs = appliance.nowMs + 1_800_000;
    appliance.session.wish(wishOf("shed", { endsAtMs }), appliance.now);
    appliance.until(() => result(appliance) === "verified", 5_000);
    expect(appliance.loads).toEqual([
      [1, 0x1e],
      [1, 0],
    ]);
  });

  it("waits out a busy appliance: 1, 2, 4, 8, 16 s, then goes on", () => {
    const appliance = online();
    appliance.basic.set(0x0a, refuse(3));
    const startMs = appliance.nowMs;
    appliance.session.wish(wishOf("critical-peak"), appliance.now);
    appliance.until(() => result(appliance) === "verified", 60_000);
    const at = appliance.requests.filter((r) => r.payload[0] === 10).map((r) => r.atMs - startMs);
    const gaps = at.slice(1).map((ms, i) => Math.round((ms - at[i]!) / 1000));
    expect(gaps).toEqual([1, 2, 4, 8, 16]);
    expect(appliance.status.load).toMatchObject({ command: "Shed", step: 1 });
  });
});

describe("an acknowledgement is no proof", () => {
  it("reports unverified where state or power contradict, tells it again, and believes it in the end", () => {
    const appliance = online();
    appliance.becomes[1] = 1;
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(1_000);
    expect(result(appliance)).toBe("acknowledged");
    appliance.run(21_000);
    expect(appliance.status.load).toMatchObject({
      result: "unverified",
      text: "the appliance reports state 1 and 7200 W",
    });
    appliance.run(60_000);
    expect(appliance.basicSent(1).length).toBeGreaterThan(1);
    appliance.becomes[1] = 2;
    appliance.until(() => result(appliance) === "verified", 300_000);
  });

  it("does not believe a state that the power belies", () => {
    const appliance = online();
    appliance.powerW = 7200;
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(30_000);
    expect(appliance.status.load).toMatchObject({ result: "unverified" });
    expect(appliance.status.load?.text).toContain("7200 W");
  });

  it("gives a slow appliance its settling time, looking about once a second", () => {
    const appliance = online();
    appliance.becomes[1] = 1;
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(5_000);
    const looks = appliance.basicSent(0x12).length;
    appliance.run(5_000);
    const more = appliance.basicSent(0x12).length - looks;
    expect(more).toBeGreaterThanOrEqual(3);
    expect(more).toBeLessThanOrEqual(5);
    appliance.state = 2;
    appliance.until(() => result(appliance) === "verified", 3_000);
    expect(appliance.loads).toEqual([[1, 0]]);
  });

  it("takes the state alone where no power is to be had", () => {
    const appliance = online();
    appliance.react = (r) => (r.type === 0x0802 && r.payload[0] === 6 ? { nak: 7 } : undefined);
    appliance.session.order({ order: "rediscover" }, appliance.now);
    appliance.run(10_000);
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.until(() => result(appliance) === "verified", 3_000);
  });

  it("stays at acknowledged with an appliance that tells neither state nor power", () => {
    const appliance = online();
    appliance.react = (r) => (r.type === 0x0802 ? { nak: 6 } : undefined);
    appliance.basic.set(0x12, refuse(1));
    appliance.session.order({ order: "rediscover" }, appliance.now);
    appliance.run(10_000);
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(60_000);
    expect(appliance.status.load).toMatchObject({ result: "acknowledged" });
    expect(appliance.status.load?.text).toContain("cannot show");
    expect(appliance.loads).toEqual([[1, 0]]);
  });

  it("takes power for proof where there is no state, and nothing for proof where power cannot be one", () => {
    const appliance = online();
    appliance.basic.set(0x12, refuse(1));
    appliance.session.order({ order: "rediscover" }, appliance.now);
    appliance.run(10_000);
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(5_000);
    expect(result(appliance)).toBe("verified");
    appliance.session.wish(wishOf("normal"), appliance.now);
    appliance.run(5_000);
    expect(result(appliance)).toBe("acknowledged");
    expect(appliance.session.endShedOwed).toBe(false);
  });

  it("believes a charger without a car only by its missing power", () => {
    const appliance = online();
    appliance.state = 0;
    appliance.becomes[1] = 0;
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.until(() => result(appliance) === "verified", 3_000);
    // A car comes, and it charges: the shed had been forgotten.
    appliance.becomes[1] = 2;
    appliance.state = 1;
    appliance.until(() => appliance.basicSent(1).length === 2, 70_000);
    appliance.until(() => result(appliance) === "verified" && appliance.status.opState === 2, 5_000);
  });
});

describe("silence", () => {
  it("is tried again with growing patience, and told", () => {
    const appliance = online();
    appliance.present = false;
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(10_000);
    expect(result(appliance)).toBe("failed");
    appliance.run(120_000);
    const tries = appliance.basicSent(1).length;
    expect(tries).toBeGreaterThanOrEqual(5);
    expect(tries).toBeLessThan(20);
    appliance.present = true;
    appliance.until(() => result(appliance) === "verified", 40_000);
  });

  it("after a link ACK is looked into: the command may have been taken", () => {
    const appliance = online();
    appliance.basic.set(1, () => {
      appliance.state = 2;
      return "mute";
    });
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.until(() => result(appliance) === "verified", 6_000);
    expect(appliance.loads.length).toBe(1);
  });

  it("after a link ACK leads to another try where it was not taken", () => {
    const appliance = online();
    let mutes = 2;
    appliance.basic.set(1, () => (mutes-- > 0 ? "mute" : undefined));
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.until(() => result(appliance) === "verified", 20_000);
    expect(appliance.loads.length).toBe(3);
  });
});

describe("End Shed is an obligation", () => {
  it("is sent at a start after which nothing is known, and not where all was well", () => {
    for (const [previousLoad, loads] of [
      ["unknown", [[2, 0]]],
      ["other", [[2, 0]]],
      ["normal", []],
    ] as const) {
      const appliance = new FakeAppliance({ previousLoad });
      appliance.session.wish(wishOf("normal"), appliance.now);
      appliance.run(120_000);
      expect(appliance.loads).toEqual(loads);
    }
  });

  it("is never sent while something else is wanted", () => {
    const appliance = new FakeAppliance({ previousLoad: "other" });
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(60_000);
    appliance.session.wish(wishOf("critical-peak"), appliance.now);
    appliance.run(60_000);
    expect(appliance.basicSent(2)).toEqual([]);
  });

  it("is tried until it is seen to be done", () => {
    const appliance = online();
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(5_000);
    appliance.becomes[2] = 2;
    appliance.session.wish(wishOf("normal"), appliance.now);
    appliance.run(120_000);
    expect(result(appliance)).toBe("unverified");
    expect(appliance.session.endShedOwed).toBe(true);
    appliance.becomes[2] = 1;
    appliance.until(() => result(appliance) === "verified", 300_000);
    const sent = appliance.basicSent(2).length;
    appliance.run(3_600_000);
    expect(appliance.basicSent(2).length).toBe(sent);
  });

  it("is not given up when it is refused", () => {
    const appliance = online();
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(5_000);
    appliance.basic.set(2, refuse(1));
    appliance.session.wish(wishOf("normal"), appliance.now);
    appliance.run(10_000);
    expect(result(appliance)).toBe("refused");
    appliance.basic.delete(2);
    appliance.until(() => result(appliance) === "verified", 320_000);
  });

  it("is owed even where the shed's answer got lost", () => {
    const appliance = online();
    appliance.react = (r) => {
      if (r.type !== 0x0801 || r.payload[0] !== 1) return undefined;
      appliance.state = 2;
      return "silent";
    };
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(100);
    appliance.session.wish(wishOf("normal"), appliance.now);
    appliance.until(() => result(appliance) === "verified", 20_000);
    expect(appliance.status).toMatchObject({ opState: 1, load: { command: "EndShed" } });
  });

  it("is sent again to an appliance that was plugged in anew", () => {
    const appliance = online();
    appliance.session.wish(wishOf("normal"), appliance.now);
    appliance.run(10_000);
    expect(appliance.loads).toEqual([]);
    appliance.peer("unplugged");
    expect(appliance.status.link).toBe("absent");
    appliance.run(2_000);
    appliance.state = 2;
    appliance.peer("plugged");
    appliance.run(20_000);
    expect(appliance.loads).toEqual([[2, 0]]);
    expect(appliance.session.endShedOwed).toBe(false);
  });

  it("is believed where bad guidance alone keeps the appliance curtailed", () => {
    const appliance = online();
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.session.information(
      {
        outsideComm: 1,
        guidance: 0,
        presentPrice: undefined,
        nextPrice: undefined,
        priceEndsAtMs: undefined,
        pending: undefined,
      },
      appliance.now,
    );
    appliance.run(5_000);
    appliance.becomes[2] = 2;
    appliance.session.wish(wishOf("normal"), appliance.now);
    appliance.run(30_000);
    expect(result(appliance)).toBe("verified");
  });
});

describe("what is in force is kept in force", () => {
  it("is told again to an appliance that comes back", () => {
    const appliance = online();
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(5_000);
    appliance.peer("unplugged");
    expect(result(appliance)).toBe("waiting");
    appliance.present = false;
    appliance.state = 1;
    appliance.run(60_000);
    appliance.present = true;
    appliance.peer("plugged");
    appliance.until(() => result(appliance) === "verified", 20_000);
    expect(appliance.basicSent(1).length).toBe(2);
  });

  it("is told again to an appliance that forgot it, at the next poll", () => {
    const appliance = online();
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(5_000);
    appliance.state = 1;
    appliance.until(() => appliance.basicSent(1).length === 2, 70_000);
    appliance.run(2_000);
    expect(appliance.status).toMatchObject({ opState: 2, load: { result: "verified" } });
  });

  it("is looked at again when its power rises", () => {
    const appliance = online();
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(5_000);
    appliance.powerW = 7200;
    appliance.until(() => result(appliance) === "unverified", 60_000);
    expect(appliance.basicSent(1).length).toBe(1);
    appliance.powerW = undefined;
    appliance.until(() => result(appliance) === "verified", 60_000);
  });

  it("is not sent twice for the same wish, but with a new duration when the end moves", () => {
    const appliance = online();
    const endsAtMs = appliance.nowMs + 600_000;
    for (let i = 0; i < 5; i++) {
      appliance.session.wish(wishOf("shed", { endsAtMs: endsAtMs + i * 100 }), appliance.now);
      appliance.run(2_000);
    }
    expect(appliance.loads).toEqual([[1, 0x12]]);
    appliance.session.wish(wishOf("shed", { endsAtMs: endsAtMs + 3_600_000 }), appliance.now);
    appliance.run(2_000);
    expect(appliance.basicSent(1).length).toBe(2);
    expect(result(appliance)).toBe("verified");
  });

  it("is renewed before the longest duration that can be told lapses", () => {
    const appliance = online();
    const startMs = appliance.nowMs;
    appliance.session.wish(wishOf("shed", { endsAtMs: startMs + 72 * 3_600_000 }), appliance.now);
    appliance.run(72 * 3_600_000 - 1000);
    const sent = appliance.requests.filter((r) => r.type === 0x0801 && r.payload[0] === 1);
    expect(sent.map((r) => r.payload[1])).toEqual([0xff, 0xff, 0x18]);
    expect(sent[1]!.atMs - sent[0]!.atMs).toBeLessThan(129_032_000);
  });

  it("is not renewed where the duration ends with the wish", () => {
    const appliance = online();
    appliance.session.wish(wishOf("shed", { endsAtMs: appliance.nowMs + 7_200_000 }), appliance.now);
    appliance.run(7_200_000);
    appliance.session.wish(wishOf("normal"), appliance.now);
    appliance.run(10_000);
    expect(appliance.loads).toEqual([
      [1, 0x3c],
      [2, 0],
    ]);
  });

  it("is renewed when it outlives its own end", () => {
    const appliance = online();
    appliance.session.wish(wishOf("shed", { endsAtMs: appliance.nowMs + 60_000 }), appliance.now);
    appliance.run(200_000);
    expect(appliance.basicSent(1)).toEqual([
      [1, 6],
      [1, 0],
    ]);
  });
});

describe("without power readings", () => {
  it("an idle state proves a stop, one that may mean anything does not", () => {
    for (const [state, expected] of [
      [0, "verified"],
      [4, "verified"],
      [10, "unverified"],
      [2, "unverified"],
    ] as const) {
      const appliance = online();
      appliance.react = (r) => (r.type === 0x0801 ? undefined : { nak: 6 });
      appliance.session.order({ order: "rediscover" }, appliance.now);
      appliance.run(10_000);
      appliance.becomes[6] = state;
      appliance.session.wish(wishOf(limit(0)), appliance.now);
      appliance.run(25_000);
      expect(result(appliance), `state ${state}`).toBe(expected);
    }
  });
});

describe("an older command does not outlive its wish", () => {
  it("is ended where a load up is refused", () => {
    const appliance = online();
    appliance.basic.set(0x17, refuse(1));
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(5_000);
    appliance.session.wish(wishOf("load-up"), appliance.now);
    appliance.until(() => result(appliance) === "verified", 5_000);
    expect(appliance.loads.slice(1)).toEqual([
      [0x17, 0],
      [2, 0],
    ]);
    expect(appliance.status).toMatchObject({ opState: 1, load: { command: "EndShed", step: 1 } });
  });

  it("is ended where everything that is wanted now is refused", () => {
    const appliance = online();
    appliance.session.wish(wishOf("emergency", { permitted: true }), appliance.now);
    appliance.run(5_000);
    appliance.basic.set(1, refuse(1));
    let silent = 1;
    appliance.basic.set(2, () => (silent-- > 0 ? "silent" : undefined));
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(20_000);
    expect(result(appliance)).toBe("refused");
    expect(appliance.loads.slice(1)).toEqual([
      [1, 0],
      [2, 0],
      [2, 0],
    ]);
    appliance.run(3_600_000);
    expect(appliance.basicSent(2).length).toBe(2);
  });

  it("is ended where it was a Grid Emergency and the customer overrides what comes after", () => {
    const appliance = online();
    appliance.session.wish(wishOf("emergency", { permitted: true }), appliance.now);
    appliance.run(5_000);
    appliance.basic.set(1, refuse(5));
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(20_000);
    expect(appliance.status).toMatchObject({ opState: 1, override: true, load: { result: "overridden" } });
    expect(appliance.loads.slice(1)).toEqual([
      [1, 0],
      [2, 0],
    ]);
    appliance.basic.delete(1);
    appliance.says(0x0801, 0x11, 0);
    appliance.until(() => result(appliance) === "verified", 5_000);
  });

  it("is not ended where the very same wish is refused later", () => {
    const appliance = online();
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(5_000);
    appliance.basic.set(1, refuse(0));
    appliance.state = 1;
    appliance.run(120_000);
    expect(result(appliance)).toBe("refused");
    expect(appliance.basicSent(2)).toEqual([]);
  });

  it("is left alone where the customer overrides it anyway", () => {
    const appliance = online();
    appliance.session.wish(wishOf("shed"), appliance.now);
    appliance.run(5_000);
    appliance.basic.set(10, refuse(5));
    appliance.session.wish(wishOf("critical-peak"), appliance.now);
    appliance.run(60_000);
    expect(appliance.basicSent(2)).toEqual([]);
  });
});

describe("stop", () => {
  it("is a level 0 that power has to show", () => {
    const appliance = online();
    appliance.becomes[6] = 10;
    appliance.powers[10] = 0;
    appliance.session.wish(wishOf(limit(0)), appliance.now);
    appliance.until(() => result(appliance) === "verified", 3_000);
    expect(appliance.loads).toEqual([[6, 0]]);
  });

  it("stays a level 0 where the charger clamps it up and Grid Emergency is not permitted", () => {
    const appliance = online();
    appliance.powers[9] = 1440;
    appliance.session.wish(wishOf(limit(3)), appliance.now);
    appliance.run(30_000);
    expect(result(appliance)).toBe("unverified");
    expect(appliance.loads).toEqual([[6, 0]]);
  });

  it("is escalated to Grid Emergency where that is permitted", () => {
    const appliance = online();
    appliance.powers[9] = 1440;
    appliance.session.wish(wishOf(limit(0), { permitted: true }), appliance.now);
    appliance.until(() => result(appliance) === "verified", 30_000);
    expect(appliance.status.load).toMatchObject({ command: "GridEmergency", step: 1 });
    expect(appliance.loads).toEqual([
      [6, 0],
      [11, 0],
    ]);
  });

  it("goes back to level 0 where Grid Emergency is refused, since Shed would give more", () => {
    const appliance = online();
    appliance.powers[9] = 1440;
    appliance.basic.set(11, refuse(1));
    appliance.session.wish(wishOf(limit(0), { permitted: true }), appliance.now);
    appliance.run(50_000);
    expect(appliance.loads.slice(0, 3)).toEqual([
      [6, 0],
      [11, 0],
      [6, 0],
    ]);
    expect(appliance.basicSent(1)).toEqual([]);
  });
});

describe("power levels are held against the measured power", () => {
  /** A charger whose level counts from `fullW`, and that is built or set for `mostW`. */
  function charger(fullW: number, mostW: number) {
    const appliance = online();
    appliance.powerW = mostW;
    appliance.ratedW = 9600;
    appliance.run(40_000);
    appliance.basic.set(6, (arg) => {
      appliance.state = 9;
      appliance.powerW = Math.max(1440, Math.min(mostW, (arg * fullW) / 127));
      return undefined;
    });
    return appliance;
  }
  const site = { ...SITE, ratedA: 40, installerMaxA: 20 };
  const half = () => wishOf(limit(0.5, "fraction"), { site, abilities: { ratedW: 9600 } });

  it("is right at once with a charger that counts from its rated power", () => {
    const appliance = charger(9600, 4800);
    appliance.session.wish(half(), appliance.now);
    appliance.run(60_000);
    expect(appliance.loads).toEqual([[6, 31]]);
    expect(appliance.powerW).toBeGreaterThan(0.4 * 4800);
    expect(appliance.powerW).toBeLessThan(0.6 * 4800);
    expect(result(appliance)).toBe("verified");
  });

  it("is raised once with a charger that counts from its installer's maximum, and learnt", () => {
    const appliance = charger(4800, 4800);
    appliance.session.wish(half(), appliance.now);
    appliance.run(60_000);
    expect(appliance.loads).toEqual([
      [6, 31],
      [6, 63],
    ]);
    expect(appliance.powerW).toBeGreaterThan(0.4 * 4800);
    expect(appliance.powerW).toBeLessThan(0.6 * 4800);
    expect(appliance.status.load).toMatchObject({ result: "verified", arg: 63 });
    appliance.session.wish(wishOf(limit(15), { site, abilities: { ratedW: 9600 } }), appliance.now);
    appliance.run(60_000);
    expect(appliance.loads.length).toBe(3);
    expect(appliance.loads[2]).toEqual([6, 95]);
    // A car that takes little gives no reason to raise what is raised already.
    appliance.basic.set(6, () => {
      appliance.powerW = 1500;
      return undefined;
    });
    appliance.session.wish(wishOf(limit(12), { site, abilities: { ratedW: 9600 } }), appliance.now);
    appliance.run(60_000);
    expect(appliance.loads.slice(3)).toEqual([[6, 76]]);
  });

  it("is left alone where the car drew no more before", () => {
    const appliance = charger(9600, 1700);
    appliance.session.wish(half(), appliance.now);
    appliance.run(60_000);
    expect(appliance.loads).toEqual([[6, 31]]);
  });

  it("is known by the little that a charger of the other kind gives, where nothing was drawn before", () => {
    const appliance = charger(4800, 4800);
    appliance.powerW = 0;
    appliance.run(100_000);
    appliance.session.wish(half(), appliance.now);
    appliance.run(60_000);
    expect(appliance.loads).toEqual([
      [6, 31],
      [6, 63],
    ]);
  });

  it("goes back once raised too far", () => {
    const appliance = charger(9600, 4800);
    let car = 1440;
    appliance.basic.set(6, (arg) => {
      appliance.state = 9;
      appliance.powerW = Math.min(car, (arg * 9600) / 127);
      return undefined;
    });
    appliance.session.wish(half(), appliance.now);
    appliance.run(30_000);
    // The car drew just what a charger of the other kind would have given; it is another car now.
    expect(appliance.loads.at(-1)).toEqual([6, 63]);
    car = 4800;
    appliance.powerW = 4762;
    appliance.run(120_000);
    expect(appliance.loads.at(-1)).toEqual([6, 31]);
    expect(appliance.powerW).toBeLessThan(2400);
    expect(result(appliance)).toBe("verified");
    appliance.session.wish(wishOf(limit(15), { site, abilities: { ratedW: 9600 } }), appliance.now);
    appliance.run(1_000);
    expect(appliance.loads.at(-1)).toEqual([6, 47]);
  });

  it("is lowered once where it gives too much", () => {
    const appliance = charger(12_000, 9600);
    appliance.session.wish(wishOf(limit(20), { site, abilities: { ratedW: 9600 } }), appliance.now);
    appliance.run(60_000);
    expect(appliance.loads).toEqual([
      [6, 63],
      [6, 50],
    ]);
    expect(appliance.status.load).toMatchObject({ result: "verified", command: "PowerLevel", arg: 50 });
  });

  it("falls back to Shed where the correction did not help", () => {
    const appliance = charger(9600, 9600);
    appliance.basic.set(6, () => {
      appliance.state = 9;
      return undefined;
    });
    appliance.basic.set(1, () => {
      appliance.powerW = 2000;
      return undefined;
    });
    appliance.session.wish(wishOf(limit(20), { site, abilities: { ratedW: 9600 } }), appliance.now);
    appliance.until(() => result(appliance) === "verified", 60_000);
    expect(appliance.loads.map((l) => l[0])).toEqual([6, 6, 1]);
    expect(appliance.status.load).toMatchObject({ command: "Shed", step: 1 });
  });
});
