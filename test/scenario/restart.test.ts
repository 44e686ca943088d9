/** The module loses power while an event runs, or is pulled and put back: the charger ends where it should. */
import { describe, expect, it } from "vitest";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";

async function shedding(durationSeconds: number): Promise<VirtualBench> {
  const bench = new VirtualBench({ engine: nodeEngine() });
  bench.sgd.plug();
  await bench.until("charging", () => bench.sgd.state().currentA > 31.9, 60_000);
  bench.vtn.createEvent(
    { signal: "SIMPLE", level: 1, startInSeconds: 1, durationSeconds },
    { utcMs: bench.utcMs },
  );
  await bench.until("16 A", () => Math.abs(bench.sgd.state().currentA - 16) < 0.1, 60_000);
  return bench;
}

const endSheds = (bench: VirtualBench, fromMs: number): number =>
  bench.told.filter(
    ({ atMs, event }) =>
      atMs >= fromMs && event.event === "frame" && event.dir === "tx" && /^08010002020?0/.test(event.hex),
  ).length;

describe("power cut of the module", () => {
  it("in the middle of an event: it goes on, with no End Shed in between, and ends at its time", async () => {
    const bench = await shedding(600);
    const cutMs = bench.nowMs;
    bench.boot();
    await bench.run(300_000);
    expect(bench.sgd.state().currentA).toBeCloseTo(16, 0);
    expect(endSheds(bench, cutMs)).toBe(0);
    await bench.until("the end", () => bench.sgd.state().currentA > 31.9, 400_000);
    expect(bench.last("command")).toMatchObject({ name: "EndShed" });
  });

  it("asks for the events before it acts on those it kept: what was cancelled meanwhile is not carried out again", async () => {
    const bench = await shedding(600);
    await bench.darkness(5000);
    const [event] = bench.vtn.state.events.list();
    bench.vtn.cancelEvent(event!.id, { utcMs: bench.utcMs });
    const bootMs = bench.nowMs;
    bench.boot();
    await bench.until("32 A", () => bench.sgd.state().currentA > 31.9, 120_000);
    const sheds = bench.told.filter(
      ({ atMs, event: told }) =>
        atMs >= bootMs && told.event === "frame" && told.dir === "tx" && /^0801000201/.test(told.hex),
    );
    expect(sheds).toEqual([]);
  });

  it("runs the stored schedule where nobody answers for a minute, and not before", async () => {
    const bench = await shedding(3600);
    bench.network = () => "timeout";
    await bench.darkness(5000);
    // Somebody at the charger has given it a start of its own meanwhile.
    const bootMs = bench.nowMs;
    bench.boot();
    await bench.until(
      "the stored event is told",
      () =>
        bench.told.some(
          ({ atMs, event }) => atMs >= bootMs && event.event === "intent" && event.intent === "shed",
        ),
      120_000,
    );
    expect(bench.nowMs - bootMs).toBeGreaterThanOrEqual(59_000);
    expect(bench.nowMs - bootMs).toBeLessThan(62_000);
    await bench.run(60_000);
    expect(bench.sgd.state().currentA).toBeCloseTo(16, 0);
  });

  it("over the end of an event, with the utility gone: End Shed is still owed and sent", async () => {
    const bench = await shedding(120);
    bench.network = () => "refused";
    await bench.darkness(180_000);
    const bootMs = bench.nowMs;
    bench.boot();
    await bench.until(
      "End Shed is verified",
      () => bench.last("command")?.name === "EndShed" && bench.last("command")!.verified,
      120_000,
    );
    expect(endSheds(bench, bootMs)).toBe(1);
    expect(bench.sgd.state().currentA).toBeGreaterThan(31);
  });
});
