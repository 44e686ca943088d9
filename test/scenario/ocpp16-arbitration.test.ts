/** OCPP beside OpenADR and the owner in one module: who decides, judged by the charger's current (docs/arbitration.md). */
import { describe, expect, it } from "vitest";
import { limitOrder } from "../../host-sim/csms/requests.js";
import type { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import {
  amperes,
  ask,
  near,
  ocppBench,
  online,
  order,
  stoppingCharger,
  type Json,
} from "../support/ocpp-bench.js";

const utility = {
  ...{
    id: "utility",
    protocol: "openadr2b",
    url: "https://127.0.0.1:1/OpenADR2/Simple/2.0b",
    venName: "module",
  },
};

async function charging(upstream: Json = {}, config: Json = {}): Promise<VirtualBench> {
  const bench = ocppBench({ profile: stoppingCharger(), upstream, more: [utility], config });
  await online(bench);
  bench.sgd.plug();
  await bench.until("32 A", near(bench, 32), 60_000);
  await bench.until("the transaction", () => bench.csms.point.running !== undefined, 10_000);
  return bench;
}

function event(bench: VirtualBench, more: Json): void {
  const made = bench.vtn.createEvent(
    { signal: "SIMPLE", startInSeconds: 0, durationSeconds: 3600, ...more },
    { utcMs: bench.utcMs },
  );
  if ("error" in made) throw new Error(String(made.error));
}

describe("a limit of the platform and an event of the utility", () => {
  it("without priorities the lower one holds, whichever came first", async () => {
    const bench = await charging();
    await order(bench, limitOrder({ limit: 10 }, bench.utcMs));
    await bench.until("10 A", near(bench, 10, 0.3), 15_000);
    event(bench, { level: 1 });
    await bench.run(60_000);
    expect(amperes(bench)).toBeCloseTo(10, 0);
    await order(bench, limitOrder({ limit: 24 }, bench.utcMs));
    await bench.until("Shed: 16 A", near(bench, 16), 30_000);
    expect(bench.last("intent")).toMatchObject({ intent: "shed", source: "utility" });
  });

  it("an event with a priority outranks the limit", async () => {
    const bench = await charging();
    await order(bench, limitOrder({ limit: 10 }, bench.utcMs));
    await bench.until("10 A", near(bench, 10, 0.3), 15_000);
    event(bench, { level: 1, priority: 1 });
    await bench.until("Shed: 16 A", near(bench, 16), 60_000);
  });

  it("after a stop from afar no event makes it charge", async () => {
    const bench = await charging();
    await ask(bench, "RemoteStopTransaction", { transactionId: bench.csms.point.running!.id });
    await bench.until("0 A", near(bench, 0), 20_000);
    event(bench, { level: 1, priority: 1 });
    await bench.run(120_000);
    expect(amperes(bench)).toBe(0);
    expect(bench.last("intent")).toMatchObject({ source: "platform" });
  });

  it("out of service neither", async () => {
    const bench = await charging();
    bench.sgd.unplug();
    await bench.until("no transaction", () => bench.csms.point.running === undefined, 60_000);
    await ask(bench, "ChangeAvailability", { connectorId: 0, type: "Inoperative" });
    bench.sgd.plug();
    event(bench, { level: 1, priority: 1 });
    await bench.run(120_000);
    expect(amperes(bench)).toBe(0);
    expect(bench.csms.point.status).toBe("Unavailable");
  });
});

describe("a limit of the platform and the owner", () => {
  it.each([
    ["us", 10, 32],
    ["us", 0, 32],
    ["au", 10, 32],
    ["au", 0, 0],
  ])("%s: override against a limit of %i A gives %i A", async (region, limit, wanted) => {
    const bench = await charging({}, { region });
    await order(bench, limitOrder({ limit }, bench.utcMs));
    await bench.until("limited", near(bench, limit, 0.3), 20_000);
    await bench.ask({ k: "owner", order: { verb: "override", durationMs: 600_000 } }, "answer");
    await bench.run(90_000);
    expect(Math.abs(amperes(bench) - wanted)).toBeLessThan(0.3);
  });

  it("the local schedule yields to a limit: the platform's hours are its own", async () => {
    const bench = await charging(
      {},
      {
        offPeak: [{ days: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"], from: "13:00", to: "14:00" }],
      },
    );
    await order(bench, limitOrder({ limit: 10 }, bench.utcMs));
    await bench.run(3_700_000);
    expect(amperes(bench)).toBeCloseTo(10, 0);
  });

  it("cleared, the event of the utility holds again", async () => {
    const bench = await charging();
    event(bench, { level: 1 });
    await bench.until("16 A", near(bench, 16), 60_000);
    await order(bench, limitOrder({ limit: 8 }, bench.utcMs));
    await bench.until("8 A", near(bench, 8, 0.3), 20_000);
    await ask(bench, "ClearChargingProfile", {});
    await bench.until("16 A again", near(bench, 16), 20_000);
  });
});
