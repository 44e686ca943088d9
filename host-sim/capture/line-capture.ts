import type { ByteLine, ByteLineEvent } from "../../src/ports/line.js";
import type { VirtualLine } from "../line/virtual-line.js";
import { type CaptureSink, type Sender } from "./record.js";
import { IDLE_MS, Segmenter } from "./segmenter.js";

/** Gives UTC of a monotonic moment, both ms. */
export type ToUtc = (atMs: number) => number;

/**
 * Captures everything that is said on a virtual line with ends "module" and "charger"; marks collisions. Gives
 * the way to hand over what was begun and not finished, for the end of the capture.
 */
export function captureVirtualLine(line: VirtualLine, sink: CaptureSink, toUtc: ToUtc): () => void {
  const segmenters = new Map<Sender, { readonly cut: Segmenter; lastMs: number; rate: number }>();
  const put = (records: ReturnType<Segmenter["push"]>, collision: boolean): void => {
    for (const record of records)
      sink.record(collision ? { ...record, marks: { ...record.marks, collision } } : record);
  };
  line.tap(({ from, bytes, collided, atMs, bitsPerSecond: rate }) => {
    for (const one of segmenters.values()) {
      if (one.cut.isBusy && atMs - one.lastMs > IDLE_MS) put(one.cut.flush(one.rate), false);
    }
    const sender: Sender = from === "module" || from === "charger" ? from : "unknown";
    let own = segmenters.get(sender);
    if (own === undefined) segmenters.set(sender, (own = { cut: new Segmenter(sender), lastMs: atMs, rate }));
    own.lastMs = atMs;
    own.rate = rate;
    put(own.cut.push(bytes, toUtc(atMs), rate), collided);
    // What collides is not gone on with.
    if (collided) put(own.cut.flush(rate), true);
  });
  return () => {
    for (const one of segmenters.values()) put(one.cut.flush(one.rate), false);
  };
}

export interface LineCaptureOptions {
  readonly sink: CaptureSink;
  readonly toUtc: ToUtc;
  /** Who writes to this line; what is received is the other's. */
  readonly self: Sender;
  readonly other: Sender;
  readonly bitsPerSecond?: number;
}

/**
 * Captures a real line beside whoever uses it: hand it what is written and what the line tells. A write has its
 * time when the line says `sent`; what was received but never finished comes out on {@link poll}.
 */
export class LineCapture {
  private readonly heard: Segmenter;
  private readonly said: Segmenter;
  private readonly unsent: Uint8Array[] = [];
  private bitsPerSecond: number;
  private lastMs = 0;

  constructor(private readonly options: LineCaptureOptions) {
    this.heard = new Segmenter(options.other);
    this.said = new Segmenter(options.self);
    this.bitsPerSecond = options.bitsPerSecond ?? 19_200;
  }

  /** The line with the capture before it: give this to the one who writes. */
  wrap(line: ByteLine): ByteLine {
    return {
      write: (bytes) => {
        this.unsent.push(bytes.slice());
        line.write(bytes);
      },
      setBitRate: (bitsPerSecond) => {
        const done = line.setBitRate(bitsPerSecond);
        if (done) this.bitsPerSecond = bitsPerSecond;
        return done;
      },
    };
  }

  /** What the line tells, before its user is told. */
  onEvent(event: ByteLineEvent): void {
    this.lastMs = Math.max(this.lastMs, event.atMs);
    const utcMs = this.options.toUtc(event.atMs);
    if (event.ev === "rx") {
      this.put(this.heard.push(event.bytes, utcMs, this.bitsPerSecond));
    } else if (event.ev === "sent") {
      const bytes = this.unsent.shift();
      if (bytes === undefined) return;
      this.put(this.said.push(bytes, utcMs, this.bitsPerSecond));
      this.put(this.said.flush(this.bitsPerSecond));
    }
  }

  /** Hands over what was begun and not finished, once the line is quiet. */
  poll(nowMs: number): void {
    if (this.heard.isBusy && nowMs - this.lastMs > IDLE_MS) this.put(this.heard.flush(this.bitsPerSecond));
  }

  private put(records: ReturnType<Segmenter["push"]>): void {
    for (const record of records) this.options.sink.record(record);
  }
}
