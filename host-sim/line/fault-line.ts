/**
 * A byte line between a real link and the world that misbehaves by name. The code under test on either side
 * runs unchanged; what is bad happens here. Seeded, and silent until told otherwise.
 */
import type { ByteLine, ByteLineEvent } from "../../src/ports/line.js";
import { NEVER, type RandomPort } from "../../src/ports/time.js";
import { ACK_BYTE, checkBytes, emitAnswer } from "../../src/wire/frame.js";
import { DataLinkOp } from "../../src/wire/message.js";
import type { LineFault } from "./fault-names.js";
import { Framer, isAnswer } from "./framer.js";

export interface FaultLineOptions {
  /** The line that goes on to the world. */
  readonly line: ByteLine;
  readonly random: RandomPort;
  /** A link NAK code for this frame in place of the ACK that the stack is about to send; undefined: leave it. */
  readonly refuse?: (frame: Uint8Array) => number | undefined;
  /** Which frames the stack is about to acknowledge: only those are acknowledged early. Default: all. */
  readonly acknowledges?: (frame: Uint8Array) => boolean;
  /** ACKs leave so soon after the frame, ms, where a stack cannot be so quick. */
  readonly earlyAckMs?: number;
  /** Misses an answer to its payload-limit query that comes so soon after the ACK (seen in a water heater). */
  readonly payloadReplyDeafMs?: number;
  /** Called when `reset-mid-frame` has cut a frame. */
  readonly onReset?: (nowMs: number) => void;
}

/** Bytes to be sent later; `own` where the stack waits for its `sent`. */
interface Later {
  readonly atMs: number;
  readonly bytes: Uint8Array;
  readonly own: boolean;
}

const EARLY_MS = 5;
/** With the 45 to 60 ms of a well-behaved stack before it: more than 200 in every case. */
const LATE_MS = 255;
const REPEAT_MS = 30;
const BABBLE_MS = 60;
/** Bytes that follow each other within this time are of one frame. */
const TAIL_MS = 10;
const SLOW_BYTE_MS = 5;
const BREAK_MS = 250;
/** Bytes that come within this time of a collision are of the frame that it hit. */
const SAME_FRAME_MS = 100;

export class FaultLine implements ByteLine {
  /** Frames still to be hit, per fault. */
  private readonly active = new Map<LineFault, number>();
  private readonly events: ByteLineEvent[] = [];
  /** For each write that the world has not reported yet: tell the stack of it? */
  private readonly unreported: boolean[] = [];
  private later: Later[] = [];
  private heldAck: Uint8Array | undefined;
  private readonly framer = new Framer();
  private lastHeard: Uint8Array | undefined;
  private lastWritten: Uint8Array | undefined;
  private deafUntilMs = -1;
  private talkedMs = -SAME_FRAME_MS;
  /** The stack's next answer was already sent by a fault. */
  private answered = false;
  private nowMs = 0;
  private babbleMs = NEVER;
  private breakUntilMs = NEVER;
  private isBroken = false;

  constructor(private readonly options: FaultLineOptions) {}

  /** Starts a fault; it hits `times` frames, answers or bytes, by default all. */
  start(fault: LineFault, times = Number.POSITIVE_INFINITY): void {
    this.active.set(fault, times);
    if (fault === "babble") this.babbleMs = this.nowMs;
    if (fault === "break") this.breakUntilMs = this.nowMs;
  }

  has(fault: LineFault): boolean {
    return this.active.has(fault);
  }

  /** Faults that are on. */
  get faults(): readonly LineFault[] {
    return [...this.active.keys()];
  }

  /** Ends every fault. */
  clear(): void {
    this.active.clear();
    this.babbleMs = NEVER;
    this.breakUntilMs = NEVER;
    this.isBroken = false;
    this.answered = false;
  }

  /** From the stack. */
  write(bytes: Uint8Array): void {
    if (isAnswer(bytes)) this.writeAnswer(bytes);
    else this.writeFrame(bytes);
  }

  setBitRate(bitsPerSecond: number): boolean {
    return this.options.line.setBitRate(bitsPerSecond);
  }

