/**
 * The module as the XS machines run it (tools/xs-host, boards/qemu-rv32): one function from text to text. It is the
 * archive's entry and is not preloaded into ROM, so it may keep the module here.
 */
import { Machine, type Batch } from "../../src/runtime.js";

const machine = new Machine();

/** A batch as JSON in, a reply as JSON out; bugs throw and end the machine. */
export function step(text: string): string {
  return JSON.stringify(machine.step(JSON.parse(text) as Batch));
}
