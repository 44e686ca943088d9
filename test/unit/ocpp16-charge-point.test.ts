/** The charge point's own behaviour: boot, status, transactions, keys, requests. */
import { describe, expect, it } from "vitest";
import { CsmsCore, type CsmsRules } from "../../host-sim/csms/core.js";
import type { CertificateCall } from "../../src/ports/certificates.js";
import type { FirmwareStatus } from "../../src/ocpp16/services.js";
import { Harness } from "../support/ocpp-harness.js";

type Json = Readonly<Record<string, unknown>>;

const CHARGING = { opState: 1, powerW: 7200 };
const IDLE = { opState: 0, powerW: 0 };

const withRules = (rules: CsmsRules, config = {}) =>
  new Harness(config, {}, { core: new CsmsCore({ heartbeatSeconds: 3600, ...rules }) });
const actions = (harness: Harness): string[] =>
  harness.sent
    .map((text) => JSON.parse(text) as [number, string, string])
    .filter(([type]) => type === 2)
    .map(([, , action]) => action);
const statuses = (harness: Harness): unknown[] =>
  harness.csms
    .got("StatusNotification")
    .filter((one) => one["connectorId"] === 1)
    .map((one) => one["status"]);

describe("connection", () => {
  it("asks for wss with the identity in the path, basic authentication by name, and its subprotocol", () => {
    const harness = new Harness({ chargePointId: "CP 1/ä" });
    harness.reachable = false;
    harness.start();
    expect(harness.request).toMatchObject({
      url: "wss://csms.test/ocpp/CP%201%2F%C3%A4",
      subprotocol: "ocpp1.6",
      credentials: "platform",
      user: "CP 1/ä",
    });
  });

  it.each([
    ["ws://csms.example/ocpp", "stopped"],
    ["ws://127.0.0.1.example/ocpp", "stopped"],
    ["ws://127.0.0.1:8080/ocpp", "registering"],
    ["ws://localhost/ocpp", "registering"],
    ["ws://[::1]:1/ocpp", "registering"],
  ])("%s: %s", (url, state) => {
    const harness = new Harness({ url });
    harness.answers = false;
    expect(harness.start().point.status()).toMatchObject({ state });
  });

  it("waits for the clock before TLS", () => {
    const harness = new Harness();
    harness.clockSet = false;
    harness.start().advance(30_000);
    expect(harness.request).toBeUndefined();
    expect(harness.point.status()).toMatchObject({ state: "connecting", text: "Waiting for the clock." });
    harness.clockSet = true;
    harness.advance(5000);
    expect(harness.point.status().state).toBe("online");
  });

  it("refuses another subprotocol with 1002, and comes back with a growing back-off", () => {
    const harness = new Harness();
    harness.reachable = false;
    harness.start();
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      const { id } = harness.request!;
      harness.point.onWebSocket({ id, ev: "open", subprotocol: "" }, harness.now);
      expect(harness.closes.pop()).toMatchObject({ code: 1002 });
      waits.push(harness.point.nextMs() - harness.ms);
      harness.request = undefined;
      for (let s = 0; s < 700 && harness.request === undefined; s++) harness.advance(1000);
    }
    expect(Math.max(...waits.slice(0, 2))).toBeLessThanOrEqual(10_000);
    expect(Math.max(...waits)).toBeGreaterThan(30_000);
    expect(harness.point.status().fault).toBe("ocpp-subprotocol");
  });

  it("modules that lost the same platform do not come back together", () => {
    const waits = new Set<number>();
    for (let i = 0; i < 20; i++) {
      const harness = new Harness({}, {}, { seed: 50 + i }).start();
      harness.reachable = false;
      harness.cut();
      waits.add(harness.point.nextMs() - harness.ms);
    }
    expect(waits.size).toBeGreaterThan(15);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...waits)).toBeLessThanOrEqual(5000);
  });

  it("what the platform sends while a call of ours is open is answered at once; ours goes on when it is free", () => {
    const harness = new Harness().start();
    harness.answers = false;
    harness.ask("TriggerMessage", { requestedMessage: "Heartbeat" });
    harness.ask("TriggerMessage", { requestedMessage: "StatusNotification" });
    const calls = actions(harness).slice(-1);
    expect(calls).toEqual(["Heartbeat"]);
    const [, id] = JSON.parse(harness.sent.find((text) => text.includes('"Heartbeat"'))!) as [number, string];
    harness.deliver(`[3,"another",{}]`);
    expect(actions(harness).slice(-1)).toEqual(["Heartbeat"]);
    harness.deliver(`[3,"${id}",{"currentTime":"2026-11-21T12:00:00Z"}]`);
    expect(actions(harness).slice(-1)).toEqual(["StatusNotification"]);
  });

  it("one call at a time; no answer within 30 s twice ends the connection", () => {
    const harness = new Harness();
    harness.answers = false;
    harness.start();
    expect(actions(harness)).toEqual(["BootNotification"]);
    harness.advance(29_000);
    expect(actions(harness)).toEqual(["BootNotification"]);
    harness.advance(91_200);
    expect(actions(harness).filter((one) => one === "BootNotification")).toHaveLength(2);
    expect(harness.closes).toMatchObject([{ code: 1001 }]);
  });
});

