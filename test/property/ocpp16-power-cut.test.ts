/**
 * The module loses power before every single write to its store, in a day with two transactions, an outage of the
 * platform and a stop from afar: no transaction is lost, and none is there twice.
 */
import { describe, expect, it } from "vitest";
import { CsmsCore } from "../../host-sim/csms/core.js";
import { Harness, PowerCut } from "../support/ocpp-harness.js";

const CHARGING = { opState: 1, powerW: 7200 };
const IDLE = { opState: 0, powerW: 0 };

/** What happens at the charger and on the network, step by step; it happens whether the module lives or not. */
const STORY: readonly ((h: Harness) => void)[] = [
  (h) => h.tell({ ...IDLE, storageTotalWh: 60_000 }),
  (h) => h.tell({ ...CHARGING, energyWh: 5000 }),
  (h) => h.tell({ energyWh: 5100 }).advance(61_000),
  (h) => {
    h.reachable = false;
    h.cut();
  },
  (h) => h.tell({ energyWh: 5600 }).advance(61_000),
  (h) => h.tell({ energyWh: 6000 }).advance(61_000),
  (h) => h.tell({ ...IDLE, energyWh: 6100, storageTotalWh: 0 }),
  (h) => h.advance(600_000),
  (h) => h.tell({ ...CHARGING, storageTotalWh: 60_000 }).advance(61_000),
  (h) => h.tell({ energyWh: 6900 }).advance(61_000),
  (h) => {
    h.reachable = true;
    h.advance(1_300_000);
  },
  (h) => h.tell({ energyWh: 7500 }).advance(61_000),
  (h) => {
    const id = h.csms.running?.id;
    if (id !== undefined) h.ask("RemoteStopTransaction", { transactionId: id });
  },
  (h) => h.tell({ ...IDLE, energyWh: 7600 }).advance(30_000),
  (h) => h.tell({ storageTotalWh: 0 }).advance(30_000),
];

/** Plays the story with power lost before write `cutAt`; answers whether it was. */
function play(cutAt: number): { readonly harness: Harness; readonly cut: boolean } {
  const core = new CsmsCore({ heartbeatSeconds: 3600 });
  const harness = new Harness({ evidence: "storage" }, {}, { core });
  harness.writesLeft = cutAt;
  let cut = false;
  const guarded = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      cut = true;
      harness.writesLeft = Number.POSITIVE_INFINITY;
      harness.ms += 5000;
      harness.boot().start();
    }
  };
  guarded(() => harness.start());
  for (const step of STORY) guarded(() => step(harness));
  // The platform takes what it has not got; nothing waits at the end.
  harness.advance(1_300_000);
  return { harness, cut };
}

describe("a power cut before every write", () => {
  const whole = play(Number.POSITIVE_INFINITY).harness;

  it("without a cut: two transactions with their energy", () => {
    expect(whole.csms.transactions).toMatchObject([
      { meterStart: 5000, meterStop: 6100, reason: "EVDisconnected" },
      { meterStart: 6100, meterStop: 7600, reason: "Remote" },
    ]);
    expect(whole.faults).toEqual([]);
  });

  it("with one anywhere: the same two, told once, all energy in them", () => {
    let cuts = 0;
    for (let at = 0; ; at++) {
      const { harness, cut } = play(at);
      if (!cut) break;
      cuts++;
      const where = `cut before write ${String(at)}`;
      expect(harness.faults, where).toEqual([]);
      expect(harness.point.session.store.messages, where).toEqual([]);
      const { transactions } = harness.csms;
      expect(transactions.length, where).toBe(2);
      expect(
        transactions.map((one) => one.stopUtc !== undefined),
        where,
      ).toEqual([true, true]);
      // A cut in the moment of a stop from afar may lose the order; then the car leaving ends it.
      expect(transactions[0], where).toMatchObject({ meterStart: 5000, meterStop: 6100 });
      expect(transactions[1], where).toMatchObject({ meterStart: 6100, meterStop: 7600 });
      const ids = harness.csms.records
        .filter((one) => one.action === "StopTransaction")
        .map((one) => one.payload["transactionId"]);
      expect(new Set(ids), where).toEqual(new Set(transactions.map((one) => one.id)));
    }
    expect(cuts).toBeGreaterThan(30);
  });
});
