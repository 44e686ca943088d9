/**
 * Entry module of the firmware where it runs behind text: `step` takes one batch of inputs as JSON and gives the
 * outputs as JSON (src/runtime.ts). It is the one module that is not preloaded, because it holds the machine.
 */
import { Machine, type Batch } from "../../src/runtime.js";

const machine = new Machine();

export function step(text: string): string {
  return JSON.stringify(machine.step(JSON.parse(text) as Batch));
}
