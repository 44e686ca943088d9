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

/** Where power is lost: before a write to the store, before a message reaches the platform, or before its answer comes. */
type Where = "write" | "message" | "answer";

/** Plays the story with power lost at the given one of them; answers whether it was. */
function play(cutAt: number, where: Where = "write"): { readonly harness: Harness; readonly cut: boolean } {
  const core = new CsmsCore({ heartbeatSeconds: 3600 });
  const harness = new Harness({ evidence: "storage" }, {}, { core });
  if (where === "write") harness.writesLeft = cutAt;
  else harness.sendsLeft = cutAt;
  harness.cutsBefore = where === "message";
  let cut = false;
  const guarded = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      cut = true;
      harness.writesLeft = Number.POSITIVE_INFINITY;
      harness.sendsLeft = Number.POSITIVE_INFINITY;
      harness.ms += 5000;
      harness.boot().start();
    }
  };
  guarded(() => harness.start());
  for (const step of STORY) guarded(() => step(harness));
  // The platform takes what it has not got; nothing waits at the end.
  guarded(() => harness.advance(1_300_000));
  guarded(() => harness.advance(1_300_000));
  return { harness, cut };
}

describe("a power cut at every point", () => {
  const whole = play(Number.POSITIVE_INFINITY).harness;

  it("without a cut: two transactions with their energy", () => {
    expect(whole.csms.transactions).toMatchObject([
      { meterStart: 5000, meterStop: 6100, reason: "EVDisconnected" },
      { meterStart: 6100, meterStop: 7600, reason: "Remote" },
    ]);
    expect(whole.faults).toEqual([]);
  });

  it.each([
    ["write", "before every write"],
    ["message", "before every message reaches the platform"],
    ["answer", "before every answer comes"],
  ] as const)("%s: %s: the same two, told once, all energy in them", (kind, _) => {
    let cuts = 0;
    for (let at = 0; ; at++) {
      const { harness, cut } = play(at, kind);
      if (!cut) break;
      cuts++;
      const where = `cut at ${kind} ${String(at)}`;
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
    expect(cuts).toBeGreaterThan(20);
  });
});

describe("a reset by the platform at every step", () => {
  it.each(["Soft", "Hard"])(
    "%s: transactions one after the other, each told once, no energy lost or in two",
    (type) => {
      for (let at = 0; at < STORY.length; at++) {
        const harness = new Harness(
          { evidence: "storage" },
          {},
          { core: new CsmsCore({ heartbeatSeconds: 3600 }) },
        );
        harness.start();
        STORY.forEach((step, i) => {
          step(harness);
          harness.advance(1000);
          if (i === at && harness.isConnected) harness.ask("Reset", { type });
          harness.advance(2000);
        });
        harness.advance(1_300_000);
        const where = `after step ${String(at)}`;
        expect(harness.faults, where).toEqual([]);
        expect(harness.point.session.store.messages, where).toEqual([]);
        const { transactions } = harness.csms;
        let wh = 0;
        let before = 5000;
        for (const { meterStart, meterStop } of transactions) {
          expect(meterStop, where).toBeDefined();
          expect(meterStart, where).toBeGreaterThanOrEqual(before);
          before = meterStop!;
          wh += meterStop! - meterStart;
        }
        expect(wh, where).toBe(2600);
      }
    },
  );
});
