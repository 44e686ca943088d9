import type { ByteLine, ByteLineEvent } from "../../src/ports/line.js";
import { NEVER } from "../../src/ports/time.js";
import { Framer, isAnswer } from "../line/framer.js";

/** What becomes of something that a sound stack says: other bytes, after a while; nothing where undefined. */
export interface Mangled {
  readonly bytes: Uint8Array;
  readonly afterMs?: number;
}

/** A planted fault, told by what it does to what is said and heard. */
export interface Mangle {
  /** A frame or link answer that is leaving. */
  out?(bytes: Uint8Array, isAnswer: boolean, nowMs: number): readonly Mangled[];
  /** A whole frame or link answer that came, or bytes that became none; what the stack is to hear. Undefined: all of it. */
  heard?(
    bytes: Uint8Array,
    nowMs: number,
  ): { readonly bytes?: Uint8Array; readonly say?: readonly Mangled[] };
}

/** What became no frame by then is handed over as it is. */
const GIVE_UP_MS = 25;

/** A byte line between a sound stack and the world that plays {@link Mangle}s the fault line has no name for. */
export class MangleLine implements ByteLine {
  readonly #line: ByteLine;
  readonly #mangle: Mangle;
  readonly #events: ByteLineEvent[] = [];
  /** For each write that the world has not reported yet: is it the stack's? */
  readonly #own: boolean[] = [];
  #later: { readonly atMs: number; readonly bytes: Uint8Array; readonly own: boolean }[] = [];
  readonly #framer = new Framer();
  #held: number[] = [];
  #heldMs = 0;
  #nowMs = 0;

  constructor(line: ByteLine, mangle: Mangle) {
    this.#line = line;
    this.#mangle = mangle;
  }

  write(bytes: Uint8Array): void {
    const said = this.#mangle.out?.(bytes, isAnswer(bytes), this.#nowMs) ?? [{ bytes }];
    if (said.length === 0) this.#events.push({ ev: "sent", atMs: this.#nowMs + 1 });
    said.forEach((one, i) => this.#say(one, i === 0));
  }

  setBitRate(bitsPerSecond: number): boolean {
    return this.#line.setBitRate(bitsPerSecond);
  }

  receive(event: ByteLineEvent, nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    if (event.ev === "sent") {
      if (this.#own.shift() === true) this.#events.push(event);
    } else if (event.ev === "rx") {
      if (this.#mangle.heard === undefined) {
        this.#events.push(event);
        return;
      }
      this.#heldMs = event.atMs;
      for (const byte of event.bytes) {
        this.#held.push(byte);
        const [whole] = this.#framer.push(Uint8Array.of(byte), event.atMs);
        if (whole === undefined) continue;
        const before = this.#held.splice(0).slice(0, -whole.length);
        this.#hear(Uint8Array.from(before), event.atMs);
        this.#hear(whole, event.atMs);
      }
    } else {
      this.#events.push(event);
    }
  }

  take(): ByteLineEvent | undefined {
    return this.#events.shift();
  }

  poll(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    if (this.#held.length > 0 && this.#nowMs >= this.#heldMs + GIVE_UP_MS) {
      this.#hear(Uint8Array.from(this.#held.splice(0)), this.#nowMs);
    }
    const due = this.#later.filter((item) => item.atMs <= this.#nowMs);
    if (due.length === 0) return;
    this.#later = this.#later.filter((item) => item.atMs > this.#nowMs);
    for (const item of due) this.#write(item.bytes, item.own);
  }

  nextMs(): number {
    if (this.#events.length > 0) return this.#nowMs;
    const held = this.#held.length > 0 ? this.#heldMs + GIVE_UP_MS : NEVER;
    return this.#later.reduce((next, item) => Math.min(next, item.atMs), held);
  }

  #hear(came: Uint8Array, atMs: number): void {
    if (came.length === 0) return;
    const { bytes = came, say = [] } = this.#mangle.heard?.(came, atMs) ?? {};
    if (bytes.length > 0) this.#events.push({ ev: "rx", bytes, atMs });
    for (const one of say) this.#say(one, false);
  }

  #say({ bytes, afterMs = 0 }: Mangled, own: boolean): void {
    if (afterMs <= 0) this.#write(bytes, own);
    else this.#later.push({ atMs: this.#nowMs + afterMs, bytes, own });
  }

  #write(bytes: Uint8Array, own: boolean): void {
    this.#own.push(own);
    this.#line.write(bytes);
  }
}
