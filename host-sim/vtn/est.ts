import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { fingerprint20b, type PemPair, signRequest } from "../pki/certificates.js";
import { certsOnly } from "../pki/certs-only.js";
import type { Reply } from "./tls-front.js";

export const PATH_EST = "/.well-known/est";

export interface EstOptions {
  readonly ca: PemPair;
  /** What a module without a certificate shows, under any name (HTTP Basic, RFC 7030 3.2.3). */
  readonly secret: string;
  /** How long what is issued is good. */
  readonly days: number;
  /** A certificate took another's place; both as OpenADR 2.0b's fingerprints. */
  readonly onRenewed: (before: string, after: string) => void;
}

/**
 * The bench's certificate authority as an EST server (RFC 7030): `simplereenroll` for who shows a certificate of ours,
 * `simpleenroll` for who knows the secret. A test double: whoever knows that may have any name.
 */
export async function answerEst(options: EstOptions, request: IncomingMessage, body: string): Promise<Reply> {
  const plain = (status: number, text: string, headers = {}): Reply => ({
    ...{ status, type: "text/plain", body: `${text}\n`, headers },
  });
  const operation = (request.url ?? "").slice(PATH_EST.length + 1);
  const socket = request.socket as TLSSocket;
  if (operation === "cacerts" && request.method === "GET") return pkcs7([options.ca.cert]);
  if (operation !== "simpleenroll" && operation !== "simplereenroll")
    return plain(404, "Here are cacerts, simpleenroll and simplereenroll.");
  if (request.method !== "POST") return plain(405, "A request is POSTed.", { Allow: "POST" });
  const renews = operation === "simplereenroll";
  if (renews && !socket.authorized) return plain(403, "Show the certificate that is to be renewed.");
  if (!renews && !knows(request.headers.authorization, options.secret))
    return plain(401, "Show the secret.", { "WWW-Authenticate": 'Basic realm="EST"' });
  if (body.length > 8192 || !/^[A-Za-z0-9+/=\s]+$/.test(body))
    return plain(400, "A request is PKCS #10 in base64.");
  try {
    const csr = `-----BEGIN CERTIFICATE REQUEST-----\n${body.trim()}\n-----END CERTIFICATE REQUEST-----\n`;
    const cert = await signRequest(csr, options.ca, Date.now(), options.days);
    if (renews) options.onRenewed(fingerprint20b(socket.getPeerCertificate().raw), fingerprint20b(cert));
    return pkcs7([cert]);
  } catch (error) {
    return plain(400, `The request is not signed by its key, or none: ${(error as Error).message}`);
  }
}

function pkcs7(certificates: readonly string[]): Reply {
  const type = "application/pkcs7-mime; smime-type=certs-only";
  const headers = { "Content-Transfer-Encoding": "base64" };
  return { status: 200, type, headers, body: certsOnly(certificates) };
}

function knows(authorization: string | undefined, secret: string): boolean {
  const text = Buffer.from((authorization ?? "").replace(/^Basic /i, ""), "base64").toString("utf8");
  const said = Buffer.from(text.slice(text.indexOf(":") + 1));
  const wanted = Buffer.from(secret);
  return text.includes(":") && said.length === wanted.length && timingSafeEqual(said, wanted);
}
