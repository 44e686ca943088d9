import "../../host-sim/pki/reflect.js";
import { webcrypto } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type HttpCredentials, NodeHttp } from "../../host-sim/net/node-http.js";
import { explain } from "../../host-sim/net/http-failure.js";
import type { BadCertificate } from "../../host-sim/pki/certificates.js";
import { type PemFiles, type Pki, openPki } from "../../host-sim/pki/pki.js";
import { httpFailure } from "../../src/base/http-words.js";
import type { HttpEvent, HttpFailure, HttpRequest } from "../../src/ports/http.js";

let dir = "";
let pki: Pki;
let client: PemFiles;
const closing: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "openucm-net-"));
  pki = await openPki(dir);
  client = await pki.client("module");
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** A server of RSA times: key and certificate of its own. */
async function rsaServer(): Promise<{ key: string; cert: string }> {
  const algorithm = {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    publicExponent: Uint8Array.of(1, 0, 1),
    modulusLength: 2048,
  };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const cert = await x509.X509CertificateGenerator.createSelfSigned(
    { name: "CN=127.0.0.1", keys, signingAlgorithm: algorithm, notAfter: new Date(Date.now() + 86_400_000) },
    webcrypto,
  );
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { key: x509.PemConverter.encode(pkcs8, "PRIVATE KEY"), cert: cert.toString("pem") };
}

/** Serves on a free port; gives the URL. */
async function serve(
  listener: http.RequestListener,
  options: https.ServerOptions | "plain" = {},
): Promise<{ url: string; server: http.Server | https.Server }> {
  const own = { key: pki.server.key, cert: pki.server.cert, ca: pki.ca.cert };
  const server =
    options === "plain" ? http.createServer(listener) : https.createServer({ ...own, ...options }, listener);
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const { port } = server.address() as net.AddressInfo;
  return { url: `${options === "plain" ? "http" : "https"}://127.0.0.1:${port}/`, server };
}

function setUp(credentials: HttpCredentials = { ca: pki.ca.cert, cert: client.cert, key: client.key }) {
  const events: HttpEvent[] = [];
  let wake = (): void => undefined;
  const port = new NodeHttp({
    credentials: new Map([["vtn", credentials]]),
    deliver: (event) => {
      events.push(event);
      wake();
    },
  });
  closing.push(() => port.close());
  let nextId = 1;
  const request = (url: string, more: Partial<HttpRequest> = {}): number => {
    const id = nextId++;
    port.request({
      id,
      method: "GET",
      url,
      headers: [],
      body: undefined,
      credentials: "vtn",
      timeoutMs: 60_000,
      maxBodyBytes: 100_000,
      ...more,
    });
    return id;
  };
  /** All events of a request, up to its end or failure. */
  const finished = async (id: number): Promise<HttpEvent[]> => {
    const of = (): HttpEvent[] => events.filter((e) => e.id === id);
    while (!of().some((e) => e.ev === "end" || e.ev === "failed")) {
      await new Promise<void>((resolve) => (wake = resolve));
    }
    return of();
  };
  const failure = async (id: number): Promise<{ reason: string; text: string }> => {
    const last = (await finished(id)).at(-1)!;
    if (last.ev !== "failed") throw new Error(`expected a failure, got ${JSON.stringify(last)}`);
    return { reason: last.reason, text: last.text };
  };
  return { port, events, request, finished, failure };
}

