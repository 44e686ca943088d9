/**
 * Lines between two programs: virtual, pseudo-terminal, serial, TCP. This file and `fault-line.ts` guarantee:
 * no platform in them; driven by a monotonic `nowMs`; repeatable from the seed of their random numbers.
 *
 * The virtual line is half duplex and takes real time: every byte lasts ten bits. Two ends that speak at once
 * garble each other's bytes. Call `poll(nowMs)` before anything is written at that moment.
 */
import type { ByteLine, ByteLineEvent } from "../../src/ports/line.js";
import { NEVER, type RandomPort } from "../../src/ports/time.js";

export interface VirtualLineOptions {
  readonly bitsPerSecond: number;
  readonly random: RandomPort;
  /** While a long write is under way its bytes are handed over at least this often. */
  readonly chunkMs?: number;
}

export interface EndOptions {
  /** Its receiver is off while it sends (as with a driven RS-485 transceiver); otherwise it hears a collision. */
  readonly muted?: boolean;
  /** Hears its own bytes, as some RS-485 adapters do. */
  readonly echo?: boolean;
  /** Tells of unplugging by `carrier` events, as a USB adapter does; a bare UART does not. */
  readonly carrier?: boolean;
}

/** Disturbance of every byte, each a probability 0–1; may be changed at any time. */
export interface LineNoise {
  flipPerBit: number;
  losePerByte: number;
  duplicatePerByte: number;
}

/** What was said, for traces: as sent, and whether it collided with another end. */
export interface LineTap {
  readonly from: string;
  readonly bytes: Uint8Array;
  readonly collided: boolean;
  /** When the last bit had left. */
  readonly atMs: number;
  readonly bitsPerSecond: number;
}

interface Transmission {
  readonly from: VirtualEnd;
  readonly bytes: Uint8Array;
  readonly startMs: number;
  readonly byteMs: number;
  readonly endMs: number;
  /** Bytes handed over so far. */
  done: number;
  doneMs: number;
  collided: boolean;
}

/** How long a finished transmission can still matter to a byte of another: one byte at the slowest rate. */
const REMEMBER_MS = 10;
/** Bytes of one event span no more than this: well below the 20 ms of silence that end a message. */
const EVENT_MS = 8;

export class VirtualLine {
  readonly noise: LineNoise = { flipPerBit: 0, losePerByte: 0, duplicatePerByte: 0 };
  /** Bytes that two ends sent at the same time. */
  collisions = 0;

  private nowMs = 0;
  private readonly random: RandomPort;
  private readonly chunkMs: number;
  private readonly ends: VirtualEnd[] = [];
  private readonly taps: ((tap: LineTap) => void)[] = [];
  private transmissions: Transmission[] = [];
  private breakFromMs = NEVER;
  private breakUntilMs = NEVER;

  constructor(private readonly options: VirtualLineOptions) {
    this.random = options.random;
    this.chunkMs = options.chunkMs ?? 4;
  }

  /** Connects another end; any number of ends may hang on the line. */
  end(name: string, options: EndOptions = {}): VirtualEnd {
    const end = new VirtualEnd(name, options, this, this.options.bitsPerSecond);
    this.ends.push(end);
    return end;
  }

  /** Called with every finished write. */
  tap(listener: (tap: LineTap) => void): void {
    this.taps.push(listener);
  }

  /** Holds the line at space for so long: what is being said is lost, and everybody hears a 00. */
  breakFor(durationMs: number): void {
    this.breakFromMs = this.nowMs;
    this.breakUntilMs = this.nowMs + durationMs;
    for (const end of this.ends) if (end.connected) end.hear(0, this.nowMs, this.nowMs);
    this.flush();
  }

  /** Hands over what has crossed the line until `nowMs`. */
  poll(nowMs: number): void {
    this.nowMs = nowMs;
    for (;;) {
      const tx = this.earliest();
      if (tx === undefined || byteEndMs(tx, tx.done) > nowMs) break;
      this.handOver(tx);
    }
    this.flush();
    this.transmissions = this.transmissions.filter(
      (tx) => tx.done < tx.bytes.length || tx.endMs > nowMs - REMEMBER_MS,
    );
  }

  /** When something is next handed over. */
  nextMs(): number {
    let next = NEVER;
    for (const tx of this.transmissions) {
      if (tx.done === tx.bytes.length) continue;
      const chunkEnd =
        tx.done === 0 ? byteEndMs(tx, 0) : Math.max(byteEndMs(tx, tx.done), tx.doneMs + this.chunkMs);
      next = Math.min(next, whole(Math.min(tx.endMs, chunkEnd)));
    }
    return next;
  }

  /** For {@link VirtualEnd} alone. */
  send(from: VirtualEnd, bytes: Uint8Array, bitsPerSecond: number): void {
    const startMs = Math.max(this.nowMs, from.freeMs);
    const byteMs = 10_000 / bitsPerSecond;
    const endMs = startMs + bytes.length * byteMs;
    from.freeMs = endMs;
    if (bytes.length === 0) {
      from.tell({ ev: "sent", atMs: whole(endMs) });
      return;
    }
    const copy = bytes.slice();
    this.transmissions.push({
      from,
      bytes: copy,
      startMs,
      byteMs,
      endMs,
      done: 0,
      doneMs: startMs,
      collided: false,
    });
  }

  private earliest(): Transmission | undefined {
    let first: Transmission | undefined;
    for (const tx of this.transmissions) {
      if (tx.done === tx.bytes.length) continue;
      if (first === undefined || byteEndMs(tx, tx.done) < byteEndMs(first, first.done)) first = tx;
    }
    return first;
  }

