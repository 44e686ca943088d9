/**
 * A utility's server that is down, fails or talks nonsense: the charger stays in a defined state, the module says
 * what is wrong by a stable code, retries with growing rests, and is online again by itself.
 */
import { beforeEach, describe, expect, it } from "vitest";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import type { CoreMisbehaviour } from "../../host-sim/vtn/misbehaviour.js";

let bench: VirtualBench;
let requests: number[];
const amperes = (): number => bench.sgd.state().currentA;
const upstream = () => bench.last("upstream");

beforeEach(async () => {
  bench = new VirtualBench({ engine: nodeEngine(), vtn: { pollSeconds: 10 } });
  requests = [];
  const real = bench.network;
  bench.network = (request, utcMs) => {
    requests.push(bench.nowMs);
    return real(request, utcMs);
  };
  bench.sgd.plug();
  await bench.until("online and charging", () => upstream()?.state === "online" && amperes() > 31.9, 60_000);
});

async function shed(durationSeconds: number): Promise<void> {
  bench.vtn.createEvent(
    { signal: "SIMPLE", level: 1, startInSeconds: 1, durationSeconds },
    { utcMs: bench.utcMs },
  );
  await bench.until("16 A", () => Math.abs(amperes() - 16) < 0.1, 60_000);
}

describe("the utility's server misbehaves", () => {
  it.each<[CoreMisbehaviour, RegExp]>([
    ["http-500", /http/],
    ["invalid-xml", /xml/],
    ["truncated-body", /xml/],
    ["huge-answer", /large|long|cap/],
  ])(
    "%s during an event: the event runs out on the module's own clock, then all is well again",
    async (name, code) => {
      await shed(600);
      bench.vtn.misbehave(name);
      await bench.until("it is noticed", () => upstream()?.state === "failing", 60_000);
      expect(upstream()!.fault).toMatch(code);
      expect(upstream()!.text.length).toBeGreaterThan(20);
      await bench.run(120_000);
      expect(amperes()).toBeCloseTo(16, 0);
      await bench.until("the event has ended by itself", () => amperes() > 31.9, 600_000);
      expect(bench.last("intent")).toMatchObject({ intent: "normal" });
      bench.vtn.behave(name);
      await bench.until("online again", () => upstream()?.state === "online", 16 * 60_000);
    },
  );

  it("an empty answer is nothing new: no event is dropped for it", async () => {
    await shed(120);
    bench.vtn.misbehave("empty-body");
    await bench.run(60_000);
    expect(amperes()).toBeCloseTo(16, 0);
    await bench.until("the event has ended by itself", () => amperes() > 31.9, 120_000);
  });

  it("an unknown signal beside nothing is refused and moves nothing", async () => {
    bench.vtn.misbehave("unknown-signal");
    bench.vtn.createEvent(
      { signal: "SIMPLE", level: 1, startInSeconds: 1, durationSeconds: 60 },
      { utcMs: bench.utcMs },
    );
    await bench.run(40_000);
    expect(amperes()).toBeCloseTo(32, 0);
    expect(upstream()!.state).toBe("online");
  });
});

describe("the utility's server is gone", () => {
  it("is asked again with rests that double to 15 minutes, and comes back", async () => {
    bench.network = () => {
      requests.push(bench.nowMs);
      return "refused";
    };
    requests = [];
    await bench.run(24 * 3_600_000);
    expect(upstream()).toMatchObject({ state: "failing", fault: "refused" });
    expect(amperes()).toBeGreaterThanOrEqual(0);
    const rests = requests.slice(1).map((at, i) => at - requests[i]!);
    expect(Math.max(...rests)).toBeLessThanOrEqual(15 * 60_000 + 1000);
    expect(Math.max(...rests.slice(0, 2))).toBeLessThan(60_000);
    // Full jitter over a rest of at most 15 min: about 190 tries a day, never a storm.
    expect(requests.length).toBeLessThan(400);
    expect(requests.length).toBeGreaterThan(96);
  });
});
