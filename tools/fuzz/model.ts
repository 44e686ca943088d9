/**
 * The rules of docs/protocol/link-receiver.md a second time, as plainly as they can be written: arrays, sums computed
 * anew from the bytes, nothing kept that can be worked out. Slow, and easy to hold against the document. The fuzzer
 * compares the receiver with it, event by event.
 */
import type { FrameLineSettings } from "../../src/ports/line.js";

/** Events as numbers, one after the other; see {@link Events}. */
export type Tape = number[];

export const faultCodes: readonly string[] = [
  "resync",
  "bad-checksum",
  "frame-timeout",
  "too-long",
  "bad-answer",
  "collision",
  "echo-missing",
  "answer-dropped",
  "discarded",
];

const [
  RESYNC,
  BAD_CHECKSUM,
  FRAME_TIMEOUT,
  TOO_LONG,
  BAD_ANSWER,
  COLLISION,
  ECHO_MISSING,
  DROPPED,
  DISCARDED,
] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const;

/** What both receivers say, in the same numbers. */
export const Events = { frame: 1, answer: 2, noise: 3, send: 4 } as const;

const [ackDelay, ackMax, idle, frameMax, echoSlack] = [45, 200, 20, 500, 30];
const never = Infinity;

type Bytes = ArrayLike<number>;

/** The check bytes of cta2045.md 2.2, MSB × 256 + LSB, straight from its formula. */
export function checkOf(bytes: Bytes, from: number, to: number): number {
  let c1 = 0xaa;
  let c2 = 0;
  for (let i = from; i < to; i++) {
    c1 = (c1 + bytes[i]!) % 255;
    c2 = (c2 + c1) % 255;
  }
  const msb = 255 - ((c1 + c2) % 255);
  return msb * 256 + (255 - ((c1 + msb) % 255));
}

function isRight(bytes: Bytes, from: number, whole: number): boolean {
  const end = from + whole - 2;
  return checkOf(bytes, from, end) === bytes[end]! * 256 + bytes[end + 1]!;
}

function isAnswer(first: number, second: number): boolean {
  return (first === 0x06 && second === 0) || (first === 0x15 && second <= 7);
}

function wholeOf(bytes: Bytes, from: number): number {
  return (((bytes[from + 2]! & 0x1f) << 8) | bytes[from + 3]!) + 6;
}

/** "Which answer a right frame earns". */
export function earned(settings: FrameLineSettings, type: number, payload: Bytes): number {
  if (!settings.types.includes(type)) return 6;
  const n = payload.length;
  if (n === 0) return -1;
  if (type === 0x0801) return n === 2 ? -1 : 2;
  if (type === 0x0802) return n >= 2 ? -1 : 2;
  if (type !== 0x0803) return -1;
  if (n !== 2) return 2;
  const [op, code] = [payload[0]!, payload[1]!];
  if (op === 0x18 || op === 0x19) return -1;
  return op === 0x17 && code < 16 && Math.floor((settings.bitRates ?? 1) / 2 ** code) % 2 === 1 ? -1 : 7;
}

export class ModelReceiver {
  private mode: "collect" | "long" | "skip" = "collect";
  private b: number[] = [];
  private whole = 0;
  private firstMs = 0;
  private lastMs = -1_000_000;
  private second = 0;
  private secondWhole = 0;
  private secondFirstMs = 0;
  /** In Long: every byte of the frame, as `b` may have been told as discarded meanwhile. */
  private long: number[] = [];
  private skipCode: number | undefined;
  private answerCode: number | undefined;
  private answerEndMs = 0;
  private echo: number[] = [];
  private echoUntil = never;

  constructor(
    private settings: FrameLineSettings,
    private readonly capacity: number,
    private readonly tape: Tape,
  ) {}

  configure(settings: FrameLineSettings): void {
    this.settings = settings;
  }

  nextMs(): number {
    return Math.min(this.idleDue(), this.limitDue(), this.echoUntil, this.answerDue());
  }

  poll(t: number): void {
    for (;;) {
      const dues = [this.idleDue(), this.limitDue(), this.echoUntil, this.answerDue()];
      const due = Math.min(...dues);
      if (due > t) return;
      switch (dues.indexOf(due)) {
        case 0:
          this.idleOver(due);
          break;
        case 1:
          this.limitOver(due);
          break;
        case 2:
          this.echo = [];
          this.echoUntil = never;
          this.noise(ECHO_MISSING, [], due);
          break;
        default: {
          const code = this.answerCode!;
          this.answerCode = undefined;
          if (t - this.answerEndMs > ackMax) this.noise(DROPPED, [], t);
          else this.tape.push(Events.send, code);
        }
      }
    }
  }

