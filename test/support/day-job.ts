/**
 * What a module lives through, in virtual time, to see in what memory it can: register, report, a day's 24 prices, two
 * overlapping events, a customer's override, and then 24 hours of polling. Judged by the charger's current.
 */
import type { Engine } from "../../host-sim/runtime/ucm-host.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";

export interface DayJobOptions {
  /** Hours of polling after the eventful part; 24 if not given. */
  readonly hours?: number;
  /** Called after every hour of polling. */
  readonly onHour?: (hour: number) => Promise<void>;
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`the day does not go as it should: ${what}`);
}

export async function dayJob(engine: Engine, options: DayJobOptions = {}): Promise<VirtualBench> {
  // A utility's usual pace, the module's default polling of the appliance.
  const bench = new VirtualBench({ engine, vtn: { pollSeconds: 60 }, config: { polling: {} } });
  const amperes = (): number => bench.sgd.state().currentA;
  const create = (event: Readonly<Record<string, unknown>>): string => {
    const made = bench.vtn.createEvent(event, { utcMs: bench.utcMs });
    if ("error" in made) throw new Error(made.error);
    return made.id;
  };
  bench.sgd.plug();
  await bench.until("registered", () => bench.last("upstream")?.state === "online");
  await bench.until("32 A", () => amperes() > 31.9, 120_000);
  await bench.until("a report", () => bench.vtn.state.reports.length > 0, 1_200_000);

  const intervals = Array.from({ length: 24 }, (_, hour) => ({
    durationSeconds: 3600,
    value: 0.1 + hour / 100,
  }));
  create({ signal: "ELECTRICITY_PRICE", unit: "USD", startInSeconds: 60, intervals });
  await bench.run(180_000);

  const long = create({ signal: "SIMPLE", level: 1, startInSeconds: 60, durationSeconds: 3600 });
  create({ signal: "SIMPLE", level: 2, startInSeconds: 600, durationSeconds: 1200 });
  await bench.until("level 1", () => Math.abs(amperes() - 16) < 0.2, 300_000);
  await bench.until("level 2", () => amperes() < 15.5, 900_000);
  await bench.until("level 1 again", () => Math.abs(amperes() - 16) < 0.2, 2_400_000);

  bench.sgd.override(true);
  await bench.until("the customer's 32 A", () => amperes() > 31.9, 300_000);
  await bench.run(300_000);
  bench.sgd.override(false);
  await bench.until("level 1 after the override", () => Math.abs(amperes() - 16) < 0.2, 600_000);
  bench.vtn.cancelEvent(long, { utcMs: bench.utcMs });
  await bench.until("32 A after the events", () => amperes() > 31.9, 600_000);

  const told = bench.told.length;
  for (let hour = 1; hour <= (options.hours ?? 24); hour++) {
    bench.told.length = Math.min(bench.told.length, told);
    await bench.run(3_600_000);
    await options.onHour?.(hour);
  }
  must(bench.last("upstream")?.state === "online", "online at the end");
  return bench;
}
