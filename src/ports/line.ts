/**
 * The line to the appliance, in two strengths (docs/architecture.md, "The link must keep its deadline").
 *
 * A {@link ByteLine} moves bytes; the TypeScript receiver in `src/link` frames, checks and acknowledges.
 * A {@link FrameLine} moves whole frames and acknowledges by itself: on the ESP32 it is interrupt code in
 * internal RAM, because JavaScript cannot promise an answer within 200 ms while flash is being erased.
 */

/** Half-duplex bytes, 8N1. */
export interface ByteLine {
  /** Queues bytes to send, in order. The world answers with one {@link ByteLineEvent} `sent` a call. */
  write(bytes: Uint8Array): void;
  /** Changes the bit rate after what is being sent; false where the line has no rate (TCP). */
  setBitRate(bitsPerSecond: number): boolean;
}

export type ByteLineEvent =
  /** Bytes arrived; `atMs` is when the last of them did. */
  | { readonly ev: "rx"; readonly bytes: Uint8Array; readonly atMs: number }
  /** The last bit of the oldest unreported `write` has left at `atMs`. */
  | { readonly ev: "sent"; readonly atMs: number }
  /** The adapter or socket came or went; on a bare UART never sent. */
  | { readonly ev: "carrier"; readonly on: boolean; readonly atMs: number };

/** What a frame line must know to answer without asking anybody. */
export interface FrameLineSettings {
  /** Message types (16 bit) that are acknowledged; any other earns NAK 06. */
  readonly types: readonly number[];
  /** Longest payload accepted, bytes; a longer one earns NAK 02. */
  readonly maxPayload: number;
  readonly bitsPerSecond: number;
  /** Bit n set: a request for bit-rate code n (data-link 17) is acknowledged, else NAK 07. Default: code 0 alone. */
  readonly bitRates?: number;
}

/** Whole frames; the link ACK or NAK has its own timing below this line. */
export interface FrameLine {
  /** Sends one whole frame, check bytes included, when the line's rules allow (it waits out its own ACK). */
  sendFrame(bytes: Uint8Array): void;
  configure(settings: FrameLineSettings): void;
}

export type FrameLineEvent =
  /**
   * A whole frame with right checksum: type and payload. `answer` is the link answer that it earned. The event and its
   * bytes may be the line's own, to be used again: valid during the call that tells it.
   */
  | {
      readonly ev: "frame";
      readonly type: number;
      readonly payload: Uint8Array;
      /** When its last byte arrived. */
      readonly endMs: number;
      /** −1: ACK; 0…7: NAK with that code. */
      readonly answer: number;
    }
  /** Link ACK (`code` −1) or NAK received. */
  | { readonly ev: "answer"; readonly code: number; readonly atMs: number }
  /** The last bit of our frame has left. */
  | { readonly ev: "sent"; readonly atMs: number }
  /**
   * The frame of the last `sendFrame` has not left and will not: a whole frame came in before it could
   * (`received`: what we say next may have changed), or the line was never free (`busy`).
   */
  | { readonly ev: "unsent"; readonly why: "received" | "busy"; readonly atMs: number }
  /** The last bit of our own link ACK (−1) or NAK has left. */
  | { readonly ev: "answered"; readonly code: number; readonly atMs: number }
  /** Bytes that were no frame; `fault` is one of the receiver's codes (src/link/receiver.ts). */
  | { readonly ev: "noise"; readonly fault: string; readonly bytes: Uint8Array; readonly atMs: number }
  | { readonly ev: "carrier"; readonly on: boolean; readonly atMs: number };
