// A factory writes what makes a module this module: what the firmware reads is what `openucm provision` wrote.
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KeptSetup } from "../../drivers/device/kept.js";
import { LABEL_SPACE, readLabel, withEstSecret, withSerial } from "../../drivers/device/label.js";
import { provision } from "../../host-sim/provision/batch.js";
import { labelTexts, NVS_BYTES, nvsCsv, nvsImage } from "../../host-sim/provision/nvs.js";

const SECRET = "7KQ2-M9XV-4T8B-D3NH-P";
const EST = "0123456789abcdef0123456789abcdef";

/** Texts of a name space in a partition, by ESP-IDF's description of it; what is not in order is not there. */
function readNvs(image: Buffer, space: string): Readonly<Record<string, string>> {
  // As zlib's, but with another beginning.
  const crc = (bytes: Buffer): number => crc32(bytes, 0xffff_ffff);
  const texts: Record<string, string> = {};
  let index = -1;
  for (let page = 0; page < image.length; page += 4096) {
    if (image.readUInt32LE(page) === 0xffff_ffff) continue;
    if (image.readUInt32LE(page + 28) !== crc(image.subarray(page + 4, page + 28))) continue;
    for (let i = 0; i < 126; i++) {
      const written = ((image[page + 32 + (i >> 2)]! >> ((i & 3) * 2)) & 3) === 2;
      const at = page + 64 + i * 32;
      if (!written) continue;
      const [owner, type, span] = image.subarray(at, at + 3);
      const covered = Buffer.concat([image.subarray(at, at + 4), image.subarray(at + 8, at + 32)]);
      if (image.readUInt32LE(at + 4) !== crc(covered)) continue;
      const key = image.toString("latin1", at + 8, at + 24).replace(/\0.*$/s, "");
      if (owner === 0 && key === space) index = image[at + 24]!;
      else if (owner === index && type === 0x21) {
        const data = image.subarray(at + 32, at + 32 + image.readUInt16LE(at + 24));
        if (image.readUInt32LE(at + 28) === crc(data)) texts[key] = data.toString("utf8", 0, data.length - 1);
      }
      i += span! - 1;
    }
  }
  return texts;
}

describe("the label in NVS", () => {
  const texts = labelTexts("UCM-A000001", SECRET, EST);

  it("is read by the firmware as it was written", () => {
    const there = readNvs(nvsImage(texts), LABEL_SPACE);
    const build = { serial: "of the build", ownerSecret: "of the build" };
    expect(readLabel((name) => there[name], build)).toEqual({
      ...{ serial: "UCM-A000001", secret: SECRET, estSecret: EST },
    });
    expect(readNvs(nvsImage(texts), "another")).toEqual({});
  });

  it("is byte for byte what Espressif's generator makes (esp-idf-nvs-partition-gen 0.3.0 of this CSV)", () => {
    expect(nvsCsv(texts)).toBe(
      `key,type,encoding,value\nucm-label,namespace,,\nserial,data,string,UCM-A000001\nsecret,data,string,${SECRET}\nest,data,string,${EST}\n`,
    );
    const image = nvsImage(texts);
    expect(image).toHaveLength(NVS_BYTES);
    expect(createHash("sha256").update(image).digest("hex")).toBe(
      "4857b73f19c00a6657141359d8223365bfe09dc44f98f087384cec4b960c41da",
    );
  });

  it("fits the partition of every board", () => {
    for (const board of ["devkit-sp3485", "weact-can485", "lilygo-t-can485", "xiao-esp32c3-rs485"])
      for (const variant of ["sdkconfig", "hardened"]) {
        const table = readFileSync(
          new URL(`../../boards/${board}/${variant}/partitions.csv`, import.meta.url),
          "utf8",
        );
        const size = /^nvs, data, nvs, 0x[0-9a-f]+, (0x[0-9a-f]+)/m.exec(table)?.[1];
        expect(Number(size), `${board} ${variant}`).toBe(NVS_BYTES);
      }
  });

  it("refuses what does not fit, instead of half a label", () => {
    expect(() => nvsImage({ secret: "x".repeat(5000) })).toThrow("does not fit");
  });

  it.each([[{}], [{ serial: "", secret: "" }], [{ serial: 7, secret: new Uint8Array(3) }]])(
    "that is not there (%j) leaves what the build says",
    (there: Readonly<Record<string, unknown>>) => {
      const get = (name: string): unknown => there[name];
      expect(readLabel(get, { serial: "S", ownerSecret: "O" })).toEqual({
        ...{ serial: "S", secret: "O", estSecret: "" },
      });
      // And no secret of everybody's where the build has none.
      expect(readLabel(get, {})).toEqual({ serial: "openucm", secret: "", estSecret: "" });
    },
  );
});

