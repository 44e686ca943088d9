/** UTF-8 without TextEncoder, which neither Moddable's engine nor this core has. */

/** No code point yet: more bytes are needed. */
export const UTF8_MORE = -1;
/** The bytes are not UTF-8 (overlong, surrogate, above U+10FFFF, stray or missing continuation). */
export const UTF8_BAD = -2;

/** Decodes a byte at a time, so that a sequence may be split anywhere. */
export class Utf8Decoder {
  /** True between sequences: the end of input is right only here. */
  get whole(): boolean {
    return this.left === 0;
  }

  private left = 0;
  private code = 0;
  private low = 0x80;
  private high = 0xbf;

  /** Gives a code point, {@link UTF8_MORE} or {@link UTF8_BAD}. After a bad byte the decoder starts anew. */
  push(byte: number): number {
    if (this.left === 0) {
      if (byte < 0x80) return byte;
      this.low = 0x80;
      this.high = 0xbf;
      if (byte >= 0xc2 && byte <= 0xdf) {
        this.left = 1;
        this.code = byte & 0x1f;
      } else if (byte >= 0xe0 && byte <= 0xef) {
        this.left = 2;
        this.code = byte & 0x0f;
        if (byte === 0xe0) this.low = 0xa0;
        if (byte === 0xed) this.high = 0x9f;
      } else if (byte >= 0xf0 && byte <= 0xf4) {
        this.left = 3;
        this.code = byte & 0x07;
        if (byte === 0xf0) this.low = 0x90;
        if (byte === 0xf4) this.high = 0x8f;
      } else {
        return UTF8_BAD;
      }
      return UTF8_MORE;
    }
    if (byte < this.low || byte > this.high) {
      this.left = 0;
      return UTF8_BAD;
    }
    this.low = 0x80;
    this.high = 0xbf;
    this.code = (this.code << 6) | (byte & 0x3f);
    this.left--;
    return this.left === 0 ? this.code : UTF8_MORE;
  }
}

/**
 * Up to 64 code units of a text from a place on, no pair of surrogates cut. XS finds a character, and even a length, by
 * walking the text from its beginning: whoever reads a long text unit by unit walks it a thousand times over (20 KB of a
 * page took half a second on a computer), so long texts are read in pieces.
 */
export function pieceOf(text: string, from: number): string {
  const piece = text.slice(from, from + 64);
  const last = piece.length === 64 ? piece.charCodeAt(63) : 0;
  return last >= 0xd800 && last < 0xdc00 ? text.slice(from, from + 65) : piece;
}

/** The bytes of a string; a lone surrogate becomes U+FFFD. */
export function utf8Encode(text: string): Uint8Array {
  const out = new Uint8Array(utf8Length(text));
  let at = 0;
  let piece = pieceOf(text, 0);
  for (let from = 0; piece !== ""; piece = pieceOf(text, from)) {
    const length = piece.length;
    from += length;
    for (let i = 0; i < length; i++) {
      let c = piece.charCodeAt(i);
      if (c < 0x80) {
        out[at++] = c;
        continue;
      }
      if (c < 0x800) {
        out[at++] = 0xc0 | (c >> 6);
      } else {
        const low = c >= 0xd800 && c < 0xdc00 ? piece.charCodeAt(i + 1) : 0;
        if (low >= 0xdc00 && low <= 0xdfff) {
          i++;
          c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
          out[at++] = 0xf0 | (c >> 18);
          out[at++] = 0x80 | ((c >> 12) & 0x3f);
        } else {
          if (c >= 0xd800 && c <= 0xdfff) c = 0xfffd;
          out[at++] = 0xe0 | (c >> 12);
        }
        out[at++] = 0x80 | ((c >> 6) & 0x3f);
      }
      out[at++] = 0x80 | (c & 0x3f);
    }
  }
  return out;
}

/** How many bytes {@link utf8Encode} gives. */
export function utf8Length(text: string): number {
  let bytes = 0;
  let piece = pieceOf(text, 0);
  for (let from = 0; piece !== ""; piece = pieceOf(text, from)) {
    const length = piece.length;
    from += length;
    bytes += length;
    for (let i = 0; i < length; i++) {
      const c = piece.charCodeAt(i);
      if (c < 0x80) continue;
      if (c < 0x800) bytes += 1;
      else {
        bytes += 2;
        const low = c >= 0xd800 && c < 0xdc00 ? piece.charCodeAt(i + 1) : 0;
        // A pair is two units and four bytes.
        if (low >= 0xdc00 && low <= 0xdfff) i++;
      }
    }
  }
  return bytes;
}

/** The string of whole UTF-8 bytes, or undefined where they are not UTF-8. A byte order mark is kept. */
export function utf8Decode(bytes: Uint8Array, start = 0, end = bytes.length): string | undefined {
  const decoder = new Utf8Decoder();
  let text = "";
  let piece = "";
  for (let i = start; i < end; i++) {
    const code = decoder.push(bytes[i]!);
    if (code === UTF8_BAD) return undefined;
    if (code === UTF8_MORE) continue;
    piece += String.fromCodePoint(code);
    // Short pieces keep the quadratic copying of an engine without ropes small.
    if (piece.length >= 64) {
      text += piece;
      piece = "";
    }
  }
  return decoder.whole ? text + piece : undefined;
}
