import { expect } from "vitest";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import type { Engine } from "../../host-sim/runtime/ucm-host.js";

const amperes = (bench: VirtualBench): number => bench.sgd.state().currentA;

function create(bench: VirtualBench, input: Readonly<Record<string, unknown>>): string {
  const event = bench.vtn.createEvent(input, { utcMs: bench.utcMs });
  if ("error" in event) throw new Error(String(event.error));
  return event.id;
}

/** Frames that the module sent, as hex without spaces. */
function sent(bench: VirtualBench): readonly string[] {
  return bench.told.flatMap(({ event }) =>
    event.event === "frame" && event.dir === "tx" ? [event.hex.replace(/\s/g, "")] : [],
  );
}

/**
 * The whole way over OpenADR 3.1: registration, an event that lowers the current, prices, the customer's override
 * as a report, and an event that ends because it is deleted.
 */
export async function openadr3Job(
  engine: Engine,
  watch: (bench: VirtualBench) => void = () => undefined,
): Promise<VirtualBench> {
  const bench = new VirtualBench({
    engine,
    protocol: "openadr3",
    config: {
      upstreams: [
        {
          id: "utility",
          protocol: "openadr3",
          url: "https://127.0.0.1/openadr3/3.1.0",
          venName: "module",
          clientId: "module",
          clientSecretFile: "(of the bench)",
          pollSeconds: 10,
          normalPrice: 0.2,
        },
      ],
    },
  });
  watch(bench);
  bench.sgd.plug();
  await bench.until("online", () => bench.last("upstream")?.state === "online", 30_000);
  expect(bench.vtn3.vens()).toMatchObject([{ venName: "module", clientID: "module" }]);
  await bench.until("the car charges at 32 A", () => amperes(bench) > 31.9, 60_000);

  const shed = create(bench, { signal: "SIMPLE", level: 1, startInSeconds: 15, durationSeconds: 3600 });
  await bench.until("16 A", () => Math.abs(amperes(bench) - 16) < 0.1, 40_000);
  expect(bench.last("intent")).toMatchObject({ intent: "shed", source: "utility", eventId: shed });
  await bench.until(
    "Shed is verified",
    () => bench.last("command")?.name === "Shed" && bench.last("command")!.verified,
    20_000,
  );

  bench.sgd.override(true);
  const told = (value: RegExp): boolean =>
    bench.vtn.state.reports.some((report) => report.values.some((one) => value.test(one.text ?? "")));
  await bench.until("the override is reported", () => told(/_OPTED_OUT$/), 120_000);
  bench.sgd.override(false);
  await bench.run(60_000);

  bench.vtn.cancelEvent(shed, { utcMs: bench.utcMs });
  await bench.until("back to 32 A after the event is deleted", () => amperes(bench) > 31.9, 60_000);
  expect(bench.last("intent")).toMatchObject({ intent: "normal" });

  create(bench, {
    signal: "ELECTRICITY_PRICE",
    type: "price",
    unit: "EUR",
    intervals: [
      { durationSeconds: 600, value: 0.1 },
      { durationSeconds: 600, value: 0.4 },
    ],
    durationSeconds: 1200,
  });
  const prices = (): readonly string[] => sent(bench).filter((hex) => /^08010002(07|08)/.test(hex));
  await bench.until("a price reaches the charger", () => prices().length > 0, 60_000);
  return bench;
}
