import { ACK_BYTE, FRAME_OVERHEAD, MAX_PAYLOAD, NAK_BYTE } from "../../src/wire/frame.js";
import { type CaptureRecord, marksOf, type Sender } from "./record.js";

/** After so much silence what was begun is handed over as it is. A USB adapter may hold bytes back for 16 ms. */
export const IDLE_MS = 20;

/**
 * Cuts the bytes of one sender into frames and link answers and gives every byte back: what is no whole frame
 * comes out marked incomplete. Frames are cut by their length field; call {@link flush} when the line is quiet.
 */
export class Segmenter {
  private held: number[] = [];
  private lastMs = 0;

  constructor(private readonly from: Sender) {}

  /** True while bytes wait for more. */
  get isBusy(): boolean {
    return this.held.length > 0;
  }

  /** Bytes whose last arrived at `utcMs`; gives the records that are now whole. */
  push(bytes: Uint8Array, utcMs: number, bitsPerSecond: number): CaptureRecord[] {
    const byteMs = 10_000 / bitsPerSecond;
    const firstMs = utcMs - (bytes.length - 1) * byteMs;
    const out = firstMs - this.lastMs > IDLE_MS ? this.flush(bitsPerSecond) : [];
    for (let i = 0; i < bytes.length; i++) {
      this.held.push(bytes[i]!);
      this.lastMs = firstMs + i * byteMs;
      if (this.held.length === this.wanted()) out.push(this.take(bitsPerSecond));
    }
    return out;
  }

  /** The line is quiet: what was begun will not be finished. */
  flush(bitsPerSecond: number): CaptureRecord[] {
    return this.held.length === 0 ? [] : [this.take(bitsPerSecond)];
  }

  private take(bitsPerSecond: number): CaptureRecord {
    const bytes = Uint8Array.from(this.held);
    this.held = [];
    return { utcMs: this.lastMs, from: this.from, bytes, bitsPerSecond, marks: marksOf(bytes) };
  }

  private wanted(): number {
    if (this.held[0] === ACK_BYTE || this.held[0] === NAK_BYTE) return 2;
    if (this.held.length < 4) return FRAME_OVERHEAD;
    return (((this.held[2]! << 8) | this.held[3]!) & MAX_PAYLOAD) + FRAME_OVERHEAD;
  }
}
