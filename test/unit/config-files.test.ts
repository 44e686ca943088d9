// Files that a configuration names are looked at when it is read: a wrong one is told by its field, and never shown.
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../host-sim/cli/config-file.js";
import { makeCertificate } from "../../host-sim/pki/certificates.js";
import { MemoryFiles } from "../../host-sim/release/files.js";
import { newKey } from "../../host-sim/release/keys.js";
import { Repository } from "../../host-sim/release/repository.js";

let dir = "";
const UTC = Date.UTC(2026, 5, 1);

function load(upstream: object, more: object = {}): ReturnType<typeof loadConfig> {
  const base = { id: "a", protocol: "openadr2b", url: "https://vtn.example/", venName: "m" };
  writeFileSync(join(dir, "module.json"), JSON.stringify({ upstreams: [{ ...base, ...upstream }], ...more }));
  return loadConfig(join(dir, "module.json"));
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "openucm-config-"));
  const put = (name: string, text: string): void => writeFileSync(join(dir, name), text);
  for (const name of ["one", "two"]) {
    const pair = await makeCertificate({
      ...{ commonName: name, role: "client" },
      ...{ notBeforeUtcMs: UTC, notAfterUtcMs: UTC + 86_400_000 },
    });
    put(`${name}.pem`, pair.cert);
    put(`${name}.key`, pair.key);
  }
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  put(
    "locked.key",
    privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }).toString(),
  );
  put("text", "SECRET-OF-ANOTHER-FILE\n");
  const keys = {
    root: [newKey("r")],
    timestamp: [newKey("t")],
    snapshot: [newKey("s")],
    targets: [newKey("g")],
  };
  const files = new MemoryFiles();
  const context = { keys: Object.values(keys).flat(), utcMs: UTC };
  Repository.create(files, keys, { root: 1, timestamp: 1, snapshot: 1, targets: 1 }, context);
  mkdirSync(join(dir, "metadata"));
  for (const path of files.list()) put(path, files.read(path)!.toString());
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe("files of an upstream", () => {
  it("are taken where they fit", () => {
    const { credentials } = load({ ca: "two.pem", cert: "one.pem", key: "one.key" });
    expect(credentials.get("a")?.key).toContain("PRIVATE KEY");
  });

  it.each([
    [{ ca: "text" }, /^upstreams\[0\]\.ca: the file holds no certificate \(PEM\)$/],
    [{ ca: "one.key" }, /^upstreams\[0\]\.ca: the file holds no certificate/],
    [{ cert: "text", key: "one.key" }, /^upstreams\[0\]\.cert: the file holds no certificate/],
    [{ cert: "one.pem" }, /upstreams\[0\]\.key is missing/],
    [{ key: "one.key" }, /upstreams\[0\]\.cert is missing/],
    [{ cert: "one.pem", key: "text" }, /^upstreams\[0\]\.key: the file holds no private key/],
    [{ cert: "one.pem", key: "locked.key" }, /^upstreams\[0\]\.key: .*without a passphrase/],
    [{ cert: "one.pem", key: "two.key" }, /^upstreams\[0\]\.key: it is not the key of upstreams\[0\]\.cert$/],
  ])("%j", (files, message) => {
    expect(() => load(files)).toThrow(message);
    expect(() => load(files)).not.toThrow(/SECRET|PRIVATE/);
  });
});

describe("files of updates", () => {
  const update = { url: "https://updates.example/fw", root: "metadata/1.root.json" };

  it("are taken where they fit", () => {
    expect(load({}, { update: { ...update, ca: "one.pem" } }).config.update?.rootText).toContain('"root"');
  });

  it.each([
    [{ ca: "text" }, /^update\.ca: the file holds no certificate/],
    [{ root: "text" }, /^update\.root: text is no root of a repository .*metadata\/1\.root\.json/],
    [{ root: "metadata/1.targets.json" }, /^update\.root: .*another role/],
    [{ root: "module.json" }, /^update\.root: .*no root of a repository/],
  ])("%j", (files, message) => {
    expect(() => load({}, { update: { ...update, ...files } })).toThrow(message);
    expect(() => load({}, { update: { ...update, ...files } })).not.toThrow(/SECRET/);
  });
});
