import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Charger } from "../../host-sim/evse/charger.js";
import { chargerConfigOf, DEFAULT_PROFILE } from "../../host-sim/sgd/profile-model.js";
import { BasicOp } from "../../src/wire/message.js";

const OPS = [
  BasicOp.Shed,
  BasicOp.CriticalPeak,
  BasicOp.GridEmergency,
  BasicOp.LoadUp,
  BasicOp.PowerLevel,
] as const;

const action = fc.oneof(
  fc.record({ do: fc.constant("event" as const), op: fc.constantFrom(...OPS), arg: fc.nat(0x80) }),
  fc.constant({ do: "end" as const }),
  fc.constant({ do: "plug" as const }),
  fc.constant({ do: "unplug" as const }),
  fc.record({ do: fc.constant("override" as const), on: fc.boolean() }),
  fc.constant({ do: "wake" as const }),
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;
const story = fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), action), { maxLength: 25 });

function act(charger: Charger, what: Action, nowMs: number): void {
  switch (what.do) {
    case "event":
      charger.events.start(what.op, what.arg, nowMs);
      break;
    case "end":
      charger.events.end();
      break;
    case "plug":
      charger.plug();
      break;
    case "unplug":
      charger.unplug();
      break;
    case "override":
      charger.events.setOverride(what.on, nowMs);
      break;
    case "wake":
      charger.evse.wakeCar();
      break;
  }
}

describe("charger, whatever happens to it", () => {
  it("keeps its limits, its order and its energy", () => {
    fc.assert(
      fc.property(
        story,
        fc.constantFrom(6, 22.5, 32, 48),
        fc.constantFrom(0.1, 0.8, 0.999),
        (steps, amperes, soc) => {
          const profile = {
            ...DEFAULT_PROFILE,
            charger: { ...DEFAULT_PROFILE.charger, ratedA: amperes, installerMaxA: amperes },
            car: { ...DEFAULT_PROFILE.car, soc, sleepsAfterPauseSeconds: 30 },
          };
          const charger = new Charger(chargerConfigOf(profile));
          const { evse } = charger;
          let nowMs = 0;
          let limitSinceMs = 0;
          let limit = -1;
          let energy = 0;
          const look = (): void => {
            if (charger.limitA() !== limit) {
              limit = charger.limitA();
              limitSinceMs = nowMs;
            }
            expect(evse.currentA).toBeLessThanOrEqual(amperes);
            expect(limit === 0 || (limit >= 6 && limit <= amperes)).toBe(true);
            if (nowMs - limitSinceMs >= 5000) expect(evse.currentA).toBeLessThanOrEqual(limit);
            if (evse.currentA > 0) expect(evse.contactorClosed).toBe(true);
            if (evse.contactorClosed) expect(evse.car).toBeDefined();
            expect(evse.energyWh).toBeGreaterThanOrEqual(energy);
            energy = evse.energyWh;
            expect(charger.car.soc).toBeLessThanOrEqual(1);
            expect([0, 1, 2, 3, 4, 6, 9, 10, 11, 12]).toContain(charger.opState());
            expect(evse.pilotState === "A").toBe(evse.car === undefined);
          };
          for (const [waitMs, what] of steps) {
            const untilMs = nowMs + waitMs;
            for (let next = charger.nextMs(); next < untilMs; next = charger.nextMs()) {
              expect(next).toBeGreaterThan(nowMs);
              nowMs = next;
              charger.step(nowMs);
              look();
            }
            nowMs = untilMs;
            charger.step(nowMs);
            act(charger, what, nowMs);
            charger.step(nowMs);
            look();
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
