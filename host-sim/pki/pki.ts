/** The bench's own CA with what it has signed, kept as PEM files in a folder. */
import { X509Certificate, createPrivateKey } from "node:crypto";
import { chmod, mkdir, readFile, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  type BadCertificate,
  type CertificateWish,
  LOOPBACK,
  type PemPair,
  fingerprint20b,
  makeBadServer,
  makeCertificate,
  signRequest,
} from "./certificates.js";

const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
const LEAF_DAYS = 397;
/** Renewed when less is left. */
const RENEW_DAYS = 30;
/** Back-dated, so that a module whose clock is a little behind accepts it. */
const BACKDATE_MS = DAY_MS;

/** A certificate with its key, and where they are. */
export interface PemFiles extends PemPair {
  readonly certPath: string;
  readonly keyPath: string;
  /** OpenADR 2.0b fingerprint. */
  readonly fingerprint: string;
}

export interface Pki {
  readonly dir: string;
  readonly ca: PemFiles;
  /** For `localhost`, `127.0.0.1` and `::1`. */
  readonly server: PemFiles;
  /** The client certificate of that name; made at the first asking. Letters, digits, dot, dash, underscore. */
  client(name: string): Promise<PemFiles>;
  /** A client certificate for a signing request (PEM); not kept. */
  sign(csr: string): Promise<string>;
  /** A deliberately bad server certificate; not kept. */
  bad(kind: BadCertificate): Promise<PemPair>;
}

/**
 * Opens the folder, makes what is missing, renews what expires. Two programs may do so at once.
 * @param dir e.g. `DIR/pki`
 * @param utcMs the time to judge and date certificates by; default: now
 */
export async function openPki(dir: string, utcMs = Date.now()): Promise<Pki> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chmod(dir, 0o700);
  const opened = await locked(dir, async () => {
    const caWish = wish("OpenUCM bench CA", "ca", CA_DAYS, utcMs);
    const ca = await keep(dir, "ca", caWish, undefined, utcMs);
    const server = await keep(
      dir,
      "vtn",
      { ...wish("localhost", "server", LEAF_DAYS, utcMs), hosts: LOOPBACK },
      ca,
      utcMs,
    );
    return { ca, server };
  });
  return {
    dir,
    ...opened,
    client: async (name) => {
      if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/.test(name)) {
        throw new Error(`"${name}" cannot name a certificate: use letters, digits, dot, dash and underscore`);
      }
      const clientWish = wish(name, "client", LEAF_DAYS, utcMs);
      return locked(dir, () => keep(dir, `client-${name}`, clientWish, opened.ca, utcMs));
    },
    sign: (csr) => signRequest(csr, opened.ca, utcMs, LEAF_DAYS),
    bad: (kind) => makeBadServer(kind, opened.ca, utcMs),
  };
}

function wish(
  commonName: string,
  role: CertificateWish["role"],
  days: number,
  utcMs: number,
): CertificateWish {
  return { commonName, role, notBeforeUtcMs: utcMs - BACKDATE_MS, notAfterUtcMs: utcMs + days * DAY_MS };
}

/** The pair of that name if it is there and good, else a new one. */
async function keep(
  dir: string,
  name: string,
  asked: CertificateWish,
  issuer: PemPair | undefined,
  utcMs: number,
): Promise<PemFiles> {
  const certPath = join(dir, `${name}.pem`);
  const keyPath = join(dir, `${name}.key`);
  const old = await read(certPath, keyPath);
  const usable = old !== undefined && isGood(old, asked, issuer, utcMs);
  const pair = usable ? old : await makeCertificate(asked, issuer);
  if (!usable) {
    await put(keyPath, pair.key, 0o600);
    await put(certPath, pair.cert, 0o644);
  }
  return { ...pair, certPath, keyPath, fingerprint: fingerprint20b(pair.cert) };
}

async function read(certPath: string, keyPath: string): Promise<PemPair | undefined> {
  try {
    const pair = { cert: await readFile(certPath, "utf8"), key: await readFile(keyPath, "utf8") };
    if (((await stat(keyPath)).mode & 0o077) !== 0) await chmod(keyPath, 0o600);
    return pair;
  } catch {
    return undefined;
  }
}

function isGood(pair: PemPair, asked: CertificateWish, issuer: PemPair | undefined, utcMs: number): boolean {
  try {
    const cert = new X509Certificate(pair.cert);
    const signer = issuer === undefined ? cert : new X509Certificate(issuer.cert);
    return (
      Date.parse(cert.validFrom) <= utcMs &&
      Date.parse(cert.validTo) >= utcMs + RENEW_DAYS * DAY_MS &&
      cert.checkPrivateKey(createPrivateKey(pair.key)) &&
      cert.checkIssued(signer) &&
      cert.verify(signer.publicKey) &&
      cert.ca === (asked.role === "ca") &&
      (asked.hosts ?? []).every(
        (host) => cert.checkHost(host) !== undefined || cert.checkIP(host) !== undefined,
      )
    );
  } catch {
    return false;
  }
}

async function put(path: string, text: string, mode: number): Promise<void> {
  const next = `${path}.new`;
  await rm(next, { force: true });
  await writeFile(next, text, { mode, flag: "wx" });
  await rename(next, path);
}

const LOCK_STALE_MS = 20_000;
const LOCK_PATIENCE_MS = 30_000;

/** One at a time over all processes: else two that start together would mix the parts of two CAs. */
async function locked<T>(dir: string, work: () => Promise<T>): Promise<T> {
  const lock = join(dir, ".lock");
  const deadline = Date.now() + LOCK_PATIENCE_MS;
  for (;;) {
    try {
      await mkdir(lock);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const age = await stat(lock).then(
      (s) => Date.now() - s.mtimeMs,
      () => 0,
    );
    if (age > LOCK_STALE_MS) await rmdir(lock).catch(() => undefined);
    else if (Date.now() > deadline)
      throw new Error(`${lock} is held by another program; remove it if none runs`);
    else await delay(25);
  }
  try {
    return await work();
  } finally {
    await rmdir(lock).catch(() => undefined);
  }
}
