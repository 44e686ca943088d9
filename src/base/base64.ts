const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Base64 with padding (RFC 4648, 4). For keys and headers, not for bulk. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const bits = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += LETTERS[bits >> 18]! + LETTERS[(bits >> 12) & 63]!;
    text += left > 1 ? LETTERS[(bits >> 6) & 63]! : "=";
    text += left > 2 ? LETTERS[bits & 63]! : "=";
  }
  return text;
}

/** Bytes of base64; white space is passed over. Undefined for anything else. */
export function fromBase64(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let [bits, digits, at, padding] = [0, 0, 0, 0];
  for (let i = 0; i < text.length; i++) {
    const letter = text.charAt(i);
    if (letter <= " ") continue;
    const digit = LETTERS.indexOf(letter);
    if (letter === "=") padding++;
    else if (digit < 0 || padding > 0) return undefined;
    bits = ((bits << 6) | Math.max(0, digit)) & 0xff_ffff;
    if (++digits % 4 !== 0) continue;
    for (let shift = 16; shift >= 0; shift -= 8) bytes[at++] = bits >> shift;
  }
  return digits % 4 !== 0 || padding > 2 ? undefined : bytes.slice(0, at - padding);
}
