/**
 * A module's identity on this computer: a P-256 key that leaves its folder only as a signing request, and the
 * certificate that came back. Files are private (mode 0600, folder 0700) and never overwritten.
 */
// Must stand before the library.
import "../pki/reflect.js";
import { createHash, createPrivateKey, createPublicKey, webcrypto, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as x509 from "@peculiar/x509";
import { whyNot } from "../runtime/why-not.js";
import { UsageError } from "../cli/output.js";
import { fingerprint20b } from "../pki/certificates.js";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** `device`: in use or to come first; `next`: a renewal under way; `old`: what was in use before. */
type Slot = "device" | "next" | "old";

export function filesOf(dir: string, slot: Slot) {
  return { key: join(dir, `${slot}.key`), csr: join(dir, `${slot}.csr`), cert: join(dir, `${slot}.pem`) };
}

function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600, flag: "wx" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST")
      throw new UsageError(
        `${path} exists, and is not overwritten: import its certificate, or name another folder`,
      );
    throw new UsageError(`cannot write ${path} (${code ?? "unknown error"})`);
  }
}

/**
 * Makes a private folder, and those that it lies in. Step by step, because Node's own `recursive` never returns where
 * the system denies that a folder exists and will not make it either (/proc).
 */
export function privateFolder(dir: string): void {
  const make = (path: string, deeper: boolean): void => {
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EEXIST" && statSync(path).isDirectory()) return;
      if (code !== "ENOENT" || !deeper || dirname(path) === path) throw error;
      make(dirname(path), true);
      make(path, false);
    }
  };
  try {
    make(dir, true);
  } catch (error) {
    throw new UsageError(`cannot make the folder ${dir} (${whyNot(error)})`);
  }
}

/** Makes a key and a signing request (PKCS #10) for it in `dir`. Answers the SHA-256 of the public key, hexadecimal. */
export async function makeRequest(dir: string, slot: "device" | "next", commonName: string): Promise<string> {
  privateFolder(dir);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    { name: [{ CN: [commonName] }], keys, signingAlgorithm: ALGORITHM },
    webcrypto,
  );
  const { key, csr } = filesOf(dir, slot);
  writeNew(key, `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`);
  writeNew(csr, `${request.toString("pem")}\n`);
  return keyHash(key);
}

/** SHA-256 of the public key (SubjectPublicKeyInfo, DER) of a private key's file, hexadecimal. */
export function keyHash(keyPath: string): string {
  const key = createPublicKey(createPrivateKey(readFileSync(keyPath)));
  return createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");
}

export interface ImportedCertificate {
  readonly slot: "device" | "next";
  /** As OpenADR 2.0b has it: the last 10 bytes of the SHA-256. */
  readonly fingerprint: string;
  readonly subject: string;
  readonly notAfter: string;
}

/**
 * Takes the certificate that an authority has issued: it must belong to the key in use or to the one of a renewal, and
 * be valid now. A renewal takes the place of what was in use, which is kept as `old.*` until the next one.
 */
export function importCertificate(dir: string, chainPem: string, utcMs: number): ImportedCertificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(chainPem);
  } catch {
    throw new UsageError("that is no certificate in PEM: give the file that the authority has sent back");
  }
  const slot = (["next", "device"] as const).find((one) => {
    const { key } = filesOf(dir, one);
    return existsSync(key) && certificate.checkPrivateKey(createPrivateKey(readFileSync(key)));
  });
  if (slot === undefined)
    throw new UsageError(
      `the certificate belongs to none of the keys in ${dir}: was it made from the request in there?`,
    );
  if (Date.parse(certificate.validTo) < utcMs)
    throw new UsageError(`the certificate has expired (${certificate.validTo})`);
  if (Date.parse(certificate.validFrom) > utcMs + 86_400_000)
    throw new UsageError(
      `the certificate is not valid before ${certificate.validFrom}: is this computer's clock right?`,
    );
  const text = `${chainPem.trimEnd()}\n`;
  if (slot === "next") {
    const next = filesOf(dir, "next");
    const device = filesOf(dir, "device");
    const old = filesOf(dir, "old");
    for (const part of ["key", "csr", "cert"] as const)
      if (existsSync(device[part])) renameSync(device[part], old[part]);
    // The certificate last: a key without one is a request under way, and the same import goes on after a crash.
    renameSync(next.key, device.key);
    renameSync(next.csr, device.csr);
    writeFileSync(device.cert, text, { mode: 0o600 });
  } else writeFileSync(filesOf(dir, "device").cert, text, { mode: 0o600 });
  return {
    slot,
    fingerprint: fingerprint20b(chainPem),
    subject: certificate.subject,
    notAfter: new Date(certificate.validTo).toISOString(),
  };
}
