import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import jsQrModule from "jsqr";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/random.js";
import { plainSecret } from "../../src/setup/login.js";
import { enrolmentCsv, provision, type BatchWish } from "../../host-sim/provision/batch.js";
import { filesOf, importCertificate, makeRequest } from "../../host-sim/provision/identity.js";
import { labelSvg, qrRows, setupNetwork, wifiText } from "../../host-sim/provision/label.js";
import { isSecret, newSecret } from "../../host-sim/provision/secret.js";
import { makeCertificate, signRequest } from "../../host-sim/pki/certificates.js";

// The package is CommonJS with a default of its own.
const jsQr = ((jsQrModule as unknown as { default?: unknown }).default ?? jsQrModule) as (
  data: Uint8ClampedArray,
  width: number,
  height: number,
) => { data: string } | null;

const UTC = Date.now();
let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "openucm-provision-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const wish = (more: Partial<BatchWish> = {}): BatchWish => ({
  ...{
    out: join(dir, "batch"),
    count: 3,
    prefix: "UCM",
    venName: "ven-{serial}",
    ledger: join(dir, "ledger.txt"),
  },
  ...more,
});

async function all(batch: BatchWish, secret?: () => string): Promise<string[]> {
  const serials: string[] = [];
  for await (const { serial } of provision(batch, secret)) serials.push(serial);
  return serials;
}

describe("the secret of a label", () => {
  const random = seededRandom(3);
  const bytes = (n: number): Uint8Array => Uint8Array.from({ length: n }, () => random.uint32() & 255);

  it("has 80 bits, all of them used", () => {
    expect(newSecret(() => new Uint8Array(10))).toBe("0000-0000-0000-0000-0");
    expect(newSecret(() => new Uint8Array(10).fill(255))).toBe(
      `ZZZZ-ZZZZ-ZZZZ-ZZZZ-${newSecret(() => new Uint8Array(10).fill(255)).at(-1)!}`,
    );
    const seen = new Set<string>();
    for (let bit = 0; bit < 80; bit++)
      seen.add(newSecret(() => new Uint8Array(10).map((_b, i) => (i === bit >> 3 ? 1 << (bit & 7) : 0))));
    expect(seen.size).toBe(80);
  });

  it("knows every slip of one character, and every two that were swapped", () => {
    const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for (let i = 0; i < 60; i++) {
      const secret = newSecret(bytes);
      expect(isSecret(secret)).toBe(true);
      const plain = secret.replaceAll("-", "");
      for (let at = 0; at < 16; at++) {
        for (const letter of alphabet)
          if (letter !== plain[at])
            expect(isSecret(plain.slice(0, at) + letter + plain.slice(at + 1))).toBe(false);
        if (at < 15 && plain[at] !== plain[at + 1])
          expect(isSecret(plain.slice(0, at) + plain[at + 1]! + plain[at]! + plain.slice(at + 2))).toBe(
            false,
          );
      }
    }
  });

  it("is read as it is typed, and as the module reads it", () => {
    const secret = newSecret(bytes);
    expect(isSecret(secret.toLowerCase().replaceAll("-", " "))).toBe(true);
    expect(plainSecret(secret.toLowerCase())).toBe(secret.replaceAll("-", ""));
    for (const wrong of ["", "0000", `${secret}0`, "!".repeat(17)]) expect(isSecret(wrong)).toBe(false);
  });
});

