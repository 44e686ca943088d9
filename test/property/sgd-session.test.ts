import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Ask } from "../../src/grid/event.js";
import { FakeAppliance, type Reaction } from "../support/fake-appliance.js";
import { limit, wishOf } from "../support/wishes.js";

type Act =
  | { readonly act: "wish"; readonly ask: Ask["ask"] | "stop" | "half"; readonly lastsMs: number | undefined }
  | { readonly act: "peer"; readonly state: "lost" | "heard" | "unplugged" | "plugged" }
  | { readonly act: "says"; readonly op: number; readonly arg: number }
  | { readonly act: "order"; readonly order: "reboot" | "rediscover" }
  | { readonly act: "forgets" }
  | { readonly act: "clock"; readonly stepMs: number };

const act: fc.Arbitrary<{ readonly waitMs: number; readonly what: Act }> = fc.record({
  waitMs: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 200_000 })),
  what: fc.oneof<fc.Arbitrary<Act>[]>(
    fc.record({
      act: fc.constant("wish" as const),
      ask: fc.constantFrom("normal", "shed", "critical-peak", "emergency", "load-up", "stop", "half"),
      lastsMs: fc.option(fc.integer({ min: 1, max: 7_200_000 }), { nil: undefined }),
    }),
    fc.record({
      act: fc.constant("peer" as const),
      state: fc.constantFrom("lost", "heard", "unplugged", "plugged"),
    }),
    fc.record({
      act: fc.constant("says" as const),
      op: fc.integer({ min: 0, max: 0x1b }),
      arg: fc.integer({ min: 0, max: 14 }),
    }),
    fc.record({ act: fc.constant("order" as const), order: fc.constantFrom("reboot", "rediscover") }),
    fc.constant({ act: "forgets" as const }),
    fc.record({ act: fc.constant("clock" as const), stepMs: fc.integer({ min: -1e7, max: 1e7 }) }),
  ),
});

/** What a bad appliance or line may do instead of the usual. */
const mischief: fc.Arbitrary<Reaction | undefined> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Reaction>("silent", "mute", [4, 3], [4, 5], [4, 0], [0x13, 5], [3, 0x55]),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 7 }).map((nak): Reaction => ({ nak })) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }) },
);

function carryOut(appliance: FakeAppliance, what: Act): void {
  const { session } = appliance;
  switch (what.act) {
    case "wish": {
      const endsAtMs = what.lastsMs === undefined ? {} : { endsAtMs: appliance.nowMs + what.lastsMs };
      const ask = what.ask === "stop" ? limit(0) : what.ask === "half" ? limit(16) : what.ask;
      session.wish(wishOf(ask, { ...endsAtMs, permitted: true }), appliance.now);
      break;
    }
    case "peer":
      appliance.peer(what.state);
      break;
    case "says":
      appliance.says(0x0801, what.op, what.arg);
      break;
    case "order":
      session.order(
        what.order === "reboot" ? { order: "reboot", kind: 0 } : { order: what.order },
        appliance.now,
      );
      break;
    case "forgets":
      appliance.state = 1;
      break;
    case "clock":
      appliance.utcAtZeroMs = (appliance.utcAtZeroMs ?? 1.7e12) + what.stepMs;
  }
}

/** Operational states that show obedience to the last wish. */
const OBEDIENT: Record<string, number[]> = {
  normal: [0, 1],
  shed: [2],
  "critical-peak": [2],
  emergency: [4],
  "load-up": [3],
  stop: [10],
  half: [9],
};

describe("whatever the appliance, the line and the grid do", () => {
  it("the session goes on, keeps its rules, and brings a well-behaved appliance to what is wanted", () => {
    fc.assert(
      fc.property(
        fc.array(act, { maxLength: 25 }),
        fc.array(mischief, { minLength: 1, maxLength: 40 }),
        fc.constantFrom("normal" as const, "unknown" as const, "other" as const),
        (acts, pranks, previousLoad) => {
          const appliance = new FakeAppliance({ previousLoad });
          // As the charger of the bench does it: half at most, a quarter at a critical peak.
          appliance.becomes[6] = 9;
          appliance.powers[10] = 0;
          appliance.basic.set(6, (arg) => {
            appliance.becomes[6] = arg === 0 ? 10 : 9;
            appliance.powers[9] = (arg * 7680) / 127;
            return undefined;
          });
          appliance.basic.set(10, () => {
            appliance.powers[2] = 1800;
            return undefined;
          });
          appliance.basic.set(1, () => {
            appliance.powers[2] = 3600;
            return undefined;
          });
          let wanted = "";
          let prank = 0;
          let underWay = 0;
          appliance.react = (request) => {
            expect(underWay).toBe(0);
            underWay++;
            const ends = (): number => (underWay = 0);
            appliance.at(50, ends);
            if (request.payload[0] === 2 && request.type === 0x0801) {
              const excused =
                wanted === "load-up" || /overridden|refused/.test(appliance.status.load!.result);
              if (!excused) expect(wanted).toBe("normal");
            }
            return pranks[prank++ % pranks.length];
          };
          for (const { waitMs, what } of acts) {
            appliance.run(waitMs);
            if (what.act === "wish") wanted = what.ask;
            carryOut(appliance, what);
          }
          // From here on it behaves; what it refused is asked anew after a discovery.
          appliance.react = () => undefined;
          if (appliance.status.override) appliance.says(0x0801, 0x11, 0);
          appliance.run(70_000);
          appliance.session.order({ order: "rediscover" }, appliance.now);
          appliance.run(120_000);
          expect(appliance.status.link).toBe("online");
          if (wanted === "") return;
          expect(appliance.status.load?.result).toBe("verified");
          expect(OBEDIENT[wanted]).toContain(appliance.state);
          expect(appliance.session.endShedOwed).toBe(wanted !== "normal");
        },
      ),
      { numRuns: 400 },
    );
  }, 60_000);
});
