/**
 * Conformance: a written test plan (docs/conformance.md) against any peer on a line. This folder guarantees:
 * no platform in it but in `run.ts`; time only as a parameter, so that the same steps run in virtual time and
 * in real time; nothing of `src/link`'s exchanges, because a judge must be able to send what a good link never
 * would (broken frames, early and late answers) and must see raw bytes with their times. Codecs and receiver
 * are those of `src`.
 *
 * This file: the raw line. It says any bytes, hears everything, keeps the trace, and plays the part of a
 * well-behaved partner for what the peer says by itself; a test changes how by {@link Probe.manners}.
 */
import { toHex } from "../../src/base/hex.js";
import type { ByteLine, ByteLineEvent } from "../../src/ports/line.js";
import { NEVER } from "../../src/ports/time.js";
import { decodeFrameText } from "../../src/wire/decode.js";
import { emitAnswer, emitFrame, parseAnswer, parseFrame } from "../../src/wire/frame.js";
import { isFault } from "../../src/base/fault.js";
import { BasicOp, DataLinkOp, MessageType } from "../../src/wire/message.js";
import { isReply } from "../../src/wire/reply.js";
import { Watch, type Heard } from "./watch.js";

/** What crossed the line, or a remark of a test. Grows while it is being sent, and when it is answered. */
export interface Entry {
  readonly n: number;
  readonly who: "we" | "peer" | "note";
  readonly kind: "frame" | "answer" | "noise" | "note";
  readonly bytes: Uint8Array;
  /** What it means, in words. */
  readonly text: string;
  readonly type: number;
  readonly payload: Uint8Array;
  readonly code: number;
  /** Of the peer's noise: the receiver's fault code. */
  readonly fault: string;
  readonly startMs: number;
  /** NEVER while it is being sent. */
  endMs: number;
  /** Silence on the line before it. */
  readonly gapMs: number;
  /** It was heard up to so much later than it came, because this computer was busy, ms. */
  blurMs: number;
  /** It and something of the other side were on the line at the same time. */
  crossed: boolean;
  /** A link answer of the peer: the frame of ours that it answers. A reply of the peer: the request. */
  to?: Entry;
  /** End of that frame to the beginning of this answer; of a reply, end of the peer's link ACK to its beginning. */
  delayMs?: number;
  /** Of a frame of ours: its link answers, and its reply. */
  readonly answers: Entry[];
  reply?: Entry;
}

/** How we treat a frame of the peer's. */
export interface Manners {
  /** The link answer, −1 ACK, else a NAK code, so long after the frame; undefined: none. */
  answer(heard: Entry): { readonly code: number; readonly delayMs: number } | undefined;
  /** The application reply, so long after our ACK; undefined: none. */
  reply(heard: Entry): { readonly payload: Uint8Array; readonly delayMs: number } | undefined;
}

export interface ProbeOptions {
  readonly line: ByteLine;
  readonly manners: Manners;
  /** True for pseudo-terminals and sockets, whose bytes take no time. */
  readonly airless: boolean;
  /** Silence after which what the peer began is given up, ms. */
  readonly idleMs: number;
}

const NOTHING = new Uint8Array(0);
/** A peer that has not answered by then does not: 200 ms are allowed. */
export const ANSWER_WAIT_MS = 450;
/** A reply that has not come by then does not: 3 s are allowed. */
export const REPLY_WAIT_MS = 7000;
/** After a frame of the peer's its next may follow: so long we leave it the line. */
const PEER_QUIET_MS = 400;
/** tIM of ours: 100 ms are the least. */
const GAP_MS = 130;

export class Probe {
  readonly trace: Entry[] = [];
  /** How the peer's own frames are treated; a test may replace it and must put it back. */
  manners: Manners;
  nowMs = 0;
  bitsPerSecond = 19_200;
  /** Payload limit that we have told the peer, bytes; 0 none yet. */
  toldLimit = 0;

  readonly #options: ProbeOptions;
  readonly #watch: Watch;
  #writing: Entry[] = [];
  #due: { readonly atMs: number; readonly run: () => void }[] = [];
  /** Our last frame, while its answer or reply may still come. */
  #pending: Entry | undefined;
  #blurMs = 0;
  #lastEndMs = -1_000_000;
  #lastHeardMs = -1_000_000;
  #lastSaidMs = -1_000_000;

