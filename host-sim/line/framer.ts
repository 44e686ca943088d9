import { ACK_BYTE, FRAME_OVERHEAD, MAX_PAYLOAD, NAK_BYTE } from "../../src/wire/frame.js";

/** After so much silence what was begun is given up. */
const IDLE_MS = 20;

/**
 * Cuts a byte stream into frames and link answers, for traces and fault wrappers: by the length field alone,
 * no checksum looked at. Not the receiver of a module: that is src/link.
 */
export class Framer {
  private held: number[] = [];
  private lastMs = 0;

  /** Takes bytes whose last arrived at `atMs`; gives the frames and answers that are now whole. */
  push(bytes: Uint8Array, atMs: number): Uint8Array[] {
    if (atMs - this.lastMs > IDLE_MS) this.held = [];
    this.lastMs = atMs;
    const whole: Uint8Array[] = [];
    for (const byte of bytes) {
      this.held.push(byte);
      if (this.held.length === this.wanted()) {
        whole.push(Uint8Array.from(this.held));
        this.held = [];
      }
    }
    return whole;
  }

  private wanted(): number {
    if (this.held[0] === ACK_BYTE || this.held[0] === NAK_BYTE) return 2;
    if (this.held.length < 4) return FRAME_OVERHEAD;
    return (((this.held[2]! << 8) | this.held[3]!) & MAX_PAYLOAD) + FRAME_OVERHEAD;
  }
}

/** True for the two bytes of a link ACK or NAK. */
export function isAnswer(bytes: Uint8Array): boolean {
  return bytes.length === 2 && (bytes[0] === ACK_BYTE || bytes[0] === NAK_BYTE);
}
