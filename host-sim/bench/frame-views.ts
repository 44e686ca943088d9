import { fromHex } from "../../src/base/hex.js";
import type { PlainEvent } from "../../src/runtime.js";
import { decodeFrameText } from "../../src/wire/decode.js";
import type { FrameView } from "./messages.js";

type FrameEvent = Extract<PlainEvent, { readonly event: "frame" }>;

/** A byte at 19,200 bit/s, 8N1, ms. */
const byteMs = 10_000 / 19_200;

/** Makes what the page shows of frames: meaning, fields, and the silence before each. */
export class FrameViews {
  #n = 0;
  #lastEndMs: number | undefined;
  #lastFrom: FrameView["from"] | undefined;
  /** Who has acknowledged a frame last, and so may owe a reply. */
  #acknowledger: FrameView["from"] | undefined;

  view(event: FrameEvent, utcMs: number): FrameView {
    const decoded = decodeFrameText(event.hex);
    const bytes = fromHex(event.hex);
    const from = event.dir === "tx" ? "module" : "charger";
    const startMs = event.atMs - (bytes?.length ?? 0) * byteMs;
    const gapMs =
      this.#lastEndMs === undefined ? null : Math.max(0, Math.round((startMs - this.#lastEndMs) * 10) / 10);
    const isAnswer = bytes?.length === 2 && (bytes[0] === 0x06 || bytes[0] === 0x15);
    const kind = isAnswer
      ? this.#lastFrom === from
        ? "other"
        : "answer"
      : this.#acknowledger === from && this.#lastFrom === from && bytes !== undefined && isReply(bytes)
        ? "reply"
        : "other";
    this.#acknowledger = isAnswer ? from : undefined;
    this.#lastEndMs = event.atMs;
    this.#lastFrom = from;
    return {
      n: ++this.#n,
      utcMs,
      from,
      hex: bytes ? decoded.hex : event.hex,
      text: decoded.text,
      fault: event.fault,
      fields: decoded.fields,
      gapMs,
      kind,
    };
  }
}

/** Application replies by their opcodes: App ACK and NAK, state, Intermediate replies, data-link responses. */
function isReply(bytes: Uint8Array): boolean {
  const [, type, , , opcode1, opcode2] = bytes;
  if (bytes[0] !== 0x08 || opcode1 === undefined || opcode2 === undefined) return false;
  if (type === 0x01) return opcode1 === 0x03 || opcode1 === 0x04 || opcode1 === 0x13;
  if (type === 0x02) return (opcode2 & 0x80) !== 0;
  return type === 0x03 && (opcode1 === 0x19 || opcode1 === 0x1b || opcode1 === 0x1d);
}
