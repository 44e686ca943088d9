/**
 * The receiver of a byte line: finds frames and link answers, checks them, and decides which link ACK or NAK
 * each frame earns and when. Its rules are written down in docs/protocol/link-receiver.md, because a second
 * receiver in C (interrupt code of the device) must give the same events on every byte stream with times.
 *
 * It guarantees: no byte is lost without being reported; no input makes it throw or stop; after garbage and
 * `idleMs` of silence the next good frame is received; nothing is allocated but what is handed over.
 */
import type { FrameLineEvent, FrameLineSettings } from "../ports/line.js";
import { NEVER } from "../ports/time.js";
import {
  ACK_BYTE,
  FRAME_OVERHEAD,
  MAX_PAYLOAD,
  NAK_BYTE,
  SUM_START,
  sumByte,
  sumCheck,
} from "../wire/frame.js";
import { NakCode } from "../wire/message.js";
import { linkAnswer } from "./link-answer.js";
import type { LinkTiming } from "./timing.js";

/** The faults of `noise` events, see docs/protocol/link-receiver.md. */
export type ReceiverFault =
  | "resync"
  | "bad-checksum"
  | "frame-timeout"
  | "too-long"
  | "bad-answer"
  | "collision"
  | "echo-missing"
  | "answer-dropped"
  | "discarded";

export interface ReceiverSink {
  onReceived(e: FrameLineEvent): void;
  /** The link answer is due now: −1 ACK, else the NAK code. */
  sendAnswer(code: number): void;
}

/** Collecting a frame (or nothing yet) | counting a frame above our limit | discarding until the line is idle. */
const enum Mode {
  Collect,
  Long,
  Skip,
}

/** No answer is due. */
const NONE = -2;
const NOTHING = new Uint8Array(0);

export class Receiver {
  readonly #t: LinkTiming;
  readonly #sink: ReceiverSink;
  readonly #buf: Uint8Array;
  #settings: FrameLineSettings;

  #mode: Mode = Mode.Collect;
  #len = 0;
  /** Whole length of the frame, 0 while the header is not complete. */
  #whole = 0;
  #sum = SUM_START;
  #firstMs = 0;
  #lastMs = -1_000_000;
  /** Where a second reading begins, after a pause inside the frame; 0: there is none. */
  #second = 0;
  #secondWhole = 0;
  #secondSum = SUM_START;
  #secondFirstMs = 0;
  /** In Mode.Long: bytes so far, and the last of them. */
  #taken = 0;
  #prev = 0;
  /** In Mode.Skip: what to answer when the line is idle. */
  #skipCode = NONE;

  #answerCode = NONE;
  #answerEndMs = 0;

  #echo: Uint8Array = NOTHING;
  #echoAt = 0;
  #echoUntilMs = NEVER;

  /** `capacity` is the longest payload that can ever be configured, bytes. */
  constructor(timing: LinkTiming, settings: FrameLineSettings, capacity: number, sink: ReceiverSink) {
    this.#t = timing;
    this.#sink = sink;
    this.#settings = settings;
    this.#buf = new Uint8Array(capacity + FRAME_OVERHEAD);
  }

  /** Types, payload limit (at most the capacity) and bit rates that are acknowledged from now on. */
  configure(settings: FrameLineSettings): void {
    this.#settings = settings;
  }

