/** The whole conversation with `ocpp-rpc` in strict mode over WSS with basic authentication, in real time. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Csms } from "../../host-sim/csms/platform.js";
import { startCsms } from "../../host-sim/csms/server.js";
import { OcppRig } from "../support/ocpp-rig.js";

const data = mkdtempSync(join(tmpdir(), "openucm-csms-"));
afterAll(() => rmSync(data, { recursive: true, force: true }));

describe("against ocpp-rpc in strict mode, over WSS with basic authentication", () => {
  let csms: Csms;
  let rig: OcppRig;

  beforeAll(async () => {
    csms = await startCsms({ dataDir: data, heartbeatSeconds: 60 });
    rig = new OcppRig({
      ...{ url: csms.url, dataDir: data, startsBy: "platform" },
      credentials: { ca: readFileSync(csms.ca, "utf8"), password: passwordOf(csms) },
    });
    rig.start();
  });

  afterAll(async () => {
    await rig.close();
    await csms.close();
    expect(csms.faults).toEqual([]);
  });

  const point = () => csms.core.point("CP-1");

  it("boots and tells its status", async () => {
    await rig.until("status", () => point().status !== "" && point().status !== "Unavailable");
    expect(point().boot).toMatchObject({ chargePointVendor: "OpenUCM" });
  });

  it("is configured as ev.energy does", async () => {
    const change = (key: string, value: string) =>
      csms.ask({ action: "ChangeConfiguration", payload: { key, value } });
    expect(await change("MeterValueSampleInterval", "2")).toEqual({ status: "Accepted" });
    expect(
      await change("MeterValuesSampleData", "Energy.Active.Import.Register,Power.Active.Import"),
    ).toEqual({
      status: "Accepted",
    });
    expect(await change("NoSuchKey", "1")).toEqual({ status: "NotSupported" });
    expect(await change("NumberOfConnectors", "2")).toEqual({ status: "Rejected" });
    const all = await csms.ask({ action: "GetConfiguration", payload: {} });
    expect((all["configurationKey"] as unknown[]).length).toBeGreaterThan(30);
    expect(JSON.stringify(all)).not.toContain(passwordOf(csms));
  });

  it("starts from afar, follows 16, 6 and 0 A within 10 s each, tells the schedule, stops from afar", async () => {
    rig.sgd.plug();
    expect(
      await csms.ask({ action: "RemoteStartTransaction", payload: { idTag: "DRIVER-1", connectorId: 1 } }),
    ).toEqual({ status: "Accepted" });
    await rig.until("32 A", () => rig.amperes > 31.8, 30_000);
    await rig.until("the start is told", () => point().running?.idTag === "DRIVER-1");
    for (const limit of [16, 6, 0]) {
      expect(await csms.setLimit({ limit, purpose: "TxProfile" })).toEqual({ status: "Accepted" });
      await rig.until(`${String(limit)} A`, () => Math.abs(rig.amperes - limit) < 0.15, 10_000);
    }
    const schedule = await csms.ask({
      action: "GetCompositeSchedule",
      payload: { connectorId: 1, duration: 600, chargingRateUnit: "A" },
    });
    expect(schedule).toMatchObject({
      status: "Accepted",
      chargingSchedule: { chargingSchedulePeriod: [{ startPeriod: 0, limit: 0 }] },
    });
    expect(await csms.clearLimits("TxProfile")).toEqual({ status: "Accepted" });
    await rig.until("32 A again", () => rig.amperes > 31.8, 20_000);
    await rig.until("meter values", () => (point().running?.energy.length ?? 0) >= 3, 10_000);
    const transactionId = point().running!.id;
    expect(await csms.ask({ action: "RemoteStopTransaction", payload: { transactionId } })).toEqual({
      status: "Accepted",
    });
    await rig.until("0 A", () => rig.amperes < 0.1, 20_000);
    await rig.until("the stop is told", () => point().running === undefined, 20_000);
    const [transaction] = point().transactions;
    expect(transaction).toMatchObject({ reason: "Remote" });
    const metered = transaction!.meterStop! - transaction!.meterStart;
    expect(Math.abs(metered - rig.energyWh)).toBeLessThanOrEqual(2);
  }, 90_000);

  it.each([
    "BootNotification",
    "StatusNotification",
    "Heartbeat",
    "MeterValues",
    "FirmwareStatusNotification",
  ])("sends %s when triggered", async (requestedMessage) => {
    const before = point().got(requestedMessage).length;
    expect(await csms.ask({ action: "TriggerMessage", payload: { requestedMessage } })).toEqual({
      status: "Accepted",
    });
    await rig.until("it comes", () => point().got(requestedMessage).length > before, 5000);
  });

  it("takes a new password and keeps it; comes back after the platform's restart", async () => {
    const next = "a-new-password-of-the-platform";
    expect(
      await csms.ask({ action: "ChangeConfiguration", payload: { key: "AuthorizationKey", value: next } }),
    ).toEqual({ status: "Accepted" });
    csms.setPassword(next);
    await rig.until("gone", () => csms.connected().length === 0, 5000);
    await rig.until("back", () => csms.connected().length === 1, 10_000);
    expect(rig.keptPassword).toBe(next);
    csms.dropAll();
    await rig.until("gone again", () => rig.upstream.state === "failing", 5000);
    await rig.until("back again", () => rig.upstream.state === "online", 20_000);
  }, 40_000);
});

function passwordOf(csms: Csms): string {
  return readFileSync(csms.passwordFile, "utf8").trim();
}
