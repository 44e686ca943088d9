import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Ask } from "../../src/grid/event.js";
import type { Intent } from "../../src/grid/intent.js";
import { translate } from "../../src/translate/translate.js";

const ask: fc.Arbitrary<Ask> = fc.oneof<fc.Arbitrary<Ask>[]>(
  fc.constantFrom<Ask>(
    { ask: "normal" },
    { ask: "shed" },
    { ask: "critical-peak" },
    { ask: "emergency" },
    { ask: "load-up" },
    { ask: "guidance", level: 0 },
  ),
  fc.record({
    ask: fc.constant("limit" as const),
    unit: fc.constantFrom("fraction" as const, "W" as const, "A" as const),
    value: fc.oneof(fc.double({ min: 0, max: 1.2 }), fc.double({ min: -5, max: 100 }), fc.double()),
    reference: fc.constantFrom("rated" as const, "installer" as const, "dynamic" as const),
  }),
);

const site = fc
  .record({
    ratedA: fc.integer({ min: 6, max: 80 }),
    share: fc.integer({ min: 10, max: 100 }),
    phases: fc.constantFrom(1 as const, 2 as const, 3 as const),
    voltage: fc.constantFrom(120, 230, 240),
  })
  .map(({ ratedA, share, phases, voltage }) => ({
    ratedA,
    installerMaxA: Math.max(6, Math.round((ratedA * share) / 100)),
    phases,
    voltage,
  }));

describe("translation, whatever is asked", () => {
  it("ends in a command that every appliance has, keeps limits, and never exceeds what is permitted", () => {
    fc.assert(
      fc.property(
        ask,
        site,
        fc.boolean(),
        fc.option(fc.integer({ min: 0, max: 30_000 })),
        (asked, at, permitted, W) => {
          const intent = { ask: asked, emergencyPermitted: permitted, eventId: "", source: "s" } as Intent;
          const ratedW = at.ratedA * at.voltage * at.phases;
          const { wish } = translate(intent, { ratedW, dynamicW: W ?? undefined }, at);
          expect([1, 2]).toContain(wish.steps.at(-1)!.op);
          for (const step of wish.steps) {
            if (step.op === 0x0b) expect(permitted).toBe(true);
            expect(
              step.arg === undefined || (Number.isInteger(step.arg) && step.arg >= 0 && step.arg < 127),
            ).toBe(true);
            expect(step.verify.states.length).toBeGreaterThan(0);
            expect(step.verify.settleMs).toBeGreaterThan(0);
            if (step.level === undefined) continue;
            const givenA = (step.arg! * at.ratedA) / 127;
            const targetA = step.level.targetW / at.voltage / at.phases;
            expect(targetA).toBeGreaterThanOrEqual(6 - 1e-6);
            expect(givenA).toBeGreaterThanOrEqual(6 - 1e-6);
            // One step of 127 more, and only at the 6 A of the pilot.
            if (givenA > targetA + 1e-6) expect(targetA).toBeLessThan(6 + at.ratedA / 127);
            expect(targetA - givenA).toBeLessThan(at.ratedA / 127 + 1e-6);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});
