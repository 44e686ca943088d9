/**
 * SHA-1 (FIPS 180-4) of at most 119 bytes, 20 bytes out. For the accept key of RFC 6455 alone, where it proves that
 * the server read our request and protects nothing.
 */
export function sha1(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(bytes.length < 56 ? 64 : 128);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  padded[padded.length - 2] = (bytes.length * 8) >> 8;
  padded[padded.length - 1] = (bytes.length * 8) & 0xff;
  const h = new Int32Array(5);
  h.set(INITIAL);
  const w = new Int32Array(80);
  for (let at = 0; at < padded.length; at += 64) {
    for (let i = 0; i < 80; i++) {
      const from = at + 4 * i;
      w[i] =
        i < 16
          ? (padded[from]! << 24) | (padded[from + 1]! << 16) | (padded[from + 2]! << 8) | padded[from + 3]!
          : rotate(w[i - 3]! ^ w[i - 8]! ^ w[i - 14]! ^ w[i - 16]!, 1);
    }
    let [a, b, c, d, e] = [h[0]!, h[1]!, h[2]!, h[3]!, h[4]!];
    for (let i = 0; i < 80; i++) {
      const round = (i / 20) | 0;
      const mixed = round === 0 ? (b & c) | (~b & d) : round === 2 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
      const next = (rotate(a, 5) + mixed + e + ROUND[round]! + w[i]!) | 0;
      [e, d, c, b, a] = [d, c, rotate(b, 30), a, next];
    }
    h[0]! += a;
    h[1]! += b;
    h[2]! += c;
    h[3]! += d;
    h[4]! += e;
  }
  const digest = new Uint8Array(20);
  for (let i = 0; i < 20; i++) digest[i] = h[i >> 2]! >>> (24 - 8 * (i & 3));
  return digest;
}

function rotate(x: number, n: number): number {
  return (x << n) | (x >>> (32 - n));
}

const INITIAL: readonly number[] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
const ROUND: readonly number[] = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6];