describe("BootNotification", () => {
  it("Accepted: sets heartbeat and clock; says it once, not again after a lost connection", () => {
    const harness = withRules({ heartbeatSeconds: 100 }).start();
    expect(harness.csms.boot).toMatchObject({
      chargePointModel: "Garage 32",
      chargePointSerialNumber: "S-1",
    });
    harness.advance(250_000);
    expect(harness.csms.got("Heartbeat")).toHaveLength(2);
    harness.cut().advance(30_000);
    expect(harness.csms.boots).toBe(1);
    expect(harness.point.status().state).toBe("online");
  });

  it("Pending: answers and triggers work, nothing else is sent until Accepted", () => {
    const harness = withRules({ boot: ["Pending", "Accepted"], heartbeatSeconds: 120 }).start();
    harness.tell(CHARGING).advance(60_000);
    expect(actions(harness)).toEqual(["BootNotification"]);
    expect(harness.point.status().state).toBe("registering");
    expect(harness.ask("GetConfiguration", { key: ["HeartbeatInterval"] })).toHaveProperty(
      "configurationKey",
    );
    expect(harness.ask("TriggerMessage", { requestedMessage: "StatusNotification" })).toEqual({
      status: "Accepted",
    });
    expect(actions(harness)).toContain("StatusNotification");
    expect(actions(harness)).not.toContain("StartTransaction");
    harness.advance(70_000);
    expect(actions(harness)).toContain("StartTransaction");
  });

  it("Rejected: silent for the interval, refuses requests, says so", () => {
    const harness = withRules({ boot: ["Rejected", "Accepted"], heartbeatSeconds: 200 }).start();
    expect(harness.ask("Reset", { type: "Soft" })).toHaveProperty("error");
    harness.advance(150_000);
    expect(actions(harness)).toEqual(["BootNotification"]);
    expect(harness.point.status()).toMatchObject({ state: "failing", fault: "ocpp-rejected" });
    harness.advance(60_000);
    expect(harness.point.status().state).toBe("online");
  });
});

describe("status (requirements 2.3)", () => {
  it.each([
    [0, 0, "Available"],
    [1, 7000, "Charging"],
    [2, 3000, "Charging"],
    [3, 7000, "Charging"],
    [4, 0, "Available"],
    [5, 0, "Faulted"],
    [6, 0, "Available"],
    [7, 7000, "Charging"],
    [8, 0, "Available"],
    [9, 7000, "Charging"],
    [9, 0, "Available"],
    [10, 0, "Available"],
    [11, 0, "Available"],
    [12, 7000, "Charging"],
    [13, 7000, "Charging"],
    [14, 0, "Available"],
    [200, 7000, "Charging"],
    [200, 0, "Available"],
  ])("state %i with %i W and no evidence of a car: %s", (opState, powerW, status) => {
    const harness = new Harness({ startsBy: "platform" }).start();
    harness.tell({ opState, powerW }).advance(2000);
    expect(statuses(harness).pop()).toBe(status);
  });

  it.each([
    [0, "SuspendedEV"],
    [4, "SuspendedEVSE"],
    [6, "SuspendedEV"],
    [8, "SuspendedEVSE"],
    [11, "SuspendedEVSE"],
    [14, "SuspendedEV"],
    [5, "Faulted"],
  ])("state %i within a transaction: %s", (opState, status) => {
    const harness = new Harness().start();
    harness.tell(CHARGING).advance(1000).tell({ opState, powerW: 0 }).advance(2000);
    expect(statuses(harness).pop()).toBe(status);
  });

  it("with evidence: Preparing, Charging, SuspendedEV, Available", () => {
    const harness = new Harness().start();
    harness.tell({ ...IDLE, storageTotalWh: 60_000 }).advance(1000);
    harness.tell(CHARGING).advance(1000);
    harness.tell(IDLE).advance(3_600_000);
    expect(harness.csms.running).toBeDefined();
    harness.tell({ storageTotalWh: 0 }).advance(1000);
    expect(statuses(harness).filter((one, i, all) => one !== all[i - 1])).toEqual(
      ["Unavailable", "Available", "Preparing", "Charging", "SuspendedEV", "Available"].slice(
        statuses(harness)[0] === "Unavailable" ? 0 : 1,
      ),
    );
    expect(harness.csms.transactions).toMatchObject([{ reason: "EVDisconnected" }]);
  });

  it("without evidence: a transaction ends after half an hour without charging", () => {
    const harness = new Harness().start();
    harness
      .tell({ ...CHARGING, energyWh: 5000 })
      .advance(1000)
      .tell({ ...IDLE, energyWh: 9000 });
    harness.advance(29 * 60_000);
    expect(harness.csms.running).toBeDefined();
    harness.advance(2 * 60_000);
    expect(harness.csms.transactions).toMatchObject([{ meterStart: 5000, meterStop: 9000, reason: "Other" }]);
  });

  it("a charger that falls silent is Faulted after a minute", () => {
    const harness = new Harness().start();
    harness.tell({ link: "absent" }).advance(59_000);
    expect(statuses(harness).pop()).toBe("Available");
    harness.advance(2000);
    expect(harness.csms.got("StatusNotification").at(-1)).toMatchObject({
      status: "Faulted",
      errorCode: "OtherError",
      info: "the charger does not answer",
    });
  });

  it("MinimumStatusDuration holds short states back", () => {
    const harness = new Harness({ startsBy: "platform" }).start();
    harness.ask("ChangeConfiguration", { key: "MinimumStatusDuration", value: "10" });
    const before = statuses(harness).length;
    harness.tell(CHARGING).advance(5000).tell(IDLE).advance(20_000);
    expect(statuses(harness).length).toBe(before);
    harness.tell(CHARGING).advance(11_000);
    expect(statuses(harness).pop()).toBe("Charging");
  });
});

