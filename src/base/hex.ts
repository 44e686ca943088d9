/** Bytes ↔ hexadecimal text, for traces and for worlds that are reached by text. */

// An array: XS makes a new text of each character of a text that is asked for.
const digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F"] as const;

/** Upper-case hex with `separator` between bytes (default none). */
export function toHex(bytes: Uint8Array, separator = ""): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (i > 0 && separator !== "") text += separator;
    text += digits[byte >> 4]! + digits[byte & 15]!;
  }
  return text;
}

/** Digits that are looked at together. */
const PART = 128;

/**
 * Bytes of hex text; spaces between bytes are skipped. Undefined for anything that is not whole bytes of hex. Eight digits at
 * a time: a character in XS costs as much as a number.
 */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.includes(" ")) {
    const words = text.split(" ");
    return words.some((word) => word.length % 2 > 0) ? undefined : fromHex(words.join(""));
  }
  const length = text.length;
  if (length % 2 > 0) return undefined;
  const bytes = new Uint8Array(length >> 1);
  let n = 0;
  // XS finds a place in a text by walking there: not all the way for each eight digits of a long one.
  for (let at = 0; at < length; at += PART) {
    const part = text.slice(at, at + PART);
    for (let i = 0; i < part.length; i += 8) {
      // The digit behind: white space at the end of a number would be none of our business for JavaScript.
      const value = Number(`0x${part.slice(i, i + 8).padEnd(8, "0")}0`) / 16;
      if (Number.isNaN(value)) return undefined;
      // What lies behind the end is not kept.
      bytes[n++] = value / 0x100_0000;
      bytes[n++] = value / 0x1_0000;
      bytes[n++] = value / 0x100;
      bytes[n++] = value;
    }
  }
  return bytes;
}