  feed(bytes: Bytes, t: number): void {
    this.poll(t);
    let paused = t - this.lastMs >= idle;
    for (let i = 0; i < bytes.length; i++) {
      const b = bytes[i]!;
      if (this.echo.length > 0) {
        this.echoByte(b, t);
        continue;
      }
      if (paused && this.b.length > 0) {
        this.second = this.b.length;
        this.secondWhole = 0;
        this.secondFirstMs = t;
      }
      paused = false;
      this.byte(b, t);
    }
  }

  expectEcho(bytes: Bytes, t: number): void {
    if (this.echo.length > 0) this.noise(ECHO_MISSING, [], t);
    this.echo = Array.from(bytes);
    this.echoUntil = never;
  }

  echoEnds(t: number): void {
    if (this.echo.length > 0) this.echoUntil = t + echoSlack;
  }

  reset(): void {
    if (this.b.length > 0) this.noise(RESYNC, this.b, this.lastMs);
    this.mode = "collect";
    this.b = [];
    this.second = 0;
    this.answerCode = undefined;
    this.echo = [];
    this.echoUntil = never;
  }

  private byte(b: number, t: number): void {
    this.lastMs = t;
    if (this.mode === "skip") return this.store(b, t);
    if (this.mode === "long") return this.longByte(b, t);
    const k = this.b.length;
    if (k === 0) {
      this.firstMs = t;
      this.whole = 0;
      this.second = 0;
    }
    this.b.push(b);
    if (this.b[0] === 0x06 || this.b[0] === 0x15) return this.answerByte(b, k, t);
    if (this.whole === 0) {
      if (k === 3) this.header(t);
      return;
    }
    const complete = this.b.length === this.whole;
    if (complete && isRight(this.b, 0, this.whole)) return this.deliver(0, t);
    if (this.second > 0 && this.secondByte(b, t)) return;
    if (!complete) return;
    if (this.second > 0) return this.dropFirst(t);
    this.noise(BAD_CHECKSUM, this.b, t);
    this.skip(3);
  }

  private answerByte(b: number, k: number, t: number): void {
    if (k !== 1) return;
    const first = this.b[0]!;
    this.b = [];
    if (isAnswer(first, b)) {
      this.tape.push(Events.answer, first === 0x06 ? -1 : b, t);
    } else {
      this.noise(BAD_ANSWER, [first], t);
      this.byte(b, t);
    }
  }

  private header(t: number): void {
    const known = (i: number): boolean => this.settings.types.includes(this.b[i]! * 256 + this.b[i + 1]!);
    if (!known(0)) {
      const i = known(1) ? 1 : known(2) ? 2 : 0;
      if (i > 0) {
        this.noise(RESYNC, this.b.slice(0, i), t);
        this.b = this.b.slice(i);
        return;
      }
    }
    this.whole = wholeOf(this.b, 0);
    if (this.whole - 6 <= this.limit) return;
    this.mode = "long";
    this.long = [...this.b];
  }

  private get limit(): number {
    return Math.min(this.settings.maxPayload, this.capacity);
  }

  private longByte(b: number, t: number): void {
    this.long.push(b);
    this.store(b, t);
    if (this.long.length < this.whole) return;
    const right = isRight(this.long, 0, this.whole);
    this.noise(right ? TOO_LONG : BAD_CHECKSUM, this.b, t);
    this.skip(right ? 2 : 3);
  }

  private store(b: number, t: number): void {
    if (this.b.length === this.capacity + 6) {
      this.noise(DISCARDED, this.b, t);
      this.b = [];
    }
    this.b.push(b);
  }

  /** True where the second reading has become a good frame. */
  private secondByte(b: number, t: number): boolean {
    const j = this.b.length - 1 - this.second;
    if (j === 0 && (b === 0x06 || b === 0x15)) this.second = 0;
    else if (this.secondWhole === 0) {
      if (j < 3) return false;
      const whole = wholeOf(this.b, this.second);
      if (whole - 6 > this.limit) this.second = 0;
      else this.secondWhole = whole;
    } else if (j + 1 === this.secondWhole) {
      if (!isRight(this.b, this.second, this.secondWhole)) this.second = 0;
      else {
        this.noise(RESYNC, this.b.slice(0, this.second), t);
        this.deliver(this.second, t);
        return true;
      }
    }
    return false;
  }

  private dropFirst(t: number): void {
    this.noise(RESYNC, this.b.slice(0, this.second), t);
    this.b = this.b.slice(this.second);
    this.whole = this.secondWhole;
    this.firstMs = this.secondFirstMs;
    this.second = 0;
  }

  private deliver(from: number, t: number): void {
    const type = this.b[from]! * 256 + this.b[from + 1]!;
    const payload = this.b.slice(from + 4, -2);
    const answer = earned(this.settings, type, payload);
    this.b = [];
    this.schedule(answer, t);
    this.tape.push(Events.frame, type, answer, t, payload.length, ...payload);
  }

  private skip(code: number | undefined): void {
    this.mode = "skip";
    this.skipCode = code;
    this.b = [];
  }