  constructor(options: ProbeOptions) {
    this.#options = options;
    this.manners = options.manners;
    this.#watch = new Watch({ onHeard: (heard) => this.#heard(heard), idleMs: options.idleMs });
  }

  /** The manners of the part that we play. */
  get goodManners(): Manners {
    return this.#options.manners;
  }

  /** `blurMs`: the event may have waited so long in this computer. */
  onByteLine(event: ByteLineEvent, nowMs: number, blurMs = 0): void {
    this.nowMs = Math.max(this.nowMs, nowMs);
    this.#blurMs = blurMs;
    if (event.ev === "rx") this.#watch.feed(event.bytes, event.atMs, this.byteMs);
    else if (event.ev === "sent") {
      const entry = this.#writing.shift();
      if (entry !== undefined && !this.#options.airless) this.#left(entry, event.atMs);
    } else {
      this.#watch.reset();
      this.note(event.on ? "the line is there again" : "the line has gone");
    }
  }

  poll(nowMs: number): void {
    this.nowMs = Math.max(this.nowMs, nowMs);
    this.#watch.poll(nowMs);
    for (;;) {
      const due = this.#due.filter((item) => item.atMs <= this.nowMs);
      if (due.length === 0) return;
      this.#due = this.#due.filter((item) => item.atMs > this.nowMs);
      for (const item of due) item.run();
    }
  }

  nextMs(): number {
    return this.#due.reduce((next, item) => Math.min(next, item.atMs), this.#watch.nextMs());
  }

  /** What a byte lasts, ms. */
  get byteMs(): number {
    return this.#options.airless ? 0 : 10_000 / this.bitsPerSecond;
  }

  /** Puts bytes on the line now, whatever is on it. `text` says in the trace what is wrong with them on purpose. */
  say(bytes: Uint8Array, text?: string): Entry {
    const entry = this.#add("we", bytes, this.nowMs, NEVER, undefined, text);
    if (entry.kind !== "answer") this.#pending = entry;
    this.#writing.push(entry);
    // The line may tell at once.
    this.#options.line.write(bytes);
    if (this.#options.airless) this.#left(entry, this.nowMs);
    return entry;
  }

  /** A remark in the trace. */
  note(text: string): void {
    this.trace.push({
      n: this.trace.length,
      who: "note",
      kind: "note",
      bytes: NOTHING,
      text,
      type: 0,
      payload: NOTHING,
      code: 0,
      fault: "",
      startMs: this.nowMs,
      endMs: this.nowMs,
      gapMs: 0,
      blurMs: 0,
      crossed: false,
      answers: [],
    });
  }

  /** Another bit rate, for both directions; false where the line has none. */
  setBitRate(bitsPerSecond: number): boolean {
    if (!this.#options.line.setBitRate(bitsPerSecond)) return false;
    this.bitsPerSecond = bitsPerSecond;
    this.#watch.reset();
    return true;
  }

  /** Forgets what we still owe: the partner that the peer talked to is gone. */
  dropDebts(): void {
    this.#due = [];
  }

  /** When we may begin a dialogue, as far as is known now; NEVER while something is under way. */
  calmMs(): number {
    if (this.#due.length > 0 || this.#watch.isInside) return NEVER;
    if (this.trace.length > 0 && this.#lastSaidMs === NEVER) return NEVER;
    let calm = Math.max(this.#lastHeardMs + PEER_QUIET_MS, this.#lastSaidMs + GAP_MS);
    const pending = this.#pending;
    if (pending !== undefined) {
      if (pending.answers.length === 0) calm = Math.max(calm, pending.endMs + ANSWER_WAIT_MS);
    }
    return calm;
  }

  #left(entry: Entry, atMs: number): void {
    entry.endMs = Math.max(atMs, entry.startMs);
    this.#lastEndMs = Math.max(this.#lastEndMs, entry.endMs);
    this.#lastSaidMs = entry.endMs;
  }

  #heard(heard: Heard): void {
    const entry = this.#add("peer", heard.bytes, heard.startMs, heard.endMs, heard);
    this.#lastHeardMs = heard.endMs;
    this.#lastEndMs = Math.max(this.#lastEndMs, heard.endMs);
    for (let i = entry.n - 1; i >= 0 && i > entry.n - 6; i--) {
      const other = this.trace[i]!;
      // The tail of what was said while we spoke, too: our receiver was off.
      if (other.who !== "we" || heard.startMs >= other.endMs + 3 || heard.endMs <= other.startMs) continue;
      if (heard.kind === "answer" && heard.startMs >= other.endMs) continue;
      entry.crossed = true;
      other.crossed = true;
    }
    if (heard.kind === "answer") this.#linkAnswer(entry);
    else if (heard.kind === "frame") this.#frame(entry);
  }

  #linkAnswer(entry: Entry): void {
    const to = this.#pending;
    if (to === undefined || entry.startMs < to.startMs || entry.startMs - to.endMs > 1500) return;
    entry.to = to;
    entry.delayMs = entry.startMs - to.endMs;
    to.answers.push(entry);
  }

  #frame(entry: Entry): void {
    const request = this.#pending;
    if (
      request !== undefined &&
      request.reply === undefined &&
      request.type === entry.type &&
      isReply(entry.type, request.payload, entry.payload)
    ) {
      entry.to = request;
      request.reply = entry;
      const ack = request.answers[0];
      if (ack !== undefined) entry.delayMs = entry.startMs - ack.endMs;
    }
    const answer = this.manners.answer(entry);
    if (answer === undefined) return;
    this.#after(entry.endMs + answer.delayMs, () => {
      const said = this.say(emitAnswer(answer.code));
      if (answer.code >= 0) return;
      const reply = this.manners.reply(entry);
      if (reply === undefined) return;
      const air = Math.ceil(said.bytes.length * this.byteMs);
      this.#after(this.nowMs + air + reply.delayMs, () => this.say(emitFrame(entry.type, reply.payload)));
    });
  }