  /** From the world. */
  receive(event: ByteLineEvent): void {
    this.nowMs = Math.max(this.nowMs, event.atMs);
    if (event.ev === "sent") {
      if (this.unreported.shift() === true) this.events.push(event);
      return;
    }
    if (event.ev !== "rx") {
      this.events.push(event);
      return;
    }
    if (this.active.has("deaf") || this.active.has("unplugged") || this.isBroken || this.misses(event))
      return;
    const bytes = this.disturb(event.bytes);
    const whole = this.framer.push(bytes, event.atMs);
    for (const one of whole) this.heard(one, event.atMs);
    if (whole.length === 0 && bytes.length > 0) this.talkInto(event.atMs);
    if (bytes.length > 0) this.events.push({ ev: "rx", bytes, atMs: event.atMs });
  }

  /** For the stack: the oldest event not yet taken. */
  take(): ByteLineEvent | undefined {
    return this.events.shift();
  }

  poll(nowMs: number): void {
    this.nowMs = nowMs;
    if (nowMs >= this.babbleMs) {
      const bytes = new Uint8Array(1 + (this.options.random.uint32() % 40));
      for (let i = 0; i < bytes.length; i++) bytes[i] = this.options.random.uint32();
      this.pass(bytes, false);
      this.babbleMs = nowMs + BABBLE_MS;
    }
    if (nowMs >= this.breakUntilMs) this.stepBreak(nowMs);
    const due = this.later.filter((item) => item.atMs <= nowMs);
    if (due.length === 0) return;
    this.later = this.later.filter((item) => item.atMs > nowMs);
    for (const item of due.sort((a, b) => a.atMs - b.atMs)) this.pass(item.bytes, item.own);
  }

  nextMs(): number {
    const next = Math.min(this.babbleMs, this.breakUntilMs);
    return this.later.reduce((least, item) => Math.min(least, item.atMs), next);
  }

  /** Begins a break, as often as it was asked for, or ends the one that is over. */
  private stepBreak(nowMs: number): void {
    this.breakUntilMs = NEVER;
    this.isBroken = false;
    if (!this.hits("break")) return;
    // A receiver takes a line that is held at space for a 00; its missing stop bit is told by nobody here.
    this.pass(Uint8Array.of(0), false);
    this.isBroken = true;
    this.breakUntilMs = nowMs + BREAK_MS;
  }

  private writeAnswer(bytes: Uint8Array): void {
    if (this.answered) {
      this.answered = false;
      this.pretendSent();
      return;
    }
    let answer = bytes;
    const heard = this.lastHeard;
    if (bytes[0] === ACK_BYTE && heard !== undefined) {
      const code = this.hits("nak-03") ? 3 : this.hits("nak-07") ? 7 : this.options.refuse?.(heard);
      if (code !== undefined) answer = emitAnswer(code);
    }
    if (this.hits("no-ack")) {
      this.pretendSent();
    } else if (answer[0] === ACK_BYTE && this.hits("coalesced-ack")) {
      this.heldAck = answer;
      // Nothing may follow, as after a type query: then the ACK goes alone before it is too late.
      this.later.push({ atMs: this.nowMs + 130, bytes: new Uint8Array(0), own: false });
      this.pretendSent();
    } else if (this.hits("late-ack")) {
      this.later.push({ atMs: this.nowMs + LATE_MS, bytes: answer, own: true });
    } else {
      this.pass(answer, true);
      if (this.hits("duplicate-ack")) this.pass(answer, false);
    }
  }

  private writeFrame(bytes: Uint8Array): void {
    let frame = bytes;
    this.lastWritten = bytes;
    if (this.hits("reset-mid-frame")) {
      this.pass(bytes.subarray(0, bytes.length >> 1), true);
      this.options.onReset?.(this.nowMs);
      return;
    }
    if (this.hits("wrong-checksum")) {
      frame = frame.slice();
      // XOR with 1 turns no byte into its twin modulo 255 (00 and FF).
      frame[frame.length - 1]! ^= 1;
    }
    if (this.hits("wrong-length")) frame = lengthen(frame);
    const held = this.heldAck;
    if (held !== undefined) {
      this.heldAck = undefined;
      this.pass(Uint8Array.from([...held, ...frame]), true);
      return;
    }
    if (this.hits("slow-bytes")) {
      for (const [i, byte] of frame.entries()) {
        const own = i === frame.length - 1;
        this.later.push({ atMs: this.nowMs + i * SLOW_BYTE_MS, bytes: Uint8Array.of(byte), own });
      }
      return;
    }
    this.pass(frame, true);
    if (this.hits("duplicate-frame")) {
      const durationMs = Math.ceil((frame.length * 10_000) / 19_200);
      this.later.push({ atMs: this.nowMs + durationMs + REPEAT_MS, bytes: frame, own: false });
    }
  }

