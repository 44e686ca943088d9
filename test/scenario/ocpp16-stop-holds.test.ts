/**
 * A stop from afar on the charger that lifts power level 0 to 6 A: what still flows is the charger's doing, nobody's wish, so it
 * neither begins a transaction nor ends the stop (docs/ocpp16.md).
 */
import { describe, expect, it } from "vitest";
import type { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { amperes, ask, near, ocppBench, online, type Json } from "../support/ocpp-bench.js";

async function stopped(upstream: Json = {}, order?: Json): Promise<VirtualBench> {
  const bench = ocppBench({ upstream });
  await online(bench);
  bench.sgd.plug();
  await bench.until("32 A", near(bench, 32), 120_000);
  await bench.until("a transaction", () => bench.csms.point.running !== undefined, 10_000);
  if (order) await bench.ask({ k: "owner", order } as never, "answer");
  await ask(bench, "RemoteStopTransaction", { transactionId: bench.csms.point.running!.id });
  return bench;
}

const boost = { verb: "boost", durationMs: 3 * 3_600_000 };

describe("a stop from afar holds on a charger that lifts level 0 to 6 A", () => {
  it.each([
    ["6 A at most", {}, undefined, 6],
    ["6 A at most, under the owner's boost", {}, boost, 6],
    ["nothing where the contactor may open", { emergency: true }, undefined, 0],
    ["nothing, under the owner's boost", { emergency: true }, boost, 0],
  ])("%s", async (_, upstream, order, mostA) => {
    const bench = await stopped(upstream, order);
    await bench.run(60_000);
    const from = bench.states.length;
    await bench.run(2 * 3_600_000);
    for (const { currentA } of bench.states.slice(from)) expect(currentA).toBeLessThanOrEqual(mostA + 0.1);
    expect(amperes(bench)).toBeLessThanOrEqual(mostA + 0.1);
    expect(bench.last("intent")).toMatchObject({ source: "platform" });
    expect(bench.csms.point.running).toBeUndefined();
  });

  it("a power cut of the module does not end it", async () => {
    const bench = await stopped();
    await bench.run(60_000);
    await bench.darkness(60_000);
    bench.boot();
    await bench.run(30 * 60_000);
    expect(amperes(bench)).toBeLessThan(6.1);
    expect(bench.csms.point.running).toBeUndefined();
  });

  it("the car's leaving ends it, and a start from afar", async () => {
    const bench = await stopped();
    await bench.run(120_000);
    bench.sgd.unplug();
    await bench.run(120_000);
    bench.sgd.plug();
    await bench.until("charges again", near(bench, 32), 120_000);
    await bench.until("a transaction", () => bench.csms.point.running !== undefined, 60_000);
    await ask(bench, "RemoteStopTransaction", { transactionId: bench.csms.point.running!.id });
    await bench.run(120_000);
    expect(bench.csms.point.running).toBeUndefined();
    await ask(bench, "RemoteStartTransaction", { idTag: "TAG" });
    await bench.until("charges once more", near(bench, 32), 120_000);
  });

  it("the customer's override at the charger begins anew", async () => {
    const bench = await stopped();
    await bench.run(120_000);
    bench.sgd.override(true);
    await bench.until("charges", near(bench, 32), 120_000);
    await bench.until("a transaction", () => bench.csms.point.running !== undefined, 120_000);
  });

  it("the owner's override at the module begins anew", async () => {
    const bench = await stopped();
    await bench.run(120_000);
    await bench.ask({ k: "owner", order: { verb: "override", durationMs: 3_600_000 } }, "answer");
    await bench.until("charges", near(bench, 32), 120_000);
    await bench.until("a transaction", () => bench.csms.point.running !== undefined, 120_000);
  });
});