describe("transactions", () => {
  it("remote start waits for its car, and is dropped after ConnectionTimeOut", () => {
    const harness = new Harness({ startsBy: "platform" }).start();
    expect(harness.limit).toBe(0);
    expect(harness.ask("RemoteStartTransaction", { idTag: "A" })).toEqual({ status: "Accepted" });
    expect(harness.events.map((event) => event.intervals[0]?.ask.ask)).toEqual(["load-up"]);
    expect(harness.ask("RemoteStartTransaction", { idTag: "B" })).toEqual({ status: "Rejected" });
    harness.advance(121_000);
    expect(harness.limit).toBe(0);
    harness.ask("RemoteStartTransaction", { idTag: "C" });
    harness.tell(CHARGING).advance(1000);
    expect(harness.csms.running).toMatchObject({ idTag: "C" });
    expect(harness.events).toEqual([]);
  });

  it("a start from afar may bring its TxProfile, which holds from the first ampere to the end", () => {
    const harness = new Harness({ startsBy: "platform" }).start();
    const chargingProfile = {
      ...{
        chargingProfileId: 9,
        stackLevel: 0,
        chargingProfilePurpose: "TxProfile",
        chargingProfileKind: "Relative",
      },
      chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 11 }] },
    };
    const start = (profile: object) =>
      harness.ask("RemoteStartTransaction", { idTag: "A", chargingProfile: profile });
    expect(start({ ...chargingProfile, chargingProfilePurpose: "TxDefaultProfile" })).toEqual({
      status: "Rejected",
    });
    expect(start(chargingProfile)).toEqual({ status: "Accepted" });
    expect(harness.limit).toBe(11);
    harness.tell({ ...CHARGING, storageTotalWh: 1 }).advance(1000);
    expect(harness.limit).toBe(11);
    harness.boot().start();
    expect(harness.limit).toBe(11);
    harness.tell({ ...IDLE, storageTotalWh: 0 }).advance(1000);
    expect(harness.limit).toBe(0);
    expect(harness.point.profiles.profiles).toEqual([]);
  });

  it("AuthorizeRemoteTxRequests asks first; a refused idTag starts nothing", () => {
    const harness = withRules({ refusedTags: ["BAD"] }, { startsBy: "platform" }).start();
    harness.ask("ChangeConfiguration", { key: "AuthorizeRemoteTxRequests", value: "true" });
    harness.ask("RemoteStartTransaction", { idTag: "BAD" });
    harness.advance(1000);
    expect(harness.limit).toBe(0);
    expect(harness.csms.got("Authorize")).toEqual([{ idTag: "BAD" }]);
  });

  it("remote stop holds the charger until the car has left; a wrong number is rejected", () => {
    const harness = new Harness().start();
    harness.tell({ ...CHARGING, storageTotalWh: 60_000 }).advance(1000);
    expect(harness.ask("RemoteStopTransaction", { transactionId: 99 })).toEqual({ status: "Rejected" });
    expect(harness.ask("RemoteStopTransaction", { transactionId: 1 })).toEqual({ status: "Accepted" });
    expect(harness.limit).toBe(0);
    harness.tell({ ...IDLE, energyWh: 5050 }).advance(1000);
    expect(harness.csms.transactions).toMatchObject([{ meterStop: 5050, reason: "Remote" }]);
    harness.advance(24 * 3_600_000);
    expect(harness.limit).toBe(0);
    harness.tell({ storageTotalWh: 0 }).advance(1000);
    expect(harness.events).toEqual([]);
  });

  it("an idTag that the platform does not take: stopped, or without energy, as StopTransactionOnInvalidId has it", () => {
    const stopped = withRules({ refusedTags: ["CP-1"] }).start();
    stopped.tell(CHARGING).advance(1000).tell(IDLE).advance(20_000);
    expect(stopped.csms.transactions).toMatchObject([{ reason: "DeAuthorized" }]);
    expect(stopped.limit).toBe(0);
    const kept = withRules({ refusedTags: ["CP-1"] }).start();
    kept.ask("ChangeConfiguration", { key: "StopTransactionOnInvalidId", value: "false" });
    kept.tell(CHARGING).advance(20_000);
    expect(kept.csms.running).toBeDefined();
    expect(kept.limit).toBe(0);
  });

  it("what the platform fails to take is tried again, later each time, and given up at last", () => {
    const harness = withRules({ failures: { StartTransaction: 2 } }).start();
    harness.ask("ChangeConfiguration", { key: "TransactionMessageRetryInterval", value: "10" });
    harness.tell(CHARGING).advance(9000);
    expect(harness.csms.got("StartTransaction")).toHaveLength(1);
    harness.advance(2000);
    expect(harness.csms.got("StartTransaction")).toHaveLength(2);
    harness.advance(21_000);
    expect(harness.csms.running).toBeDefined();
    const given = withRules({ failures: { StartTransaction: 99 } }).start();
    given.ask("ChangeConfiguration", { key: "TransactionMessageRetryInterval", value: "1" });
    given.tell(CHARGING).advance(60_000);
    expect(given.csms.got("StartTransaction")).toHaveLength(3);
  });

  it("samples each interval, and at the clock's quarters", () => {
    const harness = new Harness().start();
    harness.ask("ChangeConfiguration", { key: "ClockAlignedDataInterval", value: "900" });
    harness.tell(CHARGING).advance(1_800_000);
    const values = harness.csms.got("MeterValues").map((one) => JSON.stringify(one));
    expect(values.filter((one) => one.includes("Sample.Periodic"))).toHaveLength(30);
    const aligned = values.filter((one) => one.includes("Sample.Clock"));
    expect(aligned.map((one) => /timestamp":"([^"]+)/.exec(one)?.[1])).toEqual([
      "2026-11-21T12:15:00.000Z",
      "2026-11-21T12:30:00.000Z",
    ]);
    expect(harness.faults).toEqual([]);
  });

  it("StopTxnSampledData gives begin and end with the stop", () => {
    const harness = new Harness().start();
    harness.ask("ChangeConfiguration", { key: "StopTxnSampledData", value: "Energy.Active.Import.Register" });
    harness
      .tell({ ...CHARGING, storageTotalWh: 1 })
      .advance(1000)
      .tell({ energyWh: 5200, storageTotalWh: 0, ...IDLE })
      .advance(1000);
    const [stop] = harness.csms.got("StopTransaction");
    expect(
      (stop!["transactionData"] as { sampledValue: unknown[] }[]).map((one) => one.sampledValue[0]),
    ).toMatchObject([
      { value: "5000", context: "Transaction.Begin" },
      { value: "5200", context: "Transaction.End" },
    ]);
  });

  it("StopTxnAlignedData gives the clock's quarters with the stop, thinned where they are many", () => {
    const harness = new Harness({ evidence: "storage" }).start();
    const set = (key: string, value: string) => harness.ask("ChangeConfiguration", { key, value });
    set("ClockAlignedDataInterval", "900");
    set("StopTxnAlignedData", "Energy.Active.Import.Register");
    set("StopTxnSampledData", "Energy.Active.Import.Register");
    harness.tell({ ...CHARGING, storageTotalWh: 60_000 }).advance(4 * 900_000);
    harness.tell({ ...IDLE, storageTotalWh: 0 });
    const dataOf = (): Json[] => harness.csms.got("StopTransaction").at(-1)!["transactionData"] as Json[];
    const contexts = dataOf().map((one) => (one["sampledValue"] as Json[])[0]!["context"]);
    expect(contexts).toEqual([
      "Transaction.Begin",
      ...Array<string>(4).fill("Sample.Clock"),
      "Transaction.End",
    ]);
    expect(dataOf()[1]!["timestamp"]).toMatch(/:15:00/);
    // A night and a day: no record of the store would hold all of it.
    harness.tell({ ...CHARGING, storageTotalWh: 60_000 }).advance(96 * 900_000);
    harness.tell({ ...IDLE, storageTotalWh: 0 });
    expect(JSON.stringify(dataOf()).length).toBeLessThan(2500);
    expect(dataOf().length).toBeGreaterThan(6);
    expect(JSON.stringify(dataOf()[0])).toContain("Transaction.Begin");
    expect(JSON.stringify(dataOf().at(-1))).toContain("Transaction.End");
    expect(harness.faults).toEqual([]);
  });

  it("the register never falls, though the charger's meter begins anew", () => {
    const harness = new Harness().start();
    harness
      .tell({ ...CHARGING, storageTotalWh: 1 })
      .advance(1000)
      .tell({ energyWh: 5500 })
      .tell({ energyWh: 3 })
      .tell({ energyWh: 103 });
    harness.tell({ ...IDLE, storageTotalWh: 0 }).advance(1000);
    expect(harness.csms.transactions).toMatchObject([{ meterStart: 5000, meterStop: 5600 }]);
  });
});

