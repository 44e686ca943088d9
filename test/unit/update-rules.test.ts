// The rules of an update, attacked one by one: share, grid events, roll-back, and the one-way counter.
import { describe, expect, it } from "vitest";
import type { SlotState } from "../../src/ports/update.js";
import { isFault } from "../../src/base/fault.js";
import { chooseOffer, drawOf, type OfferInput } from "../../src/update/offer.js";
import type { TargetFile } from "../../src/update/metadata.js";
import { judgeTrial, TRIAL_MS, type TrialFacts } from "../../src/update/trial.js";
import { DAY, imageOf, Rig, T0, TestRepo } from "../support/update-rig.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const slots: SlotState = {
  ...{ slot: "a", version: "1.0.0", board: "bench", trial: false, other: "empty" },
  ...{ slotBytes: 65_536, securityVersion: 0 },
};

function choose(custom: Readonly<Record<string, unknown>>, more: Partial<OfferInput> = {}): string {
  const list: TargetFile = { path: "l", length: 16, sha256: "1".repeat(64), custom: {} };
  const image: TargetFile = {
    ...{ path: "i", length: 4000, sha256: "2".repeat(64) },
    custom: { board: "bench", version: "1.1.0", blocks: { bytes: 4096, file: "l" }, ...custom },
  };
  const offer = chooseOffer([image, list], {
    ...{ slots, floor: "1.0.0", failures: [], deviceId: "d", utcMs: 0, ...more },
  });
  return offer === undefined ? "none" : isFault(offer) ? offer.fault : offer.version;
}

describe("the share of a staged rollout, in basis points", () => {
  it("is drawn evenly, to the basis point: one in ten thousand is one in ten thousand", () => {
    const all = Array.from({ length: 20_000 }, (_, i) => drawOf(`device ${i}`, "ab"));
    expect(Math.min(...all)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...all)).toBeLessThan(10_000);
    for (const share of [100, 500, 2500, 5000, 9000]) {
      const taken = all.filter((draw) => draw < share).length / 2;
      expect(Math.abs(taken - share)).toBeLessThan(4 * Math.sqrt(share));
    }
  });

  it("is another draw for another image: nobody is always first", () => {
    const first = (hash: string): string[] =>
      Array.from({ length: 2000 }, (_, i) => `device ${i}`).filter((id) => drawOf(id, hash) < 1000);
    const [a, b] = [first("aa"), first("bb")];
    const both = a.filter((id) => b.includes(id)).length;
    expect(both).toBeLessThan(a.length / 2);
  });

  it("takes in exactly those whose draw lies below it; none of nobody, all of all", () => {
    const draw = drawOf("d", "2".repeat(64));
    expect(choose({ shareBp: draw })).toBe("none");
    expect(choose({ shareBp: draw + 1 })).toBe("1.1.0");
    expect(choose({ shareBp: 0 })).toBe("none");
    expect(choose({ shareBp: 10_000 })).toBe("1.1.0");
    expect(choose({})).toBe("1.1.0");
  });

  it.each(["9999", null, true, [10_000], Number.NaN, -1])("that is no number (%j) is nobody's", (shareBp) => {
    expect(choose({ shareBp })).toBe("none");
  });
});

describe("what else an image demands", () => {
  it.each([1, null, {}, "x", "1.0.0.0", "1.0.1"])(
    "a minimum version of %j is one that it has not",
    (minimumVersion) => {
      expect(choose({ minimumVersion })).toBe("none");
    },
  );

  it.each(["yes", 1, null])("'not during a grid event' written as %j counts", (notDuringEvent) => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(20_000), { notDuringEvent: notDuringEvent as never });
    const rig = new Rig(repo);
    rig.gridEvent = true;
    rig.run(5 * HOUR);
    expect(rig.slots.state.other).toBe("empty");
  });
});

describe("not during a grid event", () => {
  it("holds at each sector, at the switch and over a power cut; an image without it goes on", () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(60_000), { notDuringEvent: true });
    const rig = new Rig(repo);
    rig.run(3 * HOUR, () => rig.updater.status().percent > 30);
    rig.gridEvent = true;
    rig.run(10_000);
    const { percent } = rig.updater.status();
    rig.run(3 * HOUR);
    expect(rig.updater.status().percent).toBe(percent);
    rig.boot();
    const erased: string[] = [];
    rig.onStep = (what) => void erased.push(what);
    rig.run(3 * HOUR);
    expect(erased).toEqual([]);
    rig.gridEvent = false;
    rig.run(3 * HOUR, () => rig.told("update-installed").length > 0);
    expect(rig.running).toBe("1.1.0");
    repo.add("1.2.0", imageOf(20_000, 2));
    rig.gridEvent = true;
    rig.run(30 * HOUR, () => rig.told("update-installed").length > 1);
    expect(rig.running).toBe("1.2.0");
  });
});

