/**
 * The client's side of RFC 6455 over any byte stream; text alone. This folder guarantees: whatever a server sends,
 * nothing throws; what breaks the RFC ends the connection with the code that it names (1002, 1003, 1007, 1009); no
 * more is held than the longest message that is allowed; everything we send is masked anew.
 *
 * This file is the frames: bytes ↔ messages.
 */
import { UTF8_BAD, UTF8_MORE, Utf8Decoder, utf8Decode, utf8Encode } from "../base/utf8.js";

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** What the connection is ended with (RFC 6455, 7.4.1). */
export type Offence = 1002 | 1003 | 1007 | 1009;

export type Incoming =
  | { readonly is: "text"; readonly text: string }
  | { readonly is: "ping" | "pong"; readonly payload: Uint8Array }
  /** 1005 where the frame names no code. */
  | { readonly is: "close"; readonly code: number; readonly reason: string }
  /** The server broke the protocol; nothing more is read. */
  | { readonly is: "offence"; readonly code: Offence; readonly text: string };

const MOST_CONTROL = 125;
/** Characters that are joined before they go to the text: an engine without ropes copies it each time. */
const PIECE = 128;

/** Reads a server's frames, cut anywhere. After a close frame or an offence the rest is passed over. */
export class FrameReader {
  /** Nothing more is to be read. */
  stopped = false;
  /** Head of the frame under way: 2 to 10 bytes. */
  private readonly head = new Uint8Array(10);
  private headAt = 0;
  private headLength = 2;
  /** Of the payload under way: bytes to come, undefined while its head is read. */
  private left: number | undefined;
  private opcode = 0;
  private final = false;
  /** A message is under way whose last fragment has not come. */
  private inMessage = false;
  private messageBytes = 0;
  private text = "";
  /** The text's end, short of {@link PIECE}. */
  private piece = "";
  private utf8 = new Utf8Decoder();
  private control = new Uint8Array(0);
  private controlAt = 0;

  constructor(private readonly maxMessageBytes: number) {}

  /** Hands over what has become whole. `deliver` may stop the reader. */
  push(bytes: Uint8Array, deliver: (message: Incoming) => void): void {
    for (let at = 0; at < bytes.length && !this.stopped;) {
      if (this.left === undefined) {
        this.head[this.headAt++] = bytes[at++]!;
        if (this.headAt === 2) this.headLength = headLength(this.head[1]!);
        if (this.headAt < this.headLength) continue;
        const wrong = this.begin();
        if (wrong !== undefined) {
          this.offend(wrong, deliver);
          return;
        }
        if (this.left! > 0) continue;
      }
      const end = Math.min(bytes.length, at + this.left!);
      this.left! -= end - at;
      if (this.opcode >= OPCODE.close) {
        this.control.set(bytes.subarray(at, end), this.controlAt);
        this.controlAt += end - at;
      } else if (!this.decode(bytes, at, end)) {
        this.offend([1007, "text that is not UTF-8"], deliver);
        return;
      }
      at = end;
      if (this.left === 0) this.endFrame(deliver);
    }
  }

  /** The head is whole: what it says, or what is wrong with it. */
  private begin(): readonly [Offence, string] | undefined {
    const { head } = this;
    const first = head[0]!;
    this.headAt = 0;
    this.headLength = 2;
    this.opcode = first & 15;
    this.final = first >= 0x80;
    if ((first & 0x70) !== 0) return [1002, "reserved bits"];
    if (head[1]! >= 0x80) return [1002, "a masked frame"];
    const length = lengthOf(head);
    if (length === undefined) return [1002, "a length that is not written the shortest way"];
    this.left = length;
    if (this.opcode >= OPCODE.close) {
      if (this.opcode > OPCODE.pong) return [1002, "an unknown kind of frame"];
      if (!this.final || length > MOST_CONTROL) return [1002, "a control frame in parts or too long"];
      this.control = new Uint8Array(length);
      this.controlAt = 0;
      return undefined;
    }
    if (this.opcode === OPCODE.binary) return [1003, "a binary message"];
    if (this.opcode > OPCODE.binary) return [1002, "an unknown kind of frame"];
    if ((this.opcode === OPCODE.continuation) !== this.inMessage) return [1002, "fragments out of order"];
    this.inMessage = true;
    this.messageBytes += length;
    return this.messageBytes > this.maxMessageBytes ? [1009, "message too big"] : undefined;
  }

