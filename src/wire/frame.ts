/**
 * The frame around every message (section 2.1 of docs/protocol/cta2045.md):
 *
 *     type (2) | length (2: three reserved bits, 13 of payload length) | payload (n) | check bytes (2)
 *
 * and the two-byte link answers, ACK `06 00` and NAK `15 cc`, which have neither length nor check bytes.
 * Nothing here throws, whatever the bytes.
 */
import { fault, type Fault } from "../base/fault.js";

/** First byte of a link ACK; type 06 xx is reserved for it. */
export const ACK_BYTE = 0x06;
/** First byte of a link NAK; type 15 xx is reserved for it. */
export const NAK_BYTE = 0x15;
/** Header (4) and check bytes (2). */
export const FRAME_OVERHEAD = 6;
/** The longest payload that the length field can tell, bytes. */
export const MAX_PAYLOAD = 0x1fff;

/** An empty running sum, see {@link sumByte}. */
export const SUM_START = 0xaa;

/**
 * Adds a byte to a running sum; the sum is one small integer (c2 << 8 | c1), so that a receiver can keep it
 * without allocating. Fletcher-type, modulo 255 (section 2.2).
 */
export function sumByte(sum: number, byte: number): number {
  let c1 = (sum & 0xff) + byte;
  if (c1 >= 255) c1 -= 255;
  let c2 = (sum >> 8) + c1;
  if (c2 >= 255) c2 -= 255;
  return (c2 << 8) | c1;
}

/** The check bytes that belong to a running sum: MSB << 8 | LSB, each 01…FF. */
export function sumCheck(sum: number): number {
  const c1 = sum & 0xff;
  const c2 = sum >> 8;
  const msb = 255 - ((c1 + c2) % 255);
  return (msb << 8) | (255 - ((c1 + msb) % 255));
}

/** Check bytes (MSB << 8 | LSB) of `bytes[from…to)`: type, length and payload of a frame. */
export function checkBytes(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let sum = SUM_START;
  for (let i = from; i < to; i++) sum = sumByte(sum, bytes[i]!);
  return sumCheck(sum);
}

/**
 * A whole frame, check bytes included. `type` is 16 bit; the payload at most {@link MAX_PAYLOAD} bytes:
 * a longer one is our bug, and throws.
 */
export function emitFrame(type: number, payload: Uint8Array): Uint8Array {
  const n = payload.length;
  if (n > MAX_PAYLOAD) throw new RangeError(`payload of ${n} bytes does not fit a frame`);
  const frame = new Uint8Array(n + FRAME_OVERHEAD);
  frame[0] = type >> 8;
  frame[1] = type;
  frame[2] = n >> 8;
  frame[3] = n;
  frame.set(payload, 4);
  const check = checkBytes(frame, 0, n + 4);
  frame[n + 4] = check >> 8;
  frame[n + 5] = check;
  return frame;
}

export interface ParsedFrame {
  readonly type: number;
  /** A view into the bytes given, not a copy. */
  readonly payload: Uint8Array;
}

/**
 * Takes one whole frame apart. Reserved length bits are masked off (strict in what we send, lenient in what
 * we accept), but summed as received. Faults: `too-short` (fewer bytes than the frame tells, or than any
 * frame has), `bad-length` (bytes left over), `bad-checksum`.
 */
export function parseFrame(bytes: Uint8Array): ParsedFrame | Fault {
  const size = bytes.length;
  if (size < FRAME_OVERHEAD) {
    return fault("wire", "too-short", `A frame has at least ${FRAME_OVERHEAD} bytes, these are ${size}.`);
  }
  const n = ((bytes[2]! << 8) | bytes[3]!) & MAX_PAYLOAD;
  const whole = n + FRAME_OVERHEAD;
  if (size < whole) {
    return fault("wire", "too-short", `The frame tells ${whole} bytes, but only ${size} are here.`);
  }
  if (size > whole) {
    return fault("wire", "bad-length", `The frame tells ${whole} bytes, but ${size} are here.`);
  }
  const check = checkBytes(bytes, 0, n + 4);
  if (bytes[n + 4] !== check >> 8 || bytes[n + 5] !== (check & 0xff)) {
    const right = check.toString(16).toUpperCase().padStart(4, "0");
    return fault("wire", "bad-checksum", `The check bytes should be ${right.slice(0, 2)} ${right.slice(2)}.`);
  }
  return { type: (bytes[0]! << 8) | bytes[1]!, payload: bytes.subarray(4, n + 4) };
}

/** The two bytes of a link answer; `code` −1 is the ACK, 0…255 the NAK with that code. */
export function emitAnswer(code: number): Uint8Array {
  return code < 0 ? new Uint8Array([ACK_BYTE, 0]) : new Uint8Array([NAK_BYTE, code]);
}

/** −1 for an ACK, the code for a NAK, undefined for any bytes that are neither. */
export function parseAnswer(bytes: Uint8Array): number | undefined {
  if (bytes.length !== 2) return undefined;
  if (bytes[0] === ACK_BYTE) return bytes[1] === 0 ? -1 : undefined;
  return bytes[0] === NAK_BYTE ? bytes[1] : undefined;
}
