/**
 * Two parties on one line, in virtual time: bytes take their time at the sender's bit rate, both sides hear
 * what half duplex lets them hear, and a seeded fault source loses, flips, doubles. Nothing here sleeps.
 */
import { LinkStack, type LinkStackOptions } from "../../src/link/stack.js";
import type { LinkCommand, LinkEvent, LinkResult } from "../../src/link/messages.js";
import { emitFrame } from "../../src/wire/frame.js";
import type { ByteLine, ByteLineEvent } from "../../src/ports/line.js";

/** Seeded generator (mulberry32): 0 … 2^32 − 1. */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).toUpperCase().padStart(2, "0")).join(" ");
}

export function unhex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, "");
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}

/** A whole frame as hex: type, and the payload as hex. */
export function frameHex(type: number, payload: string): string {
  return hex(emitFrame(type, unhex(payload)));
}

/** Chances 0–1. */
export interface WireFaults {
  /** Per byte. */
  loss?: number;
  /** Per byte: one bit flipped. */
  flip?: number;
  /** Per write longer than an answer: sent twice in a row. */
  duplicate?: number;
  /** Per two-byte write: nothing arrives. */
  lostAnswer?: number;
}

/** Whatever sits at an end of the line. */
export interface Endpoint {
  onByteLine(e: ByteLineEvent, nowMs: number): void;
  poll(nowMs: number): void;
  nextMs(): number;
}

export interface WirePairOptions {
  seed?: number;
  faults?: WireFaults;
  /** Overlapping transmissions garble each other; default true. */
  halfDuplex?: boolean;
  /** The adapter of this side gives back what it sends. */
  echo?: readonly [boolean, boolean];
  /** `sent` is told so much later than the last bit. */
  sentDelayMs?: number;
  /** Sides whose rate cannot be changed. */
  fixedRate?: boolean;
}

/** One transmission as it was on the line: start, end, sender, bytes. */
export interface LogEntry {
  readonly startMs: number;
  readonly endMs: number;
  readonly from: 0 | 1;
  readonly hex: string;
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

export class WirePair {
  nowMs = 0;
  readonly log: LogEntry[] = [];
  faults: WireFaults;
  /** Virtual time consumed by runaway polls is our bug: found by this limit. */
  maxStepsPerMs = 1000;
  readonly ends: [Endpoint | undefined, Endpoint | undefined] = [undefined, undefined];
  readonly bitsPerSecond: [number, number] = [19_200, 19_200];
  plugged = true;

  readonly #o: WirePairOptions;
  readonly #random: () => number;
  readonly #due: Due[] = [];
  #order = 0;
  /** Own transmissions follow each other. */
  readonly #busyUntil: [number, number] = [0, 0];
  /** Transmissions on the air, for collisions. */
  #air: { from: 0 | 1; startMs: number; endMs: number }[] = [];
  #plugs = 0;

  constructor(options: WirePairOptions = {}) {
    this.#o = options;
    this.faults = options.faults ?? {};
    this.#random = seeded(options.seed ?? 1);
  }

  random(): number {
    return this.#random() / 2 ** 32;
  }

