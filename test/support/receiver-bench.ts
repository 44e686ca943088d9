import type { FrameLineEvent, FrameLineSettings } from "../../src/ports/line.js";
import { Receiver } from "../../src/link/receiver.js";
import { linkTiming, type LinkTiming } from "../../src/link/timing.js";
import { hex, unhex } from "./wire-pair.js";

export const SETTINGS: FrameLineSettings = {
  types: [0x0801, 0x0802, 0x0803],
  maxPayload: 64,
  bitsPerSecond: 19_200,
};

/** A receiver whose outputs are kept as lines of text: `t frame 0801 01 00 ack`, `t send nak 3`, … */
export class ReceiverBench {
  readonly out: string[] = [];
  readonly receiver: Receiver;
  nowMs = 0;

  constructor(timing: Partial<LinkTiming> = {}, settings: FrameLineSettings = SETTINGS, capacity = 512) {
    this.receiver = new Receiver(linkTiming(timing), settings, capacity, {
      onReceived: (e) => this.out.push(line(e)),
      sendAnswer: (code) => this.out.push(`${this.nowMs} send ${name(code)}`),
    });
  }

  /** Polls at every due time on the way to `atMs`, as an owner does. */
  to(atMs: number): this {
    for (let next = this.receiver.nextMs(); next < atMs; next = this.receiver.nextMs()) {
      this.nowMs = Math.max(this.nowMs, next);
      this.receiver.poll(this.nowMs);
    }
    this.nowMs = atMs;
    return this;
  }

  feed(atMs: number, bytes: string | Uint8Array): this {
    this.to(atMs);
    this.receiver.feed(typeof bytes === "string" ? unhex(bytes) : bytes, atMs);
    return this;
  }

  /** Lets 10 s pass; everything said so far. */
  end(): string[] {
    this.to(this.nowMs + 10_000);
    return this.out;
  }
}

function name(code: number): string {
  return code < 0 ? "ack" : `nak ${code}`;
}

function line(e: FrameLineEvent): string {
  switch (e.ev) {
    case "frame": {
      const type = e.type.toString(16).padStart(4, "0");
      return `${e.endMs} frame ${type} ${hex(e.payload)} ${name(e.answer)}`.replace("  ", " ");
    }
    case "answer":
      return `${e.atMs} got ${name(e.code)}`;
    case "noise":
      return `${e.atMs} ${e.fault} ${hex(e.bytes)}`.trimEnd();
    default:
      return e.ev;
  }
}
