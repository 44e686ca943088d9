/** Charging profiles: what several say together, and what is told of it (OCPP 1.6, 3.13). */
import { describe, expect, it } from "vitest";
import { composite, limitAt } from "../../src/ocpp16/composite.js";
import type { ChargingProfile } from "../../src/ocpp16/profile.js";
import { Harness, T0 } from "../support/ocpp-harness.js";

const S = 1000;
const H = 3_600_000;
const mains = { installerMaxA: 32, phases: 1, voltage: 240 } as const;
const NO_TX = { txStartMs: undefined, transactionId: undefined };

function profile(
  part: Partial<ChargingProfile> & { limits?: readonly (readonly [number, number])[] },
): ChargingProfile {
  const { limits = [[0, 16]], ...rest } = part;
  return {
    ...{ id: 1, connector: 0, transactionId: undefined, stackLevel: 0, purpose: "ChargePointMaxProfile" },
    ...{ kind: "Absolute", recurrence: undefined, validFromMs: undefined, validToMs: undefined },
    ...{ durationS: undefined, startMs: T0, unit: "A" },
    periods: limits.map(([startS, limit]) => ({ startS, limit, phases: undefined })),
    ...rest,
  };
}

const at = (profiles: ChargingProfile[], utcMs: number, context: Parameters<typeof limitAt>[2] = NO_TX) =>
  limitAt(profiles, utcMs, context, mains).limit?.value;

describe("one profile", () => {
  it("absolute: nothing before its start, its periods, nothing after its duration", () => {
    const one = profile({
      limits: [
        [0, 10],
        [60, 20],
      ],
      durationS: 120,
    });
    expect([-1, 0, 59, 60, 119, 120].map((s) => at([one], T0 + s * S))).toEqual([
      undefined,
      10,
      10,
      20,
      20,
      undefined,
    ]);
  });

  it("daily and weekly: again after 24 h and 7 days to the second", () => {
    const day = profile({
      kind: "Recurring",
      recurrence: "Daily",
      limits: [
        [0, 10],
        [6 * 3600, 20],
      ],
      durationS: 12 * 3600,
    });
    expect([0, 6, 12, 23.999, 24, 30, 36, 24 * 365 + 6].map((h) => at([day], T0 + h * H))).toEqual([
      10,
      20,
      undefined,
      undefined,
      10,
      20,
      undefined,
      20,
    ]);
    const week = profile({
      kind: "Recurring",
      recurrence: "Weekly",
      limits: [
        [0, 10],
        [3600, 20],
      ],
    });
    expect([0, 1, 167, 168, 169].map((h) => at([week], T0 + h * H))).toEqual([10, 20, 20, 10, 20]);
    expect(at([day], T0 - H)).toBeUndefined();
  });

  it("relative: from the begin of the transaction; before it the first period stands", () => {
    const one = profile({
      purpose: "TxDefaultProfile",
      kind: "Relative",
      startMs: undefined,
      limits: [
        [0, 6],
        [600, 12],
      ],
    });
    expect(at([one], T0)).toBe(6);
    const context = { txStartMs: T0, transactionId: 1 };
    expect(at([one], T0 + 599 * S, context)).toBe(6);
    expect(at([one], T0 + 600 * S, context)).toBe(12);
  });

  it("validFrom and validTo", () => {
    const one = profile({ startMs: T0 - H, validFromMs: T0 + 10, validToMs: T0 + 20 });
    expect([9, 10, 19, 20].map((ms) => at([one], T0 + ms))).toEqual([undefined, 16, 16, undefined]);
  });

  it("says when it may change", () => {
    const one = profile({
      limits: [
        [0, 10],
        [60, 20],
      ],
      durationS: 120,
    });
    const until = (ms: number) => limitAt([one], T0 + ms, NO_TX, mains).untilMs - T0;
    expect([-5000, 0, 60_000, 120_000].map(until)).toEqual([0, 60_000, 120_000, Infinity]);
  });
});

