import { expect } from "vitest";
import { clearOrder, limitOrder } from "../../host-sim/csms/requests.js";
import type { Engine } from "../../host-sim/runtime/ucm-host.js";
import type { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { ask, expectClean, near, ocppBench, online, order, stoppingCharger } from "./ocpp-bench.js";

/** The whole way over OCPP: boot, a transaction, limits, a lost connection, an end; in any engine. */
export async function ocppJob(engine: Engine): Promise<VirtualBench> {
  const bench = ocppBench({ engine, profile: stoppingCharger() });
  await online(bench);
  bench.sgd.plug();
  await bench.until("32 A", near(bench, 32), 60_000);
  for (const limit of [16, 6, 0]) {
    expect(await order(bench, limitOrder({ limit }, bench.utcMs))).toEqual({ status: "Accepted" });
    await bench.until(`${String(limit)} A`, near(bench, limit), 10_000);
  }
  expect(await order(bench, clearOrder())).toEqual({ status: "Accepted" });
  await bench.until("32 A again", near(bench, 32), 30_000);
  bench.csms.door = "refused";
  bench.csms.cut();
  await bench.run(300_000);
  bench.csms.door = "open";
  await bench.until("back", () => bench.csms.isConnected, 900_000);
  const schedule = await ask(bench, "GetCompositeSchedule", { connectorId: 1, duration: 3600 });
  expect(schedule).toMatchObject({ status: "Accepted" });
  bench.sgd.unplug();
  await bench.until("the end", () => bench.csms.point.running === undefined, 60_000);
  const [transaction] = bench.csms.point.transactions;
  expect(
    Math.abs(transaction!.meterStop! - transaction!.meterStart - bench.sgd.view().energyWh),
  ).toBeLessThanOrEqual(1);
  expectClean(bench);
  return bench;
}
