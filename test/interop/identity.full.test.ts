/**
 * The identity of the chip on this computer: its C and XS glue with the real Mbed TLS (Debian's 2.28, 3.6 where it can be had) and the real TLS client, a fake of NVS
 * in a file, address and undefined-behaviour sanitizers on. `openssl` judges what comes out; Node's server shakes hands.
 */
import { execFile, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type * as nodeTls from "node:tls";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeCertificate, type PemPair, signRequest } from "../../host-sim/pki/certificates.js";
import { certsOnly } from "../../host-sim/pki/certs-only.js";
import { chainOfEst } from "../../src/network/est.js";
import { withEachMbedTls } from "../support/each-mbedtls.js";
import { type Library, Servers } from "../support/tls-rig.js";

const root = resolve(import.meta.dirname, "../..");
const DAY = 86_400_000;

/** All of it with one library. */
function identityCases(library: Library): void {
  const folder = mkdtempSync(join(tmpdir(), "openucm-identity-"));
  const program = join(root, "build/tls", library.name, "xs-identity");
  const script = join(folder, "script.js");
  const servers = new Servers();
  let ca: PemPair;
  let server: PemPair;
  let count = 0;

  type Op = readonly [string, ...(string | number | null)[]];
  /** A start of the device: ops in one program over the flash in `nvs`. */
  const run = (nvs: string, ops: readonly Op[], cut?: number): Promise<unknown[]> =>
    new Promise((done, fail) => {
      const env = {
        ...{ ...process.env, IDENTITY_NVS: nvs, ASAN_OPTIONS: "detect_leaks=0" },
        ...(cut === undefined ? {} : { IDENTITY_CUT: String(cut) }),
      };
      execFile(program, [script, JSON.stringify(ops)], { env, timeout: 240_000 }, (error, out, err) => {
        if (error !== null || err !== "") fail(new Error(`${err || String(error)}\n${out}`));
        else
          done(
            out
              .trim()
              .split("\n")
              .map((line) => (JSON.parse(line) as { answer?: unknown }).answer),
          );
      });
    });
  const flash = (): string => join(folder, `nvs-${String(++count)}`);
  const openssl = (args: readonly string[], input: string): string => {
    const ran = spawnSync("openssl", args, { encoding: "utf8", input });
    expect(ran.status, ran.stderr).toBe(0);
    return ran.stdout + ran.stderr;
  };
  const sign = (csr: unknown, days = 365, issuer = ca, atMs = Date.now()): Promise<string> =>
    signRequest(String(csr), issuer, atMs, days);
  const shown = (socket: nodeTls.TLSSocket): Partial<nodeTls.PeerCertificate> => socket.getPeerCertificate();
  /** A server that demands a client certificate and says whose it was. */
  const port = (options: nodeTls.TlsOptions = {}): Promise<number> =>
    servers.node(
      { ...server, ca: ca.cert, requestCert: true, rejectUnauthorized: true, ...options },
      (socket) =>
        socket.once("data", () =>
          socket.end(`${String(shown(socket).subject?.CN)} ${String(shown(socket).serialNumber)}`),
        ),
    );

  beforeAll(async () => {
    const args = ["-s", "-j2", "-C", join(root, "drivers/identity/host"), `NAME=${library.name}`];
    if (library.include.length > 0) args.push(`MBEDTLS_INCLUDE=${library.include.join(" ")}`);
    if (library.libs.length > 0) args.push(`MBEDTLS_LIBS=${library.libs.join(" ")}`);
    const made = spawnSync("make", args, { encoding: "utf8" });
    if (made.status !== 0) throw new Error(made.stderr);
    const text = (path: string): string => readFileSync(join(root, path), "utf8").replace(/^export /gm, "");
    const prelude = `const Native = () => class { constructor() { return Object.setPrototypeOf(newHost(), new.target.prototype); } };\n`;
    const tls = text("drivers/tls/tls.js").replace(/^default .*$/m, "");
    writeFileSync(
      script,
      prelude + tls + text("drivers/identity/ucm-identity.js") + text("test/interop/identity.xs.js"),
    );
    const span = { notBeforeUtcMs: Date.now() - DAY, notAfterUtcMs: Date.now() + 3650 * DAY };
    ca = await makeCertificate({ commonName: "test CA", role: "ca", ...span });
    server = await makeCertificate(
      { commonName: "localhost", role: "server", hosts: ["localhost"], ...span },
      ca,
    );
  }, 300_000);
  afterAll(() => {
    servers.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("makes a key of its own, and a request that openssl takes", async () => {
    const [one, two] = [flash(), flash()];
    const [[csr], [other], [again]] = [
      await run(one, [["request", "vtn", "UCM-0001"]]),
      await run(two, [["request", "vtn", "UCM-0001"]]),
      await run(one, [["request", "vtn", "UCM-0001"]]),
    ] as [[string], [string], [string]];
    for (const text of [csr, other, again]) {
      const told = openssl(["req", "-verify", "-noout", "-subject", "-text"], text);
      expect(told).toMatch(/verify OK/);
      expect(told).toMatch(/subject=CN = UCM-0001/);
      expect(told).toMatch(/prime256v1/);
      expect(told).toMatch(/ecdsa-with-SHA256/);
    }
    const key = (text: string): string => openssl(["req", "-noout", "-pubkey"], text);
    expect(key(again)).toBe(key(csr)); // the request was never answered: its key waits, over a restart
    expect(key(other)).not.toBe(key(csr));
  });

  it("never says its key: neither JavaScript nor the request holds its number", async () => {
    const nvs = flash();
    const answers = await run(nvs, [
      ["request", "vtn", "UCM-0002"],
      ["use", "vtn", 0, 0, ca.cert, 0],
    ]);
    const bytes = readFileSync(nvs);
    const number = bytes.subarray(bytes.indexOf("UCM1") + 20, bytes.indexOf("UCM1") + 52);
    expect(new Set(number).size).toBeGreaterThan(16);
    const said = Buffer.from(String(answers[0]).replace(/-----[^-]+-----|\n/g, ""), "base64");
    expect(said.includes(number)).toBe(false);
    const js = readFileSync(join(root, "drivers/identity/ucm-identity.js"), "utf8");
    expect([...js.matchAll(/xs_ucm_identity_(\w+)/g)].map((m) => m[1]).sort()).toEqual(
      ["confirm", "date", "drop", "install", "put_roots", "request", "roots_version", "use"].sort(),
    );
  });

  it("shows its certificate to a server, renews it as the same subject, and keeps the old until told", async () => {
    const nvs = flash();
    const at = await port();
    const [csr] = await run(nvs, [["request", "vtn", "UCM-0003"]]);
    const first = await sign(csr);
    const [installed, untilMs, , answer, confirmed] = await run(nvs, [
      ["install", "vtn", first, Date.now()],
      ["date", "vtn", 1, 1],
      ["use", "vtn", 1, 0, ca.cert, 0],
      ["talk", "vtn", at],
      ["confirm", "vtn", 0],
    ]);
    expect([installed, confirmed]).toEqual(["fine", "fine"]);
    expect(untilMs).toBe(Date.parse(new X509Certificate(first).validTo));
    const number = new X509Certificate(first).serialNumber;
    expect(answer).toBe(`UCM-0003 ${number}`);
    const [renewal] = await run(nvs, [["request", "vtn", "another name"]]);
    expect(openssl(["req", "-verify", "-noout", "-subject"], String(renewal))).toMatch(/CN = UCM-0003/);
    const second = await sign(renewal);
    const ops = ["install", "vtn", second, Date.now()] as const;
    const said = await run(nvs, [
      ops,
      ["use", "vtn", 0, 0, ca.cert, 0],
      ["talk", "vtn", at],
      ["use", "vtn", 1, 0, ca.cert, 0],
      ["talk", "vtn", at],
    ]);
    expect(said).toEqual([
      "fine",
      "fine",
      `UCM-0003 ${number}`,
      "fine",
      `UCM-0003 ${new X509Certificate(second).serialNumber}`,
    ]);
    // Given up: the old one goes on.
    const [, next, current] = await run(nvs, [
      ["drop", "vtn", 0],
      ["date", "vtn", 1, 1],
      ["date", "vtn", 0, 1],
    ]);
    expect([next, current]).toEqual([null, untilMs]);
  });

  it("asks with the alternative names that it has, byte for byte", async () => {
    const nvs = flash();
    const [csr] = await run(nvs, [["request", "vtn", "UCM-0004"]]);
    const files = { csr: servers.file(String(csr)), ca: servers.file(ca.cert), key: servers.file(ca.key) };
    const names = servers.file("subjectAltName=DNS:ucm-0004.example,URI:urn:ucm:4\n");
    const args = ["x509", "-req", "-in", files.csr, "-CA", files.ca, "-CAkey", files.key];
    const chain = openssl([...args, "-days", "9", "-extfile", names, "-set_serial", "77"], "");
    expect(
      await run(nvs, [
        [
          "install",
          "vtn",
          `${chain.slice(chain.indexOf("-----BEGIN"), chain.indexOf("-----END"))}-----END CERTIFICATE-----\n`,
          null,
        ],
        ["confirm", "vtn", 0],
      ]),
    ).toEqual(["fine", "fine"]);
    const [renewal] = await run(nvs, [["request", "vtn", "x"]]);
    const told = openssl(["req", "-verify", "-noout", "-text"], String(renewal));
    expect(told).toMatch(/DNS:ucm-0004.example, URI:urn:ucm:4/);
    expect(told).toMatch(/verify OK/);
  });

  it("refuses a chain for another key, garbage, what is over, what nobody asked for and what is too long", async () => {
    const nvs = flash();
    const [csr] = await run(nvs, [["request", "vtn", "UCM-0005"]]);
    const [foreign] = await run(flash(), [["request", "vtn", "UCM-0006"]]);
    const other = await sign(foreign);
    const good = await sign(csr);
    const over = await sign(csr, 1, ca, Date.now() - 9 * DAY);
    const long = good + (await sign(foreign)) + other + other + other;
    const now = Date.now();
    expect(
      await run(nvs, [
        ["install", "vtn", other, now],
        ["install", "vtn", "garbage", now],
        ["install", "vtn", "", now],
        ["install", "vtn", good.slice(0, 300), now],
        ["install", "vtn", over, now],
        ["install", "nobody", good, now],
        ["install", "vtn", long, now],
        ["install", "vtn", "x".repeat(9000), now],
        ["date", "vtn", 0, 1],
        ["install", "vtn", good, now],
        ["install", "vtn", good, now],
      ]),
    ).toEqual(
      [
        "other-key",
        "unreadable",
        "unreadable",
        "unreadable",
        "expired",
        "no-request",
        "too-large",
        "too-large",
      ].concat([null as never, "fine", "no-request"]),
    );
  });

  it("orders a chain, and completes a leaf by the issuers it had", async () => {
    const nvs = flash();
    const span = { notBeforeUtcMs: Date.now() - DAY, notAfterUtcMs: Date.now() + 300 * DAY };
    const middle = await makeCertificate({ commonName: "middle CA", role: "ca", ...span }, ca);
    const at = await port();
    const [csr] = await run(nvs, [["request", "vtn", "UCM-0007"]]);
    const use: Op[] = [
      ["use", "vtn", 1, 0, ca.cert, 0],
      ["talk", "vtn", at],
      ["confirm", "vtn", 0],
    ];
    const upside = middle.cert + (await sign(csr, 9, middle));
    expect((await run(nvs, [["install", "vtn", upside, null], ...use]))[2]).toMatch(/^UCM-0007 /);
    const [renewal] = await run(nvs, [["request", "vtn", "x"]]);
    const alone = await sign(renewal, 9, middle);
    expect((await run(nvs, [["install", "vtn", alone, null], ...use]))[2]).toMatch(/^UCM-0007 /);
  });

  it("loses nothing by a power cut at any change", async () => {
    const at = await port();
    for (let cut = 1; cut <= 5; cut++) {
      const nvs = flash();
      const [csr] = await run(nvs, [["request", "vtn", "UCM-0008"]]);
      const first = await sign(csr);
      await run(nvs, [
        ["install", "vtn", first, null],
        ["confirm", "vtn", 0],
      ]);
      // Renewal: the key, the certificate, the change of places (two changes); the power goes in one of them.
      const [renewal] = await run(nvs, [["request", "vtn", "x"]], cut === 1 ? 1 : undefined);
      if (cut > 1) {
        const second = await sign(renewal);
        await run(
          nvs,
          [
            ["install", "vtn", second, null],
            ["confirm", "vtn", 0],
          ],
          cut - 1,
        );
      } else expect(renewal).toBeUndefined();
      const [current, next, now, , , later] = await run(nvs, [
        ["date", "vtn", 0, 1],
        ["use", "vtn", 0, 0, ca.cert, 0],
        ["talk", "vtn", at],
        ["confirm", "vtn", 0],
        ["use", "vtn", 0, 0, ca.cert, 0],
        ["talk", "vtn", at],
      ]);
      expect([typeof current, next]).toEqual(["number", "fine"]);
      for (const answer of [now, later]) expect(answer, `cut ${String(cut)}`).toMatch(/^UCM-0008 /);
      // And it can be renewed from there.
      const [again] = await run(nvs, [["request", "vtn", "x"]]);
      const third = await sign(again);
      const said = await run(nvs, [
        ["install", "vtn", third, null],
        ["use", "vtn", 1, 0, ca.cert, 0],
        ["talk", "vtn", at],
      ]);
      expect(said[2]).toBe(`UCM-0008 ${new X509Certificate(third).serialNumber}`);
    }
  });

  it("takes a record that has rotted for none", async () => {
    const nvs = flash();
    const [csr] = await run(nvs, [["request", "vtn", "UCM-0009"]]);
    await run(nvs, [
      ["install", "vtn", await sign(csr), null],
      ["confirm", "vtn", 0],
    ]);
    const bytes = readFileSync(nvs);
    for (let at = 20; at < bytes.length; at += 97) {
      const bad = Buffer.from(bytes);
      bad[at]! ^= 0x10;
      const rotten = flash();
      writeFileSync(rotten, bad);
      expect(
        await run(rotten, [
          ["date", "vtn", 0, 1],
          ["use", "vtn", 0, 0, ca.cert, 0],
        ]),
      ).toEqual([null, "fine"]);
    }
  });

  it("keeps roots beside the old ones: garbage, leaves and older versions are refused", async () => {
    const nvs = flash();
    const span = { notBeforeUtcMs: Date.now() - DAY, notAfterUtcMs: Date.now() + 300 * DAY };
    const fresh = await makeCertificate({ commonName: "new root", role: "ca", ...span });
    const moved = await makeCertificate(
      { commonName: "localhost", role: "server", hosts: ["localhost"], ...span },
      fresh,
    );
    const [old, young] = [await port({ requestCert: false }), await port({ ...moved, requestCert: false })];
    const bundle = ca.cert + fresh.cert;
    const said = await run(nvs, [
      ["putRoots", "vtn", 2, fresh.cert],
      ["putRoots", "vtn", 2, bundle],
      ["putRoots", "vtn", 1, bundle],
      ["putRoots", "vtn", 3, "garbage"],
      ["putRoots", "vtn", 3, ""],
      ["putRoots", "vtn", 3, server.cert],
      ["putRoots", "vtn", 3, bundle.slice(0, -80)],
      ["putRoots", "vtn", 0, bundle],
      // The next bundle alone would cut off from the server of today: TLS says so, the old one goes on.
      ["use", "vtn", -1, 1, ca.cert, 0],
      ["talk", "vtn", old],
      ["use", "vtn", -1, 0, ca.cert, 0],
      ["talk", "vtn", old],
      ["use", "vtn", -1, 1, ca.cert, 0],
      ["talk", "vtn", young],
      ["confirm", "vtn", 1],
      ["rootsVersion", "vtn", 0],
    ]);
    expect(said.slice(0, 8)).toEqual(["fine", "old", "old", ...Array<string>(5).fill("unreadable")]);
    expect(said[9]).toMatch(/^tls-untrusted unknown-root/);
    expect(said[11]).toMatch(/^undefined/);
    expect(said[13]).toMatch(/^undefined/);
    expect(said[15]).toBe(2);
    const after = await run(nvs, [
      ["use", "vtn", -1, 0, ca.cert, 0],
      ["talk", "vtn", young],
      ["talk", "vtn", old],
    ]);
    expect(after[1]).toMatch(/^undefined/);
    expect(after[2]).toMatch(/^tls-untrusted/);
  });

  it("reads the PKCS #7 that openssl writes, and openssl the bench's", () => {
    const told = spawnSync("openssl", ["pkcs7", "-inform", "DER", "-print_certs", "-noout"], {
      input: Buffer.from(certsOnly([server.cert, ca.cert]), "base64"),
      encoding: "utf8",
    });
    expect(told.stdout).toMatch(/CN = localhost[^]*CN = test CA/);
    const files = ["-certfile", servers.file(server.cert), "-certfile", servers.file(ca.cert)];
    const made = spawnSync("openssl", ["crl2pkcs7", "-nocrl", ...files, "-outform", "DER"]);
    expect(chainOfEst(made.stdout.toString("base64"))).toBe(
      server.cert.trimEnd() + "\n" + ca.cert.trimEnd() + "\n",
    );
  });
}

withEachMbedTls("the identity on the chip", identityCases);
