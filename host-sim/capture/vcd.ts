/**
 * The bits of the line as a value change dump, for GTKWave, PulseView and sigrok-cli: one wire for each sender,
 * idle at 1, bytes as 8N1 at the rate of each record, time in microseconds from 10 ms before the first bit.
 */
import { airTimeMs, type CaptureRecord, type Sender } from "./record.js";

const WIRES: readonly (readonly [Sender, string])[] = [
  ["module", "m"],
  ["charger", "c"],
  ["unknown", "u"],
];
const LEAD_US = 10_000;

/** A record later in a file may have begun before this one ended, by no more than so much. */
const WINDOW_US = 2_000_000;

interface Change {
  readonly us: number;
  readonly wire: string;
  readonly level: 0 | 1;
}

/** A whole VCD document of the records, in order of time. */
export function vcdOf(records: readonly CaptureRecord[]): string {
  const parts: string[] = [];
  const writer = new VcdWriter((text) => parts.push(text));
  for (const record of records) writer.record(record);
  writer.end();
  return parts.join("");
}

/** Writes a VCD document as records come, in order of time; holds the changes of a few seconds. */
export class VcdWriter {
  /** Records before the begin is known: a later one may have begun before the first. */
  #waiting: CaptureRecord[] | undefined = [];
  #firstMs = 0;
  #changes: Change[] = [];
  readonly #busyUntil = new Map<string, number>();
  #atUs = 0;
  #endUs = LEAD_US;

  constructor(private readonly put: (text: string) => void) {}

  record(record: CaptureRecord): void {
    const waiting = this.#waiting;
    if (waiting === undefined) {
      this.#add(record);
      if (this.#changes.length > 65_536) this.#flush(this.#endUs - WINDOW_US);
      return;
    }
    waiting.push(record);
    if (record.utcMs - waiting[0]!.utcMs > WINDOW_US / 1000) this.#begin();
  }

  /** No more records come. */
  end(): void {
    this.#begin();
    this.#flush(Infinity);
    this.put(`#${Math.max(this.#atUs, Math.round(this.#endUs)) + LEAD_US}\n`);
  }

  #begin(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    this.#firstMs = waiting.reduce((ms, one) => Math.min(ms, one.utcMs - airTimeMs(one)), Infinity);
    const out = ["$comment OpenUCM: bits of a CTA-2045 line, 8N1 $end", "$timescale 1 us $end"];
    out.push("$scope module line $end");
    for (const [sender, wire] of WIRES) out.push(`$var wire 1 ${wire} ${sender} $end`);
    out.push("$upscope $end", "$enddefinitions $end", "#0");
    for (const [, wire] of WIRES) out.push(`1${wire}`);
    this.put(`${out.join("\n")}\n`);
    for (const one of waiting) this.#add(one);
  }

  #add(record: CaptureRecord): void {
    const wire = WIRES.find(([sender]) => sender === record.from)![1];
    const bitUs = 1_000_000 / record.bitsPerSecond;
    const startUs = LEAD_US + (record.utcMs - airTimeMs(record) - this.#firstMs) * 1000;
    // Times are of whole milliseconds at some sources: two records of one sender never overlap all the same.
    const fromUs = Math.max(startUs, this.#busyUntil.get(wire) ?? 0, this.#atUs);
    let level: 0 | 1 = 1;
    record.bytes.forEach((byte, i) => {
      const bits = 0x200 | (byte << 1);
      for (let bit = 0; bit < 10; bit++) {
        const next = ((bits >> bit) & 1) as 0 | 1;
        if (next !== level)
          this.#changes.push({ us: Math.round(fromUs + (i * 10 + bit) * bitUs), wire, level: next });
        level = next;
      }
    });
    const until = fromUs + record.bytes.length * 10 * bitUs;
    this.#busyUntil.set(wire, until);
    this.#endUs = Math.max(this.#endUs, until);
  }

  /** Writes the changes before `toUs`. */
  #flush(toUs: number): void {
    this.#changes.sort((a, b) => a.us - b.us);
    const found = this.#changes.findIndex(({ us }) => us >= toUs);
    const count = found < 0 ? this.#changes.length : found;
    const out: string[] = [];
    for (const { us, wire, level } of this.#changes.splice(0, count)) {
      if (us !== this.#atUs) out.push(`#${(this.#atUs = us)}\n`);
      out.push(`${level}${wire}\n`);
    }
    this.put(out.join(""));
  }
}