  #after(atMs: number, run: () => void): void {
    this.#due.push({ atMs: Math.ceil(atMs), run });
  }

  #add(
    who: "we" | "peer",
    bytes: Uint8Array,
    startMs: number,
    endMs: number,
    heard: Heard | undefined,
    text?: string,
  ): Entry {
    const frame = parseFrame(bytes);
    const code = parseAnswer(bytes);
    const kind = heard?.kind ?? (code !== undefined ? "answer" : "frame");
    if (who === "we" && endMs === NEVER) this.#lastSaidMs = NEVER;
    const entry: Entry = {
      n: this.trace.length,
      who,
      kind,
      bytes: bytes.slice(),
      text: text ?? meaning(bytes, heard),
      type: isFault(frame) ? 0 : frame.type,
      payload: isFault(frame) ? NOTHING : frame.payload.slice(),
      code: code ?? 0,
      fault: heard?.fault ?? "",
      startMs,
      endMs,
      gapMs: this.#lastEndMs < 0 ? 0 : Math.max(0, startMs - this.#lastEndMs),
      blurMs: who === "peer" ? this.#blurMs : 0,
      crossed: false,
      answers: [],
    };
    this.trace.push(entry);
    return entry;
  }
}

/** True for what the peer says by itself: no answer and no reply, late and repeated ones neither. */
export function isOwn({ type, payload, to }: Entry): boolean {
  if (to !== undefined) return false;
  const [op, arg] = payload;
  if (op === undefined || arg === undefined) return true;
  if (type === MessageType.Basic) return op !== BasicOp.AppAck && op !== BasicOp.AppNak;
  if (type === MessageType.DataLink) return op !== DataLinkOp.MaxPayload;
  return (arg & 0x80) === 0;
}

/** Bytes as people write them, cut where they are many. */
export function hexOf(bytes: Uint8Array, most = 64): string {
  const shown = toHex(bytes.subarray(0, most), " ");
  return bytes.length > most ? `${shown} … (${bytes.length} bytes)` : shown;
}

function meaning(bytes: Uint8Array, heard: Heard | undefined): string {
  if (heard?.kind === "noise") return `${noiseNames[heard.fault] ?? heard.fault}: ${bytes.length} bytes`;
  const { ok, text, fault } = decodeFrameText(bytes);
  return ok ? text : `${fault}: ${text}`;
}

const noiseNames: Readonly<Record<string, string>> = {
  resync: "no frame",
  "bad-checksum": "wrong check bytes",
  "frame-timeout": "frame never finished",
  "too-long": "longer than any frame",
  "bad-answer": "no link answer",
};
