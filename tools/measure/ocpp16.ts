/**
 * The smallest machine of fixed size in which the module lives with an OCPP upstream, and its heap over 24 h of meter
 * values each 60 s.
 */
import { xsHostEngine } from "../../host-sim/runtime/xs-engine.js";
import { xsHostMissing, type XsCreation } from "../../host-sim/runtime/xs-host.js";
import { ask, near, ocppBench, online, stoppingCharger } from "../../test/support/ocpp-bench.js";
import { ocppJob } from "../../test/support/ocpp-job.js";
import type { Measure, Row } from "../measure.js";
import { bytesOf, roomy, SLOT_BYTES, smallestMachine } from "./smallest-machine.js";

/** The whole way over OCPP in a machine of that size. */
async function way(creation: XsCreation): Promise<object> {
  const engine = await xsHostEngine({ creation });
  try {
    await ocppJob(engine);
    return {};
  } finally {
    await engine.close();
  }
}

/** Live bytes after a collection at the end of each of 24 hours of charging, a meter value each 60 s. */
async function day(): Promise<{ readonly live: readonly number[]; readonly values: number }> {
  const engine = await xsHostEngine({ creation: roomy });
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
    const live: number[] = [];
    for (let hour = 0; hour < 24; hour++) {
      await bench.run(3_600_000);
      const { slots, chunks } = await engine.runtime.collect();
      live.push(slots.live * slots.bytes + chunks.live);
      bench.told.length = 0;
      bench.states.length = 0;
    }
    return { live, values: bench.csms.point.running?.energy.length ?? 0 };
  } finally {
    await engine.close();
  }
}

async function run(): Promise<readonly Row[]> {
  const missing = xsHostMissing();
  if (missing !== undefined) throw new Error(missing);
  const { size } = await smallestMachine(way, way, { slots: 64, chunks: 1024 });
  const { live, values } = await day();
  const growth = Math.max(...live.slice(12)) - Math.max(...live.slice(0, 12));
  return [
    {
      name: "smallest machine for the whole way over OCPP: slots + chunks",
      value: bytesOf(size),
      unit: "bytes",
      conditions: `${size.slots} slots of ${SLOT_BYTES} B, ${size.chunks} B of chunks; XS 13.3, 32 bit, above ROM; one OCPP upstream over a frame line, no flash journal`,
    },
    {
      name: "live after the first hour",
      value: live[0]!,
      unit: "bytes",
      conditions: "after a collection; charging, online",
    },
    {
      name: "24 h of meter values each 60 s: most of hours 13 to 24 less most of hours 1 to 12",
      value: growth,
      unit: "bytes",
      target: "flat: at most 256 bytes",
      met: growth <= 256,
      conditions: `${values} values; least ${Math.min(...live)}, most ${Math.max(...live)} at the ends of 24 hours`,
    },
  ];
}

const measure: Measure = {
  name: "ocpp16",
  about:
    "The module with an OCPP 1.6 upstream in a machine of fixed size: boot, a transaction, limits, an outage, 24 h of meter values.",
  run,
};
export default measure;
