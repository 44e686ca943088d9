/** Bytes ↔ hexadecimal text, for traces and for worlds that are reached by text. */

const digits = "0123456789ABCDEF";

/** Upper-case hex with `separator` between bytes (default none). */
export function toHex(bytes: Uint8Array, separator = ""): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (i > 0) text += separator;
    text += digits[byte >> 4]! + digits[byte & 15]!;
  }
  return text;
}

/** Value of a hex digit's character code, −1 for anything else. */
function nibble(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const upper = code & ~32;
  return upper >= 65 && upper <= 70 ? upper - 55 : -1;
}

/** Bytes of hex text; spaces between bytes are skipped. Undefined for anything that is not whole bytes of hex. */
export function fromHex(text: string): Uint8Array | undefined {
  const length = text.length;
  const bytes = new Uint8Array(length >> 1);
  let n = 0;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code === 32) continue;
    const high = nibble(code);
    const low = ++i < length ? nibble(text.charCodeAt(i)) : -1;
    if (high < 0 || low < 0) return undefined;
    bytes[n++] = (high << 4) | low;
  }
  return n === bytes.length ? bytes : bytes.slice(0, n);
}
