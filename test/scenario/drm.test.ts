/** Demand response modes of AS/NZS 4755 as a utility asks for them, over OpenADR 2.0b; judged by the charger's current. */
import { describe, expect, it } from "vitest";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";

/** Rated, installer's maximum, phases. */
const chargers: readonly (readonly [string, number, number, 1 | 3])[] = [
  ["evse-level2-32a", 32, 32, 1],
  ["evse-level2-40a-at-20a", 40, 20, 1],
  ["evse-level2-40a-at-20a-installed", 40, 20, 1],
  ["evse-three-phase-11kw", 16, 16, 3],
];

async function charging(profile: string, ratedA: number, installerMaxA: number, phases: number, more = {}) {
  const bench = new VirtualBench({
    engine: nodeEngine(),
    profile,
    vtn: { pollSeconds: 2 },
    config: {
      region: "au",
      charger: { ratedA, installerMaxA, phases, voltage: phases === 3 ? 230 : 240 },
      upstreams: [
        {
          id: "utility",
          protocol: "openadr2b",
          url: "https://127.0.0.1:1/OpenADR2/Simple/2.0b",
          venName: "module",
          programme: "as4755",
          emergency: true,
          ...more,
        },
      ],
    },
  });
  bench.sgd.plug();
  await bench.until("charging freely", () => amperes(bench) > installerMaxA - 0.5, 90_000);
  await bench.run(5 * 60_000);
  return bench;
}

const amperes = (bench: VirtualBench): number => bench.sgd.state().currentA;

/** The charger's current, as a part of the free one, 90 s after the utility has asked. */
async function under(bench: VirtualBench, event: object): Promise<number> {
  const free = amperes(bench);
  const made = bench.vtn.createEvent(
    { startInSeconds: 0, durationSeconds: 180, ...event },
    { utcMs: bench.utcMs },
  );
  if ("error" in made) throw new Error(String(made.error));
  await bench.run(90_000);
  const then = amperes(bench);
  await bench.until("free again", () => amperes(bench) > free - 0.5, 240_000);
  // A mean of the 5 min before must not remember it.
  await bench.run(5 * 60_000);
  return then / free;
}

const mode = (level: number) => ({ signal: "x-DRM", type: "level", level });

describe.each(chargers)("%s, rated %d A, set to %d A", (profile, ratedA, installerMaxA, phases) => {
  it.each(["installer", "dynamic"])("DRM 0 to 4, reference: %s", async (capacityReference) => {
    const bench = await charging(profile, ratedA, installerMaxA, phases, { capacityReference });
    expect(await under(bench, mode(0))).toBe(0);
    expect(await under(bench, mode(1))).toBe(0);
    // South Australia accepts 40 to 60 % of the unconstrained limit.
    const half = await under(bench, mode(2));
    expect(half).toBeGreaterThanOrEqual(0.4);
    expect(half).toBeLessThanOrEqual(0.6);
    const most = await under(bench, mode(3));
    expect(most).toBeGreaterThanOrEqual(0.6);
    expect(most).toBeLessThanOrEqual(0.8);
    expect(await under(bench, mode(4))).toBeCloseTo(1, 1);
  });
});

describe("a programme of AS/NZS 4755", () => {
  it("DRM 5 to 8 are refused with the reason, and the charger goes on", async () => {
    const bench = await charging("evse-level2-32a", 32, 32, 1);
    const before = bench.told.length;
    for (const level of [5, 6, 7, 8]) {
      const made = bench.vtn.createEvent(
        { startInSeconds: 0, durationSeconds: 60, ...mode(level) },
        { utcMs: bench.utcMs },
      );
      if ("error" in made) throw new Error(String(made.error));
      await bench.run(90_000);
      expect(amperes(bench)).toBeGreaterThan(31);
    }
    const asked = bench.told.slice(before).filter(({ event }) => event.event === "intent");
    expect(asked).toEqual([]);
  });

  it("SIMPLE 1, 2, 3 mean DRM 3, 2 and 0; off is off whoever owns the charger", async () => {
    const bench = await charging("evse-level2-40a-at-20a", 40, 20, 1);
    expect(await under(bench, { signal: "SIMPLE", level: 1 })).toBeCloseTo(0.75, 1);
    expect(await under(bench, { signal: "SIMPLE", level: 2 })).toBeCloseTo(0.5, 1);
    expect(await under(bench, { signal: "SIMPLE", level: 3 })).toBe(0);
  });
});
