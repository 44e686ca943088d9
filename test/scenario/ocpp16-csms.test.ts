/** Module and platform on real sockets, over WSS: who gets in by what, renewal of a certificate; the charger beside it in real time. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type TLSSocket } from "node:tls";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NodeStream } from "../../host-sim/net/node-stream.js";
import { openPki } from "../../host-sim/pki/pki.js";
import type { StreamEvent } from "../../src/ports/stream.js";
import {
  caOf,
  passwordOf,
  type Platform,
  refusedBy,
  startPlatform,
  withCertificate,
  withPassword,
} from "../support/ocpp-platform.js";

const data = mkdtempSync(join(tmpdir(), "openucm-csms-"));
afterAll(() => rmSync(data, { recursive: true, force: true }));

describe("the embedded platform, with basic authentication (security profile 2)", () => {
  let platform: Platform;

  beforeAll(async () => {
    platform = await startPlatform({ dataDir: data });
  });

  afterAll(async () => {
    await platform.close();
    expect(platform.csms.faults).toEqual([]);
  });

  it("boots and tells its status", async () => {
    const { rig, point } = platform;
    await rig.until("status", () => point.status !== "" && point.status !== "Unavailable");
    expect(point.boot).toMatchObject({ chargePointVendor: "OpenUCM" });
  });

  it("is configured as ev.energy does", async () => {
    const change = (key: string, value: string) => platform.ask("ChangeConfiguration", { key, value });
    const accepted = { status: "Accepted" };
    expect(await change("MeterValueSampleInterval", "2")).toEqual(accepted);
    expect(
      await change("MeterValuesSampleData", "Energy.Active.Import.Register,Power.Active.Import"),
    ).toEqual(accepted);
    expect(await change("NoSuchKey", "1")).toEqual({ status: "NotSupported" });
    expect(await change("NumberOfConnectors", "2")).toEqual({ status: "Rejected" });
    const all = await platform.ask("GetConfiguration");
    expect((all["configurationKey"] as unknown[]).length).toBeGreaterThan(30);
    expect(JSON.stringify(all)).not.toContain(passwordOf(platform.csms));
  });

  it.each([
    "BootNotification",
    "StatusNotification",
    "Heartbeat",
    "MeterValues",
    "FirmwareStatusNotification",
  ])("sends %s when triggered", async (requestedMessage) => {
    const { rig, point } = platform;
    const before = point.got(requestedMessage).length;
    expect(await platform.ask("TriggerMessage", { requestedMessage })).toEqual({ status: "Accepted" });
    await rig.until("it comes", () => point.got(requestedMessage).length > before, 200_000);
  });
});

describe("with a client certificate (security profile 3)", () => {
  it("gets in, has its certificate renewed end to end, and keeps the new one over a restart", async () => {
    const dataDir = join(data, "three");
    const options = {
      ...{ dataDir, csms: { clientCertificates: true }, credentials: withCertificate },
      rig: { upstream: { cert: "cert.pem", key: "key.pem" } },
    };
    const platform = await startPlatform(options);
    const { csms, rig, point } = platform;
    let renewed: string | undefined;
    try {
      await rig.until("online", () => rig.upstream.state === "online");
      const first = csms.certificateOf("CP-1");
      expect(first).toMatch(/^[0-9A-F]{32}$/);
      expect(await platform.ask("GetConfiguration", { key: ["SecurityProfile"] })).toMatchObject({
        configurationKey: [{ key: "SecurityProfile", value: "3" }],
      });
      // What nobody has asked to be signed is refused.
      const certificateChain = withCertificate(csms).cert;
      expect(await platform.ask("CertificateSigned", { certificateChain })).toEqual({ status: "Rejected" });
      const requestedMessage = "SignChargePointCertificate";
      expect(await platform.ask("ExtendedTriggerMessage", { requestedMessage })).toEqual({
        status: "Accepted",
      });
      await rig.until("it comes with another one", () => csms.certificateOf("CP-1") !== first, 200_000);
      renewed = csms.certificateOf("CP-1");
      const signed = point.records.filter((one) => one.action === "CertificateSigned");
      expect(signed.map((one) => one.answer)).toEqual([{ status: "Rejected" }, { status: "Accepted" }]);
      expect(csms.faults).toEqual([]);
    } finally {
      await platform.close();
    }
    const again = await startPlatform(options);
    try {
      await again.rig.until("online", () => again.rig.upstream.state === "online");
      expect(again.csms.certificateOf("CP-1")).toBe(renewed);
    } finally {
      await again.close();
    }
  }, 600_000);

  it("without one: refused", async () => {
    const csms = { clientCertificates: true };
    const credentials = { csms, credentials: withPassword };
    expect(await refusedBy({ dataDir: data, ...credentials })).toBe("tls-client-certificate");
  });

  it("with one of another CA: refused", async () => {
    const other = await (await openPki(join(data, "other"))).client("module");
    const options = { dataDir: data, csms: { clientCertificates: true } };
    const fault = await refusedBy({ ...options, credentials: (csms) => ({ ca: caOf(csms), ...other }) });
    expect(fault).toMatch(/^(tls-client-certificate|closed)$/);
  });
});

describe("who may not connect", () => {
  it.each([
    ["a wrong password", { password: "wrong" }],
    ["no password", {}],
  ])("%s: 401", async (_, more) => {
    expect(await refusedBy({ dataDir: data, credentials: (csms) => ({ ca: caOf(csms), ...more }) })).toBe(
      "http-401",
    );
  });

  it.each([
    ["expired", "tls-expired"],
    ["wrong-host", "tls-host-name"],
    ["self-signed", "tls-untrusted"],
    ["forged-chain", "tls-untrusted"],
  ] as const)("a platform with a certificate that is %s", async (certificate, fault) => {
    expect(await refusedBy({ dataDir: data, csms: { certificate } })).toBe(fault);
  });

  /** What becomes of a stream. */
  const opened = async (host: string, port: number, secure: boolean, ca?: string): Promise<StreamEvent> =>
    new Promise((deliver) => {
      const stream = new NodeStream({ credentials: () => (ca === undefined ? {} : { ca }), deliver });
      stream.open({ id: 1, host, port, secure, credentials: "platform" });
    });

  it("a server that speaks TLS 1.1 at most", async () => {
    const { server: pair, ca } = await openPki(join(data, "pki"));
    const versions = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    const server = createServer({ key: pair.key, cert: pair.cert, ...versions });
    server.on("tlsClientError", () => undefined);
    server.on("secureConnection", (socket: TLSSocket) => socket.destroy());
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as { port: number };
    try {
      expect(await opened("127.0.0.1", port, true, ca.cert)).toMatchObject({
        ev: "failed",
        reason: "tls-version",
      });
    } finally {
      server.close();
    }
  });

  it("anybody without TLS but this computer", async () => {
    for (const host of ["192.0.2.1", "csms.example", "127.0.0.1.example", "::2"])
      expect(await opened(host, 80, false)).toMatchObject({ ev: "failed", reason: "protocol" });
    expect(await opened("127.0.0.1", 1, false)).toMatchObject({ ev: "failed", reason: "refused" });
  });
});
