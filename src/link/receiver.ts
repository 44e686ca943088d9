/**
 * The receiver of a byte line: finds frames and link answers, checks them, and decides which link ACK or NAK
 * each frame earns and when. Its rules are written down in docs/protocol/link-receiver.md, because a second
 * receiver in C (interrupt code of the device) must give the same events on every byte stream with times.
 *
 * It guarantees: no byte is lost without being reported; no input makes it throw or stop; after garbage and
 * `idleMs` of silence the next good frame is received; a good frame or link answer allocates nothing. Therefore events
 * and their bytes are valid during {@link ReceiverSink.onReceived} alone: who keeps them copies them.
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
  /** Something has been received; `e` and its bytes are the receiver's, and valid during this call alone. */
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

/** An event that is used again and again. */
type Writable<Ev extends FrameLineEvent["ev"]> = {
  -readonly [Key in keyof Extract<FrameLineEvent, { ev: Ev }>]: Extract<FrameLineEvent, { ev: Ev }>[Key];
};

/** So many lengths of payload have their view at hand. */
const VIEWS = 16;

/** Below so many bytes a loop is cheaper than a call of the engine. */
const FEW = 8;

export class Receiver {
  // What every byte needs comes first: XS looks for a field from the first on.
  #mode: Mode = Mode.Collect;
  #len = 0;
  #lastMs = -1_000_000;
  #firstMs = 0;
  /** Whole length of the frame, 0 while the header is not complete. */
  #whole = 0;
  #sum = SUM_START;
  /** Where a second reading begins, after a pause inside the frame; 0: there is none. */
  #second = 0;
  #answerCode = NONE;
  /** An echo of ours is expected: bytes of it are still to come. */
  #echoing = false;
  readonly #t: LinkTiming;
  readonly #buf: Uint8Array;
  /** The frame whose payload is handed over, and views of payloads for the lengths that came lately. */
  readonly #out: Uint8Array;
  readonly #views: Uint8Array[] = [];
  readonly #frame: Writable<"frame"> = { ev: "frame", type: 0, payload: NOTHING, endMs: 0, answer: NONE };
  readonly #answer: Writable<"answer"> = { ev: "answer", code: NONE, atMs: 0 };
  #settings: FrameLineSettings;
  /** Longest payload taken: configured, and at most the capacity. */
  #limit = 0;
  readonly #sink: ReceiverSink;

  #secondWhole = 0;
  #secondSum = SUM_START;
  #secondFirstMs = 0;
  /** In Mode.Long: bytes so far, and the last of them. */
  #taken = 0;
  #prev = 0;
  /** In Mode.Skip: what to answer when the line is idle. A NAK counts from the last byte: a length may be garbled. */
  #skipCode = NONE;

  #answerEndMs = 0;

  #echo: Uint8Array = NOTHING;
  #echoAt = 0;
  #echoUntilMs = NEVER;

  /** `capacity` is the longest payload that can ever be configured, bytes. */
  constructor(timing: LinkTiming, settings: FrameLineSettings, capacity: number, sink: ReceiverSink) {
    this.#t = timing;
    this.#sink = sink;
    this.#buf = new Uint8Array(capacity + FRAME_OVERHEAD);
    this.#out = new Uint8Array(capacity + FRAME_OVERHEAD);
    this.#settings = settings;
    this.configure(settings);
  }