describe("one build for a batch", () => {
  const ucm = {
    region: "us",
    upstreams: [
      {
        id: "a",
        protocol: "openadr2b",
        url: "https://a.example/",
        venName: "{serial}",
        est: "https://a/est",
      },
      { id: "b", protocol: "ocpp16", url: "wss://b/ocpp", chargePointId: "CP-{serial}-{serial}" },
    ],
  };
  const label = { serial: "UCM7", secret: SECRET, estSecret: EST };

  it("names each module by its number, and changes nothing else", () => {
    expect(withSerial(ucm, "UCM7")).toEqual({
      region: "us",
      upstreams: [
        { ...ucm.upstreams[0], venName: "UCM7" },
        { ...ucm.upstreams[1], chargePointId: "CP-UCM7-UCM7" },
      ],
    });
    expect(withSerial(undefined, "x")).toBeUndefined();
  });

  it("gives the module's secret to the certificate server of the build, and to nobody the owner names instead", () => {
    const credentials = withEstSecret({ a: { ca: "CA" } }, ucm, label);
    expect(credentials).toEqual({ a: { ca: "CA", estSecret: EST } });
    expect(withEstSecret({ a: { estSecret: "of the build" } }, ucm, label)["a"]?.estSecret).toBe(
      "of the build",
    );
    let kept: string | undefined;
    const value = {
      get: () => kept,
      set: (text: string) => void (kept = text),
      delete: () => (kept = undefined),
    };
    const wifi = { ssid: "", passphrase: "" };
    const setup = new KeptSetup(value, { ucm: withSerial(ucm, "UCM7"), wifi, credentials }, () => undefined);
    expect(setup.load().credentials["a"]?.estSecret).toBe(EST);
    const mine = { id: "a", protocol: "openadr2b", url: "https://elsewhere/", venName: "me" };
    setup.keep(
      { document: { upstreams: [mine], region: "us", timeZone: "UTC0" }, wifi, secret: "" } as never,
      () => undefined,
    );
    expect(setup.load().credentials["a"]).toEqual({ ca: "CA" });
  });
});

describe("openucm provision", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "openucm-nvs-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("writes for each module a label that only its owner reads, with secrets that do not repeat", async () => {
    const estCsv = join(dir, "est.csv");
    // As a careless hand has left it.
    writeFileSync(estCsv, "ven_name,est_secret\r\n", { mode: 0o644 });
    const batch = { out: join(dir, "batch"), count: 3, prefix: "U", venName: "v-{serial}" };
    const seen: string[] = [];
    for await (const one of provision({ ...batch, ledger: join(dir, "ledger"), estCsv })) {
      const file = (name: string): string => join(one.dir, name);
      const there = readNvs(readFileSync(file("label.nvs.bin")), LABEL_SPACE);
      const label = readLabel((name) => there[name], {});
      expect(label.serial).toBe(one.serial);
      expect(label.secret).toBe(readFileSync(file("secret.txt"), "utf8").trim());
      expect(readFileSync(estCsv, "utf8")).toContain(`\r\n${one.venName},${label.estSecret}\r\n`);
      expect(readFileSync(file("label.nvs.csv"), "utf8")).toBe(nvsCsv(there));
      for (const name of ["label.nvs.bin", "label.nvs.csv"])
        expect(statSync(file(name)).mode & 0o777, name).toBe(0o600);
      seen.push(label.secret, label.estSecret);
    }
    expect(new Set(seen).size).toBe(6);
    expect(statSync(estCsv).mode & 0o777).toBe(0o600);
  });

  it("gives no secret for a certificate that nobody has asked for", async () => {
    for await (const { dir: one } of provision({
      ...{ out: join(dir, "batch"), count: 1, prefix: "U", venName: "v" },
      ledger: join(dir, "ledger"),
    }))
      expect(readNvs(readFileSync(join(one, "label.nvs.bin")), LABEL_SPACE)).not.toHaveProperty("est");
  });
});
