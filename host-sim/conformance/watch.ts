import { NEVER } from "../../src/ports/time.js";
import type { FrameLineEvent } from "../../src/ports/line.js";
import { Receiver } from "../../src/link/receiver.js";
import { linkTiming } from "../../src/link/timing.js";

/** One thing that the peer put on the line: a frame with right check bytes, a link answer, or bytes that are neither. */
export interface Heard {
  readonly kind: "frame" | "answer" | "noise";
  /** As they came, reserved bits and all. */
  readonly bytes: Uint8Array;
  /** When its first bit began and its last ended, ms; fractions by arithmetic. */
  readonly startMs: number;
  readonly endMs: number;
  /** Of a frame; 0 otherwise. */
  readonly type: number;
  readonly payload: Uint8Array;
  /** Of a link answer: −1 ACK, else the NAK code. */
  readonly code: number;
  /** Of noise: the receiver's fault code. */
  readonly fault: string;
}

export interface WatchOptions {
  readonly onHeard: (heard: Heard) => void;
  /** Silence after which what was begun is given up, ms. */
  readonly idleMs: number;
}

/** Longest payload that is taken for a frame; more than 15 min of any real line would be needed beyond it. */
const CAPACITY = 4096;
const NOTHING = new Uint8Array(0);
/** Types behind which a resynchronising receiver looks. */
const TYPES = [0x0801, 0x0802, 0x0803, 0x0804];

/**
 * Cuts what the peer says into frames, answers and noise with the receiver of `src/link`, and keeps what that
 * drops: the raw bytes and the time of the first. It answers nothing.
 */
export class Watch {
  readonly #receiver: Receiver;
  readonly #onHeard: (heard: Heard) => void;
  /** Every byte fed and not yet told, with its end. The receiver tells each exactly once, in order. */
  #bytes: number[] = [];
  #ends: number[] = [];
  #byteMs = 0;

  constructor(options: WatchOptions) {
    this.#onHeard = options.onHeard;
    this.#receiver = new Receiver(
      linkTiming({ idleMs: options.idleMs, ackMaxMs: NEVER }),
      { types: TYPES, maxPayload: CAPACITY, bitsPerSecond: 19_200 },
      CAPACITY,
      { onReceived: (event) => this.#told(event), sendAnswer: () => undefined },
    );
  }

  /** A frame has begun and is not whole. */
  get isInside(): boolean {
    return this.#bytes.length > 0;
  }

  /** Bytes that arrived; the last ended at `atMs`, each lasted `byteMs` (0 where a line takes no time). */
  feed(bytes: Uint8Array, atMs: number, byteMs: number): void {
    this.#byteMs = byteMs;
    // What is due before must not take these bytes with it.
    this.#receiver.poll(atMs);
    for (let i = 0; i < bytes.length; i++) {
      this.#bytes.push(bytes[i]!);
      this.#ends.push(atMs - (bytes.length - 1 - i) * byteMs);
    }
    this.#receiver.feed(bytes, atMs);
  }

  poll(nowMs: number): void {
    this.#receiver.poll(nowMs);
  }

  nextMs(): number {
    return this.#receiver.nextMs();
  }

  /** The line was cut, or its rate has changed. */
  reset(): void {
    this.#receiver.reset();
  }

  #told(event: FrameLineEvent): void {
    if (event.ev === "frame") {
      this.#take("frame", event.payload.length + 6, event.type, event.payload, 0, "");
    } else if (event.ev === "answer") {
      this.#take("answer", 2, 0, NOTHING, event.code, "");
    } else if (event.ev === "noise" && event.bytes.length > 0) {
      this.#take("noise", event.bytes.length, 0, NOTHING, 0, event.fault);
    }
  }

  #take(
    kind: Heard["kind"],
    count: number,
    type: number,
    payload: Uint8Array,
    code: number,
    fault: string,
  ): void {
    const bytes = Uint8Array.from(this.#bytes.splice(0, count));
    const ends = this.#ends.splice(0, count);
    const startMs = ends[0]! - this.#byteMs;
    this.#onHeard({ kind, bytes, startMs, endMs: ends[ends.length - 1]!, type, payload, code, fault });
  }
}
