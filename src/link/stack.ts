import type { ByteLine, ByteLineEvent, FrameLine, FrameLineEvent } from "../ports/line.js";
import type { RandomPort } from "../ports/time.js";
import { ByteFrameLine } from "./byte-frame-line.js";
import type { LinkCounters } from "./counters.js";
import { Link } from "./link.js";
import type { FrameTrace, LinkCommand, LinkEvent } from "./messages.js";
import { DEFAULT_BITS_PER_SECOND, linkTiming, type LinkTiming } from "./timing.js";

export interface LinkStackOptions {
  /** A frame line has its receiver below it, as on the chip; `echo` is its own business then. */
  readonly line: ByteLine | FrameLine;
  readonly random: RandomPort;
  readonly emit: (e: LinkEvent) => void;
  /** Changes to the default timing. */
  readonly timing?: Partial<LinkTiming>;
  readonly trace?: (t: FrameTrace) => void;
  readonly counters?: LinkCounters;
  readonly types?: readonly number[];
  readonly maxPayload?: number;
  /** Bit n set: the line can run at bit-rate code n. Default 1: 19,200 bit/s alone. */
  readonly bitRates?: number;
  /** True where the adapter gives our own bytes back. */
  readonly echo?: boolean;
}

/** Line, receiver and link in one: what the module and the charger simulator both plug their session into. */
export class LinkStack {
  /** The receiver of a byte line; undefined over a frame line. */
  readonly #receiver: ByteFrameLine | undefined;
  readonly #link: Link;

  constructor(options: LinkStackOptions) {
    const timing = linkTiming(options.timing);
    const maxPayload = options.maxPayload ?? 512;
    let line = options.line;
    if (!("sendFrame" in line)) {
      line = this.#receiver = new ByteFrameLine({
        line,
        timing,
        settings: { types: [], maxPayload: 2, bitsPerSecond: DEFAULT_BITS_PER_SECOND },
        capacity: maxPayload,
        echo: options.echo === true,
        emit: (e, nowMs) => this.#link.onLine(e, nowMs),
      });
    }
    this.#link = new Link({ ...options, line, timing, maxPayload });
  }

  get counters(): LinkCounters {
    return this.#link.counters;
  }

  /** Never emits; poll afterwards (`nextMs()` says so). */
  command(c: LinkCommand, nowMs: number): void {
    this.#link.command(c, nowMs);
  }

  /** What a byte line has to say. */
  onByteLine(e: ByteLineEvent, nowMs: number): void {
    this.#receiver?.onLine(e, nowMs);
    this.poll(nowMs);
  }

  /** What the line has to say, whichever it is. */
  onLine(e: ByteLineEvent | FrameLineEvent, nowMs: number): void {
    if (this.#receiver !== undefined) this.onByteLine(e as ByteLineEvent, nowMs);
    else if (e.ev !== "rx") this.#link.onLine(e, nowMs);
  }

  poll(nowMs: number): void {
    this.#receiver?.poll(nowMs);
    this.#link.poll(nowMs);
    // What the link has just handed over may leave at once.
    this.#receiver?.poll(nowMs);
  }

  /** When to poll next; a time that has passed means now. */
  nextMs(): number {
    const next = this.#link.nextMs();
    return this.#receiver === undefined ? next : Math.min(this.#receiver.nextMs(), next);
  }
}