  private schedule(code: number, endMs: number): void {
    if (this.answerCode !== undefined) this.noise(DROPPED, [], endMs);
    this.answerCode = code;
    this.answerEndMs = endMs;
  }

  private echoByte(b: number, t: number): void {
    if (b === this.echo[0]) {
      this.echo.shift();
      if (this.echo.length === 0) this.echoUntil = never;
      return;
    }
    this.echo = [];
    this.echoUntil = never;
    if (this.b.length > 0) this.noise(RESYNC, this.b, t);
    this.lastMs = t;
    this.noise(COLLISION, [b], t);
    this.skip(undefined);
  }

  private idleDue(): number {
    const waits = this.mode !== "collect" || (this.b.length > 0 && this.whole === 0);
    return waits ? this.lastMs + idle : never;
  }

  private limitDue(): number {
    const waits = this.mode === "long" || (this.mode === "collect" && this.b.length > 0);
    return waits ? this.firstMs + frameMax : never;
  }

  private answerDue(): number {
    return this.answerCode === undefined ? never : Math.max(this.answerEndMs + ackDelay, this.lastMs + idle);
  }

  private idleOver(due: number): void {
    const { b } = this;
    if (this.mode === "collect" && b.length === 3 && isAnswer(b[1]!, b[2]!)) {
      this.noise(RESYNC, b.slice(0, 1), due);
      this.tape.push(Events.answer, b[1] === 0x06 ? -1 : b[2]!, this.lastMs);
      this.b = [];
      return;
    }
    if (b.length > 0) this.noise(RESYNC, b, due);
    const code = this.mode === "skip" ? this.skipCode : undefined;
    this.mode = "collect";
    this.b = [];
    if (code !== undefined) this.schedule(code, this.lastMs);
  }

  private limitOver(due: number): void {
    if (this.mode === "collect" && this.second > 0) return this.dropFirst(due);
    const long = this.mode === "long";
    this.noise(long ? TOO_LONG : FRAME_TIMEOUT, this.b, due);
    const code = long ? 2 : 5;
    if (due - this.lastMs < idle) return this.skip(code);
    this.b = [];
    this.mode = "collect";
    this.schedule(code, due);
  }

  private noise(fault: number, bytes: readonly number[], atMs: number): void {
    this.tape.push(Events.noise, fault, atMs, bytes.length, ...bytes);
  }
}

/** Lengths of the payloads of Intermediate DR, opcodes included (section 5 of cta2045.md). */
const lengths: Readonly<Record<number, readonly number[]>> = {
  0x0101: [2],
  0x0102: [2],
  0x0182: [3, 4],
  0x0103: [4],
  0x0183: [3],
  0x0200: [2, 8],
  0x0280: [3, 9],
  0x0300: [2, 7, 9, 11, 13, 15, 17],
  0x0380: [3, 8, 10, 12, 14, 16, 18],
  0x0301: [2, 3, 7, 8],
  0x0381: [3, 4, 8, 9],
  0x0302: [2, 4],
  0x0382: [3, 5],
  0x0303: [2, 7, 9],
  0x0383: [3, 8, 10],
  0x0304: [2],
  0x0384: [3, 8],
  0x0400: [13, 14, 15, 16, 17],
  0x0480: [3],
  0x0401: [6, 7],
  0x0481: [3],
  0x0a00: [3],
  0x0a80: [4],
  0x0a81: [4],
  0x0b00: [3],
  0x0b80: [4],
  0x0b01: [4],
  0x0b81: [4],
  0x0c00: [2, 7, 8, 12, 16, 17, 18],
  0x0c80: [3, 8, 9],
};
/** Of these a success without a value is too short. */
const mustTell = [0x0181, 0x0182, 0x0384];

/** True where the payload is a message of its type, whatever it says. */
export function isMessage(type: number, payload: Bytes): boolean {
  const n = payload.length;
  if (n === 0) return true;
  if (type === 0x0801) return n === 2;
  if (type === 0x0803) return n === 2 || payload[0] === 0x1d;
  if (type !== 0x0802) return true;
  if (n < 2) return false;
  const op = payload[0]! * 256 + payload[1]!;
  if (n === 3 && payload[2] === 0 && mustTell.includes(op)) return false;
  switch (op) {
    case 0x0181:
      return n === 3 || (n >= 16 && n <= 53);
    case 0x0600:
      return n === 3 || n % 13 === 2;
    case 0x0680:
      return n % 13 === 3;
    case 0x0601:
      return n % 3 === 2;
    case 0x0681:
      return n % 3 === 0;
    case 0x0a01:
      return n >= 4;
    default:
      return lengths[op]?.includes(n) ?? true;
  }
}

/** Of two bytes: −1 for an ACK, the code of a NAK, undefined for neither. */
export function answerOf(first: number, second: number): number | undefined {
  if (first === 0x06) return second === 0 ? -1 : undefined;
  return first === 0x15 ? second : undefined;
}