  /** Payload of a text as far as it has come; false where it is no UTF-8. */
  private decode(bytes: Uint8Array, from: number, to: number): boolean {
    const { utf8 } = this;
    for (let i = from; i < to; i++) {
      const code = utf8.push(bytes[i]!);
      if (code === UTF8_BAD) return false;
      if (code === UTF8_MORE) continue;
      this.piece += String.fromCodePoint(code);
      if (this.piece.length < PIECE) continue;
      this.text += this.piece;
      this.piece = "";
    }
    return true;
  }

  private endFrame(deliver: (message: Incoming) => void): void {
    this.left = undefined;
    if (this.opcode >= OPCODE.close) {
      const { control } = this;
      if (this.opcode === OPCODE.close) this.endClose(control, deliver);
      else deliver({ is: this.opcode === OPCODE.ping ? "ping" : "pong", payload: control });
      return;
    }
    if (!this.final) return;
    const { utf8 } = this;
    const text = this.text + this.piece;
    this.inMessage = false;
    this.messageBytes = 0;
    this.text = "";
    this.piece = "";
    if (utf8.whole) deliver({ is: "text", text });
    else this.offend([1007, "text that ends within a character"], deliver);
  }

  private endClose(payload: Uint8Array, deliver: (message: Incoming) => void): void {
    if (payload.length === 0) {
      this.stopped = true;
      deliver({ is: "close", code: 1005, reason: "" });
      return;
    }
    const code = (payload[0]! << 8) | (payload[1] ?? 0);
    if (payload.length === 1 || !mayBeSent(code)) {
      this.offend([1002, "a close code that may not be sent"], deliver);
      return;
    }
    const reason = utf8Decode(payload, 2);
    if (reason === undefined) {
      this.offend([1007, "a reason that is not UTF-8"], deliver);
      return;
    }
    this.stopped = true;
    deliver({ is: "close", code, reason });
  }

  private offend([code, text]: readonly [Offence, string], deliver: (message: Incoming) => void): void {
    this.stopped = true;
    deliver({ is: "offence", code, text });
  }
}

/** Bytes of a frame's head without a mask, by its second byte. */
function headLength(second: number): number {
  const short = second & 0x7f;
  return short === 126 ? 4 : short === 127 ? 10 : 2;
}

/** Undefined where it is longer than need be, or its highest bit is set (5.2). */
function lengthOf(head: Uint8Array): number | undefined {
  const short = head[1]! & 0x7f;
  if (short < 126) return short;
  if (short === 126) {
    const length = (head[2]! << 8) | head[3]!;
    return length < 126 ? undefined : length;
  }
  let length = 0;
  for (let i = 2; i < 10; i++) length = length * 256 + head[i]!;
  return head[2]! >= 0x80 || length < 0x10000 ? undefined : length;
}

/** Codes that may stand in a close frame: of the RFC, registered since, or of libraries and applications. */
function mayBeSent(code: number): boolean {
  if (code >= 1000 && code <= 1014) return code < 1004 || code > 1006;
  return code >= 3000 && code <= 4999;
}

/** One whole frame of ours, masked with `mask` (32 random bits). */
export function frame(opcode: number, payload: Uint8Array, mask: number): Uint8Array {
  const { length } = payload;
  const extended = length < 126 ? 0 : length < 0x10000 ? 2 : 8;
  const bytes = new Uint8Array(6 + extended + length);
  bytes[0] = 0x80 | opcode;
  bytes[1] = 0x80 | (extended === 0 ? length : extended === 2 ? 126 : 127);
  for (let i = 0, rest = length; i < extended; i++, rest = Math.floor(rest / 256)) {
    bytes[1 + extended - i] = rest & 0xff;
  }
  const at = 2 + extended;
  for (let i = 0; i < 4; i++) bytes[at + i] = mask >>> (24 - 8 * i);
  for (let i = 0; i < length; i++) bytes[at + 4 + i] = payload[i]! ^ bytes[at + (i & 3)]!;
  return bytes;
}

/** Payload of a close frame; of a reason only what fits. */
export function closePayload(code: number, reason: string): Uint8Array {
  if (!mayBeSent(code)) return new Uint8Array(0);
  const text = utf8Encode(reason.slice(0, 40));
  const payload = new Uint8Array(2 + text.length);
  payload[0] = code >> 8;
  payload[1] = code & 0xff;
  payload.set(text, 2);
  return payload;
}