  /** A whole frame or answer came in. */
  private heard(whole: Uint8Array, atMs: number): void {
    if (isAnswer(whole)) {
      const { payloadReplyDeafMs = 0 } = this.options;
      if (whole[0] === ACK_BYTE && payloadReplyDeafMs > 0 && isPayloadQuery(this.lastWritten)) {
        this.deafUntilMs = atMs + payloadReplyDeafMs;
      }
      return;
    }
    this.lastHeard = whole;
    this.answered = false;
    const { acknowledges, earlyAckMs } = this.options;
    if (acknowledges?.(whole) === false) return;
    const afterMs = this.hits("early-ack") ? EARLY_MS : earlyAckMs;
    if (afterMs !== undefined) {
      this.later.push({ atMs: atMs + afterMs, bytes: emitAnswer(-1), own: false });
      this.answered = true;
    }
  }

  /** A frame is under way: a collision, once a frame. */
  private talkInto(nowMs: number): void {
    if (nowMs - this.talkedMs < SAME_FRAME_MS || !this.hits("collision")) return;
    this.talkedMs = nowMs;
    this.pass(Uint8Array.of(this.options.random.uint32(), this.options.random.uint32()), false);
  }

  /** A frame that began while this end was deaf is lost to its end. */
  private misses({ atMs }: { readonly atMs: number }): boolean {
    if (atMs > this.deafUntilMs) return false;
    this.deafUntilMs = Math.max(this.deafUntilMs, atMs + TAIL_MS);
    return true;
  }

  private pass(bytes: Uint8Array, own: boolean): void {
    let out = bytes;
    if (bytes.length === 0) {
      if (this.heldAck === undefined) return;
      out = this.heldAck;
      this.heldAck = undefined;
    }
    if (this.active.has("mute") || this.active.has("unplugged") || this.isBroken) {
      if (own) this.pretendSent();
      return;
    }
    this.unreported.push(own);
    this.options.line.write(out);
    if (this.active.has("echo")) this.events.push({ ev: "rx", bytes: out.slice(), atMs: this.nowMs });
  }

  private pretendSent(): void {
    this.events.push({ ev: "sent", atMs: this.nowMs + 1 });
  }

  private disturb(bytes: Uint8Array): Uint8Array {
    if (
      !this.active.has("bit-flips") &&
      !this.active.has("lost-bytes") &&
      !this.active.has("duplicated-bytes")
    ) {
      return bytes;
    }
    const out: number[] = [];
    for (const byte of bytes) {
      if (this.percent("lost-bytes")) continue;
      const heard = this.percent("bit-flips") ? byte ^ (1 << (this.options.random.uint32() & 7)) : byte;
      out.push(heard);
      if (this.percent("duplicated-bytes")) out.push(heard);
    }
    return Uint8Array.from(out);
  }

  private percent(fault: LineFault): boolean {
    return this.active.has(fault) && this.options.random.uint32() % 100 === 0 && this.hits(fault);
  }

  /** Counts a fault down; true where it strikes. */
  private hits(fault: LineFault): boolean {
    const left = this.active.get(fault);
    if (left === undefined) return false;
    if (left <= 1) this.active.delete(fault);
    else this.active.set(fault, left - 1);
    return true;
  }
}

function isPayloadQuery(frame: Uint8Array | undefined): boolean {
  return frame?.[0] === 0x08 && frame[1] === 0x03 && frame[4] === DataLinkOp.QueryMaxPayload;
}

function lengthen(frame: Uint8Array): Uint8Array {
  const longer = frame.slice();
  const length = ((longer[2]! << 8) | longer[3]!) + 1;
  longer[2] = length >> 8;
  longer[3] = length;
  const check = checkBytes(longer, 0, longer.length - 2);
  longer[longer.length - 2] = check >> 8;
  longer[longer.length - 1] = check;
  return longer;
}
