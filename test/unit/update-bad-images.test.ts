// What an update can do to a module: nothing that it does not recover from by itself.
import { describe, expect, it } from "vitest";
import { BAD_KINDS, badImageCases, interrupted } from "../support/update-campaign.js";
import { imageOf, Rig, TestRepo } from "../support/update-rig.js";

const HOUR = 3_600_000;

describe("bad images and cut updates", () => {
  // The first, the middle and the last of each kind; all hundred: update-hundred.full.test.ts.
  it.each(BAD_KINDS)("%s leaves no brick", { timeout: 60_000 }, (kind) => {
    const these = badImageCases().filter((one) => one.kind === kind);
    const some = [these[0]!, these[Math.floor(these.length / 2)]!, these.at(-1)!].map(({ run }) => run());
    expect(some.filter(({ brick }) => brick !== "")).toEqual([]);
    // Ten minutes on trial, and two boots.
    expect(Math.max(...some.map(({ recoverMs }) => recoverMs))).toBeLessThan(11 * 60_000);
  });

  it.each([
    [20, 0],
    [10, 10],
    [0, 20],
  ])(
    "twenty interrupted downloads, %i by the connection and %i by the power, fetch hardly more than the image",
    { timeout: 60_000 },
    (connections, cuts) => {
      const { installed, ratio, heldBytes, interruptions } = interrupted(connections, cuts);
      expect(interruptions).toBe(20);
      expect(installed).toBe(true);
      expect(ratio).toBeLessThanOrEqual(1.02);
      expect(heldBytes).toBeLessThanOrEqual(8192);
    },
  );
});

describe("an image on trial", () => {
  function toTrial(change: (rig: Rig) => void = () => undefined): Rig {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(20_000));
    const rig = new Rig(repo);
    change(rig);
    expect(rig.run(3 * HOUR, () => rig.slots.state.trial)).toBe(true);
    return rig;
  }

  it("stays on trial where the network went away before it", () => {
    const rig = toTrial();
    rig.networkUp = false;
    rig.run(9 * 60_000);
    expect(rig.slots.state.trial).toBe(true);
    // It worked within the hour before, so ten minutes decide.
    rig.run(2 * 60_000);
    expect(rig.running).toBe("1.0.0");
    expect(rig.told("update-rolled-back")).toEqual(["1.1.0 to 1.0.0: no-network"]);
  });

  it("is not given up where the charger was gone before it, and is confirmed by the server alone", () => {
    const rig = toTrial((one) => {
      one.chargerThere = false;
    });
    rig.run(HOUR);
    expect(rig.told("update-installed")).toEqual(["1.1.0"]);
  });

  it("is given up where the charger was there and is not any more", () => {
    const rig = toTrial();
    rig.chargerThere = false;
    rig.run(HOUR);
    expect(rig.running).toBe("1.0.0");
    expect(rig.told("update-rolled-back")).toEqual(["1.1.0 to 1.0.0: no-session"]);
    // It is tried again a day later.
    rig.chargerThere = true;
    rig.run(60 * HOUR, () => rig.told("update-installed").length > 0);
    expect(rig.running).toBe("1.1.0");
  });

  it("goes back at any reset", () => {
    const rig = toTrial();
    rig.boot();
    expect(rig.running).toBe("1.0.0");
    rig.run(1000);
    expect(rig.told("update-rolled-back")).toEqual(["1.1.0 to 1.0.0: reset on trial"]);
  });

  it("is not confirmed by a server that answers with something else than its timestamp", () => {
    const rig = toTrial();
    rig.trouble = () => ({ status: 503 });
    rig.run(HOUR);
    expect(rig.told("update-installed")).toEqual([]);
    // The network works and the charger is there: it stays, on trial.
    expect(rig.slots.state.trial).toBe(true);
    rig.trouble = () => undefined;
    rig.run(HOUR);
    expect(rig.told("update-installed")).toEqual(["1.1.0"]);
  });
});

