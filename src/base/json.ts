import { crc32 } from "./crc32.js";

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
  for (let at = 0; at < text.length; at += 64) {
    const count = Math.min(64, text.length - at);
    for (let i = 0; i < count; i++) {
      const unit = text.charCodeAt(at + i);
      chunk[2 * i] = unit & 0xff;
      chunk[2 * i + 1] = unit >> 8;
    }
    crc = crc32(count === 64 ? chunk : chunk.subarray(0, 2 * count), crc);
  }
  return crc;
}
