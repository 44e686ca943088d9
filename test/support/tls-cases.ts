/** What every version of Mbed TLS must pass: the cases of docs/tls.md, each with the reason it must be refused with. */
// Must stand before the library.
import "../../host-sim/pki/reflect.js";
import * as x509 from "@peculiar/x509";
import { spawnSync } from "node:child_process";
import type { Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type PemPair, makeBadServer, makeCertificate } from "../../host-sim/pki/certificates.js";
import { makeOdd } from "./tls-certificates.js";
import {
  buildTls,
  type CredentialWish,
  findMessage,
  type Library,
  type Outcome,
  runTls,
  Servers,
  type Wish,
  withCertificates,
} from "./tls-rig.js";

const DAY_MS = 86_400_000;
const GET = "GET / HTTP/1.0\r\n\r\n";

/** @param tls13 whether this library speaks 1.3 */
export function tlsCases(library: Library, tls13: boolean): void {
  const servers = new Servers();
  let ca: PemPair;
  let good: PemPair;
  let client: PemPair;
  const nowMs = Date.now();

  beforeAll(async () => {
    buildTls(library);
    const wish = { notBeforeUtcMs: nowMs - DAY_MS, notAfterUtcMs: nowMs + 30 * DAY_MS };
    ca = await makeCertificate({ ...wish, commonName: "Test CA", role: "ca" });
    good = await makeCertificate(
      { ...wish, commonName: "localhost", role: "server", hosts: ["localhost", "127.0.0.1"] },
      ca,
    );
    client = await makeCertificate({ ...wish, commonName: "ven", role: "client" }, ca);
  }, 300_000);
  afterAll(() => servers.stop());

  const one = async (wish: Partial<Wish> & { port: number }, set: CredentialWish = {}): Promise<Outcome> => {
    const run = await runTls(library, { c: { ca: ca.cert, ...set } }, [[{ id: 7, utcMs: nowMs, ...wish }]]);
    expect(run.outcomes).toHaveLength(1);
    return run.outcomes[0]!;
  };
  const reasonOf = (o: Outcome): string => `${o.reason ?? o.end} ${(o.text ?? "").split(" ")[0]!}`;
  const serve = (
    pair: PemPair,
    args: readonly string[] = [],
    chain: readonly PemPair[] = [],
  ): Promise<number> =>
    servers.openssl([
      ...["-cert", servers.file(pair.cert), "-key", servers.file(pair.key)],
      ...(chain.length > 0 ? ["-cert_chain", servers.file(chain.map(({ cert }) => cert).join(""))] : []),
      ...args,
    ]);

  it("talks to openssl with a good chain, with 1.2 and with the newest version it has", async () => {
    const twelve = await one({ port: await serve(good, ["-tls1_2"]), send: GET });
    expect(twelve).toMatchObject({ end: "closed" });
    expect(twelve.open).toMatch(/^TLSv1\.2 TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256$/);
    expect(twelve.data).toMatch(/^HTTP\/1.0 200 ok/);
    const newest = await one({ port: await serve(good), send: GET });
    expect(newest.open).toMatch(tls13 ? /^TLSv1\.3 / : /^TLSv1\.2 /);
    expect(newest.data).toMatch(/^HTTP\/1.0 200 ok/);
  });

  it("talks to an RSA server, and through an intermediate", async () => {
    const rsa = await makeOdd({ name: "rsa", issuer: ca, rsa: true });
    expect((await one({ port: await serve(rsa, ["-tls1_2"]), send: GET })).open).toContain("ECDHE-RSA");
    const middle = await makeOdd({ name: "middle", issuer: ca, isCa: true });
    const leaf = await makeOdd({ name: "leaf", issuer: middle });
    expect((await one({ port: await serve(leaf, [], [middle]), send: GET })).data).toMatch(/200 ok/);
  });

  it("moves many bytes both ways without loss, through full buffers", async () => {
    let received = 0;
    const port = await servers.node({ key: good.key, cert: good.cert }, (socket) => {
      socket.on("data", (bytes) => {
        received += bytes.length;
        if (received === 60_000) socket.end(Buffer.alloc(150_000, "x"));
      });
    });
    const outcome = await one({ port, sendMany: 60 });
    expect([received, outcome.bytes, outcome.end]).toEqual([60_000, 150_000, "closed"]);
  });

  it.each(["-tls1_2", "-tls1_3"])("shows its client certificate and signs with it (%s)", async (version) => {
    if (version === "-tls1_3" && !tls13) return;
    const log: string[] = [];
    const args = ["-Verify", "1", "-verify_return_error", "-CAfile", servers.file(ca.cert), version];
    const port = await servers.openssl(
      ["-cert", servers.file(good.cert), "-key", servers.file(good.key), ...args],
      log,
    );
    expect((await one({ port, send: GET }, { cert: client.cert, key: client.key })).data).toMatch(/200 ok/);
    expect(log.join("")).toMatch(/CN = ven/);
    expect(reasonOf(await one({ port, send: GET }))).toBe("tls-client-certificate client-certificate-needed");
    const other = await makeOdd({ name: "ven", purposes: [x509.ExtendedKeyUsage.clientAuth] });
    expect(reasonOf(await one({ port, send: GET }, other))).toBe(
      "tls-client-certificate client-certificate-refused",
    );
  });

  it("offers AES-128-CBC to OpenADR 2.0b alone", async () => {
    const port = await serve(good, ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"]);
    const open = await one({ port, send: GET }, { profile: "openadr-2.0b" });
    expect(open.open).toBe("TLSv1.2 TLS-ECDHE-ECDSA-WITH-AES-128-CBC-SHA256");
    expect(open.data).toMatch(/200 ok/);
    expect(reasonOf(await one({ port }))).toBe("tls-handshake no-common-suite");
  });

  it("takes an address only where the certificate has it as an address", async () => {
    expect((await one({ port: await serve(good), host: "127.0.0.1", send: GET })).end).toBe("closed");
    const named = await makeOdd({ name: "127.0.0.1", issuer: ca, hosts: ["localhost"] });
    const port = await serve(named);
    expect(reasonOf(await one({ port, host: "127.0.0.1" }))).toBe("tls-host-name host-name");
    const dns = await makeOdd({ name: "localhost", issuer: ca, hosts: ["*.localhost", "127.0.0.2"] });
    expect(reasonOf(await one({ port: await serve(dns) }))).toBe("tls-host-name host-name");
  });

  it.each([
    ["wrong-host", "tls-host-name host-name"],
    ["expired", "tls-expired expired"],
    ["not-yet-valid", "tls-not-yet-valid not-yet-valid"],
    ["self-signed", "tls-untrusted self-signed"],
    ["forged-chain", "tls-untrusted forged-signature"],
  ] as const)("refuses a certificate that is %s: %s", async (kind, reason) => {
    const port = await serve(await makeBadServer(kind, ca, nowMs));
    expect(reasonOf(await one({ port }))).toBe(reason);
  });

  it("judges dates by the clock it is given, not by the system's; without a clock not at all, the rest still", async () => {
    const old = await makeBadServer("expired", ca, nowMs);
    const port = await serve(old);
    const options = { port, send: GET };
    expect(
      (await runTls(library, { c: { ca: ca.cert } }, [[{ id: 1, ...options }]])).outcomes[0],
    ).toMatchObject({
      end: "closed",
    });
    expect((await one({ ...options, utcMs: nowMs - 10 * DAY_MS })).reason).toBe("tls-not-yet-valid");
    const fresh = await serve(good);
    expect(reasonOf(await one({ port: fresh, utcMs: nowMs + 400 * DAY_MS }))).toBe("tls-expired expired");
    expect(reasonOf(await one({ port: fresh, utcMs: 0 }))).toBe("tls-not-yet-valid not-yet-valid");
    const forged = await serve(await makeBadServer("wrong-host", ca, nowMs));
    const blind = await runTls(library, { c: { ca: ca.cert } }, [[{ id: 1, port: forged }]]);
    expect(reasonOf(blind.outcomes[0]!)).toBe("tls-host-name host-name");
  });

  it("refuses a forged leaf followed by the genuine intermediate", async () => {
    const middle = await makeOdd({ name: "middle", issuer: ca, isCa: true });
    const forged = await makeOdd({ name: "localhost", issuer: middle, forged: true });
    const outcome = await one({ port: await serve(forged, [], [middle]), send: GET });
    expect(reasonOf(outcome)).toBe("tls-untrusted forged-signature");
    expect(outcome.open).toBeUndefined();
  });

  it("refuses certificates for another purpose, each with its reason", async () => {
    const flags = x509.KeyUsageFlags;
    const usage = await makeOdd({ name: "localhost", issuer: ca, keyUsage: flags.keyAgreement });
    const purpose = await makeOdd({
      name: "localhost",
      issuer: ca,
      purposes: [x509.ExtendedKeyUsage.clientAuth],
    });
    const noCa = await makeOdd({
      name: "no ca",
      issuer: ca,
      isCa: false,
      keyUsage: flags.keyCertSign,
      hosts: [],
    });
    const underNoCa = await makeOdd({ name: "localhost", issuer: noCa });
    const noSign = await makeOdd({ name: "no sign", issuer: ca, isCa: true, keyUsage: flags.cRLSign });
    const underNoSign = await makeOdd({ name: "localhost", issuer: noSign });
    const short = await makeOdd({ name: "short", issuer: ca, isCa: true, pathLength: 0 });
    const below = await makeOdd({ name: "below", issuer: short, isCa: true });
    const tooDeep = await makeOdd({ name: "localhost", issuer: below });
    const cases: [PemPair, PemPair[], string][] = [
      [usage, [], "tls-purpose key-usage"],
      [purpose, [], "tls-purpose extended-key-usage"],
      [underNoCa, [noCa], "tls-purpose issuer-is-no-ca"],
      [underNoSign, [noSign], "tls-purpose issuer-key-usage"],
      [tooDeep, [below, short], "tls-purpose path-length"],
    ];
    // OpenSSL will not serve some of them: they are put in on the way. What is wrong is seen before any signature.
    const port = await serve(good, ["-tls1_2"]);
    for (const [leaf, chain, reason] of cases) {
      const shown = [leaf, ...chain].map(({ cert }) => cert);
      const liar = await servers.proxy(port, (bytes, at) =>
        at === 0 ? withCertificates(bytes, shown) : bytes,
      );
      expect(reasonOf(await one({ port: liar }))).toBe(reason);
    }
    const stranger = await makeOdd({ name: "Other CA", isCa: true });
    const leaf = await makeOdd({ name: "localhost", issuer: stranger });
    for (const chain of [[], [stranger]])
      expect(reasonOf(await one({ port: await serve(leaf, [], chain) }))).toBe("tls-untrusted unknown-root");
  });

  it("refuses TLS 1.1, by a server and by a downgrade on the way", async () => {
    const old = await serve(good, ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"]);
    expect(reasonOf(await one({ port: old }))).toBe("tls-version version-below-1.2");
    const newer = await serve(good, ["-tls1_2"]);
    const between = await servers.proxy(newer, (bytes, at) => {
      if (at === 0) bytes.writeUInt16BE(0x0302, 9); // version of the ServerHello
      return bytes;
    });
    expect(reasonOf(await one({ port: between }))).toBe("tls-version version-below-1.2");
    const marked = await servers.proxy(newer, (bytes, at) => {
      if (at === 0) Buffer.from("DOWNGRD\0").copy(bytes, 11 + 24); // end of its random
      return bytes;
    });
    expect(reasonOf(await one({ port: marked }))).toBe("tls-version downgraded");
  });

  it("refuses weak hashes and keys, at the leaf and above it", async () => {
    const middle = await makeOdd({ name: "weak middle", issuer: ca, isCa: true, hash: "SHA-1" });
    const cases: PemPair[][] = [
      [await makeOdd({ name: "localhost", issuer: ca, hash: "SHA-1" })],
      [await makeOdd({ name: "localhost", issuer: ca, rsa: true, rsaBits: 1024 })],
      [await makeOdd({ name: "localhost", issuer: middle }), middle],
    ];
    const port = await serve(good, ["-tls1_2"]);
    for (const chain of cases) {
      const shown = chain.map(({ cert }) => cert);
      const liar = await servers.proxy(port, (bytes, at) =>
        at === 0 ? withCertificates(bytes, shown) : bytes,
      );
      expect(reasonOf(await one({ port: liar }))).toBe("tls-untrusted weak-signature");
    }
  });

  it("judges the dates of intermediates too", async () => {
    const dates = { notBeforeUtcMs: nowMs - 3 * DAY_MS, notAfterUtcMs: nowMs - 2 * DAY_MS };
    const middle = await makeOdd({ name: "old middle", issuer: ca, isCa: true, ...dates });
    const port = await serve(await makeOdd({ name: "localhost", issuer: middle }), [], [middle]);
    expect(reasonOf(await one({ port }))).toBe("tls-expired expired");
  });

  it("counts days as the calendar does, and to the second", async () => {
    for (const day of ["2028-02-29T12:00:00Z", "2028-12-31T23:59:59Z", "2100-03-01T00:00:00Z"]) {
      const at = Date.parse(day);
      const root = await makeOdd({ name: "long", isCa: true, notBeforeUtcMs: 0, notAfterUtcMs: at + 9e9 });
      const wish = { name: "localhost", issuer: root };
      const port = await serve(
        await makeOdd({ ...wish, notBeforeUtcMs: at - 1000, notAfterUtcMs: at + 1000 }),
      );
      const set = { ca: root.cert };
      const send = GET;
      for (const utcMs of [at - 1000, at, at + 1000])
        expect((await one({ port, utcMs, send }, set)).end, day).toBe("closed");
      expect((await one({ port, utcMs: at - 1001, send }, set)).reason).toBe("tls-not-yet-valid");
      expect((await one({ port, utcMs: at + 2000, send }, set)).reason).toBe("tls-expired");
    }
  });

  it("compares names whole, by their kind, and wildcards as one label above two", async () => {
    const dns = (value: string) => ({ type: "dns" as const, value });
    const ip = (value: string) => ({ type: "ip" as const, value });
    const cases = [
      ["localhost", dns("local"), false],
      ["localhost", dns("localhost.example"), false],
      ["localhost", dns("LOCALHOST"), true],
      ["localhost", dns("*"), false],
      ["a.localhost", dns("*.localhost"), false],
      ["a.b.localhost", dns("*.b.localhost"), true],
      ["x.a.b.localhost", dns("*.b.localhost"), false],
      ["b.localhost", dns("*.b.localhost"), false],
      [".b.localhost", dns("*.b.localhost"), false],
      ["localhost", { type: "email", value: "localhost" }, false],
      ["localhost", { type: "url", value: "localhost" }, false],
      ["127.0.0.1", ip("127.0.0.2"), false],
      ["127.0.0.1", dns("127.0.0.1"), false],
      ["127.0.0.1", ip("127.0.0.1"), true],
    ] as const;
    for (const [host, name, fits] of cases) {
      const port = await serve(await makeOdd({ name: host, issuer: ca, names: [name] }));
      const outcome = await one({ port, host, send: GET });
      expect(fits ? outcome.end : reasonOf(outcome), `${host} ${name.value}`).toBe(
        fits ? "closed" : "tls-host-name host-name",
      );
    }
  });

  it("lets nothing pass that the library has found, but dates and names, which it judges itself", () => {
    const path = join(import.meta.dirname, "../../build/tls", library.name, "verify-test");
    const run = spawnSync(path, [servers.file(good.cert), "localhost"], { encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(run.stdout).toBe("00000000\n");
  });

  it("ends every session with a reason, whatever a server's bytes, time and memory do", () => {
    const path = join(import.meta.dirname, "../../build/tls", library.name, "record-fuzz");
    const files = [good.cert, good.key, ca.cert].map((text) => servers.file(text));
    // Of each run of the suites other ones; what fails names its own.
    const first = Math.floor(Math.random() * 1e9);
    const run = spawnSync(path, [...files, String(first), "500"], { encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(run.status).toBe(0);
    for (const reason of ["fine", "unknown-root", "protocol"])
      expect(run.stdout).toMatch(new RegExp(`^${reason} \\d+$`, "m"));
  }, 120_000);

  it("names a server that has static RSA alone", async () => {
    const rsa = await makeOdd({
      name: "rsa",
      issuer: ca,
      rsa: true,
      keyUsage: x509.KeyUsageFlags.keyEncipherment,
    });
    const port = await serve(rsa, ["-tls1_2", "-cipher", "AES128-SHA256:AES128-SHA"]);
    expect(reasonOf(await one({ port }))).toBe("tls-static-rsa static-rsa-only");
  });

  it("refuses a tampered signature of the key exchange, in 1.2 and over a changed parameter", async () => {
    const port = await serve(good, ["-tls1_2"]);
    for (const place of ["signature", "point"]) {
      const liar = await servers.proxy(port, (bytes, at) => {
        const found = at === 0 ? findMessage(bytes, 12) : undefined;
        // curve type, curve, length of the point, point, algorithm, length, signature
        if (found !== undefined) bytes[place === "signature" ? found.to - 1 : found.from + 4 + 40]! ^= 1;
        return bytes;
      });
      const { reason, text } = await one({ port: liar });
      // A changed point may be none of the curve; then nothing was verified.
      expect(`${reason ?? ""} ${text?.split(" ")[0] ?? ""}`).toMatch(
        place === "signature"
          ? /^tls-untrusted key-exchange-signature$/
          : /^(tls-untrusted key-exchange-signature|tls-handshake protocol)$/,
      );
    }
  });

  it("ends when the server closes: in the handshake, inside a record, and without a goodbye later", async () => {
    const port = await serve(good, ["-tls1_2"]);
    const first = (bytes: Buffer): number => 5 + bytes.readUInt16BE(3);
    const inside = await servers.proxy(port, (bytes, at) =>
      at === 0 ? bytes.subarray(0, first(bytes) + 20) : undefined,
    );
    const truncated = await raw(async (socket) => {
      const hello = await helloOf(port, socket);
      socket.end(hello.subarray(0, first(hello) + 20));
    });
    expect(reasonOf(await one({ port: truncated }))).toBe("closed truncated");
    expect(reasonOf(await one({ port: inside, timeoutMs: 3000 }))).toMatch(
      /^(closed truncated|timeout timeout)$/,
    );
    const between = await raw(async (socket) => {
      const hello = await helloOf(port, socket);
      socket.end(hello.subarray(0, first(hello)));
    });
    expect(reasonOf(await one({ port: between }))).toBe("closed closed");
    let isLate = false;
    const talker = await servers.node({ key: good.key, cert: good.cert, maxVersion: "TLSv1.2" }, (socket) => {
      socket.write("half an answer");
      setTimeout(() => {
        isLate = true;
        socket.write("the rest");
      }, 2000);
    });
    const rude = await servers.proxy(talker, (bytes) => (isLate ? undefined : bytes));
    const outcome = await one({ port: rude });
    expect(outcome.data).toBe("half an answer");
    expect(reasonOf(outcome)).toBe("closed closed");
  });

  it("bounds what a server may send: a record, a message, a handshake, and bytes that are no TLS", async () => {
    const cases: [Buffer, string][] = [
      [Buffer.from([22, 3, 3, 0xff, 0xff, 2, 0, 0, 50]), "tls-handshake oversize"],
      [Buffer.from([22, 3, 3, 0, 9, 2, 0xff, 0xff, 0xff, 3, 3, 0, 0, 0]), "tls-handshake oversize"],
      [Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), "tls-handshake not-tls"],
      [Buffer.from([22, 9, 9, 0, 1, 0]), "tls-handshake not-tls"],
      [Buffer.concat(Array<Buffer>(9000).fill(Buffer.from([22, 3, 3, 0, 0]))), "tls-handshake"],
    ];
    for (const [bytes, reason] of cases) {
      const port = await raw((socket) => void socket.write(bytes));
      expect(
        reasonOf(await one({ port, timeoutMs: 20_000 })),
        bytes.subarray(0, 9).toString("hex"),
      ).toContain(reason);
    }
  });

  it("gives a server that drips byte by byte, and one that says nothing, no more than the time it has", async () => {
    const source = await serve(good, ["-tls1_2"]);
    const drip = await raw(async (socket) => {
      const hello = await helloOf(source, socket);
      let at = 0;
      const timer = setInterval(() => {
        if (at < hello.length && !socket.destroyed) socket.write(hello.subarray(at, ++at));
        else clearInterval(timer);
      }, 20);
      socket.on("close", () => clearInterval(timer));
    });
    const silent = await raw(() => undefined);
    for (const port of [drip, silent]) {
      const outcome = await one({ port, timeoutMs: 1500 });
      expect(reasonOf(outcome)).toBe("timeout timeout");
      expect(outcome.ms).toBeGreaterThanOrEqual(1490);
      expect(outcome.ms).toBeLessThan(20_000);
    }
  });

  it("tells a closed port, an unknown name and unusable credentials", async () => {
    const gone = await raw(() => undefined);
    servers.endAll();
    expect(reasonOf(await one({ port: gone }))).toBe("refused refused");
    expect(reasonOf(await one({ port: 1, host: "no-such-host.invalid" }))).toBe("dns dns");
    const port = await serve(good);
    const credentials = "tls-client-certificate credentials-unusable";
    expect(reasonOf(await one({ port }, { ca: "no PEM" }))).toBe(credentials);
    expect(reasonOf(await one({ port }, { cert: client.cert }))).toBe(credentials);
    expect(reasonOf(await one({ port }, { key: client.key }))).toBe(credentials);
    expect(reasonOf(await one({ port }, { cert: client.cert, key: good.key }))).toBe(credentials);
    expect(reasonOf(await one({ port, credentials: "nobody" }))).toBe(credentials);
    expect(reasonOf(await one({ port, host: "127.0.0.1", ...({ secure: false } as object) }))).toBe(
      "protocol not-secure",
    );
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "resumes a session, counted by the server (%s)",
    async (version) => {
      if (version === "TLSv1.3" && !tls13) return;
      const seen: boolean[] = [];
      const port = await servers.node(
        { key: good.key, cert: good.cert, maxVersion: version, minVersion: version },
        (socket) => {
          seen.push(socket.isSessionReused());
          socket.on("data", () => socket.end("bye"));
        },
      );
      const again = (id: number, more: Partial<Wish> = {}): Wish[] => [
        { id, port, utcMs: nowMs, send: "hello", ...more },
      ];
      const set = { ca: ca.cert };
      const first = await runTls(library, { c: set, d: set }, [
        again(1),
        again(2),
        again(3, { credentials: "d" }),
        again(4, { host: "127.0.0.1" }),
        again(5),
        again(6, { setCredentials: set }),
      ]);
      // Not over other credentials, another name, or credentials that were set anew.
      expect(first.outcomes.map(({ end }) => end)).toEqual(Array(6).fill("closed"));
      expect(seen).toEqual([false, true, false, false, true, false]);
      expect(first.outcomes[1]!.open).toMatch(/ resumed$/);
      seen.length = 0;
      // Judged without a clock: not resumed once there is one.
      await runTls(library, { c: set }, [
        [{ id: 1, port, send: "hello" }],
        [{ id: 2, port, send: "hello" }],
        again(3),
      ]);
      expect(seen).toEqual([false, true, false]);
      seen.length = 0;
      // For 12 hours from the certificate on; a resumed one does not begin anew.
      const hours = (id: number, count: number): Wish[] => again(id, { skipMs: count * 3_600_000 });
      await runTls(library, { c: set }, [again(1), hours(2, 11), hours(3, 2), hours(4, 11.9)]);
      expect(seen).toEqual([false, true, false, true]);
    },
  );

  it("does not resume at another port, though that server could", async () => {
    const seen: boolean[] = [];
    const keys = { key: good.key, cert: good.cert, ticketKeys: Buffer.alloc(48, 7) };
    const serveHere = (): Promise<number> =>
      servers.node({ ...keys, maxVersion: "TLSv1.2" }, (socket) => {
        seen.push(socket.isSessionReused());
        socket.on("data", () => socket.end("bye"));
      });
    const ports = [await serveHere(), await serveHere()] as const;
    const wish = (id: number, port: number): Wish[] => [{ id, port, utcMs: nowMs, send: "hello" }];
    await runTls(library, { c: { ca: ca.cert } }, [
      wish(1, ports[0]),
      wish(2, ports[1]),
      wish(3, ports[1]),
      wish(4, ports[0]),
    ]);
    expect(seen).toEqual([false, false, true, true]);
  });

  it("gives nobody more than 30 seconds to open, whatever is asked", async () => {
    const silent = await raw(() => undefined);
    const port = await serve(good);
    // Opened, then the driver's clock goes on by 30 s.
    const { outcomes } = await runTls(library, { c: { ca: ca.cert } }, [
      [
        { id: 1, port: silent, utcMs: nowMs, timeoutMs: 3_600_000 },
        { id: 2, port, utcMs: nowMs, send: GET, skipMs: 30_001 },
      ],
    ]);
    expect(outcomes.map(reasonOf)).toContain("timeout timeout");
    expect(outcomes.find(({ id }) => id === 1)!.ms).toBeGreaterThanOrEqual(30_000);
    expect(outcomes.find(({ id }) => id === 2)!.end).toBe("closed");
  });

  it("keeps no more than 64 KB for a server that takes nothing, and says so", async () => {
    const port = await servers.node({ key: good.key, cert: good.cert }, (socket) => socket.pause());
    // All written at once: nothing can be taken meanwhile but what C holds.
    expect(reasonOf(await one({ port, sendMany: 200 }))).toBe("closed too-much-waiting");
    const fits = await one({ port, sendMany: 65, leaveAfterMs: 1 });
    expect(fits.end).toBe("left");
  });

  it("has three connections at once, refuses the fourth as a value, and takes it when one has ended", async () => {
    const port = await servers.node({ key: good.key, cert: good.cert }, (socket) => {
      socket.on("data", () => setTimeout(() => socket.end("answer"), 300));
    });
    const wish = (id: number): Wish => ({ id, port, utcMs: nowMs, send: "hello" });
    const { outcomes } = await runTls(library, { c: { ca: ca.cert } }, [[1, 2, 3, 4].map(wish), [wish(5)]]);
    const of = (id: number): Outcome | undefined => outcomes.find((each) => each.id === id);
    for (const id of [1, 2, 3, 5]) expect(of(id)).toMatchObject({ end: "closed", data: "answer" });
    expect(of(4)).toMatchObject({ end: "failed", reason: "busy", text: "busy" });
  });

  it("closes in any state without a word, and holds nothing afterwards", async () => {
    const port = await servers.node({ key: good.key, cert: good.cert }, () => undefined);
    const silent = await raw(() => undefined);
    const wishes = (leaveAfterMs: number): Wish[] => [
      { id: 1, port, utcMs: nowMs, leaveAfterMs },
      { id: 2, port: silent, utcMs: nowMs, timeoutMs: 200 },
      { id: 3, port, utcMs: nowMs, leaveAfterMs: leaveAfterMs * 2, sendMany: 20 },
    ];
    const both = { ca: ca.cert, cert: client.cert, key: client.key };
    const phases = [0, 5, 50].map(wishes);
    const run = await runTls(library, { c: both }, phases, "xs-tls-memory");
    // Resumable sessions and parsed credentials stay until the end; nothing does after it.
    expect(run.after).toBeLessThan(12_000);
    // What the library itself keeps for good (PSA's key slots, the counter of random numbers).
    expect(run.atEnd).toBeLessThan(4_000);
    for (const { mostMemory } of run.outcomes) expect(mostMemory).toBeLessThan(200_000);
  });

  const raw = (onSocket: (socket: Socket) => void): Promise<number> => servers.raw(onSocket);
  /** The first flight that a server at `port` answers this client's hello with. */
  const helloOf = async (port: number, socket: Socket): Promise<Buffer> => {
    const { connect } = await import("node:net");
    const hello = await new Promise<Buffer>((done) => socket.once("data", done));
    const upstream = connect(port, "127.0.0.1");
    upstream.write(hello);
    const answer = await new Promise<Buffer>((done) => upstream.once("data", done));
    upstream.destroy();
    return answer;
  };
}
