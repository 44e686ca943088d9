// A home that blocks time servers: the module's clock is never set, and updates come all the same, a day late, by the clock of the
// utility's server. What that clock may do is bounded: src/network/clock-hint.ts, docs/network.md.
import { describe, expect, it } from "vitest";
import { FileFlash } from "../../host-sim/runtime/file-flash.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { UpdateEngine } from "../support/update-engine.js";
import { DAY, imageOf, T0, TestRepo } from "../support/update-rig.js";

const HOUR = 3_600_000;

function start(repo: TestRepo, date: ((ms: number) => number) | undefined) {
  const engine = new UpdateEngine(repo);
  engine.dateUtcMs = date;
  const bench = new VirtualBench({
    ...{ engine, utcMs: T0, flash: FileFlash.blank(), home: true, vtn: { pollSeconds: 3600 } },
    config: {
      update: { url: "https://updates.test/fw", root: "root.json", checkHours: 2 },
      // Nobody answers there.
      timeServers: ["blocked.test"],
      polling: { stateSeconds: 3600, commoditySeconds: 3600 },
    },
  });
  bench.home!.servers.clear();
  const said = (words: string): number | undefined =>
    bench.told.find(({ event }) => event.event === "log" && event.text.startsWith(words))?.atMs;
  return { bench, said };
}

describe("updates without time servers", () => {
  it("come after a day by the clock of the utility's server, and not sooner", async () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(20_000));
    const { bench, said } = start(repo, (ms) => T0 + ms);
    await bench.run(23 * HOUR);
    expect(bench.moduleClock.known).toBe(false);
    expect(said("update-accepted")).toBeUndefined();
    await bench.run(HOUR);
    await bench.until("accepted", () => said("update-accepted") !== undefined, 4 * HOUR);
    expect(said("update-accepted")!).toBeGreaterThanOrEqual(DAY);
  });

  it("are refused where that clock says that they are stale", async () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(20_000));
    const { bench, said } = start(repo, (ms) => T0 + 20 * DAY + ms);
    await bench.run(DAY);
    await bench.until("refused", () => said("update-refused: tuf-expired") !== undefined, 4 * HOUR);
    expect(said("update-accepted")).toBeUndefined();
  });

  it("are not made fresh by a clock behind the last time known: the build is the floor", async () => {
    // Stale since long when this image was built (30 days before the bench's time).
    const repo = new TestRepo(undefined, T0 - 60 * DAY);
    repo.add("1.1.0", imageOf(20_000));
    const { bench, said } = start(repo, (ms) => T0 - 55 * DAY + ms);
    await bench.run(DAY);
    await bench.until("refused", () => said("update-refused: tuf-expired") !== undefined, 4 * HOUR);
    expect(said("update-accepted")).toBeUndefined();
  });

  it("do not come without any clock", async () => {
    const repo = new TestRepo();
    repo.add("1.1.0", imageOf(20_000));
    const { bench, said } = start(repo, undefined);
    await bench.run(30 * HOUR);
    expect(said("update-accepted")).toBeUndefined();
  });
});
