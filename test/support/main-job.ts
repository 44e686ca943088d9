import { expect } from "vitest";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import type { Engine } from "../../host-sim/runtime/ucm-host.js";

export interface MainJobReport {
  /** Frames that the module sent, hex. */
  readonly frames: readonly string[];
  /** Virtual ms from the event's start to 16 A. */
  readonly toShedMs: number;
  readonly bench: VirtualBench;
}

const amperes = (bench: VirtualBench): number => bench.sgd.state().currentA;

/** Register, event, shed, verify, end: asserted by the charger's current, never by an ACK. */
export async function mainJob(engine: Engine): Promise<MainJobReport> {
  const bench = new VirtualBench({ engine, vtn: { pollSeconds: 2 } });
  bench.sgd.plug();
  await bench.until("registered", () => bench.last("upstream")?.state === "online", 30_000);
  await bench.until("the car charges at 32 A", () => amperes(bench) > 31.9, 60_000);
  const event = bench.vtn.createEvent(
    { signal: "SIMPLE", level: 1, startInSeconds: 5, durationSeconds: 60 },
    { utcMs: bench.utcMs },
  );
  if ("error" in event) throw new Error(String(event.error));
  const toShedMs = await bench.until("16 A", () => Math.abs(amperes(bench) - 16) < 0.1, 20_000);
  await bench.until(
    "Shed is verified",
    () => bench.last("command")?.name === "Shed" && bench.last("command")!.verified,
    10_000,
  );
  expect(bench.last("intent")).toMatchObject({ intent: "shed", source: "utility" });
  await bench.run(30_000);
  expect(amperes(bench)).toBeCloseTo(16, 1);
  await bench.until("back to 32 A", () => amperes(bench) > 31.9, 40_000);
  await bench.until(
    "End Shed is verified",
    () => bench.last("command")?.name === "EndShed" && bench.last("command")!.verified,
    10_000,
  );
  expect(bench.last("intent")).toMatchObject({ intent: "normal" });
  // What the page asks for: in XS, a default that lies in ROM must not stand in the way of JSON.
  const { state } = await bench.ask({ k: "state" }, "state");
  expect(state).toMatchObject({
    intent: { source: "none" },
    owner: { windows: [] },
    sgd: { link: "online" },
  });
  const frames = bench.told.flatMap(({ event: told }) =>
    told.event === "frame" && told.dir === "tx" ? [told.hex.replace(/(..)(?=.)/g, "$1 ")] : [],
  );
  return { frames, toShedMs, bench };
}
