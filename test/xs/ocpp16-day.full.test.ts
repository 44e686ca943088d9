/** 24 h of meter values each 60 s in XS: the live heap does not grow. */
import { describe, expect, it } from "vitest";
import { xsWorkerEngine } from "../../host-sim/runtime/xs-worker.js";
import { ask, near, ocppBench, online, stoppingCharger } from "../support/ocpp-bench.js";

describe("24 h of meter values", () => {
  it("flat", async () => {
    const engine = await xsWorkerEngine();
    try {
      const charger = stoppingCharger();
      const bench = ocppBench({
        engine,
        profile: { ...charger, car: { ...charger.car, capacityWh: 500_000, soc: 0.1 } },
        config: { polling: { stateSeconds: 60, commoditySeconds: 30 } },
      });
      bench.csms.keepWire = false;
      await online(bench);
      bench.sgd.plug();
      await bench.until("32 A", near(bench, 32), 60_000);
      await ask(bench, "ChangeConfiguration", { key: "MeterValueSampleInterval", value: "60" });
      const heap: number[] = [];
      const values: number[] = [];
      for (let hour = 0; hour < 24; hour++) {
        await bench.run(3_600_000);
        bench.told.length = 0;
        bench.states.length = 0;
        heap.push(engine.worker.meter.currentHeapCount);
        values.push(bench.csms.point.running?.energy.length ?? 0);
      }
      console.log(`live slots, hour by hour: ${heap.join(" ")}`);
      expect(values.at(-1)).toBeGreaterThanOrEqual(1430);
      const early = Math.max(...heap.slice(2, 8));
      const late = Math.max(...heap.slice(18));
      expect(late).toBeLessThanOrEqual(early * 1.02);
    } finally {
      await engine.close();
    }
  }, 600_000);
});
