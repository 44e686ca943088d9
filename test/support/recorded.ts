/** Appliances and modules made of recorded bytes: programs that we did not write, on the other end of a virtual line. */
import { readFileSync } from "node:fs";
import { fromHex, toHex } from "../../src/base/hex.js";
import type { ByteLine, ByteLineEvent } from "../../src/ports/line.js";
import { NEVER } from "../../src/ports/time.js";

export interface RecordedFrame {
  /** End of the frame, ms; missing where the recording has the order alone. */
  readonly t?: number;
  readonly from: "peer" | "us";
  readonly hex: string;
}

export function recording(name: string): readonly RecordedFrame[] {
  const path = new URL(`../vectors/recorded/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(path, "utf8")) as { frames: RecordedFrame[] }).frames;
}

export const isLinkAnswer = (hex: string): boolean => hex.length === 5;

/** Cuts a byte stream into frames by their headers; for a line without errors. */
export class FrameCutter {
  #bytes: number[] = [];

  take(bytes: Uint8Array): string[] {
    this.#bytes.push(...bytes);
    const frames: string[] = [];
    for (;;) {
      const [first, , high, low] = this.#bytes;
      if (first === undefined) return frames;
      const length =
        first === 6 || first === 0x15 ? 2 : low === undefined ? Infinity : ((high! << 8) | low) + 6;
      if (this.#bytes.length < length) return frames;
      frames.push(toHex(Uint8Array.from(this.#bytes.splice(0, length)), " "));
    }
  }
}

/**
 * An appliance that answers each frame as the recorded one did: with the recorded bytes, after the recorded gaps.
 * What it was never asked it does not answer.
 */
export class RecordedAppliance {
  readonly unknown: string[] = [];
  readonly #line: ByteLine;
  readonly #cutter = new FrameCutter();
  /** Request → its recorded answers, one list an occurrence. */
  readonly #answers = new Map<string, { readonly gapMs: number; readonly hex: string }[][]>();
  readonly #used = new Map<string, number>();
  #load = "";
  #due: { readonly atMs: number; readonly hex: string }[] = [];

  constructor(line: ByteLine, frames: readonly RecordedFrame[]) {
    this.#line = line;
    let list: { gapMs: number; hex: string }[] | undefined;
    let lastT = 0;
    for (const frame of frames) {
      const t = frame.t!;
      if (frame.from === "us" && !isLinkAnswer(frame.hex)) {
        list = [];
        const key = this.#key(frame.hex);
        this.#answers.set(key, [...(this.#answers.get(key) ?? []), list]);
      } else if (frame.from === "peer") list?.push({ gapMs: t - lastT, hex: frame.hex });
      lastT = t;
    }
    this.#load = "";
    for (const [key, lists] of this.#answers) {
      const answered = lists.filter((one) => one.length > 0);
      if (answered.length > 0) this.#answers.set(key, answered);
    }
  }

  /** Basic commands are matched without opcode2: durations and the hour of day differ from run to run. */
  #key(hex: string): string {
    if (!hex.startsWith("08 01 00 02 ")) return hex;
    const op = hex.slice(12, 14);
    // The state that it tells depends on the load command before.
    if (op === "01" || op === "02") this.#load = op;
    return op === "12" ? `${op} after ${this.#load}` : op;
  }

  onByteLine(event: ByteLineEvent, nowMs: number): void {
    if (event.ev !== "rx") return;
    for (const hex of this.#cutter.take(event.bytes)) {
      if (isLinkAnswer(hex)) continue;
      const key = this.#key(hex);
      const lists = this.#answers.get(key);
      if (!lists) {
        this.unknown.push(hex);
        continue;
      }
      const n = this.#used.get(key) ?? 0;
      this.#used.set(key, n + 1);
      let atMs = nowMs;
      for (const answer of lists[Math.min(n, lists.length - 1)]!) {
        atMs += Math.max(answer.gapMs, answer.hex.length / 3 / 1.92 + 1);
        this.#due.push({ atMs, hex: answer.hex });
        // Between an answer and the next lies our own link ACK.
      }
    }
  }

  poll(nowMs: number): void {
    const due = this.#due.filter((one) => one.atMs <= nowMs);
    this.#due = this.#due.filter((one) => one.atMs > nowMs);
    for (const { hex } of due) this.#line.write(fromHex(hex)!);
  }

  nextMs(): number {
    return this.#due.reduce((next, one) => Math.min(next, one.atMs), NEVER);
  }
}
