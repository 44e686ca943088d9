/** Does an endurance run grow? Live heap and live objects after a sixth of its hours, and after all of them. */
import { EnduranceRun } from "./endurance.js";

export interface Flat {
  /** Growth of the live heap, bytes. */
  readonly grownBytes: number;
  /** Growth of the live byte arrays and maps: what every queue of this project holds in the end. */
  readonly grownObjects: number;
}

/** `collect` runs the garbage collector; `live` counts the live objects of a class. */
export function endure(
  seed: number,
  hours: number,
  collect: () => void,
  live: (constructor: unknown) => number,
): { readonly run: EnduranceRun; readonly flat: Flat } {
  // The engine's own growth first: code that is compiled and optimised as it goes.
  const warm = new EnduranceRun(seed + 1000);
  warm.run(hours / 2);
  warm.settle();
  const run = new EnduranceRun(seed);
  const look = (): { bytes: number; objects: number } => {
    run.settle();
    collect();
    collect();
    return { bytes: process.memoryUsage().heapUsed, objects: live(Uint8Array) + live(Map) };
  };
  run.run(hours / 6);
  const before = look();
  run.run((hours * 5) / 6);
  const after = look();
  return {
    run,
    flat: { grownBytes: after.bytes - before.bytes, grownObjects: after.objects - before.objects },
  };
}
