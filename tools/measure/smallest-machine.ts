/**
 * The smallest machine of fixed size in which a job passes. XS collects only when it is full, so a peak says nothing: slots
 * and chunks are bisected, each with plenty of the other, and then grown together until the job passes with both.
 */
import { XsFault } from "../../host-sim/runtime/xs-host.js";

export const SLOT_BYTES = 16;

/** Of the ESP32's default machine. */
export const roomy = { slots: 4928, chunks: 78_848 } as const;

export interface MachineSize {
  readonly slots: number;
  readonly chunks: number;
}

export const bytesOf = ({ slots, chunks }: MachineSize): number => slots * SLOT_BYTES + chunks;

/** The least size, in steps, that fits; `high` is known to fit. */
async function least(
  low: number,
  high: number,
  step: number,
  fits: (size: number) => Promise<boolean>,
): Promise<number> {
  while (high - low > step) {
    const middle = Math.round((low + high) / 2 / step) * step;
    if (await fits(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** What a job gives in a machine of that size; undefined where its memory was full. */
async function passed<T>(size: MachineSize, job: (size: MachineSize) => Promise<T>): Promise<T | undefined> {
  try {
    return await job(size);
  } catch (error) {
    if (error instanceof XsFault && error.code === "memory-full") return undefined;
    throw error;
  }
}

/**
 * The smallest machine for `short`, in steps of `slots` and `chunks`; `long` is then run in that very machine, which grows
 * by a step of each until it passes. Answers the size and what `long` gave.
 */
export async function smallestMachine<T extends object>(
  short: (size: MachineSize) => Promise<unknown>,
  long: (size: MachineSize) => Promise<T>,
  steps: MachineSize = { slots: 32, chunks: 512 },
): Promise<{ readonly size: MachineSize; readonly result: T }> {
  const fits = async (size: MachineSize): Promise<boolean> =>
    (await passed(size, async (one) => ({ done: await short(one) }))) !== undefined;
  let size: MachineSize = {
    slots: await least(640, roomy.slots, steps.slots, (slots) => fits({ ...roomy, slots })),
    chunks: await least(4096, roomy.chunks, steps.chunks, (chunks) => fits({ ...roomy, chunks })),
  };
  for (;;) {
    const result = await passed(size, long);
    if (result !== undefined) return { size, result };
    size = { slots: size.slots + steps.slots, chunks: size.chunks + steps.chunks };
  }
}
