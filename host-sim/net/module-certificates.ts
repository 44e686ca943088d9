// Must stand before the library.
import "../pki/reflect.js";
import { createPrivateKey, webcrypto, X509Certificate } from "node:crypto";
import { readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { type Kind, PAIR, type Token, Trials } from "../../src/network/trials.js";
import type { CertificateCall, CertificateEvent, CertificatePort } from "../../src/ports/certificates.js";
import type { HttpEvent, HttpPort } from "../../src/ports/http.js";
import type { WebSocketEvent, WebSocketPort } from "../../src/ports/websocket.js";
import { monotonicMs } from "../runtime/clock.js";
import { writeWhole } from "../runtime/write-whole.js";
import type { HttpCredentials } from "./node-http.js";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

export interface ModuleCertificatesOptions<T extends HttpCredentials> {
  /** Keeps what is current and what is next of a set of credentials in it, mode 0600. */
  readonly dir: string;
  /** What is kept takes the configured one's place in it, at once and at each start. */
  readonly credentials: Map<string, T>;
  readonly deliver: (event: CertificateEvent) => void;
  readonly log?: (text: string) => void;
  /** Credentials of which an answer of HTTP proves nothing (OpenADR 2.0b). */
  readonly byWord?: (name: string) => boolean;
}

interface Pair {
  readonly cert: string;
  readonly key: string;
}

interface Roots {
  readonly version: number;
  readonly ca: string;
}

const BEGIN_KEY = "-----BEGIN PRIVATE KEY-----";

/**
 * {@link CertificatePort} on this computer: ECDSA P-256 keys in files, that leave them only as signing requests. As on the
 * chip (drivers/identity), what is new stays beside what is old until a server has answered over it.
 */
export class ModuleCertificates<T extends HttpCredentials> implements CertificatePort {
  readonly #options: ModuleCertificatesOptions<T>;
  readonly #configured: ReadonlyMap<string, T>;
  /** Keys for which a request went out. */
  readonly #pending = new Map<string, string>();
  readonly #trials: Trials;
  readonly #tokens = new Map<string, Token>();

  constructor(options: ModuleCertificatesOptions<T>) {
    this.#options = options;
    const { credentials } = options;
    this.#configured = new Map(credentials);
    this.#trials = new Trials({
      hasNext: (name, kind) =>
        (kind === PAIR ? this.#pair(name, true) : this.#roots(name, true)) !== undefined,
      confirm: (name, kind) => renameSync(this.#path(name, kind, true), this.#path(name, kind, false)),
      use: (name, nextPair, nextRoots) => {
        const { ca } = this.#roots(name, nextRoots) ?? {};
        credentials.set(name, {
          ...(credentials.get(name) ?? this.#configured.get(name)),
          ...this.#configuredOf(name),
          ...this.#pair(name, nextPair),
          ...(ca === undefined ? {} : { ca }),
        } as T);
      },
      log: (text) => options.log?.(text),
      byWord: (name) => options.byWord?.(name) ?? false,
    });
    for (const name of credentials.keys()) this.#trials.renew(name);
  }

  call(call: CertificateCall): void {
    const { credentials } = call;
    const deliver = (event: CertificateEvent): void => void setImmediate(() => this.#options.deliver(event));
    switch (call.do) {
      case "request":
        this.#request(credentials).then(
          (csr) => this.#options.deliver({ ev: "requested", credentials, csr }),
          () => this.#options.deliver({ ev: "requested", credentials, csr: undefined }),
        );
        return;
      case "install": {
        const ok = this.#install(credentials, call.chain);
        deliver({ ev: "installed", credentials, ok, why: ok ? "fine" : "unreadable" });
        return;
      }
      case "look": {
        const pair = this.#pair(credentials, true)?.cert ?? this.#options.credentials.get(credentials)?.cert;
        deliver({ ev: "validity", credentials, ...datesOf(pair) });
        return;
      }
      case "roots": {
        const why = this.#putRoots(credentials, call.version, call.bundle);
        deliver({ ev: "roots", credentials, version: call.version, ok: why === "fine", why });
        return;
      }
      case "word":
        this.#trials.word(credentials, call.taken, monotonicMs());
    }
  }

  /** The same port, watched: who is answered, and who is refused. Its events go through {@link heardHttp}. */
  watchHttp(port: HttpPort): HttpPort {
    return {
      request: (request) => {
        this.#open(`h${request.id}`, request.credentials);
        port.request(request);
      },
      abort: (id) => {
        this.#tokens.delete(`h${id}`);
        port.abort(id);
      },
    };
  }

  heardHttp(event: HttpEvent): void {
    const status = event.ev === "head" ? event.status : 500;
    // A server that has shaken hands may still not know the certificate.
    const refused = status === 401 || status === 403 ? "tls-client-certificate" : undefined;
    this.#heard(`h${event.id}`, status < 400, event.ev === "failed" ? event.reason : refused);
  }

  watchWebSocket(port: WebSocketPort): WebSocketPort {
    return {
      open: (request) => {
        this.#open(`w${request.id}`, request.credentials);
        port.open(request);
      },
      send: (id, text) => port.send(id, text),
      close: (id, code, reason) => {
        this.#tokens.delete(`w${id}`);
        port.close(id, code, reason);
      },
      keepAlive: (id, pingMs) => port.keepAlive(id, pingMs),
      setPassword: (credentials, password) => port.setPassword(credentials, password),
    };
  }

  heardWebSocket(event: WebSocketEvent): void {
    this.#heard(`w${event.id}`, event.ev === "open", event.ev === "failed" ? event.reason : undefined);
  }

  #open(id: string, credentials: string): void {
    const token = this.#trials.open(credentials, monotonicMs());
    if (token !== undefined) this.#tokens.set(id, token);
  }

  #heard(id: string, isAnswer: boolean, failure: string | undefined): void {
    const token = this.#tokens.get(id);
    if (token === undefined) return;
    this.#tokens.delete(id);
    if (isAnswer) this.#trials.answered(token);
    else if (failure !== undefined) this.#trials.failed(token, failure, monotonicMs());
  }

  async #request(name: string): Promise<string> {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
    this.#pending.set(name, `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`);
    const { cert } = this.#options.credentials.get(name) ?? {};
    // A renewal is for who the module is already.
    const subject = cert === undefined ? `CN=${name}` : new x509.X509Certificate(String(cert)).subject;
    const made = await x509.Pkcs10CertificateRequestGenerator.create(
      { name: subject, keys, signingAlgorithm: ALGORITHM },
      webcrypto,
    );
    return made.toString("pem");
  }

  #install(name: string, chain: string): boolean {
    const key = this.#pending.get(name);
    if (key === undefined || !fits(chain, key)) return false;
    this.#pending.delete(name);
    // One file, so that a power cut cannot leave a certificate beside another key.
    this.#write(this.#path(name, PAIR, true), `${chain.trimEnd()}\n${key}`);
    this.#trials.renew(name);
    return true;
  }

  #putRoots(name: string, version: number, bundle: string): string {
    const kept = [this.#roots(name, false), this.#roots(name, true)].map((one) => one?.version ?? 0);
    if (version <= Math.max(...kept)) return "old";
    if (!areRoots(bundle)) return "unreadable";
    this.#write(this.#path(name, 1, true), JSON.stringify({ version, ca: bundle } satisfies Roots));
    this.#trials.renew(name);
    return "fine";
  }

  #write(path: string, text: string): void {
    writeWhole(path, text, 0o600);
  }

  #configuredOf(name: string): Partial<HttpCredentials> {
    const { cert, key, ca } = this.#configured.get(name) ?? {};
    return { ...(cert === undefined ? {} : { cert, key }), ...(ca === undefined ? {} : { ca }) };
  }

  #pair(name: string, isNext: boolean): Pair | undefined {
    const text = read(this.#path(name, PAIR, isNext));
    const at = Math.max(0, text?.indexOf(BEGIN_KEY) ?? 0);
    if (text === undefined) return undefined;
    const pair = { cert: text.slice(0, at), key: text.slice(at) };
    return fits(pair.cert, pair.key) ? pair : undefined;
  }

  #roots(name: string, isNext: boolean): Roots | undefined {
    const path = this.#path(name, 1, isNext);
    const text = read(path);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as Roots;
    } catch {
      rmSync(path);
      return undefined;
    }
  }

  #path(name: string, kind: Kind, isNext: boolean): string {
    const what =
      kind === PAIR ? (isNext ? ".next.pem" : ".pem") : isNext ? ".roots-next.json" : ".roots.json";
    return join(this.#options.dir, encodeURIComponent(name) + what);
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The leaf is for this key, and valid now. */
function fits(chain: string, key: string): boolean {
  try {
    const leaf = new X509Certificate(chain);
    const now = Date.now();
    const isNow = Date.parse(leaf.validFrom) <= now && now < Date.parse(leaf.validTo);
    return isNow && leaf.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function datesOf(cert: string | undefined): { readonly fromUtcMs?: number; readonly untilUtcMs?: number } {
  if (cert === undefined) return {};
  const { validFrom, validTo } = new X509Certificate(cert);
  return { fromUtcMs: Date.parse(validFrom), untilUtcMs: Date.parse(validTo) };
}

/** One certificate at least, and each one a CA that has signed itself. */
function areRoots(bundle: string): boolean {
  const all = bundle.split("-----BEGIN CERTIFICATE-----").slice(1);
  try {
    return (
      all.length > 0 &&
      all.every((one) => {
        const root = new X509Certificate(`-----BEGIN CERTIFICATE-----${one}`);
        return root.ca && root.subject === root.issuer && root.verify(root.publicKey);
      })
    );
  } catch {
    return false;
  }
}