describe("limits", () => {
  const limit = (value: number, more = {}) => ({
    connectorId: 1,
    csChargingProfiles: {
      ...{
        chargingProfileId: 5,
        stackLevel: 0,
        chargingProfilePurpose: "TxProfile",
        chargingProfileKind: "Relative",
      },
      chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: value }] },
      ...more,
    },
  });

  it("a TxProfile needs its transaction, and ends with it", () => {
    const harness = new Harness().start();
    expect(harness.ask("SetChargingProfile", limit(10))).toEqual({ status: "Rejected" });
    harness.tell({ ...CHARGING, storageTotalWh: 1 }).advance(1000);
    expect(harness.ask("SetChargingProfile", limit(10, { transactionId: 77 }))).toEqual({
      status: "Rejected",
    });
    expect(harness.ask("SetChargingProfile", limit(10, { transactionId: 1 }))).toEqual({
      status: "Accepted",
    });
    expect(harness.limit).toBe(10);
    harness.tell({ ...IDLE, storageTotalWh: 0 }).advance(1000);
    expect(harness.events).toEqual([]);
  });

  it.each([
    ["stack level 9", { stackLevel: 9 }],
    [
      "recurring without a begin",
      {
        chargingProfilePurpose: "TxDefaultProfile",
        chargingProfileKind: "Recurring",
        recurrencyKind: "Daily",
      },
    ],
    [
      "ChargePointMaxProfile on a connector",
      { chargingProfilePurpose: "ChargePointMaxProfile", chargingProfileKind: "Absolute" },
    ],
    ["expired", { chargingProfilePurpose: "TxDefaultProfile", validTo: "2026-01-01T00:00:00Z" }],
    [
      "no periods",
      {
        chargingProfilePurpose: "TxDefaultProfile",
        chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [] },
      },
    ],
  ])("Rejected: %s", (_, more) => {
    const harness = new Harness().start();
    harness.tell(CHARGING).advance(1000);
    expect(harness.ask("SetChargingProfile", limit(10, more))).toEqual({ status: "Rejected" });
    expect(harness.events).toEqual([]);
  });

  it("survives a lost connection and a restart, and is renewed by itself", () => {
    const harness = new Harness().start();
    harness.ask("SetChargingProfile", limit(13, { chargingProfilePurpose: "TxDefaultProfile" }));
    harness.reachable = false;
    harness.cut().advance(3 * 86_400_000);
    expect(harness.limit).toBe(13);
    harness.events = [];
    harness.boot().start();
    expect(harness.limit).toBe(13);
  });

  it("clears by id, purpose, stack level; Unknown where nothing fits", () => {
    const harness = new Harness().start();
    const base = { chargingProfilePurpose: "TxDefaultProfile" };
    harness.ask("SetChargingProfile", limit(10, { ...base, chargingProfileId: 1 }));
    harness.ask("SetChargingProfile", limit(12, { ...base, chargingProfileId: 2, stackLevel: 1 }));
    expect(harness.limit).toBe(12);
    expect(harness.ask("ClearChargingProfile", { stackLevel: 5 })).toEqual({ status: "Unknown" });
    expect(harness.ask("ClearChargingProfile", { stackLevel: 1 })).toEqual({ status: "Accepted" });
    expect(harness.limit).toBe(10);
    expect(harness.ask("ClearChargingProfile", { id: 1 })).toEqual({ status: "Accepted" });
    expect(harness.events).toEqual([]);
  });

  it("no room for a ninth profile", () => {
    const harness = new Harness().start();
    const base = { chargingProfilePurpose: "TxDefaultProfile" };
    for (let i = 0; i < 8; i++)
      expect(
        harness.ask("SetChargingProfile", limit(10, { ...base, chargingProfileId: i, stackLevel: i })),
      ).toEqual({ status: "Accepted" });
    expect(
      harness.ask("SetChargingProfile", limit(10, { ...base, chargingProfileId: 8, stackLevel: 8 })),
    ).toEqual({ status: "Rejected" });
  });

  it("a random delay moves what a schedule changes, and not what is ordered now", () => {
    const harness = new Harness({ delayMaxMs: 600_000 }).start();
    const schedule = {
      chargingRateUnit: "A",
      chargingSchedulePeriod: [
        { startPeriod: 0, limit: 10 },
        { startPeriod: 3600, limit: 20 },
      ],
    };
    harness.ask(
      "SetChargingProfile",
      limit(0, {
        chargingProfilePurpose: "TxDefaultProfile",
        chargingProfileKind: "Absolute",
        chargingSchedule: { ...schedule, startSchedule: "2026-11-21T12:00:01Z" },
      }),
    );
    const [first, second] = harness.events[0]!.intervals;
    expect(first).toMatchObject({ offsetMs: 0, ask: { value: 10 } });
    expect(second!.offsetMs).toBeGreaterThan(3_600_000);
    expect(second!.offsetMs).toBeLessThanOrEqual(4_200_000);
    expect(harness.events[0]).toMatchObject({ delayApplied: true });
  });
});

