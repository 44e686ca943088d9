/**
 * The two receivers of the line, on the same inputs: src/link (TypeScript) and drivers/rs485 (C, compiled with
 * sanitizers into a program that plays scripts). A stream is generated while the TypeScript line plays it, because a
 * charger and a UART answer to what the line does; the C line then plays the same script, and every event, byte, time
 * and counter must be equal.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { ByteFrameLine } from "../../src/link/byte-frame-line.js";
import { countNoise, newCounters } from "../../src/link/counters.js";
import { airMs, DEFAULT_TIMING } from "../../src/link/timing.js";
import type { FrameLineEvent, FrameLineSettings } from "../../src/ports/line.js";
import { emitAnswer, emitFrame } from "../../src/wire/frame.js";
import { Bytes } from "./receiver-bytes.js";

const root = resolve(import.meta.dirname, "../..");

/** Compiles the C line; `defines` plants a difference. Throws with the compiler's words. */
export function buildTwin(name: string, ...defines: string[]): string {
  const folder = join(root, "build/receiver-twin");
  mkdirSync(folder, { recursive: true });
  const program = join(folder, name);
  const sources = ["receiver.c", "frame-line.c", "event-queue.c"].map((file) =>
    join(root, "drivers/rs485", file),
  );
  const made = spawnSync("gcc", [
    ...[
      "-std=c11",
      "-O2",
      "-g",
      "-Wall",
      "-Wextra",
      "-Werror",
      "-Wshadow",
      "-Wconversion",
      "-Wstrict-prototypes",
    ],
    ...["-fsanitize=address,undefined", "-fno-sanitize-recover=all", `-I${join(root, "drivers/rs485")}`],
    ...defines,
    ...["-o", program, join(import.meta.dirname, "fixtures/receiver-twin.c"), ...sources],
  ]);
  if (made.status !== 0) throw new Error(made.error?.message ?? made.stderr.toString());
  return program;
}

const kinds = ["frame", "answer", "sent", "unsent", "answered", "noise", "carrier"];
const faults = [
  "resync",
  "bad-checksum",
  "frame-timeout",
  "too-long",
  "bad-answer",
  "collision",
  "echo-missing",
  "answer-dropped",
  "discarded",
];
const nothing = new Uint8Array(0);

function put(out: Bytes, e: FrameLineEvent): void {
  const bytes = e.ev === "frame" ? e.payload : e.ev === "noise" ? e.bytes : nothing;
  out.u8(kinds.indexOf(e.ev) + 1);
  out.u8(e.ev === "noise" ? faults.indexOf(e.fault) : e.ev === "unsent" && e.why === "busy" ? 1 : 0);
  const code = e.ev === "frame" ? e.answer : "code" in e ? e.code : e.ev === "carrier" && e.on ? 1 : 0;
  out.u8(code & 0xff);
  out.u16(e.ev === "frame" ? e.type : 0).u16(bytes.length);
  out.u32(e.ev === "frame" ? e.endMs : e.atMs).bytes(bytes);
}

