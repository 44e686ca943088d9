/** Certificates with one thing wrong, which host-sim/pki does not make. */
import "../../host-sim/pki/reflect.js";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { LOOPBACK, type PemPair } from "../../host-sim/pki/certificates.js";

const DAY_MS = 86_400_000;
const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
} as const;

export interface OddWish {
  readonly name: string;
  /** Absent: signs itself. */
  readonly issuer?: PemPair;
  /** Names this as its issuer, but signs with a key of its own. */
  readonly forged?: boolean;
  readonly hosts?: readonly string[];
  readonly isCa?: boolean;
  readonly pathLength?: number;
  /** null: without the extension. */
  readonly keyUsage?: x509.KeyUsageFlags | null;
  readonly purposes?: readonly string[] | null;
  readonly rsa?: boolean;
  /** Length of an RSA key: 2048 unless told. */
  readonly rsaBits?: number;
  /** What is signed: SHA-256 unless told. */
  readonly hash?: "SHA-1";
  /** Names that are not told apart by their looks. */
  readonly names?: readonly { readonly type: "dns" | "ip" | "email" | "url"; readonly value: string }[];
  readonly notBeforeUtcMs?: number;
  readonly notAfterUtcMs?: number;
}

export async function makeOdd(wish: OddWish): Promise<PemPair> {
  const algorithm = wish.rsa === true ? { ...RSA, modulusLength: wish.rsaBits ?? 2048 } : ECDSA;
  const { privateKey, publicKey } = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const key = `${x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", privateKey), "PRIVATE KEY")}\n`;
  const isCa = wish.isCa === true;
  const extensions: x509.Extension[] = [new x509.BasicConstraintsExtension(isCa, wish.pathLength, true)];
  const usage =
    wish.keyUsage === undefined
      ? isCa
        ? x509.KeyUsageFlags.keyCertSign
        : x509.KeyUsageFlags.digitalSignature
      : wish.keyUsage;
  if (usage !== null) extensions.push(new x509.KeyUsagesExtension(usage, true));
  const purposes =
    wish.purposes === undefined ? (isCa ? null : [x509.ExtendedKeyUsage.serverAuth]) : wish.purposes;
  if (purposes !== null) extensions.push(new x509.ExtendedKeyUsageExtension([...purposes]));
  const hosts = wish.hosts ?? (isCa ? [] : LOOPBACK);
  if (hosts.length > 0 || wish.names !== undefined) {
    const names = hosts.map((value) => ({
      type: value.includes(":") || /^[\d.]+$/.test(value) ? ("ip" as const) : ("dns" as const),
      value,
    }));
    extensions.push(new x509.SubjectAlternativeNameExtension([...(wish.names ?? names)]));
  }
  let signingKey = privateKey;
  let issuerName: string | undefined;
  if (wish.issuer !== undefined) {
    issuerName = new x509.X509Certificate(wish.issuer.cert).subject;
    if (wish.forged !== true) {
      const der = x509.PemConverter.decodeFirst(wish.issuer.key);
      signingKey = await webcrypto.subtle.importKey("pkcs8", der, ECDSA, false, ["sign"]);
    }
  }
  const made = await x509.X509CertificateGenerator.create(
    {
      subject: [{ CN: [wish.name] }],
      issuer: issuerName ?? [{ CN: [wish.name] }],
      serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(8)))
        .toString("hex")
        .replace(/^./, "4"),
      notBefore: new Date(wish.notBeforeUtcMs ?? Date.now() - DAY_MS),
      notAfter: new Date(wish.notAfterUtcMs ?? Date.now() + 30 * DAY_MS),
      signingAlgorithm: {
        ...(signingKey.algorithm.name === "ECDSA" ? ECDSA : RSA),
        ...(wish.hash === undefined ? {} : { hash: wish.hash }),
      },
      publicKey,
      signingKey,
      extensions,
    },
    webcrypto,
  );
  return { cert: `${made.toString("pem")}\n`, key };
}