describe("requests", () => {
  it("availability: Inoperative holds the charger, also over a restart; within a transaction it is scheduled", () => {
    const harness = new Harness().start();
    harness.tell({ ...CHARGING, storageTotalWh: 1 }).advance(1000);
    const change = (type: string) => harness.ask("ChangeAvailability", { connectorId: 0, type });
    expect(change("Inoperative")).toEqual({ status: "Scheduled" });
    expect(harness.limit).toBeUndefined();
    harness.tell({ ...IDLE, storageTotalWh: 0 }).advance(1000);
    expect(harness.limit).toBe(0);
    expect(statuses(harness).pop()).toBe("Unavailable");
    harness.boot().start();
    expect(harness.limit).toBe(0);
    expect(change("Operative")).toEqual({ status: "Accepted" });
    expect(harness.events).toEqual([]);
    expect(harness.ask("ChangeAvailability", { connectorId: 3, type: "Operative" })).toEqual({
      status: "Rejected",
    });
  });

  it("Reset ends the transaction, answers, and boots anew without touching the charger's limit", () => {
    const harness = new Harness().start();
    harness.ask("SetChargingProfile", {
      connectorId: 0,
      csChargingProfiles: {
        chargingProfileId: 1,
        stackLevel: 0,
        chargingProfilePurpose: "ChargePointMaxProfile",
        chargingProfileKind: "Absolute",
        chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 9 }] },
      },
    });
    harness.tell(CHARGING).advance(1000);
    expect(harness.ask("Reset", { type: "Hard" })).toEqual({ status: "Accepted" });
    harness.advance(5000);
    expect(harness.csms.boots).toBe(2);
    expect(harness.csms.transactions[0]).toMatchObject({ reason: "HardReset" });
    expect(harness.limit).toBe(9);
  });

  it.each([
    ["ReserveNow", "NotSupported"],
    ["SendLocalList", "NotSupported"],
    ["InstallCertificate", "NotSupported"],
    ["SignedUpdateFirmware", "NotSupported"],
    ["Nonsense", "NotImplemented"],
    ["toString", "NotImplemented"],
  ])("%s: %s", (action, code) => {
    const harness = new Harness().start();
    harness.deliver(JSON.stringify([2, "x", action, {}]));
    expect((JSON.parse(harness.sent.at(-1)!) as unknown[]).slice(0, 3)).toEqual([4, "x", code]);
  });

  it.each([
    ["UnlockConnector", { connectorId: 1 }, { status: "NotSupported" }],
    ["ClearCache", {}, { status: "Rejected" }],
    ["DataTransfer", { vendorId: "x" }, { status: "UnknownVendorId" }],
    ["GetDiagnostics", { location: "ftp://x.test/" }, {}],
    [
      "GetLog",
      { logType: "SecurityLog", requestId: 1, log: { remoteLocation: "https://x.test/" } },
      { status: "Rejected" },
    ],
    ["CertificateSigned", { certificateChain: "x" }, { status: "Rejected" }],
    [
      "ExtendedTriggerMessage",
      { requestedMessage: "SignChargePointCertificate" },
      { status: "NotImplemented" },
    ],
    ["ExtendedTriggerMessage", { requestedMessage: "LogStatusNotification" }, { status: "Accepted" }],
    ["TriggerMessage", { requestedMessage: "DiagnosticsStatusNotification" }, { status: "Accepted" }],
  ])("%s is answered honestly", (action, payload, answer) => {
    const harness = new Harness().start();
    expect(harness.ask(action, payload)).toEqual(answer);
    expect(harness.faults).toEqual([]);
  });

  it("GetLog with a journal: uploaded, and told how it went", () => {
    const harness = new Harness({}, { logs: { read: () => "utc,code,text" } }).start();
    const log = { remoteLocation: "https://x.test/logs/" };
    expect(harness.ask("GetLog", { logType: "SecurityLog", requestId: 7, log })).toEqual({
      status: "Accepted",
      filename: "security.log",
    });
    const [put] = harness.puts;
    expect(put).toMatchObject({
      method: "PUT",
      url: "https://x.test/logs/security.log",
      body: "utc,code,text",
    });
    harness.point.onHttp({ id: put!.id, ev: "head", status: 204, headers: [] }, harness.now);
    harness.point.onHttp({ id: put!.id, ev: "end" }, harness.now);
    harness.settle();
    expect(harness.csms.got("LogStatusNotification")).toEqual([
      { status: "Uploading", requestId: 7 },
      { status: "Uploaded", requestId: 7 },
    ]);
    expect(harness.faults).toEqual([]);
  });

  it("a trigger for a connector that is not there: Rejected", () => {
    const harness = new Harness().start();
    const asked = { requestedMessage: "StatusNotification", connectorId: 2 };
    expect(harness.ask("TriggerMessage", asked)).toEqual({ status: "Rejected" });
  });

  it("UpdateFirmware without an updater: the download has failed", () => {
    const harness = new Harness().start();
    harness.ask("UpdateFirmware", { location: "https://x.test/fw", retrieveDate: "2026-11-21T12:00:00Z" });
    expect(harness.csms.got("FirmwareStatusNotification")).toEqual([{ status: "DownloadFailed" }]);
  });

  it("UpdateFirmware with one: it is handed over, and its progress is told", () => {
    let status: FirmwareStatus = "Idle";
    const orders: unknown[] = [];
    const firmware = { request: (order: unknown) => void orders.push(order), status: () => status };
    const harness = new Harness({}, { firmware }).start();
    harness.ask("UpdateFirmware", {
      location: "https://x.test/fw",
      retrieveDate: "2026-11-21T12:30:00Z",
      retries: 2,
    });
    expect(orders).toMatchObject([{ location: "https://x.test/fw", retries: 2 }]);
    for (status of ["Downloading", "Downloaded", "Installing", "Installed"] as const)
      harness.point.poll(harness.now);
    harness.settle();
    expect(harness.csms.got("FirmwareStatusNotification").map((one) => one["status"])).toEqual([
      "Downloading",
      "Downloaded",
      "Installing",
      "Installed",
    ]);
  });

  it("certificates: a signing request on demand, and a new connection with what was signed", () => {
    const calls: CertificateCall[] = [];
    const harness = new Harness({}, { certificates: { call: (call) => calls.push(call) } }).start();
    const signed = (): string[] => harness.sent.filter((text) => text.includes('"c1"'));
    const about = { credentials: "platform" };
    expect(harness.ask("ExtendedTriggerMessage", { requestedMessage: "SignChargePointCertificate" })).toEqual(
      { status: "Accepted" },
    );
    expect(calls).toEqual([{ do: "request", ...about }]);
    expect(harness.csms.got("SignCertificate")).toEqual([]);
    harness.point.onCertificate({ ev: "requested", ...about, csr: "CSR" }, harness.now);
    harness.settle();
    expect(harness.csms.got("SignCertificate")).toEqual([{ csr: "CSR" }]);
    harness.deliver('[2,"c1","CertificateSigned",{"certificateChain":"PEM"}]');
    expect(calls[1]).toEqual({ do: "install", ...about, chain: "PEM" });
    // Answered when it is known whether it fits, and not before.
    harness.advance(5000);
    expect(signed()).toEqual([]);
    // What the platform asks meanwhile is answered, and does not take the answer's place.
    expect(harness.ask("ClearCache")).toEqual({ status: "Rejected" });
    harness.point.onCertificate({ ev: "installed", credentials: "other", ok: true }, harness.now);
    expect(signed()).toEqual([]);
    harness.point.onCertificate({ ev: "installed", ...about, ok: true }, harness.now);
    expect(signed()).toEqual(['[3,"c1",{"status":"Accepted"}]']);
    harness.advance(2000);
    expect(harness.closes).toMatchObject([{ code: 1001 }]);
    expect(harness.point.status().state).toBe("online");
  });

  it("certificates: one that does not fit is Rejected, and the connection stays; none in time is no answer", () => {
    const harness = new Harness({}, { certificates: { call: () => undefined } }).start();
    harness.deliver('[2,"c1","CertificateSigned",{"certificateChain":"PEM"}]');
    harness.point.onCertificate({ ev: "installed", credentials: "platform", ok: false }, harness.now);
    expect(harness.sent.at(-1)).toBe('[3,"c1",{"status":"Rejected"}]');
    harness.deliver('[2,"c2","CertificateSigned",{"certificateChain":"PEM"}]').cut().advance(60_000);
    const before = harness.sent.length;
    harness.point.onCertificate({ ev: "installed", credentials: "platform", ok: false }, harness.now);
    expect(harness.sent.slice(before)).toEqual([]);
    expect(harness.closes).toEqual([]);
  });

  it("a new AuthorizationKey goes to the world and is never told", () => {
    const harness = new Harness().start();
    const set = (value: string) => harness.ask("ChangeConfiguration", { key: "AuthorizationKey", value });
    expect(set("short")).toEqual({ status: "Rejected" });
    expect(set("a password with spaces in it")).toEqual({ status: "Rejected" });
    expect(set("0123456789abcdef0123456789abcdef01234567")).toEqual({ status: "Accepted" });
    expect(harness.password).toBe("0123456789abcdef0123456789abcdef01234567");
    harness.advance(2000);
    expect(JSON.stringify(harness.ask("GetConfiguration"))).not.toContain("0123456789abcdef");
    expect([...harness.store.values()].join()).not.toContain("0123456789abcdef");
    expect(harness.point.status().state).toBe("online");
  });
});

