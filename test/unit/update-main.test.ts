// An update from the folder to the confirmed image, and what may hold it up.
import { describe, expect, it } from "vitest";
import { DAY, imageOf, Rig, TestRepo } from "../support/update-rig.js";

const HOUR = 3_600_000;

describe("an update", () => {
  it("is found, fetched by block, booted on trial and confirmed", () => {
    const repo = new TestRepo();
    const image = imageOf(100_000);
    repo.add("1.1.0", image);
    const rig = new Rig(repo);
    expect(
      rig.run(2 * HOUR, () => rig.told("update-installed").length > 0),
      rig.logs.join("\n"),
    ).toBe(true);
    expect(rig.running).toBe("1.1.0");
    expect(rig.told("update-accepted")).toEqual(["1.1.0 (bench-1.1.0.bin)"]);
    expect(rig.told("update-installed")).toEqual(["1.1.0"]);
    expect(rig.told("update-refused")).toEqual([]);
    expect(rig.slots.state.trial).toBe(false);
    expect(rig.updater.status().heldBytes).toBeLessThanOrEqual(8192);
  });

  it("is not looked for by all modules at the same moment", () => {
    const repo = new TestRepo();
    const first = Array.from(
      { length: 40 },
      (_, seed) => new Rig(repo, { seed, slotBytes: 65_536 }).updater.status().nextCheckMs,
    );
    expect(Math.max(...first) - Math.min(...first)).toBeGreaterThan(40 * 60_000);
  });

  it("is not judged while the clock is not set, and that is said", () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(8192));
    const rig = new Rig(repo);
    rig.utcOffset = undefined;
    rig.run(3 * HOUR);
    expect(rig.requests).toBe(0);
    expect(rig.updater.status().last.result).toBe("no-time");
    rig.utcOffset = Date.UTC(2026, 10, 21, 12);
    expect(rig.run(2 * HOUR, () => rig.running === "1.1.0")).toBe(true);
  });
  void DAY;
});
