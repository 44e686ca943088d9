/** Against a charging platform that we did not write: `ocpp` by The Mobility House, over WSS with basic authentication. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openPki, type Pki } from "../../host-sim/pki/pki.js";
import { describeNeeding } from "../support/needs.js";
import { OcppRig } from "../support/ocpp-rig.js";
import { ocppPython } from "./ocpp-venv.js";

type Line = Readonly<Record<string, unknown>>;

describeNeeding(["python3"], "against ocpp (PyPI)", () => {
  const data = mkdtempSync(join(tmpdir(), "openucm-ocpp-"));
  const lines: Line[] = [];
  let child: ChildProcess;
  let rig: OcppRig;
  let pki: Pki;
  let url = "";
  let asked = 0;

  const seen = (event: string): Line[] => lines.filter((line) => line["event"] === event);
  const call = async (action: string, payload: Line = {}): Promise<Line> => {
    const id = ++asked;
    child.stdin!.write(`${JSON.stringify({ id, action, payload })}\n`);
    const answer = (): Line | undefined => seen("answer").find((line) => line["id"] === id);
    await rig.until(`an answer to ${action}`, () => answer() !== undefined, 200_000);
    const { error, answer: value } = answer()! as { error?: string; answer: Line };
    return error === undefined ? value : { error };
  };
  const limit = (value: number): Line => ({
    connectorId: 1,
    csChargingProfiles: {
      ...{ chargingProfileId: 1, stackLevel: 0, chargingProfilePurpose: "TxProfile" },
      chargingProfileKind: "Relative",
      chargingSchedule: {
        chargingRateUnit: "A",
        chargingSchedulePeriod: [{ startPeriod: 0, limit: value }],
      },
    },
  });

  beforeAll(async () => {
    pki = await openPki(join(data, "pki"));
    const script = fileURLToPath(new URL("ocpp_csms.py", import.meta.url));
    child = spawn(ocppPython(), [script, pki.server.certPath, pki.server.keyPath, "a-secret-of-this-test"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    createInterface({ input: child.stdout! }).on("line", (line) => lines.push(JSON.parse(line) as Line));
    for (let i = 0; i < 1200 && seen("listening").length === 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    url = `wss://127.0.0.1:${String(seen("listening")[0]!["port"])}/ocpp`;
    rig = new OcppRig({
      ...{ url, dataDir: data, startsBy: "platform" },
      credentials: { ca: pki.ca.cert, password: "a-secret-of-this-test" },
    });
    rig.start();
  }, 600_000);

  afterAll(async () => {
    await rig?.close();
    child?.kill();
    rmSync(data, { recursive: true, force: true });
  });

  it("boots, tells its status and its start-up", async () => {
    await rig.until("status", () => seen("status").some((line) => line["status"] === "Available"));
    expect(seen("boot")[0]).toMatchObject({
      charge_point_vendor: "OpenUCM",
      charge_point_model: "OpenUCM EVSE",
    });
    await rig.until("security event", () => seen("security").length > 0);
  });

  it("is configured and tells its configuration", async () => {
    expect(await call("ChangeConfiguration", { key: "MeterValueSampleInterval", value: "2" })).toMatchObject({
      status: "Accepted",
    });
    expect(await call("ChangeConfiguration", { key: "Nonsense", value: "2" })).toMatchObject({
      status: "NotSupported",
    });
    const all = await call("GetConfiguration");
    expect((all["configuration_key"] as unknown[]).length).toBeGreaterThan(30);
  });

  it("starts from afar, follows 16, 6 and 0 A, tells its schedule, is cleared, stops from afar", async () => {
    rig.sgd.plug();
    expect(await call("RemoteStartTransaction", { idTag: "DRIVER-1", connectorId: 1 })).toMatchObject({
      status: "Accepted",
    });
    await rig.until("32 A", () => rig.amperes > 31.8, 200_000);
    await rig.until("start", () => seen("start").length === 1);
    expect(seen("start")[0]).toMatchObject({ id_tag: "DRIVER-1", transaction_id: 1 });
    for (const value of [16, 6, 0]) {
      expect(await call("SetChargingProfile", limit(value))).toMatchObject({ status: "Accepted" });
      await rig.until(`${String(value)} A`, () => Math.abs(rig.amperes - value) < 0.15, 200_000);
    }
    const schedule = await call("GetCompositeSchedule", { connectorId: 1, duration: 600 });
    expect(schedule).toMatchObject({ status: "Accepted" });
    expect(JSON.stringify(schedule)).toContain('"limit":0');
    expect(await call("ClearChargingProfile", { chargingProfilePurpose: "TxProfile" })).toMatchObject({
      status: "Accepted",
    });
    await rig.until("32 A again", () => rig.amperes > 31.8, 200_000);
    const metered = seen("meter").length;
    await rig.until("meter values", () => seen("meter").length > metered, 200_000);
    expect(await call("RemoteStopTransaction", { transactionId: 1 })).toMatchObject({ status: "Accepted" });
    await rig.until("0 A", () => rig.amperes < 0.1, 200_000);
    await rig.until("stop", () => seen("stop").length === 1, 200_000);
    const used = Number(seen("stop")[0]!["meter_stop"]) - Number(seen("start")[0]!["meter_start"]);
    expect(Math.abs(used - rig.energyWh)).toBeLessThanOrEqual(2);
  }, 600_000);

  it.each([
    ["BootNotification", "boot"],
    ["StatusNotification", "status"],
    ["Heartbeat", "heartbeat"],
    ["MeterValues", "meter"],
    ["FirmwareStatusNotification", "firmware"],
  ])("sends %s when triggered", async (requestedMessage, event) => {
    const before = seen(event).length;
    expect(await call("TriggerMessage", { requestedMessage })).toMatchObject({ status: "Accepted" });
    await rig.until("it comes", () => seen(event).length > before, 200_000);
  });

  it("refuses what is not built in with the standard's codes", async () => {
    expect(await call("GetLocalListVersion")).toMatchObject({
      error: expect.stringMatching(/NotSupported/) as string,
    });
    expect(await call("UnlockConnector", { connectorId: 1 })).toMatchObject({ status: "NotSupported" });
    expect(await call("DataTransfer", { vendorId: "x" })).toMatchObject({ status: "UnknownVendorId" });
  });

  it.each([
    ["a wrong password", { password: "wrong" }, "http-401"],
    [
      "a certificate of nobody that it trusts",
      { password: "a-secret-of-this-test", ca: "other" },
      "tls-untrusted",
    ],
  ])("does not connect with %s", async (_, credentials, fault) => {
    const other = await openPki(join(data, "other-pki"));
    const ca = "ca" in credentials ? other.ca.cert : pki.ca.cert;
    const intruder = new OcppRig({ url, dataDir: join(data, "none"), credentials: { ...credentials, ca } });
    intruder.start();
    try {
      await intruder.until("it fails", () => intruder.upstream.fault !== "", 200_000);
      expect(intruder.upstream.fault).toBe(fault);
    } finally {
      await intruder.close();
    }
  });

  it("profile 3: gets in with a client certificate of its CA, and with no other", async () => {
    const script = fileURLToPath(new URL("ocpp_csms.py", import.meta.url));
    const args = [script, pki.server.certPath, pki.server.keyPath, "unused", pki.ca.certPath];
    const strict = spawn(ocppPython(), args, { stdio: ["pipe", "pipe", "inherit"] });
    const heard: Line[] = [];
    createInterface({ input: strict.stdout }).on("line", (line) => heard.push(JSON.parse(line) as Line));
    const other = await (await openPki(join(data, "other-pki"))).client("module");
    const good = await pki.client("module");
    const attempt = (name: string, pair: { cert: string; key: string }): OcppRig => {
      const { port } = heard[0] as { port: number };
      const made = new OcppRig({
        ...{ url: `wss://127.0.0.1:${String(port)}/ocpp`, dataDir: join(data, name) },
        credentials: { ca: pki.ca.cert, cert: pair.cert, key: pair.key },
      });
      made.start();
      return made;
    };
    const rigs: OcppRig[] = [];
    try {
      for (let i = 0; i < 1200 && heard.length === 0; i++)
        await new Promise((resolve) => setTimeout(resolve, 100));
      const intruder = attempt("wrong", other);
      rigs.push(intruder);
      await intruder.until("it fails", () => intruder.upstream.fault !== "", 200_000);
      expect(intruder.upstream.fault).toMatch(/^(tls-client-certificate|closed)$/);
      expect(heard.some((line) => line["event"] === "connected")).toBe(false);
      const member = attempt("right", good);
      rigs.push(member);
      await member.until("online", () => member.upstream.state === "online", 200_000);
      await member.until("it boots", () => heard.some((line) => line["event"] === "boot"));
    } finally {
      for (const one of rigs) await one.close();
      strict.kill();
    }
  }, 600_000);
});
