/**
 * The report's daily profile (1000 W from 0, 6000 W from 28,800 s, 5000 W from 72,000 s) as the charger's current,
 * over midnight and over both nights in which the clocks change, with the platform away all the time.
 */
import { describe, expect, it } from "vitest";
import {
  amperes,
  ask,
  expectClean,
  ocppBench,
  online,
  stoppingCharger,
  type Json,
} from "../support/ocpp-bench.js";

const HOUR = 3_600_000;

const table = (startSchedule: string): Json => ({
  connectorId: 0,
  csChargingProfiles: {
    ...{ chargingProfileId: 100, stackLevel: 0, chargingProfilePurpose: "ChargePointMaxProfile" },
    ...{ chargingProfileKind: "Recurring", recurrencyKind: "Daily" },
    chargingSchedule: {
      ...{ duration: 86_400, startSchedule, chargingRateUnit: "W" },
      chargingSchedulePeriod: [
        { startPeriod: 0, limit: 1000 },
        { startPeriod: 28_800, limit: 6000 },
        { startPeriod: 72_000, limit: 5000 },
      ],
    },
  },
});

/** Amperes at 240 V: 1000 W is under the 6 A that a pilot can offer, so a stop; levels are rounded down (T3). */
const WANTED = [
  [0.5, 20.6],
  [3.9, 20.6],
  [4.1, 0],
  [11.9, 0],
  [12.1, 24.9],
  [23.9, 24.9],
  [24.1, 20.6],
  [28.1, 0],
] as const;

describe.each([
  ["an ordinary midnight", "2026-11-20", "GMT0BST,M3.5.0/1,M10.5.0"],
  ["the night in which summer time begins", "2026-03-28", "GMT0BST,M3.5.0/1,M10.5.0"],
  ["the night in which it ends", "2026-10-24", "GMT0BST,M3.5.0/1,M10.5.0"],
])("over %s", (_, day, timeZone) => {
  it("the current follows, the profile's day being 24 h from its start", async () => {
    const charger = stoppingCharger();
    const bench = ocppBench({
      // Never full, so that it always takes what it may.
      profile: { ...charger, car: { ...charger.car, capacityWh: 500_000, soc: 0.1 } },
      utcMs: Date.parse(`${day}T20:00:00Z`),
      config: { timeZone, polling: { stateSeconds: 600, commoditySeconds: 600 } },
    });
    await online(bench);
    bench.sgd.plug();
    expect(await ask(bench, "SetChargingProfile", table(`${day}T00:00:00Z`))).toEqual({ status: "Accepted" });
    bench.csms.door = "refused";
    bench.csms.cut();
    for (const [hours, wanted] of WANTED) {
      await bench.run(Date.parse(`${day}T20:00:00Z`) + hours * HOUR - bench.utcMs);
      expect(
        Math.abs(amperes(bench) - wanted),
        `${String(hours)} h: ${String(amperes(bench))} A`,
      ).toBeLessThan(0.6);
    }
    expectClean(bench);
  });
});