  /** Types, payload limit (at most the capacity) and bit rates that are acknowledged from now on. */
  configure(settings: FrameLineSettings): void {
    this.#settings = settings;
    this.#limit = Math.min(settings.maxPayload, this.#buf.length - FRAME_OVERHEAD);
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
    if (this.#echoing) this.#noise("echo-missing", 0, 0, atMs);
    this.#echo = bytes;
    this.#echoAt = 0;
    this.#echoing = bytes.length > 0;
    this.#echoUntilMs = NEVER;
  }

  /** The last bit of what we sent has left: its echo must be complete soon. */
  echoEnds(atMs: number): void {
    if (this.#echoing) this.#echoUntilMs = atMs + this.#t.echoSlackMs;
  }

  /** True while a link answer of ours waits for its time. */
  get answering(): boolean {
    return this.#answerCode !== NONE;
  }

  /** When we may begin to send: `idleMs` after the last byte; NEVER while a frame is half here or an answer is due. */
  get freeMs(): number {
    const busy = this.answering || this.#mode !== Mode.Collect || this.#len > 0 || this.#echoing;
    return busy ? NEVER : this.#lastMs + this.#t.idleMs;
  }

  /** When {@link poll} has something to do, NEVER if nothing. */
  nextMs(): number {
    let next = this.#echoUntilMs;
    if (this.#mode !== Mode.Collect || this.#len > 0) {
      const idle = this.#idleDue();
      if (idle < next) next = idle;
      const limit = this.#limitDue();
      if (limit < next) next = limit;
    }
    if (this.#answerCode !== NONE) {
      const answer = this.#answerDue();
      if (answer < next) next = answer;
    }
    return next;
  }

  /** Lets time pass up to `nowMs`. */
  poll(nowMs: number): void {
    for (let next = this.nextMs(); next <= nowMs; next = this.nextMs()) {
      if (next === this.#idleDue()) this.#onIdle(next);
      else if (next === this.#limitDue()) this.#onLimit(next);
      else if (next === this.#echoUntilMs) this.#onEchoLate(next);
      else this.#onAnswerDue(nowMs);
    }
  }

  /** Takes bytes; all of them count as received at `atMs`, which never steps back. */
  feed(bytes: Uint8Array, atMs: number): void {
    const sinceLastMs = atMs - this.#lastMs;
    let paused = sinceLastMs >= this.#t.idleMs;
    if (!this.#nothingDue(paused, atMs)) this.poll(atMs);
    const count = bytes.length;
    for (let i = 0; i < count;) {
      if (this.#echoing) {
        this.#echoByte(bytes[i++]!, atMs);
        continue;
      }
      if (paused) {
        paused = false;
        if (this.#len > 0) this.#startSecond(atMs);
      }
      const taken = this.#mode === Mode.Collect ? this.#run(bytes, i, count, atMs) : 0;
      if (taken > 0) i += taken;
      else this.#byte(bytes[i++]!, atMs);
    }
  }

  /** In the middle of a frame, or between two, nothing is due: most bytes come so, and need not ask in detail. */
  #nothingDue(paused: boolean, atMs: number): boolean {
    if (this.#mode !== Mode.Collect || this.#answerCode !== NONE || this.#echoing) return false;
    return this.#len === 0 || (!paused && atMs - this.#firstMs < this.#t.frameMaxMs);
  }

  /**
   * The usual course, many bytes at a time: a frame that begins with a whole header of a type that we know, or one that
   * goes on. Answers how many bytes it took; 0 = this is for {@link #byte}, which knows all courses.
   */
  #run(bytes: Uint8Array, from: number, to: number, atMs: number): number {
    const before = this.#len;
    let whole = this.#whole;
    let sum = SUM_START;
    if (before > 0) {
      sum = this.#sum;
      if (whole === 0 || this.#second > 0) return 0;
    } else {
      if (to - from < 4) return 0;
      const n = ((bytes[from + 2]! << 8) | bytes[from + 3]!) & MAX_PAYLOAD;
      if (n > this.#limit) return 0;
      if (!this.#settings.types.includes((bytes[from]! << 8) | bytes[from + 1]!)) return 0;
      whole = n + FRAME_OVERHEAD;
    }
    const end = from + whole - 2 - before; // of what is summed
    const stop = end < to ? end : to;
    if (stop <= from) return 0;
    // Modulo once at the end: 518 bytes of 255 keep both sums below 2^26.
    let c1 = sum & 0xff;
    let c2 = sum >> 8;
    for (let i = from; i < stop; i++) {
      c1 += bytes[i]!;
      c2 += c1;
    }
    sum = ((c2 % 255) << 8) | (c1 % 255);
    if (before === 0 && to - stop >= 2 && sumCheck(sum) === ((bytes[stop]! << 8) | bytes[stop + 1]!)) {
      // Whole and right: it need not go through the buffer.
      this.#lastMs = atMs;
      this.#deliver(bytes, from, whole, atMs);
      return whole;
    }
    if (from === 0 && stop === to && to > FEW) this.#buf.set(bytes, before);
    else for (let i = from, k = before; i < stop; i++) this.#buf[k++] = bytes[i]!;
    if (before === 0) {
      this.#firstMs = atMs;
      this.#whole = whole;
      this.#second = 0;
    }
    this.#sum = sum;
    this.#lastMs = atMs;
    this.#len = before + stop - from;
    return stop - from;
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
      return this.#deliver(this.#buf, 0, k + 1, atMs);
    }
    if (this.#second > 0 && this.#secondByte(b, atMs)) return;
    if (!complete) return;
    if (this.#second > 0) return this.#dropFirst(atMs);
    this.#noise("bad-checksum", 0, k + 1, atMs);
    this.#skip(NakCode.Checksum);
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
    if (n <= this.#limit) return;
    this.#mode = Mode.Long;
    this.#taken = 4;
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
    this.#skip(good ? NakCode.InvalidLength : NakCode.Checksum);
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
        if (n > this.#limit) this.#second = 0;
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
    this.#deliver(this.#buf, start, k + 1, atMs);
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

  /** A view of so many bytes, made once for each length that recurs. */
  #view(length: number): Uint8Array {
    const at = length % VIEWS;
    const view = this.#views[at];
    if (view?.length === length) return view;
    return (this.#views[at] = this.#out.subarray(4, 4 + length));
  }

  #deliver(bytes: Uint8Array, start: number, whole: number, endMs: number): void {
    const type = (bytes[start]! << 8) | bytes[start + 1]!;
    const payload = this.#view(whole - FRAME_OVERHEAD);
    // The engine copies whole arrays at once: header and all, where there is room.
    if (start === 0 && whole > FEW && bytes.length <= this.#out.length) this.#out.set(bytes);
    else for (let i = 0, from = start + 4; i < payload.length; i++) payload[i] = bytes[from + i]!;
    const answer = linkAnswer(this.#settings, type, payload);
    this.#len = 0;
    this.#schedule(answer, endMs);
    const e = this.#frame;
    e.type = type;
    e.payload = payload;
    e.endMs = endMs;
    e.answer = answer;
    this.#sink.onReceived(e);
  }

  #deliverAnswer(lead: number, b: number, atMs: number): void {
    this.#len = 0;
    const e = this.#answer;
    e.code = lead === ACK_BYTE ? -1 : b;
    e.atMs = atMs;
    this.#sink.onReceived(e);
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
      if (++this.#echoAt === this.#echo.length) {
        this.#echoing = false;
        this.#echoUntilMs = NEVER;
      }
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
    this.#echoing = false;
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

  /** Of an answer that waits: not before `ackDelayMs`, and not into bytes that are still coming. */
  #answerDue(): number {
    const delayed = this.#answerEndMs + this.#t.ackDelayMs;
    const rested = this.#lastMs + this.#t.idleMs;
    return delayed > rested ? delayed : rested;
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
