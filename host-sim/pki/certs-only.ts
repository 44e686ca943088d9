import { X509Certificate } from "node:crypto";

/** One element of DER. */
function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), body]);
}

const PKCS7 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];

/** Certificates as EST answers with them (RFC 7030 4.2.3): PKCS #7 certs-only in base64. */
export function certsOnly(pems: readonly string[]): string {
  const certificates = element(0xa0, ...pems.map((pem) => new X509Certificate(pem).raw));
  const nothing = element(0x30, element(0x06, Buffer.from([...PKCS7, 1])));
  const version = Buffer.from([0x02, 0x01, 0x01]);
  const data = element(0x30, version, element(0x31), nothing, certificates, element(0x31));
  const info = element(0x30, element(0x06, Buffer.from([...PKCS7, 2])), element(0xa0, data));
  return info.toString("base64").replace(/(.{64})/g, "$1\n");
}
