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

/** A whole VCD document of the records, in order of time. */
export function vcdOf(records: readonly CaptureRecord[]): string {
  const first = records.reduce((ms, one) => Math.min(ms, one.utcMs - airTimeMs(one)), Infinity);
  const changes: { readonly us: number; readonly wire: string; readonly level: 0 | 1 }[] = [];
  const busyUntil = new Map<string, number>();
  let endUs = LEAD_US;
  for (const record of records) {
    const wire = WIRES.find(([sender]) => sender === record.from)![1];
    const bitUs = 1_000_000 / record.bitsPerSecond;
    const startUs = LEAD_US + (record.utcMs - airTimeMs(record) - first) * 1000;
    // Times are of whole milliseconds at some sources: two records of one sender never overlap all the same.
    const fromUs = Math.max(startUs, busyUntil.get(wire) ?? 0);
    let level: 0 | 1 = 1;
    record.bytes.forEach((byte, i) => {
      const bits = 0x200 | (byte << 1);
      for (let bit = 0; bit < 10; bit++) {
        const next = ((bits >> bit) & 1) as 0 | 1;
        if (next !== level)
          changes.push({ us: Math.round(fromUs + (i * 10 + bit) * bitUs), wire, level: next });
        level = next;
      }
    });
    const until = fromUs + record.bytes.length * 10 * bitUs;
    busyUntil.set(wire, until);
    endUs = Math.max(endUs, until);
  }
  changes.sort((a, b) => a.us - b.us);
  const out = ["$comment OpenUCM: bits of a CTA-2045 line, 8N1 $end", "$timescale 1 us $end"];
  out.push("$scope module line $end");
  for (const [sender, wire] of WIRES) out.push(`$var wire 1 ${wire} ${sender} $end`);
  out.push("$upscope $end", "$enddefinitions $end", "#0");
  for (const [, wire] of WIRES) out.push(`1${wire}`);
  let at = 0;
  for (const { us, wire, level } of changes) {
    if (us !== at) out.push(`#${(at = us)}`);
    out.push(`${level}${wire}`);
  }
  out.push(`#${Math.max(at, Math.round(endUs)) + LEAD_US}`);
  return `${out.join("\n")}\n`;
}
