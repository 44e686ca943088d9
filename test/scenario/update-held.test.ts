// An update while a utility holds the charger: the whole module, a charger on its line, in virtual time. What the charger does
// must not change because the module restarts.
import { describe, expect, it } from "vitest";
import { FileFlash } from "../../host-sim/runtime/file-flash.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { UpdateEngine } from "../support/update-engine.js";
import { imageOf, T0, TestRepo } from "../support/update-rig.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Held {
  readonly bench: VirtualBench;
  readonly engine: UpdateEngine;
  publish(): void;
  /** When the module accepted the image, ms. */
  acceptedMs(): number;
  isInstalled(): boolean;
}

/** The image comes when the test says so, and waits for no event. */
const LATER = { notDuringEvent: false };

/** A car that charges with 16 A by the utility's word, and then an image on the server that is to wait. */
async function held(custom: object, durationSeconds: number, config: object = {}): Promise<Held> {
  const repo = new TestRepo();
  const engine = new UpdateEngine(repo);
  const bench = new VirtualBench({
    ...{ engine, utcMs: T0, flash: FileFlash.blank(), vtn: { pollSeconds: 60 } },
    config: {
      update: { url: "https://updates.test/fw", root: "root.json", checkHours: 0.1 },
      polling: { stateSeconds: 60, commoditySeconds: 60 },
      ...config,
    },
  });
  bench.sgd.plug();
  await bench.until("charging", () => bench.sgd.state().currentA > 31.9, MINUTE);
  bench.vtn.createEvent({ signal: "SIMPLE", level: 1, startInSeconds: 1, durationSeconds }, bench);
  await bench.until("16 A", () => Math.abs(bench.sgd.state().currentA - 16) < 0.1, 3 * MINUTE);
  const publish = (): void => repo.add("1.1.0", imageOf(20_000), { notDuringEvent: true, ...custom });
  if (custom !== LATER) publish();
  const said = (words: string) =>
    bench.told.find(({ event }) => event.event === "log" && event.text.startsWith(words));
  return {
    ...{ bench, engine, publish },
    acceptedMs: () => said("update-accepted")?.atMs ?? Infinity,
    isInstalled: () => said("update-installed: 1.1.0") !== undefined,
  };
}

/** The charger's current at every change since. */
const currents = ({ bench }: Held, from: number): number[] =>
  bench.states.slice(from).map(({ currentA }) => Math.round(currentA));

describe("an update that is not to come during a grid event", () => {
  it("comes in the end though the event does not end, and the charger goes on with 16 A all the while", async () => {
    const test = await held({ longestWaitHours: 1 }, 48 * 3600);
    const { bench, engine } = test;
    const from = bench.states.length;
    await bench.until("installed", test.isInstalled, 3 * HOUR);
    await bench.run(10 * MINUTE);
    expect(engine.restartsMs).toHaveLength(1);
    expect(engine.restartsMs[0]! - test.acceptedMs()).toBeGreaterThanOrEqual(HOUR);
    expect(engine.restartsMs[0]! - test.acceptedMs()).toBeLessThan(1.1 * HOUR);
    expect(currents(test, from).filter((amperes) => amperes !== 16)).toEqual([]);
    expect(bench.sgd.state().currentA).toBeCloseTo(16, 0);
    expect(bench.last("intent")).toMatchObject({ intent: "shed", source: "utility" });
  });

  it("comes in the first moment after the event, where it ends in time", async () => {
    const test = await held({ longestWaitHours: 6 }, 1800);
    const { bench, engine } = test;
    await bench.until("installed", test.isInstalled, 2 * HOUR);
    expect(engine.restartsMs[0]!).toBeGreaterThan(30 * MINUTE);
    expect(engine.restartsMs[0]!).toBeLessThan(35 * MINUTE);
    await bench.until("full power", () => bench.sgd.state().currentA > 31.9, MINUTE);
  });

  it("does not come while the next change is near, nor before the charger has followed the last", async () => {
    const test = await held({ longestWaitHours: 0 }, 60);
    const { bench, engine } = test;
    const event = (level: number, startInSeconds: number, durationSeconds: number): void =>
      void bench.vtn.createEvent({ signal: "SIMPLE", level, startInSeconds, durationSeconds }, bench);
    for (let i = 0; i < 7; i++) event(1 + (i % 2), 110 * i, 110);
    event(2, 770, 86_400);
    const lastMs = bench.nowMs + 770_000;
    await bench.until("installed", test.isInstalled, HOUR);
    // Between two there are never the two minutes that a restart needs.
    expect(test.acceptedMs()).toBeLessThan(lastMs - 5 * MINUTE);
    const [restartMs] = engine.restartsMs;
    expect(restartMs).toBeGreaterThan(lastMs - 2000);
    expect(restartMs).toBeLessThan(lastMs + 5 * MINUTE);
    const before = bench.told.filter(
      ({ atMs, event: { event } }) => event === "command" && atMs < restartMs!,
    );
    expect(before.at(-1)!.event).toMatchObject({ name: "CriticalPeak", result: "verified" });
  });

  it("does not come while a random delay runs: a restart would forget it", async () => {
    const test = await held(LATER, 1200, {
      randomDelay: { enabled: true, maxSeconds: 1800 },
      update: { url: "https://updates.test/fw", root: "root.json", checkHours: 0.02 },
    });
    const { bench, engine } = test;
    await bench.until("the event is over", () => bench.utcMs > T0 + 1_290_000, HOUR);
    const { state } = await bench.ask({ k: "state" }, "state");
    // Long enough that the next change is not near.
    expect(state["delay"]).toMatchObject({ running: true });
    test.publish();
    const from = bench.nowMs;
    await bench.until("installed", test.isInstalled, HOUR);
    const ended = bench.told.find(({ atMs, event }) => atMs > from && event.event === "command");
    expect(ended!.event).toMatchObject({ name: "EndShed" });
    expect(ended!.atMs - from).toBeGreaterThan(3 * MINUTE);
    expect(engine.restartsMs[0]!).toBeGreaterThan(ended!.atMs);
  });
});
