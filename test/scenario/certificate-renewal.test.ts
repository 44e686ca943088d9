/**
 * A module renews its certificate for real: Node's TLS, the bench's EST server, keys in files. What takes years in virtual
 * time: certificate-years.test.ts.
 */
import { X509Certificate } from "node:crypto";
import { request } from "node:https";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ModuleCertificates } from "../../host-sim/net/module-certificates.js";
import { type HttpCredentials, NodeHttp } from "../../host-sim/net/node-http.js";
import { makeCertificate, type PemPair } from "../../host-sim/pki/certificates.js";
import { VtnCore } from "../../host-sim/vtn/core.js";
import { startVtn } from "../../host-sim/vtn/server.js";
import type { Vtn } from "../../host-sim/vtn/vtn.js";
import { seededRandom } from "../../src/base/random.js";
import { Renewals } from "../../src/network/renewal.js";
import type { HttpEvent } from "../../src/ports/http.js";
import * as say from "../unit/vtn-messages.js";

const DAY = 86_400_000;

describe("renewal by EST over real TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "openucm-est-"));
  let vtn: Vtn;
  let count = 0;
  const opened: NodeHttp[] = [];

  beforeAll(async () => {
    vtn = await startVtn({ dataDir: join(folder, "vtn") });
  });
  afterEach(() => {
    for (const http of opened.splice(0)) http.close();
  });
  afterAll(async () => {
    await vtn.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A certificate that is `age` days old and has `left` days to go. */
  const aged = (age: number, left: number, issuer: PemPair = vtn.pki.ca): Promise<PemPair> =>
    makeCertificate(
      {
        ...{ commonName: "UCM-77", role: "client" },
        ...{ notBeforeUtcMs: Date.now() - age * DAY, notAfterUtcMs: Date.now() + left * DAY },
      },
      issuer,
    );

  /** A module for which a minute passes every 10 ms. */
  const module = (pair: Partial<PemPair>, estSecret?: string, dir = join(folder, `m${String(++count)}`)) => {
    const ca = readFileSync(vtn.ca, "utf8");
    const credentials = new Map<string, HttpCredentials>([["vtn", { ...pair, ca }]]);
    const said: string[] = [];
    let ms = 0;
    let id = 0;
    const now = () => ({ ms, utcMs: Date.now() });
    const answers = new Map<number, (event: HttpEvent) => void>();
    const certificates = new ModuleCertificates({
      ...{ dir, credentials, log: (text: string) => said.push(text) },
      deliver: (event) => renewals.onCertificate(event, now()),
    });
    const node = new NodeHttp({
      credentials,
      deliver: (event) => {
        certificates.heardHttp(event);
        renewals.onHttp(event, now());
        answers.get(event.id)?.(event);
      },
    });
    opened.push(node);
    const http = certificates.watchHttp(node);
    const renewals = new Renewals([{ id: "vtn", est: vtn.urls.est, estUser: "UCM-77", estSecret }], {
      ...{ http, certificates, random: seededRandom(1), nextRequestId: () => ++id },
      security: (code, text) => said.push(`${code} ${text}`),
      log: (level, text) => said.push(`${level} ${text}`),
    });
    renewals.start(now());
    return {
      ...{ credentials, said, dir },
      shown: (): X509Certificate => new X509Certificate(credentials.get("vtn")?.cert ?? ""),
      /** Runs until that was said. */
      until: async (what: RegExp): Promise<void> => {
        for (let turn = 0; turn < 500; turn++) {
          ms += 60_000;
          renewals.poll(now());
          if (said.some((text) => what.test(text))) return;
          await new Promise((done) => setTimeout(done, 10));
        }
        throw new Error(`never said ${String(what)}: ${said.join("; ")}`);
      },
      ask: (url: string): Promise<HttpEvent> =>
        new Promise((done) => {
          const mine = ++id;
          answers.set(mine, (event) => (event.ev === "head" || event.ev === "failed") && done(event));
          http.request({
            ...{ id: mine, method: "GET", url, headers: [], body: undefined, credentials: "vtn" },
            ...{ timeoutMs: 60_000, maxBodyBytes: 10_000 },
          });
        }),
    };
  };

  it("gets a new certificate for a new key, uses it, and keeps it when a server has answered", async () => {
    const pair = await aged(300, 65);
    const one = module(pair);
    await one.until(/security-setup vtn: certificate renewed/);
    const fresh = one.shown();
    expect(fresh.fingerprint256).not.toBe(new X509Certificate(pair.cert).fingerprint256);
    expect(fresh.subject).toBe(new X509Certificate(pair.cert).subject);
    expect(fresh.publicKey.equals(new X509Certificate(pair.cert).publicKey)).toBe(false);
    expect(Date.parse(fresh.validTo)).toBeGreaterThan(Date.now() + 360 * DAY);
    expect(existsSync(join(one.dir, "vtn.next.pem"))).toBe(true);
    expect(statSync(join(one.dir, "vtn.next.pem")).mode & 0o777).toBe(0o600);
    // A server that shakes hands and wants something else: nothing is proved.
    expect(await one.ask(vtn.urls.openadr2b)).toMatchObject({ ev: "head", status: 404 });
    expect(existsSync(join(one.dir, "vtn.next.pem"))).toBe(true);
    expect(await one.ask(`${vtn.urls.est}/cacerts`)).toMatchObject({ ev: "head", status: 200 });
    expect(existsSync(join(one.dir, "vtn.next.pem"))).toBe(false);
    expect(one.said.at(-1)).toMatch(/has proved itself/);
    // And after a restart.
    const again = module(pair, undefined, one.dir);
    expect(again.shown().fingerprint256).toBe(fresh.fingerprint256);
  });

  it("gets a first certificate by its secret alone, and none by another", async () => {
    const stranger = module({}, "not the secret");
    await stranger.until(/http-401/);
    const one = module({}, vtn.clients.module.clientSecret);
    await one.until(/certificate renewed/);
    expect(one.shown().subject).toMatch(/CN=vtn/);
    expect(await one.ask(vtn.urls.openadr2b)).toMatchObject({ ev: "head" });
  });

  it("goes on with the old one where the server refuses", async () => {
    const other = await makeCertificate({
      ...{ commonName: "another CA", role: "ca" },
      ...{ notBeforeUtcMs: Date.now() - DAY, notAfterUtcMs: Date.now() + DAY },
    });
    const pair = await aged(300, 30, other);
    const one = module(pair);
    await one.until(/^warning .*http-403/);
    expect(one.shown().fingerprint256).toBe(new X509Certificate(pair.cert).fingerprint256);
  });

  it("answers nonsense with a word, and lets nobody in without a certificate", async () => {
    const one = module({});
    const post = async (path: string, body: string | undefined, authorization?: string): Promise<number> => {
      return new Promise((done, fail) => {
        const headers = authorization === undefined ? {} : { authorization };
        const method = body === undefined ? "GET" : "POST";
        const options = { method, headers, ca: readFileSync(vtn.ca) };
        const sent = request(vtn.urls.est + path, options, (response) => done(response.statusCode ?? 0));
        sent.on("error", fail);
        sent.end(body);
      });
    };
    const good = `Basic ${Buffer.from(`x:${vtn.clients.module.clientSecret}`).toString("base64")}`;
    expect(await post("/simplereenroll", "AAAA")).toBe(403);
    expect(await post("/simpleenroll", "AAAA")).toBe(401);
    expect(await post("/simpleenroll", "AAAA", "Basic !")).toBe(401);
    expect(await post("/simpleenroll", "AAAA", good)).toBe(400);
    expect(await post("/simpleenroll", "<xml>", good)).toBe(400);
    expect(await post("/simpleenroll", undefined, good)).toBe(405);
    expect(await post("/other", "AAAA", good)).toBe(404);
    expect(one.said).toEqual([]);
  });

  it("stays the same VEN with its new certificate, from the first message that shows it", () => {
    const core = new VtnCore({ newId: (kind) => `${kind}-1` });
    const at = { utcMs: Date.UTC(2027, 0, 1) };
    core.handle("EiRegisterParty", say.register("m"), "AA", at);
    const { venId } = core.vens()[0]!;
    const poll = (fingerprint: string): string =>
      core.handle("OadrPoll", say.poll(venId), fingerprint, at).body;
    core.renewed("AA", "BB");
    expect(poll("AA")).not.toContain("463");
    expect(poll("BB")).not.toContain("463");
    expect(poll("AA")).toContain("463");
    expect(core.vens()).toHaveLength(1);
  });
});