describe("an image that must not move during a grid event", () => {
  it("is neither fetched nor booted while one is in force", () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(20_000), { notDuringEvent: true });
    const rig = new Rig(repo);
    rig.gridEvent = true;
    rig.run(5 * HOUR);
    expect(rig.updater.status().phase).toBe("downloading");
    expect(rig.slots.state.other).toBe("empty");
    rig.gridEvent = false;
    rig.run(HOUR, () => rig.slots.state.trial);
    expect(rig.running).toBe("1.1.0");
  });

  it("is looked at once more if it has waited long, and may have been withdrawn", () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(20_000), { notDuringEvent: true });
    const rig = new Rig(repo);
    rig.run(5 * HOUR, () => rig.updater.status().percent === 100 && (rig.gridEvent = true));
    rig.run(3 * HOUR);
    expect(rig.running).toBe("1.0.0");
    repo.repository.revoke("bench-1.1.0.bin", repo.context());
    rig.gridEvent = false;
    rig.run(10 * HOUR);
    expect(rig.running).toBe("1.0.0");
    expect(rig.slots.state.trial).toBe(false);
  });
});

describe("a staged rollout", () => {
  it("is taken by about the share of the modules, by the same ones each time, and by all at last", () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(5000), { shareBp: 2000 });
    const rigs = Array.from({ length: 60 }, (_, seed) => new Rig(repo, { seed, slotBytes: 65_536 }));
    const run = (): string[] =>
      rigs.map((rig) => {
        rig.check();
        rig.run(2 * HOUR, () => rig.updater.status().last.result === "installed");
        return rig.running;
      });
    const first = run();
    const taken = first.filter((version) => version === "1.1.0").length;
    expect(taken).toBeGreaterThan(4);
    expect(taken).toBeLessThan(24);
    repo.repository.setShare("bench-1.1.0.bin", 10_000, repo.context());
    for (const rig of rigs) rig.run(31 * HOUR, () => rig.running === "1.1.0");
    expect(rigs.every(({ running }) => running === "1.1.0")).toBe(true);
  });
});

describe("what a module takes", () => {
  it.each([
    ["another board", { board: "other" }],
    ["a minimum that it has not", { minimumVersion: "1.0.5" }],
  ])("not an image for %s", (_what, custom) => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(5000), custom);
    const rig = new Rig(repo);
    rig.run(5 * HOUR);
    expect(rig.running).toBe("1.0.0");
    expect(rig.updater.status().last.result).toBe("none");
  });

  it("not an image below the highest that was ever confirmed here, though it is above what runs", () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(5000));
    const rig = new Rig(repo);
    rig.store.set("update.floor", "1.5.0");
    rig.run(5 * HOUR);
    expect(rig.running).toBe("1.0.0");
    expect(rig.updater.status().last.result).toBe("none");
  });

  it("the stepping stone first, then the newest", () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(5000));
    repo.add("2.0.0", imageOf(6000, 2), { minimumVersion: "1.1.0" });
    const rig = new Rig(repo);
    rig.run(50 * HOUR, () => rig.running === "2.0.0");
    expect(rig.told("update-installed").concat(rig.running)).toEqual(["1.1.0", "2.0.0"]);
  });

  it("not an image that does not fit the slot, and says so", () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(65_000));
    const rig = new Rig(repo, { slotBytes: 65_536 });
    rig.run(5 * HOUR);
    expect(rig.told("update-refused")[0]).toMatch(/^update-too-large/);
  });

  it("no block again that it has already, from whatever image it is", () => {
    const repo = new TestRepo();
    const image = imageOf(200_000);
    repo.add("1.1.0", image);
    const rig = new Rig(repo);
    rig.run(5 * HOUR, () => rig.told("update-installed").length === 1);
    repo.add("1.2.0", imageOf(200_000, 2));
    rig.run(50 * HOUR, () => rig.told("update-installed").length === 2);
    // Back into the slot that held 1.1.0, of which one block is changed.
    const next = Buffer.from(image);
    next.fill(0, 8192, 9000);
    repo.add("1.3.0", next);
    const before = rig.bodyBytes;
    rig.run(50 * HOUR, () => rig.told("update-installed").length === 3);
    expect(rig.bodyBytes - before).toBeLessThan(30_000);
  });
});
