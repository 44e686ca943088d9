/**
 * Entry module for counting instructions in virtual time on a machine that has a clock and a UART of its own: the time
 * is the first input of a batch, and nothing leaves by the UART. Otherwise as machine-entry.ts.
 */
import { Machine, type Batch, type Input } from "../../src/runtime.js";

const machine = new Machine();

interface TimedBatch {
  readonly in: readonly [{ readonly nowMs: number; readonly utcMs: number | null }, ...Input[]];
}

export function step(text: string): string {
  const [time, ...inputs] = (JSON.parse(text) as TimedBatch).in;
  const batch: Batch = { ...time, in: inputs };
  const { wakeMs, out } = machine.step(batch);
  const told = out.map((output) => (output.k === "tx" ? { ...output, k: "write" } : output));
  // The machine's own wake-up stays off; the caller finds the time that was asked for as the last output.
  return JSON.stringify({ wakeMs: null, out: [...told, { k: "wake", wakeMs }] });
}
