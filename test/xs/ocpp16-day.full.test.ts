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
      // The engine counts garbage too; the least of many looks in a spell is what stands just after a collection.
      const live: number[] = [];
      for (let spell = 0; spell < 6; spell++) {
        let least = Infinity;
        for (let look = 0; look < 240; look++) {
          await bench.run(60_000);
          least = Math.min(least, engine.worker.meter.currentHeapCount);
        }
        bench.told.length = 0;
        bench.states.length = 0;
        live.push(least);
      }
      console.log(`live slots in each four hours: ${live.join(" ")}`);
      expect(bench.csms.point.running?.energy.length).toBeGreaterThanOrEqual(1430);
      // A leak lifts every look after it, so the least of the second half shows it; a spell alone may have been
      // looked at between collections only.
      expect(Math.min(...live.slice(3))).toBeLessThanOrEqual(Math.min(...live.slice(1, 3)) * 1.03);
    } finally {
      await engine.close();
    }
  }, 600_000);
});
