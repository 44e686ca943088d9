/** Module and platform over WSS with basic authentication, on real sockets; the charger beside it in real time. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Csms } from "../../host-sim/csms/platform.js";
import { startCsms } from "../../host-sim/csms/server.js";
import { OcppRig } from "../support/ocpp-rig.js";

const data = mkdtempSync(join(tmpdir(), "openucm-csms-"));
afterAll(() => rmSync(data, { recursive: true, force: true }));

describe("the embedded platform, over WSS with basic authentication", () => {
  let csms: Csms;
  let rig: OcppRig;

  beforeAll(async () => {
    csms = await startCsms({ dataDir: data, heartbeatSeconds: 60 });
    rig = new OcppRig({
      ...{ url: csms.url, dataDir: data },
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
});

describe("who may not connect", () => {
  const attempt = async (
    options: Partial<Parameters<typeof startCsms>[0]>,
    credentials: (csms: Csms) => { ca?: string; password?: string },
  ): Promise<string> => {
    const csms = await startCsms({ dataDir: data, ...options });
    const rig = new OcppRig({ url: csms.url, dataDir: join(data, "none"), credentials: credentials(csms) });
    rig.start();
    try {
      await rig.until("it fails", () => rig.upstream.fault !== "", 15_000);
      expect(csms.connected()).toEqual([]);
      return rig.upstream.fault;
    } finally {
      await rig.close();
      await csms.close();
    }
  };
  const ca = (csms: Csms): string => readFileSync(csms.ca, "utf8");

  it("a wrong password: 401", async () => {
    expect(await attempt({}, (csms) => ({ ca: ca(csms), password: "wrong" }))).toBe("http-401");
  });

  it("no password: 401", async () => {
    expect(await attempt({}, (csms) => ({ ca: ca(csms) }))).toBe("http-401");
  });

  it.each([
    ["expired", "tls-expired"],
    ["wrong-host", "tls-host-name"],
    ["self-signed", "tls-untrusted"],
    ["forged-chain", "tls-untrusted"],
  ] as const)("a platform with a certificate that is %s", async (certificate, fault) => {
    expect(await attempt({ certificate }, (csms) => ({ ca: ca(csms), password: passwordOf(csms) }))).toBe(
      fault,
    );
  });

  it("a platform that wants a client certificate (profile 3), and none is there", async () => {
    expect(await attempt({ clientCertificates: true }, (csms) => ({ ca: ca(csms) }))).toMatch(
      /^(tls|closed)/,
    );
  });
});

function passwordOf(csms: Csms): string {
  return readFileSync(csms.passwordFile, "utf8").trim();
}
