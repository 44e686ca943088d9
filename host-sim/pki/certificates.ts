/**
 * Certificates for the bench and the tests. This folder guarantees: every key is generated on this computer
 * into the data folder (keys mode 0600, folder 0700), none is ever in the repository; what is there and valid
 * is used again, what is about to expire is renewed; all keys are ECDSA P-256, because that is what the
 * device and OpenADR 2.0b have in common (ECDHE-ECDSA-AES128-CBC-SHA256 and better).
 *
 * This file makes single certificates, good and deliberately bad; `pki.ts` keeps them.
 */
// Must stand before the library.
import "./reflect.js";
import { createHash, X509Certificate as NodeCertificate, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

export interface PemPair {
  /** Certificate, PEM. */
  readonly cert: string;
  /** Private key, PKCS #8 PEM. */
  readonly key: string;
}

export interface CertificateWish {
  readonly commonName: string;
  readonly role: "ca" | "server" | "client";
  /** Names and addresses of a server. */
  readonly hosts?: readonly string[];
  readonly notBeforeUtcMs: number;
  readonly notAfterUtcMs: number;
}

/** Makes a key pair and a certificate, signed by `issuer` or by itself. */
export async function makeCertificate(wish: CertificateWish, issuer?: PemPair): Promise<PemPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  const key = x509.PemConverter.encode(pkcs8, "PRIVATE KEY") + "\n";
  const name = [{ CN: [wish.commonName] }, { O: ["OpenUCM bench"] }];
  const extensions: x509.Extension[] = [
    new x509.BasicConstraintsExtension(wish.role === "ca", undefined, true),
    await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
  ];
  if (wish.role === "ca") {
    const usage = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign;
    extensions.push(new x509.KeyUsagesExtension(usage, true));
  } else {
    extensions.push(new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true));
    const purpose =
      wish.role === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
    extensions.push(new x509.ExtendedKeyUsageExtension([purpose]));
  }
  if (wish.hosts !== undefined && wish.hosts.length > 0) {
    const isAddress = (host: string): boolean => host.includes(":") || /^[\d.]+$/.test(host);
    const names = wish.hosts.map((host) => ({
      type: isAddress(host) ? ("ip" as const) : ("dns" as const),
      value: host,
    }));
    extensions.push(new x509.SubjectAlternativeNameExtension(names));
  }
  const common = {
    notBefore: new Date(wish.notBeforeUtcMs),
    notAfter: new Date(wish.notAfterUtcMs),
    signingAlgorithm: ALGORITHM,
    serialNumber: serialNumber(),
  };
  if (issuer === undefined) {
    const own = { ...common, name, keys: keys, extensions };
    return { cert: pem(await x509.X509CertificateGenerator.createSelfSigned(own, webcrypto)), key };
  }
  const issuerCert = new x509.X509Certificate(issuer.cert);
  extensions.push(await x509.AuthorityKeyIdentifierExtension.create(issuerCert, false, webcrypto));
  const made = await x509.X509CertificateGenerator.create(
    {
      ...common,
      subject: name,
      issuer: issuerCert.subject,
      publicKey: keys.publicKey,
      signingKey: await importKey(issuer.key),
      extensions,
    },
    webcrypto,
  );
  return { cert: pem(made), key };
}

/**
 * A client certificate for a signing request (PKCS #10, PEM) whose signature is right; the request says who it is for.
 */
export async function signRequest(
  csr: string,
  issuer: PemPair,
  utcMs: number,
  days: number,
): Promise<string> {
  const request = new x509.Pkcs10CertificateRequest(csr);
  if (!(await request.verify(webcrypto))) throw new Error("the signing request is not signed by its own key");
  const issuerCert = new x509.X509Certificate(issuer.cert);
  const made = await x509.X509CertificateGenerator.create(
    {
      subject: request.subject,
      issuer: issuerCert.subject,
      publicKey: await request.publicKey.export(webcrypto),
      signingKey: await importKey(issuer.key),
      signingAlgorithm: ALGORITHM,
      serialNumber: serialNumber(),
      notBefore: new Date(utcMs - DAY_MS),
      notAfter: new Date(utcMs + days * DAY_MS),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
        await x509.AuthorityKeyIdentifierExtension.create(issuerCert, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return pem(made);
}

async function importKey(pkcs8Pem: string): Promise<webcrypto.CryptoKey> {
  const der = x509.PemConverter.decodeFirst(pkcs8Pem);
  return webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]);
}

/** 16 random bytes, positive and without a leading zero, as RFC 5280 4.1.2.2 wants it. */
function serialNumber(): string {
  const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)));
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString("hex");
}

function pem(cert: x509.X509Certificate): string {
  return cert.toString("pem") + "\n";
}

/** What a server can get wrong with its certificate. */
export type BadCertificate = "expired" | "not-yet-valid" | "wrong-host" | "forged-chain" | "self-signed";

/**
 * A deliberately bad server certificate for `localhost` and the loopback addresses.
 * @param ca the good CA: it signs `expired`, `not-yet-valid` and `wrong-host`; `forged-chain` is signed by
 * another CA of the same name
 */
export async function makeBadServer(kind: BadCertificate, ca: PemPair, utcMs: number): Promise<PemPair> {
  const wish: CertificateWish = {
    commonName: "localhost",
    role: "server",
    hosts: LOOPBACK,
    notBeforeUtcMs: utcMs - DAY_MS,
    notAfterUtcMs: utcMs + 30 * DAY_MS,
  };
  switch (kind) {
    case "expired":
      return makeCertificate(
        { ...wish, notBeforeUtcMs: utcMs - 30 * DAY_MS, notAfterUtcMs: utcMs - DAY_MS },
        ca,
      );
    case "not-yet-valid":
      return makeCertificate({ ...wish, notBeforeUtcMs: utcMs + 10 * DAY_MS }, ca);
    case "wrong-host":
      return makeCertificate({ ...wish, commonName: "vtn.example", hosts: ["vtn.example"] }, ca);
    case "self-signed":
      return makeCertificate(wish);
    case "forged-chain": {
      const name = new x509.X509Certificate(ca.cert).subjectName.getField("CN")[0] ?? "";
      const forged = await makeCertificate({ ...wish, commonName: name, role: "ca", hosts: [] });
      return makeCertificate(wish, forged);
    }
  }
}

/** What the bench's servers are called. */
export const LOOPBACK: readonly string[] = ["localhost", "127.0.0.1", "::1"];

/**
 * The fingerprint that OpenADR 2.0b identifies a VEN by: the last 10 bytes of the SHA-256 of the DER
 * certificate, as upper-case hex with colons (openadr.md 1.7).
 */
export function fingerprint20b(certificate: string | Uint8Array): string {
  const der = typeof certificate === "string" ? new NodeCertificate(certificate).raw : certificate;
  const digest = createHash("sha256").update(der).digest().subarray(-10);
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(":");
}
