import type { ByteLine, ByteLineEvent } from "../../../src/ports/line.js";
import { EchoFilter } from "./echo.js";

export interface NodeLine extends ByteLine {
  /** Of a pseudo-terminal, the path that the other program opens. */
  readonly path: string | undefined;
  /** Of a listening socket, `tcp://HOST:PORT` with the port that it got. */
  readonly url: string | undefined;
  close(): Promise<void>;
}

/** A line that cannot be opened at all: the text says what to do. */
export class LineError extends Error {
  override readonly name = "LineError";
}

/** A `--serial` that names no line at all: wrong usage, not a line that is missing. */
export class LineSpecError extends LineError {}

export interface FullOptions {
  readonly onEvent: (event: ByteLineEvent) => void;
  readonly now: () => number;
  readonly bitsPerSecond: number;
  /** The adapter gives back what is sent; it is taken out here. */
  readonly echo?: boolean;
  /** RTS switches the adapter's driver on while we send. */
  readonly rtsDriverEnable?: boolean;
  /** Told in words what becomes of the line, and whether it is connected: gone, there again, not answering. */
  readonly onNotice?: (text: string, connected: boolean) => void;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5000;

/** What all lines of Node have in common: the telling of events, the timing of `sent`, the pauses between tries. */
export class LineEvents {
  bitsPerSecond: number;
  /** A link takes its line for connected until it is told otherwise. */
  #on = true;
  /** Events of the time before the caller has got its line. */
  #early: ByteLineEvent[] | undefined = [];
  #closed = false;
  #freeMs = 0;
  #retryMs = FIRST_RETRY_MS;
  /** When the line came last; undefined while it is not there. */
  #onSinceMs: number | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #echo: EchoFilter | undefined;
  #notice = "";

  constructor(private readonly options: FullOptions) {
    this.bitsPerSecond = options.bitsPerSecond;
    if (options.echo === true) this.#echo = new EchoFilter();
  }

  get rtsDriverEnable(): boolean {
    return this.options.rtsDriverEnable === true;
  }

  /** So long from now until the last bit of what was handed over has left, ms. */
  get leavesInMs(): number {
    return Math.max(0, this.#freeMs - this.options.now());
  }

  /** Tells people what becomes of the line; the same words are not repeated. */
  notice(text: string): void {
    if (this.#closed || text === this.#notice) return;
    this.#notice = text;
    this.options.onNotice?.(text, this.#on);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** The caller has its line: tells what has happened so far, in a later turn of the event loop. */
  start(): void {
    setImmediate(() => {
      const early = this.#early ?? [];
      this.#early = undefined;
      for (const event of early) this.#tell(event);
    });
  }

  /** Whole ms of the monotonic clock. */
  now(): number {
    return Math.floor(this.options.now());
  }

  received(bytes: Uint8Array): void {
    if (this.#closed || bytes.length === 0) return;
    // A copy: streams use their buffers again.
    const heard = this.#echo?.received(bytes, this.options.now()) ?? Uint8Array.from(bytes);
    if (heard.length > 0) this.#tell({ ev: "rx", bytes: heard, atMs: this.now() });
  }

  /** These bytes were handed over: tells `sent` when the last of them has left at this bit rate. */
  writing(bytes: Uint8Array): void {
    const nowMs = this.options.now();
    this.#freeMs = Math.max(nowMs, this.#freeMs) + (bytes.length * 10_000) / this.bitsPerSecond;
    this.#echo?.sending(bytes, this.#freeMs);
    const atMs = Math.ceil(this.#freeMs);
    this.#after(atMs - nowMs, () => {
      this.#tell({ ev: "sent", atMs: Math.max(atMs, this.now()) });
    });
  }

  /** The line came or went; told only where that is news. */
  carrier(on: boolean): void {
    if (on === this.#on) return;
    this.#on = on;
    // A peer that sends everybody away at once is not asked four times a second for ever.
    const heldMs = this.options.now() - (this.#onSinceMs ?? -Infinity);
    if (!on && heldMs >= LAST_RETRY_MS) this.#retryMs = FIRST_RETRY_MS;
    this.#onSinceMs = on ? this.options.now() : undefined;
    this.#tell({ ev: "carrier", on, atMs: this.now() });
  }

  /** Runs `open` after a pause that doubles from try to try. */
  retry(open: () => void): void {
    if (this.#closed) return;
    const waitMs = this.#retryMs;
    this.#retryMs = Math.min(LAST_RETRY_MS, waitMs * 2);
    this.#after(waitMs, open);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #tell(event: ByteLineEvent): void {
    if (this.#closed) return;
    if (this.#early === undefined) this.options.onEvent(event);
    else this.#early.push(event);
  }

  #after(waitMs: number, run: () => void): void {
    if (this.#closed) return;
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        if (!this.#closed) run();
      },
      Math.max(0, Math.ceil(waitMs)),
    );
    this.#timers.add(timer);
  }
}