describe("an event that never ends", () => {
  /** A module whose utility holds on from the look to the end of the test; what it came to, and when, hours. */
  function held(custom: Readonly<Record<string, unknown>>, hours: number): Rig {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(20_000), { notDuringEvent: true, ...custom });
    const rig = new Rig(repo);
    rig.gridEvent = true;
    keepFresh(rig);
    rig.run(hours * HOUR, () => rig.told("update-installed").length > 0);
    return rig;
  }

  /** The vendor's daily job: a timestamp lasts 14 days. */
  function keepFresh(rig: Rig): void {
    let freshMs = DAY;
    rig.trouble = () => {
      if (rig.ms < freshMs) return undefined;
      freshMs = rig.ms + DAY;
      rig.repo.utcMs = T0 + rig.ms;
      rig.repo.repository.refresh(rig.repo.context());
      return undefined;
    };
  }

  it("holds an image for a week, and no longer", () => {
    const rig = held({}, 220);
    expect(rig.running).toBe("1.1.0");
    expect(rig.ms).toBeGreaterThan(168 * HOUR);
    expect(rig.ms).toBeLessThan(170 * HOUR);
  });

  it.each([
    [0, 0, 2],
    [24, 24, 26],
    [720, 720, 722],
    // Nonsense is a week, and nothing is more than a month.
    [721, 168, 170],
    ["1", 168, 170],
    [-1, 168, 170],
    [null, 168, 170],
  ])("holds it as long as its maker says: %j hours", (longestWaitHours, least, most) => {
    const rig = held({ longestWaitHours }, most + 10);
    expect(rig.running).toBe("1.1.0");
    expect(rig.ms).toBeGreaterThanOrEqual(least * HOUR);
    expect(rig.ms).toBeLessThan(most * HOUR);
  });

  it("is counted over power cuts, and from the first image that could not be installed", () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(20_000), { notDuringEvent: true });
    const rig = new Rig(repo);
    rig.gridEvent = true;
    keepFresh(rig);
    for (let i = 0; i < 6; i++) {
      rig.run(DAY);
      rig.boot();
    }
    expect(rig.running).toBe("1.0.0");
    repo.utcMs = T0 + rig.ms;
    // A week is nearly over: the newer one is not held for another.
    repo.add("1.2.0", imageOf(20_000, 2), { notDuringEvent: true });
    rig.run(2 * DAY, () => rig.told("update-installed").length > 0);
    expect(rig.running).toBe("1.2.0");
    expect(rig.ms).toBeLessThan(171 * HOUR);
    // And the next one begins anew.
    repo.utcMs = T0 + rig.ms;
    repo.add("1.3.0", imageOf(20_000, 3), { notDuringEvent: true });
    rig.run(5 * DAY);
    expect(rig.running).toBe("1.2.0");
    rig.gridEvent = false;
    rig.run(DAY, () => rig.told("update-installed").length > 1);
    expect(rig.running).toBe("1.3.0");
  });

  it("begins anew for the next image, where the one that waited was withdrawn", () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(20_000), { notDuringEvent: true, longestWaitHours: 72 });
    const rig = new Rig(repo);
    rig.gridEvent = true;
    rig.run(2 * DAY);
    repo.utcMs = T0 + rig.ms;
    repo.repository.revoke("bench-1.1.0.bin", repo.context());
    rig.run(2 * DAY);
    repo.utcMs = T0 + rig.ms;
    repo.add("1.2.0", imageOf(20_000, 2), { notDuringEvent: true, longestWaitHours: 72 });
    rig.run(2 * DAY);
    expect(rig.running).toBe("1.0.0");
    rig.run(3 * DAY, () => rig.told("update-installed").length > 0);
    expect(rig.running).toBe("1.2.0");
  });

  it("does not keep a newer image from being seen that must not wait", () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(20_000), { notDuringEvent: true });
    const rig = new Rig(repo);
    rig.checkHours = 4;
    rig.boot();
    rig.gridEvent = true;
    rig.run(5 * HOUR);
    repo.utcMs = T0 + rig.ms;
    repo.add("1.1.1", imageOf(20_000, 2));
    rig.run(9 * HOUR, () => rig.told("update-installed").length > 0);
    expect(rig.told("update-installed")).toEqual(["1.1.1"]);
  });

  it("with a clock that was a year ahead when the image came holds no longer for it", () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(20_000), { notDuringEvent: true, longestWaitHours: 48 });
    const rig = new Rig(repo);
    rig.gridEvent = true;
    rig.utcOffset = T0 + 10 * DAY;
    rig.run(3 * HOUR);
    rig.utcOffset = T0;
    rig.run(80 * HOUR, () => rig.told("update-installed").length > 0);
    expect(rig.running).toBe("1.1.0");
  });
});

