/** A charging session with `ocpp-rpc` in strict mode over WSS, in real time; what else it judges stands in test/scenario/ocpp16-csms.test.ts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Platform, startPlatform, withCertificate, withPassword } from "../support/ocpp-platform.js";

const data = mkdtempSync(join(tmpdir(), "openucm-csms-"));
afterAll(() => rmSync(data, { recursive: true, force: true }));

describe.each([
  ["basic authentication (security profile 2)", withPassword, false],
  ["a client certificate (security profile 3)", withCertificate, true],
])("against ocpp-rpc in strict mode, over WSS with %s", (_, credentials, clientCertificates) => {
  let platform: Platform;

  beforeAll(async () => {
    const dataDir = join(data, String(clientCertificates));
    const csms = { clientCertificates };
    platform = await startPlatform({ dataDir, csms, credentials, rig: { startsBy: "platform" } });
  });

  afterAll(async () => {
    await platform.close();
    expect(platform.csms.faults).toEqual([]);
  });

  it("starts from afar, follows 16, 6 and 0 A, tells the schedule, stops from afar", async () => {
    const { csms, rig, point } = platform;
    await rig.until("it is found", () => point.status === "Available");
    await platform.ask("ChangeConfiguration", { key: "MeterValueSampleInterval", value: "2" });
    rig.sgd.plug();
    expect(await platform.ask("RemoteStartTransaction", { idTag: "DRIVER-1", connectorId: 1 })).toEqual({
      status: "Accepted",
    });
    await rig.until("32 A", () => rig.amperes > 31.8, 200_000);
    await rig.until("the start is told", () => point.running?.idTag === "DRIVER-1");
    const tookMs: number[] = [];
    for (const limit of [16, 6, 0]) {
      const beganMs = Date.now();
      expect(await csms.setLimit({ limit, purpose: "TxProfile" })).toEqual({ status: "Accepted" });
      await rig.until(`${String(limit)} A`, () => Math.abs(rig.amperes - limit) < 0.15, 200_000);
      tookMs.push(Date.now() - beganMs);
    }
    // Each of them within 10 s: in virtual time (ocpp16-main). What else runs on this machine can only make it longer.
    expect(Math.min(...tookMs)).toBeLessThanOrEqual(10_000);
    const schedule = await platform.ask("GetCompositeSchedule", {
      ...{ connectorId: 1, duration: 600, chargingRateUnit: "A" },
    });
    expect(schedule).toMatchObject({
      status: "Accepted",
      chargingSchedule: { chargingSchedulePeriod: [{ startPeriod: 0, limit: 0 }] },
    });
    expect(await csms.clearLimits("TxProfile")).toEqual({ status: "Accepted" });
    await rig.until("32 A again", () => rig.amperes > 31.8, 200_000);
    await rig.until("meter values", () => (point.running?.energy.length ?? 0) >= 3, 200_000);
    const transactionId = point.running!.id;
    expect(await platform.ask("RemoteStopTransaction", { transactionId })).toEqual({
      status: "Accepted",
    });
    await rig.until("0 A", () => rig.amperes < 0.1, 200_000);
    await rig.until("the stop is told", () => point.running === undefined, 200_000);
    const [transaction] = point.transactions;
    expect(transaction).toMatchObject({ reason: "Remote" });
    const metered = transaction!.meterStop! - transaction!.meterStart;
    expect(Math.abs(metered - rig.energyWh)).toBeLessThanOrEqual(2);
  }, 600_000);

  if (clientCertificates) return;

  it("takes a new password and keeps it; comes back after the platform's restart", async () => {
    const { csms, rig } = platform;
    const next = "a-new-password-of-the-platform";
    expect(await platform.ask("ChangeConfiguration", { key: "AuthorizationKey", value: next })).toEqual({
      status: "Accepted",
    });
    csms.setPassword(next);
    // The platform sees the connection before the module has read that its password was taken.
    await rig.until("the password is kept", () => rig.keptPassword !== undefined, 200_000);
    expect(rig.keptPassword).toBe(next);
    await rig.until("back", () => csms.connected().length === 1 && rig.upstream.state === "online");
    csms.dropAll();
    await rig.until("gone again", () => rig.upstream.state === "failing");
    await rig.until("back again", () => rig.upstream.state === "online", 200_000);
  }, 600_000);
});
