import type { ByteLine, ByteLineEvent, FrameLine, FrameLineEvent, FrameLineSettings } from "../ports/line.js";
import { NEVER } from "../ports/time.js";
import { emitAnswer } from "../wire/frame.js";
import { Receiver, type ReceiverSink } from "./receiver.js";
import { airMs, type LinkTiming } from "./timing.js";

export interface ByteFrameLineOptions {
  readonly line: ByteLine;
  readonly timing: LinkTiming;
  readonly settings: FrameLineSettings;
  readonly emit: (e: FrameLineEvent, nowMs: number) => void;
  /** Longest payload that will ever be configured; 512, the most at 19,200 bit/s, if not given. */
  readonly capacity?: number;
  /** True where the adapter gives our own bytes back; false where the receiver is muted, or the line is duplex. */
  readonly echo?: boolean;
}

/** Time that a world may take beyond the air time to say `sent`, before we go on without it. */
const SENT_SLACK_MS = 1000;
const NO_ANSWER = -2;

/**
 * A byte line with the receiver of this folder: together a frame line. It sends the link answers at their
 * time and holds our frames back while something is coming in or an answer of ours has not left.
 * Every `sendFrame` is answered by one `sent` or one `unsent`, unless the carrier goes.
 */
export class ByteFrameLine implements FrameLine, ReceiverSink {
  readonly #o: ByteFrameLineOptions;
  readonly #receiver: Receiver;
  #bitsPerSecond: number;
  #nowMs = 0;
  #carrier = true;

  /** What is on the line: nothing, our link answer, our frame. */
  #tx: "none" | "answer" | "frame" = "none";
  #txCode = 0;
  #txUntilMs = NEVER;
  /** An answer that came due while our frame was still leaving. */
  #nextAnswer = NO_ANSWER;
  #held: Uint8Array | undefined;
  /** Since when; −1 until the first poll after `sendFrame`. */
  #heldSinceMs = -1;
  /** Our last link answer has left: our next frame keeps tIM from it. */
  #answeredMs = -1_000_000;

  constructor(options: ByteFrameLineOptions) {
    this.#o = options;
    this.#bitsPerSecond = options.settings.bitsPerSecond;
    this.#receiver = new Receiver(options.timing, options.settings, options.capacity ?? 512, this);
  }

  sendFrame(bytes: Uint8Array): void {
    this.#held = bytes;
    this.#heldSinceMs = -1;
  }

  configure(settings: FrameLineSettings): void {
    this.#receiver.configure(settings);
    if (settings.bitsPerSecond === this.#bitsPerSecond) return;
    if (this.#o.line.setBitRate(settings.bitsPerSecond)) this.#bitsPerSecond = settings.bitsPerSecond;
    this.#receiver.reset();
  }

  onLine(e: ByteLineEvent, nowMs: number): void {
    this.#nowMs = nowMs;
    switch (e.ev) {
      case "rx":
        this.#receiver.feed(e.bytes, e.atMs);
        break;
      case "sent":
        this.#finish(e.atMs);
        break;
      case "carrier":
        // Told again is no news: it must not cost the frame that is being sent.
        if (e.on === this.#carrier) break;
        this.#carrier = e.on;
        this.#receiver.reset();
        this.#tx = "none";
        this.#txUntilMs = NEVER;
        this.#nextAnswer = NO_ANSWER;
        this.#held = undefined;
        this.#o.emit(e, nowMs);
        break;
    }
    this.#pump();
  }

  poll(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#receiver.poll(nowMs);
    if (nowMs >= this.#txUntilMs) this.#finish(nowMs);
    this.#pump();
  }

  nextMs(): number {
    const next = Math.min(this.#receiver.nextMs(), this.#txUntilMs);
    if (this.#held === undefined || this.#tx !== "none") return next;
    if (this.#heldSinceMs < 0) return this.#nowMs;
    return Math.min(next, this.#readyMs(), this.#heldSinceMs + this.#o.timing.holdMaxMs);
  }

  #readyMs(): number {
    return Math.max(this.#receiver.freeMs, this.#answeredMs + this.#o.timing.gapMs);
  }

  /** From the receiver. */
  onReceived(e: FrameLineEvent): void {
    this.#o.emit(e, this.#nowMs);
    // A frame of theirs came before ours could leave: ours goes back, to be thought over.
    if (e.ev === "frame" && this.#held !== undefined) this.#giveBack("received");
  }

  /** From the receiver: the answer is due now. */
  sendAnswer(code: number): void {
    if (!this.#carrier) return;
    if (this.#tx === "none") this.#write("answer", emitAnswer(code), code);
    else this.#nextAnswer = code;
  }

  #pump(): void {
    if (this.#tx !== "none") return;
    const code = this.#nextAnswer;
    if (code !== NO_ANSWER) {
      this.#nextAnswer = NO_ANSWER;
      return this.#write("answer", emitAnswer(code), code);
    }
    const held = this.#held;
    if (held === undefined) return;
    if (this.#heldSinceMs < 0) this.#heldSinceMs = this.#nowMs;
    if (this.#carrier && this.#nowMs >= this.#readyMs()) {
      this.#held = undefined;
      this.#write("frame", held, 0);
    } else if (!this.#carrier || this.#nowMs >= this.#heldSinceMs + this.#o.timing.holdMaxMs) {
      this.#giveBack("busy");
    }
  }

  #giveBack(why: "received" | "busy"): void {
    this.#held = undefined;
    this.#o.emit({ ev: "unsent", why, atMs: this.#nowMs }, this.#nowMs);
  }

  #write(what: "answer" | "frame", bytes: Uint8Array, code: number): void {
    this.#tx = what;
    this.#txCode = code;
    this.#txUntilMs = this.#nowMs + airMs(bytes.length, this.#bitsPerSecond) + SENT_SLACK_MS;
    if (this.#o.echo === true) this.#receiver.expectEcho(bytes, this.#nowMs);
    this.#o.line.write(bytes);
  }

  /** What we sent has left. A `sent` that nothing waits for (late, after an unplug) says nothing. */
  #finish(atMs: number): void {
    const tx = this.#tx;
    if (tx === "none") return;
    this.#tx = "none";
    this.#txUntilMs = NEVER;
    this.#receiver.echoEnds(atMs);
    if (tx === "answer") this.#answeredMs = atMs;
    const e: FrameLineEvent =
      tx === "frame" ? { ev: "sent", atMs } : { ev: "answered", code: this.#txCode, atMs };
    this.#o.emit(e, this.#nowMs);
  }
}