describe("a batch", () => {
  it("gives each module a folder with a key, a request, a secret and a label, all private", async () => {
    expect(await all(wish())).toEqual(["UCM000001", "UCM000002", "UCM000003"]);
    const folder = join(dir, "batch/UCM000002");
    for (const file of ["device.key", "device.csr", "secret.txt", "label.svg"])
      expect(statSync(join(folder, file)).mode & 0o777, file).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(isSecret(readFileSync(join(folder, "secret.txt"), "utf8").trim())).toBe(true);
  });

  it("never repeats a serial number or a secret, over batches and folders", async () => {
    let n = 0;
    // Chance that repeats itself: every secret comes three times.
    const secret = (): string => newSecret(() => new Uint8Array(10).fill(Math.floor(n++ / 3)));
    const first = await all(wish({ count: 5 }), secret);
    const second = await all(wish({ count: 5, out: join(dir, "other") }), secret);
    expect(new Set([...first, ...second]).size).toBe(10);
    const hashes = readFileSync(join(dir, "ledger.txt"), "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split(" ")[1]);
    expect(new Set(hashes).size).toBe(10);
    await expect(
      all(wish({ count: 1, out: join(dir, "third") }), () => newSecret(() => new Uint8Array(10))),
    ).rejects.toThrow("repeat");
  });

  it("makes a list for the utility without any secret", async () => {
    await all(wish({ count: 2 }));
    const csv = enrolmentCsv(join(dir, "batch"));
    expect(csv).toMatch(
      /^serial,ven_name,fingerprint,key_sha256,certificate_until\r\nUCM000001,ven-UCM000001,,[0-9a-f]{64},\r\n/,
    );
    for (const serial of ["UCM000001", "UCM000002"]) {
      const folder = join(dir, "batch", serial);
      const secret = readFileSync(join(folder, "secret.txt"), "utf8").trim();
      expect(csv).not.toContain(secret);
      expect(readFileSync(join(dir, "ledger.txt"), "utf8")).not.toContain(secret);
    }
  });

  it.each([
    [{ prefix: "../" }, "--prefix"],
    [{ prefix: "=cmd" }, "--prefix"],
    [{ venName: "a,b" }, "--ven-name"],
    [{ out: "/proc/nowhere/x" }, "cannot make the folder"],
  ])("refuses %j", async (more, text) => {
    await expect(all(wish(more as Partial<BatchWish>))).rejects.toThrow(text);
  });

  it("says which line of the ledger it cannot read", async () => {
    writeFileSync(join(dir, "ledger.txt"), "UCM1 abc\n");
    await expect(all(wish())).rejects.toThrow("line 1");
  });
});

describe("the label", () => {
  it("has a QR code that joins the setup network with the secret", () => {
    const secret = "7KQ2-M9XV-4T8B-D3NH-P";
    const rows = qrRows(wifiText("UCM000001", secret));
    const scale = 4;
    const size = (rows.length + 8) * scale;
    const pixels = new Uint8ClampedArray(size * size * 4).fill(255);
    rows.forEach((row, y) =>
      row.forEach((dark, x) => {
        if (!dark) return;
        for (let i = 0; i < scale * scale; i++) {
          const at = (((y + 4) * scale + Math.floor(i / scale)) * size + (x + 4) * scale + (i % scale)) * 4;
          pixels.fill(0, at, at + 3);
        }
      }),
    );
    expect(jsQr(pixels, size, size)?.data).toBe("WIFI:T:WPA;S:UCM-UCM000001;P:7KQ2M9XV4T8BD3NHP;;");
    const svg = labelSvg("UCM000001", secret);
    expect(svg).toContain("7KQ2-M9XV");
    expect(svg).toContain(setupNetwork("UCM000001"));
    expect(svg).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
  });
});

describe("certificates", () => {
  const day = 86_400_000;
  const ca = () =>
    makeCertificate({
      commonName: "CA",
      role: "ca",
      notBeforeUtcMs: UTC - day,
      notAfterUtcMs: UTC + 900 * day,
    });

  it("are taken where they fit the key, renewed beside it, and the old pair is kept", async () => {
    const folder = join(dir, "one");
    await makeRequest(folder, "device", "UCM1");
    const authority = await ca();
    const device = filesOf(folder, "device");
    const first = await signRequest(readFileSync(device.csr, "utf8"), authority, UTC, 30);
    expect(importCertificate(folder, first, UTC)).toMatchObject({
      slot: "device",
      fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){9}[0-9A-F]{2}$/),
    });
    const key = readFileSync(device.key, "utf8");
    await makeRequest(folder, "next", "UCM1");
    const next = await signRequest(readFileSync(filesOf(folder, "next").csr, "utf8"), authority, UTC, 30);
    expect(readFileSync(device.key, "utf8")).toBe(key);
    expect(importCertificate(folder, next, UTC).slot).toBe("next");
    expect(readFileSync(filesOf(folder, "old").key, "utf8")).toBe(key);
    expect(readFileSync(device.key, "utf8")).not.toBe(key);
    await makeRequest(folder, "next", "UCM1");
  });

  it("are refused where they do not", async () => {
    const folder = join(dir, "one");
    await makeRequest(folder, "device", "UCM1");
    await makeRequest(join(dir, "two"), "device", "UCM2");
    const authority = await ca();
    const other = await signRequest(
      readFileSync(filesOf(join(dir, "two"), "device").csr, "utf8"),
      authority,
      UTC,
      30,
    );
    expect(() => importCertificate(folder, other, UTC)).toThrow("none of the keys");
    expect(() => importCertificate(folder, "hello", UTC)).toThrow("no certificate");
    const mine = await signRequest(readFileSync(filesOf(folder, "device").csr, "utf8"), authority, UTC, 30);
    expect(() => importCertificate(folder, mine, UTC + 31 * day)).toThrow("expired");
    expect(() => importCertificate(folder, mine, UTC - 40 * day)).toThrow("clock");
    await expect(makeRequest(folder, "device", "UCM1")).rejects.toThrow("not overwritten");
  });
});