  private handOver(tx: Transmission): void {
    const startMs = tx.startMs + tx.done * tx.byteMs;
    const endMs = byteEndMs(tx, tx.done);
    const sent = tx.bytes[tx.done]!;
    tx.done++;
    tx.doneMs = endMs;
    if (tx.from.connected) {
      const collided = this.collides(tx, startMs, endMs);
      if (collided) {
        tx.collided = true;
        this.collisions++;
      }
      const broken = startMs < this.breakUntilMs && endMs > this.breakFromMs;
      for (const end of this.ends) {
        if (!this.hears(end, tx, startMs, endMs) || broken) continue;
        const clear = !collided && end.bitsPerSecond === tx.from.bitsPerSecond;
        this.disturb(end, clear ? sent : this.random.uint32() & 0xff, startMs, endMs);
      }
    }
    if (tx.done < tx.bytes.length) return;
    this.flush();
    tx.from.tell({ ev: "sent", atMs: whole(tx.endMs) });
    if (!tx.from.connected) return;
    for (const listener of this.taps) {
      const { bytes, collided, byteMs, from } = tx;
      const bitsPerSecond = Math.round(10_000 / byteMs);
      listener({ from: from.name, bytes, collided, atMs: whole(tx.endMs), bitsPerSecond });
    }
  }

  private hears(end: VirtualEnd, tx: Transmission, startMs: number, endMs: number): boolean {
    if (!end.connected) return false;
    if (end === tx.from) return end.options.echo === true;
    return end.options.muted !== true || !this.speaks(end, startMs, endMs);
  }

  private speaks(end: VirtualEnd, startMs: number, endMs: number): boolean {
    return this.transmissions.some((tx) => tx.from === end && tx.startMs < endMs && tx.endMs > startMs);
  }

  private collides(tx: Transmission, startMs: number, endMs: number): boolean {
    return this.transmissions.some(
      (other) =>
        other.from !== tx.from && other.from.connected && other.startMs < endMs && other.endMs > startMs,
    );
  }

  private disturb(end: VirtualEnd, byte: number, startMs: number, endMs: number): void {
    const { flipPerBit, losePerByte, duplicatePerByte } = this.noise;
    if (this.chance(losePerByte)) return;
    let heard = byte;
    // Two flips in one byte are so rare at the rates of interest that one is enough.
    if (this.chance(1 - (1 - flipPerBit) ** 8)) heard ^= 1 << (this.random.uint32() & 7);
    end.hear(heard, startMs, endMs);
    if (this.chance(duplicatePerByte)) end.hear(heard, startMs, endMs);
  }

  private chance(probability: number): boolean {
    return probability > 0 && this.random.uint32() < probability * 0x1_0000_0000;
  }

  private flush(): void {
    for (const end of this.ends) end.flush();
  }
}

/** One end of a {@link VirtualLine}: a byte line and the queue of what it has to tell. */
export class VirtualEnd implements ByteLine {
  connected = true;
  /** When its last write will have left; for the line. */
  freeMs = 0;
  bitsPerSecond: number;

  private readonly events: ByteLineEvent[] = [];
  private heard: number[] = [];
  private heardFromMs = 0;
  private heardMs = 0;

  constructor(
    readonly name: string,
    readonly options: EndOptions,
    private readonly line: VirtualLine,
    bitsPerSecond: number,
  ) {
    this.bitsPerSecond = bitsPerSecond;
  }

  write(bytes: Uint8Array): void {
    this.line.send(this, bytes, this.bitsPerSecond);
  }

  setBitRate(bitsPerSecond: number): boolean {
    this.bitsPerSecond = bitsPerSecond;
    return true;
  }

  /** The oldest event not yet taken. */
  take(): ByteLineEvent | undefined {
    return this.events.shift();
  }

  /** Pulls this end off the line at `atMs`; what it sends from here on is heard by nobody. */
  unplug(atMs: number): void {
    this.setConnected(false, atMs);
  }

  plug(atMs: number): void {
    this.setConnected(true, atMs);
  }

  /**
   * For the line: a byte arrived. Bytes without a pause between them become one event; but an event has one time, and
   * where the line is asked late it must not hide when its first bytes came: that would look like a pause.
   */
  hear(byte: number, startMs: number, endMs: number): void {
    if (startMs > this.heardMs + 1 || endMs - this.heardFromMs > EVENT_MS) this.flush();
    if (this.heard.length === 0) this.heardFromMs = startMs;
    this.heard.push(byte);
    this.heardMs = endMs;
  }

  /** For the line: what was heard so far becomes an event. */
  flush(): void {
    if (this.heard.length === 0) return;
    this.events.push({ ev: "rx", bytes: Uint8Array.from(this.heard), atMs: whole(this.heardMs) });
    this.heard = [];
  }

  /** For the line. */
  tell(event: ByteLineEvent): void {
    this.flush();
    this.events.push(event);
  }

  private setConnected(on: boolean, atMs: number): void {
    if (this.connected === on) return;
    this.connected = on;
    if (this.options.carrier === true) this.tell({ ev: "carrier", on, atMs });
  }
}

function byteEndMs(tx: Transmission, index: number): number {
  return tx.startMs + (index + 1) * tx.byteMs;
}

/** Up to the whole millisecond, so that nobody acts on a byte before it is there. */
function whole(ms: number): number {
  return Math.ceil(ms - 1e-6);
}