describe("configuration keys", () => {
  it("has every key that the standard requires of Core and Smart Charging", () => {
    const harness = new Harness().start();
    const keys = (harness.ask("GetConfiguration")["configurationKey"] as { key: string }[]).map(
      (one) => one.key,
    );
    for (const key of [
      "AuthorizeRemoteTxRequests",
      "ClockAlignedDataInterval",
      "ConnectionTimeOut",
      "ConnectorPhaseRotation",
      "GetConfigurationMaxKeys",
      "HeartbeatInterval",
      "LocalAuthorizeOffline",
      "LocalPreAuthorize",
      "MeterValuesAlignedData",
      "MeterValuesSampledData",
      "MeterValueSampleInterval",
      "NumberOfConnectors",
      "ResetRetries",
      "StopTransactionOnEVSideDisconnect",
      "StopTransactionOnInvalidId",
      "StopTxnAlignedData",
      "StopTxnSampledData",
      "SupportedFeatureProfiles",
      "TransactionMessageAttempts",
      "TransactionMessageRetryInterval",
      "UnlockConnectorOnEVSideDisconnect",
      "ChargeProfileMaxStackLevel",
      "ChargingScheduleAllowedChargingRateUnit",
      "ChargingScheduleMaxPeriods",
      "MaxChargingProfilesInstalled",
      "AuthorizationKey",
      "SecurityProfile",
    ])
      expect(keys).toContain(key);
    expect(keys.length).toBeLessThanOrEqual(50);
    expect(harness.faults).toEqual([]);
  });

  it.each([
    ["HeartbeatInterval", "60", "Accepted"],
    ["HeartbeatInterval", "-1", "Rejected"],
    ["HeartbeatInterval", "1.5", "Rejected"],
    ["HeartbeatInterval", "", "Rejected"],
    ["MeterValuesSampledData", "SoC", "Rejected"],
    ["MeterValuesSampledData", "Power.Active.Import , Energy.Active.Import.Register", "Accepted"],
    ["MeterValuesSampleData", "Power.Active.Import", "Accepted"],
    ["NumberOfConnectors", "1", "Rejected"],
    ["StopTransactionOnEVSideDisconnect", "false", "Rejected"],
    ["LocalAuthorizeOffline", "FALSE", "Accepted"],
    ["Nonsense", "1", "NotSupported"],
  ])("%s = %j: %s", (key, value, status) => {
    expect(new Harness().start().ask("ChangeConfiguration", { key, value })).toEqual({ status });
  });

  it("are kept over a restart; unknown ones are named", () => {
    const harness = new Harness().start();
    harness.ask("ChangeConfiguration", { key: "MeterValueSampleInterval", value: "17" });
    harness.boot().start();
    expect(harness.ask("GetConfiguration", { key: ["MeterValueSampleInterval", "Nonsense"] })).toEqual({
      configurationKey: [{ key: "MeterValueSampleInterval", readonly: false, value: "17" }],
      unknownKey: ["Nonsense"],
    });
  });
});
