import { Machine } from "../../src/runtime.js";
import type { Engine } from "./ucm-host.js";

/** The firmware in this very process. */
export function nodeEngine(): Engine {
  const machine = new Machine();
  return { name: "node", holdsFlash: true, step: (batch) => machine.step(batch), close: () => undefined };
}