describe("several profiles", () => {
  it("of a purpose the higher stack level wins, while it says something", () => {
    const low = profile({ id: 1, stackLevel: 0, limits: [[0, 8]] });
    const high = profile({ id: 2, stackLevel: 3, limits: [[0, 24]], durationS: 60 });
    expect(at([low, high], T0)).toBe(24);
    expect(at([low, high], T0 + 60 * S)).toBe(8);
  });

  it("a TxProfile stands instead of the TxDefaultProfile, in its transaction alone", () => {
    const base = profile({ id: 1, purpose: "TxDefaultProfile", connector: 1, limits: [[0, 10]] });
    const tx = profile({ id: 2, purpose: "TxProfile", connector: 1, limits: [[0, 20]], transactionId: 7 });
    expect(at([base, tx], T0)).toBe(10);
    expect(at([base, tx], T0, { txStartMs: T0, transactionId: 7 })).toBe(20);
    expect(at([base, tx], T0, { txStartMs: T0, transactionId: 8 })).toBe(10);
  });

  it("never more than the ChargePointMaxProfile, whatever their units", () => {
    const most = profile({ id: 1, unit: "W", limits: [[0, 2400]] });
    const tx = profile({ id: 2, purpose: "TxDefaultProfile", connector: 1, limits: [[0, 16]] });
    expect(limitAt([most, tx], T0, NO_TX, mains).limit).toMatchObject({ unit: "W", value: 2400 });
    const more = profile({ id: 1, unit: "W", limits: [[0, 4800]] });
    expect(limitAt([more, tx], T0, NO_TX, mains).limit).toMatchObject({ unit: "A", value: 16 });
  });

  it("watts are divided among the phases that are there", () => {
    const most = profile({ unit: "W", limits: [[0, 6900]] });
    const three = { installerMaxA: 32, phases: 3, voltage: 230 } as const;
    const { stretches } = composite([most], T0, T0 + H, NO_TX, three, 4);
    expect(stretches).toEqual([{ fromMs: T0, limit: { unit: "W", value: 6900, phases: 3 } }]);
    const one = { ...most, periods: [{ startS: 0, limit: 6900, phases: 1 }] };
    expect(limitAt([one], T0, NO_TX, three).limit).toEqual({ unit: "W", value: 6900, phases: 1 });
  });
});

/** The report's table (requirements T9): 1000 W from 0, 6000 W from 28,800 s, 5000 W from 72,000 s, daily. */
const TABLE = [
  [0, 1000],
  [28_800, 6000],
  [72_000, 5000],
] as const;

export function dailyTable(startSchedule: string): Readonly<Record<string, unknown>> {
  return {
    connectorId: 0,
    csChargingProfiles: {
      chargingProfileId: 100,
      stackLevel: 0,
      chargingProfilePurpose: "ChargePointMaxProfile",
      chargingProfileKind: "Recurring",
      recurrencyKind: "Daily",
      chargingSchedule: {
        duration: 86_400,
        startSchedule,
        chargingRateUnit: "W",
        chargingSchedulePeriod: TABLE.map(([startPeriod, limit]) => ({ startPeriod, limit })),
      },
    },
  };
}

describe("the report's daily table as a composite schedule", () => {
  it.each([
    ["an ordinary midnight", "2026-11-21T00:00:00Z"],
    ["the night in which summer time begins (Europe)", "2026-03-28T00:00:00Z"],
    ["the night in which it ends", "2026-10-24T00:00:00Z"],
  ])("over %s", (_, start) => {
    const from = Date.parse(start) + 20 * H;
    const { stretches } = composite(
      [
        profile({
          kind: "Recurring",
          recurrence: "Daily",
          unit: "W",
          startMs: Date.parse(start),
          durationS: 86_400,
          limits: TABLE,
        }),
      ],
      from,
      from + 30 * H,
      NO_TX,
      mains,
      20,
    );
    expect(stretches.map((one) => [(one.fromMs - from) / H, one.limit?.value])).toEqual([
      [0, 5000],
      [4, 1000],
      [12, 6000],
      [24, 5000],
      [28, 1000],
    ]);
  });

  it("as GetCompositeSchedule tells it, in W and in A", () => {
    const harness = new Harness().start();
    expect(harness.ask("SetChargingProfile", dailyTable("2026-11-20T00:00:00Z"))).toEqual({
      status: "Accepted",
    });
    const asked = { connectorId: 1, duration: 86_400 };
    const inWatts = harness.ask("GetCompositeSchedule", { ...asked, chargingRateUnit: "W" });
    // It is 12:00:01.
    expect(inWatts).toMatchObject({
      status: "Accepted",
      scheduleStart: "2026-11-21T12:00:01.000Z",
      chargingSchedule: {
        chargingRateUnit: "W",
        duration: 86_400,
        chargingSchedulePeriod: [
          { startPeriod: 0, limit: 6000 },
          { startPeriod: 28_799, limit: 5000 },
          { startPeriod: 43_199, limit: 1000 },
          { startPeriod: 71_999, limit: 6000 },
        ],
      },
    });
    const inAmperes = harness.ask("GetCompositeSchedule", { ...asked, chargingRateUnit: "A" });
    expect(inAmperes).toMatchObject({
      chargingSchedule: {
        chargingRateUnit: "A",
        chargingSchedulePeriod: [{ limit: 25 }, { limit: 20.8 }, { limit: 4.1 }, { limit: 25 }],
      },
    });
    expect(harness.faults).toEqual([]);
  });

  it("without profiles: what the installer has set; of connector 2: Rejected", () => {
    const harness = new Harness().start();
    expect(harness.ask("GetCompositeSchedule", { connectorId: 0, duration: 60 })).toMatchObject({
      chargingSchedule: { chargingSchedulePeriod: [{ startPeriod: 0, limit: 32 }] },
    });
    expect(harness.ask("GetCompositeSchedule", { connectorId: 2, duration: 60 })).toEqual({
      status: "Rejected",
    });
  });
});