describe("NodeHttp", () => {
  it("delivers head, data and end, keeps the connection, and sends headers and body", async () => {
    const seen: string[] = [];
    const sockets = new Set<unknown>();
    const { url } = await serve((req, res) => {
      sockets.add(req.socket);
      let body = "";
      req.on("data", (chunk: Buffer) => (body += chunk.toString()));
      req.on("end", () => {
        seen.push(`${req.method} ${req.headers["content-type"]} ${body}`);
        res.writeHead(201, { "X-Test": "ä".normalize("NFD").slice(0, 1) }).end("grüezi");
      });
    });
    const { request, finished } = setUp();
    const more = {
      method: "POST" as const,
      body: "<ä/>",
      headers: [["Content-Type", "application/xml"]] as const,
    };
    const events = await finished(request(url, more));
    expect(events.map((e) => e.ev)).toEqual(["head", "data", "end"]);
    expect(events[0]).toMatchObject({ status: 201 });
    const head = events[0] as HttpEvent & { ev: "head" };
    expect(head.headers.find(([name]) => name === "x-test")).toEqual(["x-test", "a"]);
    expect(Buffer.from((events[1] as HttpEvent & { ev: "data" }).bytes).toString()).toBe("grüezi");
    await finished(request(url, more));
    expect(seen).toEqual(["POST application/xml <ä/>", "POST application/xml <ä/>"]);
    expect(sockets.size).toBe(1);
  });

  it.each<[BadCertificate, string]>([
    ["expired", "tls-expired"],
    ["not-yet-valid", "tls-not-yet-valid"],
    ["wrong-host", "tls-host-name"],
    ["forged-chain", "tls-untrusted"],
    ["self-signed", "tls-untrusted"],
  ])("refuses a server whose certificate is %s, in words", async (kind, reason) => {
    const { url } = await serve((_req, res) => res.end("never"), await pki.bad(kind));
    const { request, failure } = setUp();
    const failed = await failure(request(url));
    expect(failed.reason).toBe(reason);
    expect(failed.text).toMatch(/certificate/);
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "names a missing and an unknown client certificate (%s)",
    async (version) => {
      const mutual = {
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: version,
        maxVersion: version,
      };
      const { url } = await serve((_req, res) => res.end("never"), mutual);
      const without = setUp({ ca: pki.ca.cert });
      const missing = await without.failure(without.request(url));
      expect(missing).toMatchObject({ reason: "tls-client-certificate" });
      expect(missing.text).toContain("configure cert and key");
      const stranger = await (await openPki(join(dir, "stranger"))).client("x");
      const other = setUp({ ca: pki.ca.cert, cert: stranger.cert, key: stranger.key });
      const refused = await other.failure(other.request(url));
      // Node's server drops it after the handshake without an alert; others send one.
      expect(["closed", "tls-client-certificate"]).toContain(refused.reason);
      expect(refused.text).toContain("not accept");
    },
  );

  it("refuses TLS older than 1.2", async () => {
    const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    const { url } = await serve((_req, res) => res.end("never"), old);
    const { request, failure } = setUp();
    expect((await failure(request(url))).reason).toBe("tls-version");
  });

  it("speaks the cipher suite that 2.0b names", async () => {
    const suite = { ciphers: "ECDHE-ECDSA-AES128-SHA256", maxVersion: "TLSv1.2" } as const;
    const { url } = await serve(
      (req, res) => res.end((req.socket as unknown as { getCipher(): { name: string } }).getCipher().name),
      suite,
    );
    const { request, finished } = setUp();
    const data = (await finished(request(url))).find((e) => e.ev === "data") as HttpEvent & { ev: "data" };
    expect(Buffer.from(data.bytes).toString()).toBe("ECDHE-ECDSA-AES128-SHA256");
  });

  it.each(["AES128-SHA256", "AES256-GCM-SHA384:AES128-SHA"])(
    "has a name for a server with static-RSA suites alone: %s",
    async (ciphers) => {
      const { url } = await serve((_req, res) => res.end("never"), {
        ...(await rsaServer()),
        ciphers,
        maxVersion: "TLSv1.2",
        requestCert: true,
        rejectUnauthorized: true,
      });
      const { request, failure } = setUp();
      const { reason, text } = await failure(request(url));
      expect(reason).toBe("tls-static-rsa");
      expect(httpFailure(reason as HttpFailure, text, "the utility's server")).toMatchObject({
        blame: "server",
        fault: "tls-static-rsa",
        text: expect.stringMatching(/static-RSA cipher suites alone.*ECDHE suites must be enabled/) as string,
      });
      // With another suite beside them it would be a matter of trust, not of suites.
      const mixed = await serve((_req, res) => res.end("never"), {
        ...(await rsaServer()),
        ciphers: `${ciphers}:ECDHE-RSA-AES128-GCM-SHA256`,
        maxVersion: "TLSv1.2",
      });
      expect((await failure(request(mixed.url))).reason).toBe("tls-untrusted");
    },
  );

  it("says what is wrong with unreadable credentials, a port without TLS, and HTTP that is none", async () => {
    const broken = setUp({ ca: pki.ca.cert, cert: "nonsense", key: "nonsense" });
    const { url } = await serve((_req, res) => res.end("x"));
    expect((await broken.failure(broken.request(url))).reason).toBe("tls-client-certificate");
    const plain = await serve((_req, res) => res.end("x"), "plain");
    const { request, failure } = setUp();
    expect(await failure(request(plain.url.replace("http:", "https:")))).toMatchObject({
      reason: "tls-handshake",
    });
    const noise = net.createServer((socket) => socket.on("error", () => undefined).end("SSH-2.0-x\r\n"));
    await new Promise<void>((resolve) => noise.listen(0, "127.0.0.1", resolve));
    closing.push(() => void noise.close());
    const { port } = noise.address() as net.AddressInfo;
    expect(await failure(request(`http://127.0.0.1:${port}/`))).toMatchObject({ reason: "protocol" });
  });

  it("refuses plain http except to loopback, and what is no URL, without a connection", async () => {
    const { request, failure, finished, events } = setUp();
    const id = request("http://192.0.2.1/");
    expect(events).toEqual([]);
    expect(await failure(id)).toMatchObject({ reason: "protocol" });
    for (const url of ["vtn", "ftp://localhost/", "http://localhost.example/"]) {
      expect((await failure(request(url))).reason).toBe("protocol");
    }
    const { url } = await serve((_req, res) => res.end("x"), "plain");
    expect((await finished(request(url))).at(-1)!.ev).toBe("end");
  });

  it("reports refused, dns, time-out, a body that is too large, and one that is cut short", async () => {
    const { request, failure, finished } = setUp();
    expect((await failure(request("https://127.0.0.1:1/"))).reason).toBe("refused");
    expect((await failure(request("https://nobody.invalid/"))).reason).toBe("dns");
    const { url } = await serve((req, res) => {
      if (req.url === "/slow") return;
      if (req.url === "/big") {
        res.end("x".repeat(200_000));
        return;
      }
      if (req.url === "/cut") {
        res.writeHead(200, { "content-length": "1000" }).write("half");
        setTimeout(() => req.socket.destroy(), 20);
        return;
      }
      req.socket.destroy();
    });
    expect((await failure(request(`${url}slow`, { timeoutMs: 100 }))).reason).toBe("timeout");
    const big = await finished(request(`${url}big`, { maxBodyBytes: 1000 }));
    expect(big.at(-1)).toMatchObject({ ev: "failed", reason: "too-large" });
    expect((await failure(request(`${url}cut`))).reason).toBe("closed");
    expect((await failure(request(`${url}reset`))).reason).toBe("closed");
  });

  it("goes on after the server has closed a kept connection", async () => {
    const { url, server } = await serve((_req, res) => res.end("x"));
    const { request, finished } = setUp();
    await finished(request(url));
    server.closeAllConnections();
    expect((await finished(request(url))).at(-1)!.ev).toBe("end");
  });

  it("is silent after abort", async () => {
    const { url } = await serve((_req, res) => setTimeout(() => res.end("late"), 30));
    const { port, request, events, finished } = setUp();
    const dropped = request(url);
    port.abort(dropped);
    await finished(request(url));
    expect(events.filter((e) => e.id === dropped)).toEqual([]);
  });

  it("explains whatever it is given", () => {
    const context = { host: "h", hasClientCertificate: false, hasCa: false, secured: false, answered: false };
    for (const odd of [
      undefined,
      null,
      5,
      "x",
      {},
      new Error("x"),
      { code: 7 },
      new AggregateError([{ code: "ECONNREFUSED" }]),
    ]) {
      expect(explain(odd, context).text.length).toBeGreaterThan(10);
    }
    expect(explain(new AggregateError([{ code: "ECONNREFUSED" }]), context).reason).toBe("refused");
  });
});
