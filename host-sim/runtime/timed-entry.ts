/**
 * Entry module for counting instructions in virtual time on a machine that has a clock and a UART of its own: the time
 * is the first input of a batch, and nothing leaves by the UART. Otherwise as machine-entry.ts.
 */
import { Machine, type Input, type Output } from "../../src/runtime.js";

const machine = new Machine();

interface TimedBatch {
  readonly in: [{ readonly nowMs: number; readonly utcMs: number | null }, ...Input[]];
}

export function step(text: string): string {
  const batch = (JSON.parse(text) as TimedBatch).in;
  const { nowMs, utcMs } = batch.shift() as TimedBatch["in"][0];
  const reply = machine.step({ nowMs, utcMs, in: batch as readonly unknown[] as readonly Input[] });
  const out: object[] = reply.out as Output[];
  for (let i = 0; i < out.length; i++) {
    const output = out[i] as Output;
    if (output.k === "tx") out[i] = { ...output, k: "write" };
  }
  // The machine's own wake-up stays off; the caller finds the time that was asked for as the last output.
  out.push({ k: "wake", wakeMs: reply.wakeMs });
  return JSON.stringify({ wakeMs: null, out });
}
