import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fingerprint20b } from "../../host-sim/pki/certificates.js";
import { openPki } from "../../host-sim/pki/pki.js";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 5, 1);
let dir = "";

beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), "openucm-pki-")), "pki");
});

afterEach(async () => {
  await rm(join(dir, ".."), { recursive: true, force: true });
});

describe("the bench's CA", () => {
  it("makes a P-256 CA, a server certificate for loopback and client certificates that it signed", async () => {
    const pki = await openPki(dir, NOW);
    const client = await pki.client("module-1");
    const ca = new X509Certificate(pki.ca.cert);
    const server = new X509Certificate(pki.server.cert);
    expect(ca.ca).toBe(true);
    for (const cert of [server, new X509Certificate(client.cert)]) {
      expect(cert.verify(ca.publicKey)).toBe(true);
      expect(cert.ca).toBe(false);
      expect(cert.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    }
    expect(server.checkHost("localhost")).toBe("localhost");
    expect(server.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(server.checkIP("::1")).toBe("::1");
    expect(server.checkHost("vtn.example")).toBeUndefined();
  });

  it("keeps keys to the owner alone", async () => {
    const pki = await openPki(dir, NOW);
    await pki.client("m");
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    const keys = (await readdir(dir)).filter((name) => name.endsWith(".key"));
    expect(keys.sort()).toEqual(["ca.key", "client-m.key", "vtn.key"]);
    for (const name of keys) expect((await stat(join(dir, name))).mode & 0o777).toBe(0o600);
  });

  it("uses what is there, renews what expires and what is damaged", async () => {
    const first = await openPki(dir, NOW);
    const client = await first.client("m");
    const second = await openPki(dir, NOW + 10 * DAY_MS);
    expect(second.server.cert).toBe(first.server.cert);
    expect((await second.client("m")).fingerprint).toBe(client.fingerprint);
    const later = await openPki(dir, NOW + 380 * DAY_MS);
    expect(later.ca.cert).toBe(first.ca.cert);
    expect(later.server.cert).not.toBe(first.server.cert);
    await writeFile(later.ca.keyPath, "damaged");
    const renewed = await openPki(dir, NOW + 381 * DAY_MS);
    expect(renewed.ca.cert).not.toBe(first.ca.cert);
    expect(
      new X509Certificate(renewed.server.cert).verify(new X509Certificate(renewed.ca.cert).publicKey),
    ).toBe(true);
    expect(await readFile(renewed.server.certPath, "utf8")).toBe(renewed.server.cert);
  });

  it("gives one CA to many that start at once", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => openPki(dir, NOW)));
    expect(new Set(all.map((pki) => pki.server.cert)).size).toBe(1);
  });

  it("refuses names that would leave the folder", async () => {
    const pki = await openPki(dir, NOW);
    await expect(pki.client("../x")).rejects.toThrow(/cannot name a certificate/);
  });

  it("computes the fingerprint of OpenADR 2.0b", async () => {
    const { ca } = await openPki(dir, NOW);
    const whole = new X509Certificate(ca.cert).fingerprint256;
    expect(fingerprint20b(ca.cert)).toBe(whole.slice(-29));
    expect(fingerprint20b(new X509Certificate(ca.cert).raw)).toBe(ca.fingerprint);
  });
});