  /** Forgets everything in progress: the line was unplugged, or its rate has changed. */
  reset(): void {
    if (this.#len > 0) this.#noise("resync", 0, this.#len, this.#lastMs);
    this.#mode = Mode.Collect;
    this.#len = 0;
    this.#second = 0;
    this.#answerCode = NONE;
    this.#endEcho();
  }

  /** We start to send `bytes` on a line that echoes: exactly these are expected back, in this order. */
  expectEcho(bytes: Uint8Array, atMs: number): void {
    if (this.#echoAt < this.#echo.length) this.#noise("echo-missing", 0, 0, atMs);
    this.#echo = bytes;
    this.#echoAt = 0;
    this.#echoUntilMs = NEVER;
  }

  /** The last bit of what we sent has left: its echo must be complete soon. */
  echoEnds(atMs: number): void {
    if (this.#echoAt < this.#echo.length) this.#echoUntilMs = atMs + this.#t.echoSlackMs;
  }

  /** True while a link answer of ours waits for its time. */
  get answering(): boolean {
    return this.#answerCode !== NONE;
  }

  /** When we may begin to send: `idleMs` after the last byte; NEVER while a frame is half here or an answer is due. */
  get freeMs(): number {
    const busy =
      this.answering || this.#mode !== Mode.Collect || this.#len > 0 || this.#echoAt < this.#echo.length;
    return busy ? NEVER : this.#lastMs + this.#t.idleMs;
  }

  /** When {@link poll} has something to do, NEVER if nothing. */
  nextMs(): number {
    return Math.min(this.#idleDue(), this.#limitDue(), this.#echoUntilMs, this.#answerDue());
  }

  /** Lets time pass up to `nowMs`. */
  poll(nowMs: number): void {
    for (;;) {
      const idle = this.#idleDue();
      const limit = this.#limitDue();
      const answer = this.#answerDue();
      const next = Math.min(idle, limit, this.#echoUntilMs, answer);
      if (next > nowMs) return;
      if (next === idle) this.#onIdle(next);
      else if (next === limit) this.#onLimit(next);
      else if (next === this.#echoUntilMs) this.#onEchoLate(next);
      else this.#onAnswerDue(nowMs);
    }
  }

  /** Takes bytes; all of them count as received at `atMs`, which never steps back. */
  feed(bytes: Uint8Array, atMs: number): void {
    this.poll(atMs);
    let paused = atMs - this.#lastMs >= this.#t.idleMs;
    for (let i = 0; i < bytes.length; i++) {
      const b = bytes[i]!;
      if (this.#echoAt < this.#echo.length) {
        this.#echoByte(b, atMs);
        continue;
      }
      if (paused) {
        paused = false;
        if (this.#len > 0) this.#startSecond(atMs);
      }
      this.#byte(b, atMs);
    }
  }

  // ---- bytes

  #byte(b: number, atMs: number): void {
    this.#lastMs = atMs;
    if (this.#mode === Mode.Skip) return this.#store(b, atMs);
    if (this.#mode === Mode.Long) return this.#longByte(b, atMs);
    const k = this.#len;
    if (k === 0) {
      this.#firstMs = atMs;
      this.#sum = SUM_START;
      this.#whole = 0;
      this.#second = 0;
    }
    this.#buf[k] = b;
    this.#len = k + 1;
    const lead = this.#buf[0]!;
    if (lead === ACK_BYTE || lead === NAK_BYTE) {
      if (k === 1) this.#answerBytes(lead, b, atMs);
      return;
    }
    if (this.#whole === 0) {
      this.#sum = sumByte(this.#sum, b);
      if (k === 3) this.#header(atMs);
      return;
    }
    if (k < this.#whole - 2) this.#sum = sumByte(this.#sum, b);
    const complete = k + 1 === this.#whole;
    if (complete && sumCheck(this.#sum) === ((this.#buf[k - 1]! << 8) | b)) {
      return this.#deliver(0, k + 1, atMs);
    }
    if (this.#second > 0 && this.#secondByte(b, atMs)) return;
    if (!complete) return;
    if (this.#second > 0) return this.#dropFirst(atMs);
    this.#noise("bad-checksum", 0, k + 1, atMs);
    this.#skip(NONE);
    this.#schedule(NakCode.Checksum, atMs);
  }

  /** Four bytes are here: how long is the frame? */
  #header(atMs: number): void {
    const buf = this.#buf;
    const types = this.#settings.types;
    if (!types.includes((buf[0]! << 8) | buf[1]!)) {
      // Switching the drivers may put a byte or two before the frame: does a known type begin behind them?
      for (let i = 1; i <= 2; i++) {
        if (!types.includes((buf[i]! << 8) | buf[i + 1]!)) continue;
        this.#noise("resync", 0, i, atMs);
        buf.copyWithin(0, i, 4);
        this.#len = 4 - i;
        this.#sum = SUM_START;
        for (let j = 0; j < this.#len; j++) this.#sum = sumByte(this.#sum, buf[j]!);
        return;
      }
    }
    const n = ((buf[2]! << 8) | buf[3]!) & MAX_PAYLOAD;
    this.#whole = n + FRAME_OVERHEAD;
    if (n <= this.#limit()) return;
    this.#mode = Mode.Long;
    this.#taken = 4;
  }

  #limit(): number {
    return Math.min(this.#settings.maxPayload, this.#buf.length - FRAME_OVERHEAD);
  }

  /** ACK or NAK; with an impossible second byte the first is dropped and the second begins anew. */
  #answerBytes(lead: number, b: number, atMs: number): void {
    if (isAnswer(lead, b)) return this.#deliverAnswer(lead, b, atMs);
    this.#noise("bad-answer", 0, 1, atMs);
    this.#len = 0;
    this.#byte(b, atMs);
  }

  /** A frame above our limit: counted and summed to its end, so that it can be told from a garbled length. */
  #longByte(b: number, atMs: number): void {
    const k = this.#taken++;
    if (k < this.#whole - 2) this.#sum = sumByte(this.#sum, b);
    this.#store(b, atMs);
    if (this.#taken < this.#whole) {
      this.#prev = b;
      return;
    }
    const good = sumCheck(this.#sum) === ((this.#prev << 8) | b);
    this.#noise(good ? "too-long" : "bad-checksum", 0, this.#len, atMs);
    this.#skip(NONE);
    this.#schedule(good ? NakCode.InvalidLength : NakCode.Checksum, atMs);
  }

  #store(b: number, atMs: number): void {
    if (this.#len === this.#buf.length) {
      this.#noise("discarded", 0, this.#len, atMs);
      this.#len = 0;
    }
    this.#buf[this.#len++] = b;
  }

  /** A pause inside a frame: it may go on (tML allows 500 ms), or what follows is a new frame. Read it both ways. */
  #startSecond(atMs: number): void {
    this.#second = this.#len;
    this.#secondWhole = 0;
    this.#secondSum = SUM_START;
    this.#secondFirstMs = atMs;
  }

  /** One more byte for the second reading; true when it was the last of a good frame. */
  #secondByte(b: number, atMs: number): boolean {
    const start = this.#second;
    const k = this.#len - 1 - start;
    if (k === 0 && (b === ACK_BYTE || b === NAK_BYTE)) {
      this.#second = 0;
      return false;
    }
    if (this.#secondWhole === 0) {
      this.#secondSum = sumByte(this.#secondSum, b);
      if (k === 3) {
        const n = ((this.#buf[start + 2]! << 8) | b) & MAX_PAYLOAD;
        if (n > this.#limit()) this.#second = 0;
        else this.#secondWhole = n + FRAME_OVERHEAD;
      }
      return false;
    }
    if (k < this.#secondWhole - 2) this.#secondSum = sumByte(this.#secondSum, b);
    if (k + 1 < this.#secondWhole) return false;
    if (sumCheck(this.#secondSum) !== ((this.#buf[this.#len - 2]! << 8) | b)) {
      this.#second = 0;
      return false;
    }
    this.#noise("resync", 0, start, atMs);
    this.#deliver(start, k + 1, atMs);
    return true;
  }

  /** The first reading has failed: the second takes its place. */
  #dropFirst(atMs: number): void {
    const start = this.#second;
    this.#noise("resync", 0, start, atMs);
    this.#buf.copyWithin(0, start, this.#len);
    this.#len -= start;
    this.#whole = this.#secondWhole;
    this.#sum = this.#secondSum;
    this.#firstMs = this.#secondFirstMs;
    this.#second = 0;
  }

  #deliver(start: number, whole: number, endMs: number): void {
    const buf = this.#buf;
    const type = (buf[start]! << 8) | buf[start + 1]!;
    const payload = buf.slice(start + 4, start + whole - 2);
    const answer = linkAnswer(this.#settings, type, payload);
    this.#len = 0;
    this.#schedule(answer, endMs);
    this.#sink.onReceived({ ev: "frame", type, payload, endMs, answer });
  }

  #deliverAnswer(lead: number, b: number, atMs: number): void {
    this.#len = 0;
    this.#sink.onReceived({ ev: "answer", code: lead === ACK_BYTE ? -1 : b, atMs });
  }

  #skip(code: number): void {
    this.#mode = Mode.Skip;
    this.#skipCode = code;
    this.#len = 0;
  }

  #noise(fault: ReceiverFault, from: number, to: number, atMs: number): void {
    this.#sink.onReceived({ ev: "noise", fault, bytes: this.#buf.slice(from, to), atMs });
  }

  // ---- own echo

  #echoByte(b: number, atMs: number): void {
    if (b === this.#echo[this.#echoAt]) {
      if (++this.#echoAt === this.#echo.length) this.#echoUntilMs = NEVER;
      return;
    }
    // Somebody else drives the line: what is on it until it falls idle is nobody's frame.
    this.#endEcho();
    if (this.#len > 0) this.#noise("resync", 0, this.#len, atMs);
    this.#buf[0] = b;
    this.#lastMs = atMs;
    this.#noise("collision", 0, 1, atMs);
    this.#skip(NONE);
  }

  #onEchoLate(atMs: number): void {
    this.#endEcho();
    this.#noise("echo-missing", 0, 0, atMs);
  }

  #endEcho(): void {
    this.#echo = NOTHING;
    this.#echoAt = 0;
    this.#echoUntilMs = NEVER;
  }

  // ---- time

  #idleDue(): number {
    const waits = this.#mode !== Mode.Collect || (this.#len > 0 && this.#whole === 0);
    return waits ? this.#lastMs + this.#t.idleMs : NEVER;
  }

  #limitDue(): number {
    const waits = this.#mode === Mode.Long || (this.#mode === Mode.Collect && this.#len > 0);
    return waits ? this.#firstMs + this.#t.frameMaxMs : NEVER;
  }

  /** Not before `ackDelayMs`, and not into bytes that are still coming. */
  #answerDue(): number {
    if (this.#answerCode === NONE) return NEVER;
    return Math.max(this.#answerEndMs + this.#t.ackDelayMs, this.#lastMs + this.#t.idleMs);
  }

  /** The line has been silent for `idleMs`: what was no frame until now is none. */
  #onIdle(atMs: number): void {
    const lead = this.#buf[1]!;
    const last = this.#buf[2]!;
    if (this.#mode === Mode.Collect && this.#len === 3 && isAnswer(lead, last)) {
      // A byte of driver switching, and then an answer.
      this.#noise("resync", 0, 1, atMs);
      return this.#deliverAnswer(lead, last, this.#lastMs);
    }
    if (this.#len > 0) this.#noise("resync", 0, this.#len, atMs);
    const code = this.#mode === Mode.Skip ? this.#skipCode : NONE;
    this.#mode = Mode.Collect;
    this.#len = 0;
    if (code !== NONE) this.#schedule(code, this.#lastMs);
  }

  /** `frameMaxMs` after its first byte the frame is still not whole. */
  #onLimit(atMs: number): void {
    if (this.#second > 0 && this.#mode === Mode.Collect) return this.#dropFirst(atMs);
    const long = this.#mode === Mode.Long;
    this.#noise(long ? "too-long" : "frame-timeout", 0, this.#len, atMs);
    const code = long ? NakCode.InvalidLength : NakCode.Timeout;
    if (atMs - this.#lastMs < this.#t.idleMs) return this.#skip(code);
    this.#len = 0;
    this.#schedule(code, atMs);
  }

  /** One answer waits at most: a frame that ends before the last was answered takes its place. */
  #schedule(code: number, endMs: number): void {
    if (this.#answerCode !== NONE) this.#noise("answer-dropped", 0, 0, endMs);
    this.#answerCode = code;
    this.#answerEndMs = endMs;
  }

  #onAnswerDue(nowMs: number): void {
    const code = this.#answerCode;
    this.#answerCode = NONE;
    if (nowMs - this.#answerEndMs > this.#t.ackMaxMs) this.#noise("answer-dropped", 0, 0, nowMs);
    else this.#sink.sendAnswer(code);
  }
}

/** ACK, or NAK with a code that exists. */
function isAnswer(lead: number, b: number): boolean {
  return lead === ACK_BYTE ? b === 0 : lead === NAK_BYTE && b <= NakCode.NotSupported;
}