  /** The byte line that the party at `side` is given. */
  line(side: 0 | 1): ByteLine {
    return {
      write: (bytes) => this.#transmit(side, bytes),
      setBitRate: (rate) => {
        if (this.#o.fixedRate === true) return false;
        this.bitsPerSecond[side] = rate;
        return true;
      },
    };
  }

  at(atMs: number, run: () => void): void {
    const entry = { atMs, order: this.#order++, run };
    let i = this.#due.length;
    while (i > 0 && this.#due[i - 1]!.atMs > atMs) i--;
    this.#due.splice(i, 0, entry);
  }

  /** Bytes out of nowhere for one side. */
  inject(to: 0 | 1, bytes: Uint8Array): void {
    this.ends[to]?.onByteLine({ ev: "rx", bytes, atMs: this.nowMs }, this.nowMs);
  }

  plug(on: boolean): void {
    this.plugged = on;
    this.#plugs++;
    this.#air = [];
    this.#busyUntil.fill(0);
    for (const end of this.ends) end?.onByteLine({ ev: "carrier", on, atMs: this.nowMs }, this.nowMs);
  }

  /** Runs until `untilMs`, or until `stop` says so. */
  run(untilMs: number, stop?: () => boolean): void {
    let steps = 0;
    while (stop === undefined || !stop()) {
      let next = this.#due[0]?.atMs ?? Infinity;
      for (const end of this.ends)
        if (end !== undefined) next = Math.min(next, Math.max(end.nextMs(), this.nowMs));
      if (next > untilMs) break;
      steps = next > this.nowMs ? 0 : steps + 1;
      if (steps > this.maxStepsPerMs) throw new Error(`time stands still at ${this.nowMs} ms`);
      this.nowMs = Math.max(this.nowMs, next);
      while (this.#due.length > 0 && this.#due[0]!.atMs <= this.nowMs) this.#due.shift()!.run();
      for (const end of this.ends) if (end !== undefined && end.nextMs() <= this.nowMs) end.poll(this.nowMs);
    }
    if (stop === undefined || !stop()) this.nowMs = Math.max(this.nowMs, untilMs);
  }

  #transmit(from: 0 | 1, bytes: Uint8Array): void {
    const copies = bytes.length > 2 && this.#chance(this.faults.duplicate) ? 2 : 1;
    const plugs = this.#plugs;
    for (let copy = 0; copy < copies; copy++) {
      const rate = this.bitsPerSecond[from];
      const byteMs = 10_000 / rate;
      const startMs = Math.max(this.nowMs, this.#busyUntil[from]);
      const endMs = startMs + bytes.length * byteMs;
      this.#busyUntil[from] = endMs;
      const tx = { from, startMs, endMs };
      this.#air.push(tx);
      this.log.push({ startMs, endMs, from, hex: hex(bytes) });
      const silent = bytes.length === 2 && this.#chance(this.faults.lostAnswer);
      // Delivered a millisecond's worth at a time, as a driver with a shallow FIFO would.
      let first = 0;
      for (let i = 1; i <= bytes.length; i++) {
        const atMs = Math.ceil(startMs + i * byteMs - 1e-6);
        if (i < bytes.length && Math.ceil(startMs + (i + 1) * byteMs - 1e-6) === atMs) continue;
        const part = bytes.slice(first, i);
        const fromMs = startMs + first * byteMs;
        first = i;
        this.at(atMs, () => {
          if (plugs !== this.#plugs || !this.plugged) return;
          const garbled = this.#collides(tx, fromMs, atMs);
          if (this.#o.echo?.[from] === true) this.#deliver(from, part, rate, garbled, false);
          if (!silent) this.#deliver(from === 0 ? 1 : 0, part, rate, garbled, true);
        });
      }
      if (copy < copies - 1) continue;
      const sentMs = Math.ceil(endMs - 1e-6);
      this.at(sentMs + (this.#o.sentDelayMs ?? 0), () => {
        this.#air = this.#air.filter((t) => t.endMs > this.nowMs - 1000);
        if (plugs === this.#plugs) this.ends[from]?.onByteLine({ ev: "sent", atMs: sentMs }, this.nowMs);
      });
    }
  }

  #collides(tx: { from: 0 | 1 }, fromMs: number, toMs: number): boolean {
    if (this.#o.halfDuplex === false) return false;
    return this.#air.some((t) => t.from !== tx.from && t.startMs < toMs && t.endMs > fromMs);
  }

  #deliver(to: 0 | 1, part: Uint8Array, rate: number, garbled: boolean, faulty: boolean): void {
    const end = this.ends[to];
    if (end === undefined) return;
    const bytes: number[] = [];
    for (const b of part) {
      if (faulty && this.#chance(this.faults.loss)) continue;
      let got = b;
      if (garbled || this.bitsPerSecond[to] !== rate) got = this.#random() & 0xff;
      else if (faulty && this.#chance(this.faults.flip)) got ^= 1 << (this.#random() & 7);
      bytes.push(got);
    }
    // Half duplex: who sends does not hear the other side, unless its adapter echoes.
    const deaf =
      this.#o.halfDuplex !== false &&
      faulty &&
      this.#o.echo?.[to] !== true &&
      this.#air.some((t) => t.from === to && t.startMs < this.nowMs && t.endMs >= this.nowMs);
    if (deaf || bytes.length === 0) return;
    // With an echo the sender hears the one garbled line once, not twice.
    if (faulty && garbled && this.#o.echo?.[to] === true) return;
    end.onByteLine({ ev: "rx", bytes: Uint8Array.from(bytes), atMs: this.nowMs }, this.nowMs);
  }

  #chance(p: number | undefined): boolean {
    return p !== undefined && p > 0 && this.random() < p;
  }
}

/** A link at one end, with what it said. */
export class Party implements Endpoint {
  readonly stack: LinkStack;
  readonly events: LinkEvent[] = [];
  /** Called for every event: the session of the test. */
  on: (e: LinkEvent) => void = () => undefined;
  readonly #pair: WirePair;
  #id = 0;

  constructor(pair: WirePair, side: 0 | 1, options: Partial<LinkStackOptions> = {}) {
    this.#pair = pair;
    this.stack = new LinkStack({
      line: pair.line(side),
      random: { uint32: () => Math.floor(pair.random() * 2 ** 32) },
      emit: (e) => {
        this.events.push(e);
        this.on(e);
      },
      ...options,
    });
    pair.ends[side] = this;
  }

  onByteLine(e: ByteLineEvent, nowMs: number): void {
    this.stack.onByteLine(e, nowMs);
  }
  poll(nowMs: number): void {
    this.stack.poll(nowMs);
  }
  nextMs(): number {
    return this.stack.nextMs();
  }
  command(c: LinkCommand): void {
    this.stack.command(c, this.#pair.nowMs);
  }
  get counters() {
    return this.stack.counters;
  }

  /** Queues a request; its id. */
  request(type: number, payload: string): number {
    const id = ++this.#id;
    this.command({ cmd: "request", id, type, payload: unhex(payload) });
    return id;
  }
  respond(type: number, payload: string): number {
    const id = ++this.#id;
    this.command({ cmd: "respond", id, type, payload: unhex(payload) });
    return id;
  }
  results(): LinkResult[] {
    return this.events.filter((e) => e.ev === "result");
  }
  result(id: number): LinkResult | undefined {
    return this.results().find((r) => r.id === id);
  }
  /** Messages received, as "TTTT PP PP". */
  messages(): string[] {
    return this.events.flatMap((e) =>
      e.ev === "message" ? [`${e.type.toString(16).padStart(4, "0")} ${hex(e.payload)}`] : [],
    );
  }
}

/** A party without a mind: it says what the test says, and tells what it hears, frame by frame. */
export class Puppet implements Endpoint {
  readonly heard: { atMs: number; hex: string }[] = [];
  /** Called for every whole frame or link answer heard, with its end. */
  on: (text: string, atMs: number) => void = () => undefined;
  readonly #pair: WirePair;
  readonly #side: 0 | 1;
  #buf: number[] = [];

  constructor(pair: WirePair, side: 0 | 1) {
    this.#pair = pair;
    this.#side = side;
    pair.ends[side] = this;
  }

  /** Says these bytes at a time, without asking whether the line is free. */
  say(atMs: number, text: string): void {
    this.#pair.at(atMs, () => this.#pair.line(this.#side).write(unhex(text)));
  }

  onByteLine(e: ByteLineEvent, nowMs: number): void {
    if (e.ev !== "rx") return;
    for (const b of e.bytes) {
      this.#buf.push(b);
      const [lead, , high, low] = this.#buf;
      const whole = lead === 6 || lead === 0x15 ? 2 : low === undefined ? Infinity : ((high! << 8) | low) + 6;
      if (this.#buf.length < whole) continue;
      const text = hex(Uint8Array.from(this.#buf));
      this.#buf = [];
      this.heard.push({ atMs: nowMs, hex: text });
      this.on(text, nowMs);
    }
  }
  poll(): void {
    // Nothing comes from itself.
  }
  nextMs(): number {
    return Infinity;
  }
}

/** Answers like an appliance: Basic with 03, the state query with `13 01`, Intermediate with response code 0. */
export function obedient(party: Party): void {
  let id = 10_000;
  party.on = (e) => {
    if (e.ev !== "message") return;
    const op = e.payload[0]!;
    let payload: number[] | undefined;
    if (e.type === 0x0801 && op === 0x12) payload = [0x13, 1];
    else if (e.type === 0x0801 && op !== 3 && op !== 4 && op !== 0x13) payload = [3, op];
    else if (e.type === 0x0802 && e.payload[1]! < 0x80) payload = [op, e.payload[1]! | 0x80, 0];
    if (payload === undefined) return;
    party.command({ cmd: "respond", id: ++id, type: e.type, payload: Uint8Array.from(payload) });
  };
}
