import { fromBase64, toBase64 } from "../base/base64.js";

/** A body of a signing request for EST (RFC 7030 4.2.1): PKCS #10 in base64. `csr` is PEM. */
export function estBody(csr: string): string {
  return csr.split("-----")[2]?.trim() ?? "";
}

/** No answer of EST is longer: four certificates, in base64. */
export const EST_BYTES = 16_384;
const MOST_CERTIFICATES = 4;

/** Reads DER, an element after the other. */
class Der {
  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
    private readonly end: number,
  ) {}

  /** The content of the next element, which has to be of this tag. */
  enter(tag: number): Der | undefined {
    const from = this.at;
    const { bytes, end } = this;
    if (end - from < 2 || bytes[from] !== tag) return undefined;
    let length = bytes[from + 1]!;
    let at = from + 2;
    if (length > 127) {
      const more = length - 128;
      if (more < 1 || more > 2 || end - at < more) return undefined;
      for (length = 0; at < from + 2 + more; at++) length = length * 256 + bytes[at]!;
    }
    if (end - at < length) return undefined;
    this.at = at + length;
    return new Der(bytes, at, this.at);
  }

  /** The next element whole, with its head. */
  whole(tag: number): Uint8Array | undefined {
    const from = this.at;
    return this.enter(tag) && this.bytes.subarray(from, this.at);
  }

  get rest(): boolean {
    return this.at < this.end;
  }
}

/**
 * The certificates of an answer (RFC 7030 4.2.3): PKCS #7 certs-only (RFC 5652) in base64, as PEM, in the answer's order.
 * Undefined for anything else, and for more than four.
 */
export function chainOfEst(body: string): string | undefined {
  const der = fromBase64(body);
  if (der === undefined) return undefined;
  const info = new Der(der, 0, der.length).enter(0x30);
  // The type: signedData, 1.2.840.113549.1.7.2.
  if (String(info?.whole(0x06)) !== "6,9,42,134,72,134,247,13,1,7,2") return undefined;
  const data = info?.enter(0xa0)?.enter(0x30);
  // Version, digests, what was signed: nothing.
  if (!data?.enter(0x02) || !data.enter(0x31) || !data.enter(0x30)) return undefined;
  const list = data.enter(0xa0);
  let pem = "";
  for (let count = 0; list?.rest; count++) {
    const one = list.whole(0x30);
    if (one === undefined || count === MOST_CERTIFICATES) return undefined;
    const text = toBase64(one);
    pem += "-----BEGIN CERTIFICATE-----\n";
    for (let at = 0; at < text.length; at += 64) pem += `${text.slice(at, at + 64)}\n`;
    pem += "-----END CERTIFICATE-----\n";
  }
  return pem === "" ? undefined : pem;
}