/** xorshift32: the streams of a seed are the same everywhere. */
function generator(seed: number): (below: number) => number {
  let x = Math.imul(seed, 2654435761) ^ 0x9e3779b9 || 1;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

const typeTables = [
  [0x0801, 0x0802, 0x0803],
  [0x0801, 0x0803],
  [],
  [0x0801, 0x0802, 0x0803, 0x0804, 0x0830, 0xf000, 0x0108, 0x0008],
];
const leads = [0x0801, 0x0801, 0x0802, 0x0803, 0x0830, 0x0907, 0xf000, 0x0601, 0x1500];

/** One stream: the TypeScript line, its owner (a UART with timers) and a peer of all manners. */
class Stream {
  readonly #random: (below: number) => number;
  readonly #script: Bytes;
  readonly #out: Bytes;
  readonly #counters = newCounters();
  /** `discarded` stands in no counter of the link; the C line has one. */
  readonly #noises = faults.map(() => 0);
  readonly #line: ByteFrameLine;
  readonly #echo: boolean;
  #t = 0;
  /** What the UART is sending, and when it will have left; the echo comes then. */
  #sending: { readonly bytes: Uint8Array; readonly untilMs: number } | undefined;
  #bitsPerSecond = 19_200;
  #lengthSent = 0;
  /** The owner polls late, as where the world stands still. */
  readonly #lazy: boolean;
  readonly #loses: boolean;

  constructor(seed: number, script: Bytes, out: Bytes) {
    const random = generator(seed);
    this.#random = random;
    this.#script = script;
    this.#out = out;
    this.#echo = random(4) === 0;
    this.#lazy = random(5) === 0;
    this.#loses = random(6) === 0;
    const capacity = [8, 64, 512, 512][random(4)]!;
    const settings = this.#settings();
    script
      .u8(0x49)
      .u16(capacity)
      .u8(this.#echo ? 1 : 0);
    this.#putSettings(settings);
    this.#line = new ByteFrameLine({
      line: {
        write: (bytes) => {
          out.u8(0x77).u16(bytes.length).bytes(bytes);
          this.#lengthSent = bytes.length;
          this.#sending = { bytes, untilMs: this.#t + airMs(bytes.length, this.#bitsPerSecond) };
        },
        setBitRate: (rate) => {
          this.#rate = rate;
          this.#bitsPerSecond = rate;
          return true;
        },
      },
      timing: DEFAULT_TIMING,
      settings,
      capacity,
      echo: this.#echo,
      emit: (e) => this.#take(e),
    });
    this.#next();
  }

  #rate = 0;
  /** Written after the events of a step, as the C program tells them. */
  readonly #events = new Bytes();

  #take(e: FrameLineEvent): void {
    put(this.#events, e);
    const c = this.#counters;
    switch (e.ev) {
      case "frame":
        c.framesReceived++;
        c.bytesReceived += e.payload.length + 6;
        break;
      case "answer":
        c.bytesReceived += 2;
        if (e.code < 0) c.acksReceived++;
        else c.naksReceived[e.code]!++;
        break;
      case "sent":
        c.framesSent++;
        c.bytesSent += this.#lengthSent;
        break;
      case "answered":
        c.bytesSent += 2;
        if (e.code < 0) c.acksSent++;
        else c.naksSent[e.code]!++;
        break;
      case "noise":
        countNoise(c, e.fault, e.bytes.length);
        this.#noises[faults.indexOf(e.fault)]!++;
        break;
    }
  }

  /** A step of the line: its events first, then what it wrote, then when it wants to be polled. */
  #step(run: () => void): void {
    const out = this.#out;
    const mark = out.length;
    run();
    const written = out.taken().slice(mark);
    out.length = mark;
    out.bytes(this.#events.taken()).bytes(written);
    this.#events.length = 0;
    this.#next();
  }

  #next(): void {
    if (this.#rate > 0) this.#out.u8(0x72).u32(this.#rate);
    this.#rate = 0;
    this.#out.u8(0x6e).u32(this.#line.nextMs());
  }

  #settings(): FrameLineSettings {
    const random = this.#random;
    return {
      types: typeTables[random(8) % typeTables.length]!,
      maxPayload: [2, 8, 30, 64, 512, 600][random(6)]!,
      bitsPerSecond: random(8) === 0 ? 38_400 : 19_200,
      bitRates: [1, 3, 0x1ff][random(3)]!,
    };
  }

  #putSettings(s: FrameLineSettings): void {
    this.#script.u32(s.bitsPerSecond).u16(s.maxPayload).u16(s.bitRates!).u8(s.types.length);
    for (const type of s.types) this.#script.u16(type);
    this.#bitsPerSecond = s.bitsPerSecond;
  }

  #rx(bytes: Uint8Array, atMs: number, nowMs: number): void {
    this.#script.u8(0x52).u16(bytes.length).bytes(bytes).u32(atMs).u32(nowMs);
    this.#step(() => this.#line.onLine({ ev: "rx", bytes, atMs }, nowMs));
  }

  #poll(): void {
    this.#script.u8(0x50).u32(this.#t);
    this.#step(() => this.#line.poll(this.#t));
  }

  /** Time goes to `ms`: the UART finishes what it sends, and the owner polls when the line asked for it. */
  #to(ms: number): void {
    for (let guard = 0; guard < 60; guard++) {
      const sending = this.#sending;
      const sentMs = sending?.untilMs ?? Infinity;
      const pollMs = this.#lazy ? Infinity : Math.max(this.#line.nextMs(), this.#t);
      if (Math.min(sentMs, pollMs) > ms) break;
      if (sending && sentMs <= pollMs) {
        this.#t = Math.max(this.#t, sentMs);
        this.#sending = undefined;
        this.#left(sending.bytes);
      } else {
        this.#t = pollMs;
        this.#poll();
      }
    }
    this.#t = Math.max(this.#t, ms);
  }

  /** The last bit has left: echo, as good as the line lets it be, and `sent`. */
  #left(bytes: Uint8Array): void {
    const random = this.#random;
    if (this.#echo && random(8) > 0) {
      const echo = bytes.slice(0, random(6) === 0 ? random(bytes.length + 1) : bytes.length);
      if (random(6) === 0 && echo.length > 0) echo[random(echo.length)]! ^= 1 << random(8);
      if (echo.length > 0) this.#rx(echo, this.#t, this.#t);
    }
    if (this.#loses && random(3) === 0) return;
    const nowMs = this.#t + (random(8) === 0 ? random(60) : 0);
    this.#script.u8(0x54).u32(this.#t).u32(nowMs);
    const atMs = this.#t;
    this.#t = nowMs;
    this.#step(() => this.#line.onLine({ ev: "sent", atMs }, nowMs));
  }

  #frame(): Uint8Array {
    const random = this.#random;
    const length = [0, 2, 2, 2, random(12), random(40), random(70), random(530)][random(8)]!;
    const payload = new Uint8Array(length);
    for (let i = 0; i < length; i++) payload[i] = random(256);
    const type = leads[random(leads.length)]!;
    if (type === 0x0803 && length > 0) payload[0] = 0x16 + random(5);
    if (type === 0x0803 && length > 1) payload[1] = random(18);
    const frame = emitFrame(type, payload);
    if (random(30) === 0) frame[2]! |= 0x20 << random(3); // reserved bits of the length
    return frame;
  }

  #piece(): Uint8Array {
    const random = this.#random;
    const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));
    const garbage = (most: number): Uint8Array =>
      Uint8Array.from({ length: 1 + random(most) }, () => [random(256), 8, 1, 6, 0, 0x15][random(6)]!);
    const frame = this.#frame();
    switch (random(12)) {
      case 0: // truncated
        return frame.slice(0, random(frame.length + 1));
      case 1: // wrong check bytes, or a bit flipped anywhere
        frame[random(2) ? frame.length - 1 - random(2) : random(frame.length)]! ^= 1 << random(8);
        return frame;
      case 2: // wrong length
        frame[3]! += random(5) - 2;
        return frame;
      case 3:
        return garbage([3, 12, 60, 700][random(4)]!);
      case 4:
        return emitAnswer(random(3) === 0 ? random(10) : -1);
      case 5: // half an answer, or a byte before one
        return random(2) ? Uint8Array.of([6, 0x15][random(2)]!) : join(garbage(2), emitAnswer(random(9) - 1));
      case 6: // bytes of driver switching before a frame
        return join(garbage(3), frame);
      case 7: // two at once
        return join(frame, random(2) ? this.#frame() : emitAnswer(-1));
      default:
        return frame;
    }
  }

  /** A time between two pieces: the limits of the line and their neighbours are more likely than others. */
  #gap(): number {
    const random = this.#random;
    const near = [0, 1, 20, 20, 45, 110, 200, 500][random(8)]!;
    return random(4) === 0 ? random(1200) : Math.max(0, near + random(5) - 2);
  }

  #feed(bytes: Uint8Array): void {
    const random = this.#random;
    const whole = random(3) > 0;
    for (let from = 0; from < bytes.length;) {
      const count = whole && random(20) > 0 ? bytes.length - from : 1 + random(bytes.length - from);
      const nowMs = this.#t + (random(12) === 0 ? random(250) : 0);
      const atMs = this.#t;
      this.#t = nowMs;
      this.#rx(bytes.slice(from, from + count), atMs, nowMs);
      from += count;
      if (from < bytes.length) this.#to(this.#t + (random(3) === 0 ? this.#gap() : random(4)));
    }
  }

  #send(): void {
    const frame = this.#frame().slice(0, 518);
    this.#script.u8(0x53).u16(frame.length).bytes(frame);
    this.#step(() => this.#line.sendFrame(frame));
    if (!this.#lazy) this.#poll();
  }

  run(): void {
    const random = this.#random;
    for (let pieces = 2 + random(8); pieces > 0; pieces--) {
      this.#to(this.#t + this.#gap());
      const what = random(24);
      if (what < 17) this.#feed(this.#piece());
      else if (what < 21) this.#send();
      else if (what === 21) {
        const settings = this.#settings();
        this.#script.u8(0x43);
        this.#putSettings(settings);
        this.#step(() => this.#line.configure(settings));
      } else if (what === 22) {
        const on = random(2);
        this.#script.u8(0x4b).u8(on).u32(this.#t).u32(this.#t);
        if (!on) this.#sending = undefined;
        this.#step(() => this.#line.onLine({ ev: "carrier", on: on === 1, atMs: this.#t }, this.#t));
      } else this.#poll();
    }
    this.#to(this.#t + 3000);
    this.#poll();
    this.#script.u8(0x45);
    const c = this.#counters;
    const { framesReceived, framesSent, bytesReceived, bytesSent, bytesDiscarded, acksReceived, acksSent } =
      c;
    const counted = [
      framesReceived,
      framesSent,
      bytesReceived,
      bytesSent,
      bytesDiscarded,
      acksReceived,
      acksSent,
    ];
    this.#out.u8(0x63);
    for (const n of [...counted, ...c.naksReceived, ...c.naksSent, ...this.#noises, 0]) this.#out.u32(n);
  }
}

/** What was seen, so that a test can say that the streams reached everything. */
export interface TwinResult {
  readonly streams: number;
  readonly bytes: number;
  /** The first stream that differs, with the first differing output; empty where all are equal. */
  readonly difference: string;
}

/** Plays `count` streams from `seed` on both, in blocks. */
export function playTwins(program: string, seed: number, count: number, blockSize = 5000): TwinResult {
  let bytes = 0;
  const script = new Bytes();
  const expected = new Bytes();
  for (let done = 0; done < count;) {
    script.length = 0;
    expected.length = 0;
    const starts: number[] = [];
    const first = seed + done;
    for (; starts.length < blockSize && done < count; done++) {
      starts.push(expected.length);
      new Stream(seed + done, script, expected).run();
    }
    const run = spawnSync(program, { input: script.taken(), maxBuffer: 1 << 30 });
    const got: Uint8Array = run.stdout;
    bytes += got.length;
    const want = expected.taken();
    if (run.status === 0 && Buffer.compare(got, want) === 0) continue;
    let at = 0;
    while (at < got.length && at < want.length && got[at] === want[at]) at++;
    const index = starts.filter((start) => start <= at).length - 1;
    const from = Math.max(starts[index] ?? 0, at - 24);
    const show = (b: Uint8Array): string => Buffer.from(b.subarray(from, at + 40)).toString("hex");
    const words = run.stderr.toString().slice(0, 2000);
    return {
      streams: done,
      bytes,
      difference: `stream ${first + index}, output byte ${at - (starts[index] ?? 0)}\nTypeScript ${show(want)}\nC          ${show(got)}\n${words}`,
    };
  }
  return { streams: count, bytes, difference: "" };
}
