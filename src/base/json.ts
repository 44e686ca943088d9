import { crc32 } from "./crc32.js";
import { pieceOf } from "./utf8.js";

/** A message that nests deeper is none of ours; a reader that calls itself must not be led further (JSON.parse recurses on the device's small stack). */
const MAX_DEPTH = 12;

/**
 * JSON values as sealed text: eight hexadecimal digits of CRC-32 over what follows, then compact JSON. What a
 * power cut has left half-written fails its seal and is not believed.
 */
export function sealJson(value: unknown): string {
  const text = JSON.stringify(value);
  return crcOfText(text).toString(16).padStart(8, "0") + text;
}

/** The value of a sealed text, or undefined where there is none or its seal is broken. */
export function openJson(sealed: string | undefined): unknown {
  if (sealed === undefined || sealed.length < 9) return undefined;
  const text = sealed.slice(8);
  if (crcOfText(text).toString(16).padStart(8, "0") !== sealed.slice(0, 8)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** CRC-32 over the text's UTF-16 code units, low byte first: no encoder is needed, and no platform has its own idea. */
export function crcOfText(text: string): number {
  const chunk = new Uint8Array(128);
  let crc = 0;
  let count = 64;
  // In pieces, because XS walks a text from its beginning to each of its characters.
  for (let at = 0; count === 64; at += 64) {
    const piece = text.slice(at, at + 64);
    count = piece.length;
    for (let i = 0; i < count; i++) {
      const unit = piece.charCodeAt(i);
      chunk[2 * i] = unit & 0xff;
      chunk[2 * i + 1] = unit >> 8;
    }
    crc = crc32(count === 64 ? chunk : chunk.subarray(0, 2 * count), crc);
  }
  return crc;
}

/** False where brackets outside of texts nest deeper than 12: told before a reader that calls itself is let at the text. */
export function isShallowJson(text: string): boolean {
  let depth = 0;
  let quoted = false;
  let escaped = false;
  let piece = pieceOf(text, 0);
  for (let from = 0; piece !== ""; piece = pieceOf(text, from)) {
    const length = piece.length;
    from += length;
    for (let i = 0; i < length; i++) {
      const c = piece.charCodeAt(i);
      if (escaped) escaped = false;
      else if (c === 0x22) quoted = !quoted;
      else if (quoted) escaped = c === 0x5c;
      else if (c === 0x5b || c === 0x7b) {
        if (++depth > MAX_DEPTH) return false;
      } else if (c === 0x5d || c === 0x7d) depth--;
    }
  }
  return true;
}
