/** The firmware on the emulated microcontroller in virtual time, every step with its exact count of instructions. */
import { CommandError } from "../../host-sim/cli/output.js";
import { qemuMissing, startQemu, type QemuStats } from "../../host-sim/runtime/qemu.js";
import type { Engine } from "../../host-sim/runtime/ucm-host.js";
import { firmwareArchive, pieces } from "../../host-sim/runtime/xs-engine.js";
import type { Batch, Input, Output, Reply } from "../../src/runtime.js";

/** One call of the firmware. */
export interface CountedStep {
  readonly atMs: number;
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
  /** Instructions of it, JSON both ways included, interrupts left out. */
  readonly instructions: number;
}

export interface CountedEngine extends Engine {
  readonly steps: CountedStep[];
  /** Figures of the machine when the application was loaded. */
  readonly started: QemuStats;
  collect(): Promise<QemuStats>;
}

type Told = Output | { readonly k: "wake"; readonly wakeMs: number | null };

function told(item: unknown): Told {
  const output = item as { readonly k: string };
  return (output.k === "write" ? { ...output, k: "tx" } : output) as Told;
}

export async function countedEngine(): Promise<CountedEngine> {
  const missing = qemuMissing();
  if (missing !== undefined) throw new CommandError(missing);
  const machine = await startQemu({ archive: firmwareArchive("timed-entry") });
  const steps: CountedStep[] = [];
  let sum = (await machine.stats()).instructions.host.sum;
  const one = async (batch: Batch, inputs: readonly Input[]): Promise<Reply> => {
    const time = { nowMs: batch.nowMs, utcMs: batch.utcMs };
    const reply = await machine.step({ nowMs: 0, utcMs: null, in: [time, ...inputs] });
    const before = sum;
    sum = (await machine.stats()).instructions.host.sum;
    const out = reply.out.map(told);
    const wake = out.pop() as Extract<Told, { readonly k: "wake" }>;
    const outputs = out as Output[];
    steps.push({ atMs: batch.nowMs, inputs, outputs, instructions: sum - before });
    return { wakeMs: wake.wakeMs, out: outputs };
  };
  return {
    name: "XS 13.3 (emulated rv32, counted)",
    steps,
    started: machine.started,
    collect: () => machine.collect(),
    step: async (batch) => {
      const out: Output[] = [];
      let wakeMs: number | null = null;
      for (const inputs of pieces(batch.in)) {
        const reply = await one(batch, inputs);
        out.push(...reply.out);
        wakeMs = reply.wakeMs;
      }
      return { wakeMs, out };
    },
    close: () => machine.close(),
  };
}
