import type { ByteLine, ByteLineEvent } from "../ports/line.js";
import type { RandomPort } from "../ports/time.js";
import { ByteFrameLine } from "./byte-frame-line.js";
import type { LinkCounters } from "./counters.js";
import { Link } from "./link.js";
import type { FrameTrace, LinkCommand, LinkEvent } from "./messages.js";
import { DEFAULT_BITS_PER_SECOND, linkTiming, type LinkTiming } from "./timing.js";

export interface LinkStackOptions {
  readonly line: ByteLine;
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

/** Byte line, receiver and link in one: what the module and the charger simulator both plug their session into. */
export class LinkStack {
  readonly #line: ByteFrameLine;
  readonly #link: Link;

  constructor(options: LinkStackOptions) {
    const timing = linkTiming(options.timing);
    const maxPayload = options.maxPayload ?? 512;
    this.#line = new ByteFrameLine({
      line: options.line,
      timing,
      settings: { types: [], maxPayload: 2, bitsPerSecond: DEFAULT_BITS_PER_SECOND },
      capacity: maxPayload,
      echo: options.echo === true,
      emit: (e, nowMs) => this.#link.onLine(e, nowMs),
    });
    this.#link = new Link({ ...options, line: this.#line, timing, maxPayload });
  }

  get counters(): LinkCounters {
    return this.#link.counters;
  }

  /** Never emits; poll afterwards (`nextMs()` says so). */
  command(c: LinkCommand, nowMs: number): void {
    this.#link.command(c, nowMs);
  }

  onByteLine(e: ByteLineEvent, nowMs: number): void {
    this.#line.onLine(e, nowMs);
    this.poll(nowMs);
  }

  poll(nowMs: number): void {
    this.#line.poll(nowMs);
    this.#link.poll(nowMs);
    // What the link has just handed over may leave at once.
    this.#line.poll(nowMs);
  }

  /** When to poll next; a time that has passed means now. */
  nextMs(): number {
    return Math.min(this.#line.nextMs(), this.#link.nextMs());
  }
}
