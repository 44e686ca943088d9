import type { FrameLine } from "../ports/line.js";
import { NEVER } from "../ports/time.js";
import { MessageType } from "../wire/message.js";
import type { LinkCounters } from "./counters.js";
import type { LinkEvent } from "./messages.js";
import {
  BIT_RATES,
  DEFAULT_BITS_PER_SECOND,
  DEFAULT_PAYLOAD,
  PAYLOAD_LIMITS,
  payloadCode,
  type LinkTiming,
} from "./timing.js";

export interface LimitsOptions {
  readonly line: FrameLine;
  readonly timing: LinkTiming;
  readonly counters: LinkCounters;
  readonly emit: (e: LinkEvent) => void;
  readonly types: readonly number[];
  /** Longest payload that we can take, bytes. */
  readonly maxPayload: number;
  /** Bit n set: bit-rate code n can be set on our line. */
  readonly bitRates: number;
}

/**
 * What the two sides have agreed on (data-link 17, 18, 19): payload limits of the two directions and the bit
 * rate, and what follows from it for the line below. Tells every change as a `limits` event.
 */
export class Limits {
  readonly #o: LimitsOptions;
  #types: readonly number[];
  #bitsPerSecond = DEFAULT_BITS_PER_SECOND;
  /** What the peer told, bytes; 0: nothing yet. */
  #peerPayload = 0;
  /** The peer has asked for our limit. */
  #told = false;
  /** Until then something valid must come at the new rate. */
  trialUntilMs = NEVER;

  constructor(options: LimitsOptions) {
    this.#o = options;
    this.#types = options.types;
    this.#configure();
  }

  get bitsPerSecond(): number {
    return this.#bitsPerSecond;
  }

  /** Longest payload of a request of ours, bytes: what the peer takes, and what tML lets through at this rate. */
  get sendPayload(): number {
    if (this.#peerPayload === 0) return DEFAULT_PAYLOAD;
    return Math.min(this.#peerPayload, this.#fits(this.#peerPayload));
  }

  /** The same for an application reply, which may be longer while the peer has told nothing. */
  get replyPayload(): number {
    return this.#peerPayload === 0 ? this.#o.timing.unnegotiatedReplyBytes : this.sendPayload;
  }

  /** Longest payload that we take. */
  get receivePayload(): number {
    if (!this.#told && !this.#o.timing.acceptUnnegotiated) return DEFAULT_PAYLOAD;
    return PAYLOAD_LIMITS[this.ownCode]!;
  }

  /** Code of data-link 19 for what we can take at this rate. */
  get ownCode(): number {
    return payloadCode(this.#o.maxPayload, this.#bitsPerSecond, this.#o.timing.frameMaxMs);
  }

  support(types: readonly number[]): void {
    this.#types = types;
    this.#configure();
  }

  /** Data-link 19 has come. A code that the table lacks changes nothing. */
  peerTold(code: number, atMs: number): void {
    const bytes = PAYLOAD_LIMITS[code];
    if (bytes === undefined || bytes === this.#peerPayload) return;
    this.#peerPayload = bytes;
    this.#tell(atMs);
  }

  /** The peer has asked for our limit. */
  asked(atMs: number): void {
    if (this.#told) return;
    this.#told = true;
    this.#configure();
    this.#tell(atMs);
  }

  /** Can our line run at the rate of this code? */
  canRun(code: number): boolean {
    return code >= 0 && code < BIT_RATES.length && ((this.#o.bitRates >> code) & 1) === 1;
  }

  /** The ACK of a bit-rate request has crossed the line: from now on both sides use the new rate. */
  switchRate(code: number, atMs: number): void {
    const rate = BIT_RATES[code]!;
    if (rate === this.#bitsPerSecond) return;
    this.#setRate(rate, atMs);
    this.#o.counters.bitRateChanges++;
    this.trialUntilMs = atMs + this.#o.timing.bitRateTrialMs;
  }

  /** Nothing valid came at the new rate. */
  fallBack(atMs: number): void {
    this.trialUntilMs = NEVER;
    if (this.#bitsPerSecond === DEFAULT_BITS_PER_SECOND) return;
    this.#o.counters.bitRateFallbacks++;
    this.#setRate(DEFAULT_BITS_PER_SECOND, atMs);
  }

  /** As after power-up: 19,200 bit/s, 2 bytes. */
  defaults(atMs: number): void {
    this.trialUntilMs = NEVER;
    if (this.#peerPayload === 0 && !this.#told && this.#bitsPerSecond === DEFAULT_BITS_PER_SECOND) return;
    this.#peerPayload = 0;
    this.#told = false;
    this.#setRate(DEFAULT_BITS_PER_SECOND, atMs);
  }

  #fits(bytes: number): number {
    return PAYLOAD_LIMITS[payloadCode(bytes, this.#bitsPerSecond, this.#o.timing.frameMaxMs)]!;
  }

  #setRate(rate: number, atMs: number): void {
    this.#bitsPerSecond = rate;
    this.#configure();
    this.#tell(atMs);
  }

  /** Data-link is the link's own family: supported whatever the session says. */
  #configure(): void {
    const types = this.#types.includes(MessageType.DataLink)
      ? this.#types
      : [...this.#types, MessageType.DataLink];
    this.#o.line.configure({
      types,
      maxPayload: this.receivePayload,
      bitsPerSecond: this.#bitsPerSecond,
      bitRates: this.#o.bitRates,
    });
  }

  #tell(atMs: number): void {
    this.#o.emit({
      ev: "limits",
      sendPayload: this.sendPayload,
      receivePayload: this.receivePayload,
      bitsPerSecond: this.#bitsPerSecond,
      atMs,
    });
  }
}