describe("the moment of the restart", () => {
  it.each([true, false])(
    "waits until nothing is about to change at the charger (not during events: %s)",
    (notDuringEvent) => {
      const repo = new TestRepo();
      repo.add("1.1.0", imageOf(20_000), { notDuringEvent, longestWaitHours: 0 });
      const rig = new Rig(repo);
      rig.gridEvent = true;
      rig.steady = false;
      expect(rig.run(3 * HOUR, () => rig.updater.status().phase === "waiting")).toBe(true);
      rig.run(5 * HOUR);
      expect(rig.slots.state.trial).toBe(false);
      rig.steady = true;
      rig.run(5 * MINUTE, () => rig.told("update-installed").length > 0);
      expect(rig.running).toBe("1.1.0");
    },
  );

  it("comes a day later anyway: what changes without end holds nothing back", () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(20_000));
    const rig = new Rig(repo);
    rig.steady = false;
    rig.run(60 * HOUR, () => rig.told("update-installed").length > 0);
    expect(rig.running).toBe("1.1.0");
    expect(rig.ms).toBeGreaterThan(24 * HOUR);
    expect(rig.ms).toBeLessThan(27 * HOUR);
  });
});

describe("an image on trial", () => {
  const record = {
    version: "1.1.0",
    from: "1.0.0",
    sha256: "",
    session: "charger 1",
    network: true,
    why: "",
  };
  const facts: TrialFacts = { sinceMs: 0, session: "charger 1", network: false, server: false };

  it("is given up at ten minutes and not before, where the network had worked within the hour", () => {
    expect(judgeTrial(record, { ...facts, sinceMs: TRIAL_MS - 1 })).toBe("wait");
    expect(judgeTrial(record, { ...facts, sinceMs: TRIAL_MS })).toBe("no-network");
    expect(TRIAL_MS).toBe(10 * MINUTE);
  });

  it("waits for ever where there was no network before", () => {
    expect(judgeTrial({ ...record, network: false }, { ...facts, sinceMs: 1000 * HOUR })).toBe("wait");
  });

  it.each([
    ["another charger's session", { session: "charger 2", network: true, server: true }],
    ["the server without the charger", { session: "", network: true, server: true }],
  ])("is not confirmed by %s, and given up in the end", (_what, seen) => {
    expect(judgeTrial(record, { ...facts, ...seen, sinceMs: 1000 })).toBe("wait");
    expect(judgeTrial(record, { ...facts, ...seen, sinceMs: TRIAL_MS })).toBe("no-session");
  });

  it("is not confirmed by the charger without the server, nor by another server", () => {
    for (const network of [false, true])
      expect(judgeTrial(record, { ...facts, network, sinceMs: TRIAL_MS - 1 })).toBe("wait");
    expect(judgeTrial(record, { ...facts, network: true, sinceMs: 1000 * HOUR })).toBe("wait");
  });

  it("of which nothing is known, stays on trial without a network, and any reset goes back", () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(20_000));
    const rig = new Rig(repo);
    rig.onStep = (what) => {
      if (what === "set boot: after") rig.store.delete("update.trial");
    };
    rig.run(3 * HOUR, () => rig.slots.state.trial);
    rig.networkUp = false;
    rig.run(5 * HOUR);
    expect(rig.slots.state.trial).toBe(true);
    expect(rig.running).toBe("1.1.0");
    rig.boot();
    expect(rig.running).toBe("1.0.0");
  });
});

describe("the one-way counter in the fuses", () => {
  it("refuses an image below it, by name, and takes one that is not", () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(20_000), { securityVersion: 2 });
    const rig = new Rig(repo, { securityVersion: 3 });
    rig.run(5 * HOUR);
    expect(rig.running).toBe("1.0.0");
    expect(rig.told("update-refused")[0]).toMatch(/^update-security-version/);
    expect(rig.slots.state.other).toBe("empty");
    repo.add("1.2.0", imageOf(20_000, 2), { securityVersion: 3 });
    rig.run(30 * HOUR, () => rig.told("update-installed").length > 0);
    expect(rig.running).toBe("1.2.0");
  });

  it.each(["9", null, [9]])("is not passed by %j", (securityVersion) => {
    expect(choose({ securityVersion }, { slots: { ...slots, securityVersion: 1 } })).toBe(
      "update-security-version",
    );
  });
});
