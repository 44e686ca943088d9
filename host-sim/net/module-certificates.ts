// Must stand before the library.
import "../pki/reflect.js";
import { createPrivateKey, webcrypto, X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import type { CertificateCall, CertificateEvent, CertificatePort } from "../../src/ports/certificates.js";
import type { HttpCredentials } from "./node-http.js";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

export interface ModuleCertificatesOptions<T extends HttpCredentials> {
  /** Keeps one pair a set of credentials in it, mode 0600. */
  readonly dir: string;
  /** A renewed pair takes the configured one's place in it, at once and at each start. */
  readonly credentials: Map<string, T>;
  readonly deliver: (event: CertificateEvent) => void;
}

/** {@link CertificatePort} on this computer: ECDSA P-256 keys in files, that leave them only as signing requests. */
export class ModuleCertificates<T extends HttpCredentials> implements CertificatePort {
  readonly #options: ModuleCertificatesOptions<T>;
  /** Keys for which a request went out. */
  readonly #pending = new Map<string, string>();

  constructor(options: ModuleCertificatesOptions<T>) {
    this.#options = options;
    const { credentials } = options;
    for (const [name, configured] of credentials) {
      const kept = this.#read(name);
      if (kept !== undefined) credentials.set(name, { ...configured, ...kept });
    }
  }

  call(call: CertificateCall): void {
    const { credentials } = call;
    if (call.do === "install") {
      const ok = this.#install(credentials, call.chain);
      setImmediate(() => this.#options.deliver({ ev: "installed", credentials, ok }));
      return;
    }
    this.#request(credentials).then(
      (csr) => this.#options.deliver({ ev: "requested", credentials, csr }),
      () => this.#options.deliver({ ev: "requested", credentials, csr: undefined }),
    );
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
    const { dir, credentials } = this.#options;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    // One file, so that a power cut cannot leave a certificate beside another key.
    const path = this.#path(name);
    writeFileSync(`${path}.new`, `${chain.trimEnd()}\n${key}`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    credentials.set(name, { ...credentials.get(name), cert: chain, key } as T);
    return true;
  }

  #read(name: string): { readonly cert: string; readonly key: string } | undefined {
    let text: string;
    try {
      text = readFileSync(this.#path(name), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    const at = text.indexOf("-----BEGIN PRIVATE KEY-----");
    const pair = { cert: text.slice(0, Math.max(0, at)), key: text.slice(Math.max(0, at)) };
    return fits(pair.cert, pair.key) ? pair : undefined;
  }

  #path(name: string): string {
    return join(this.#options.dir, `${encodeURIComponent(name)}.pem`);
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
