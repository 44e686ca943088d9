import { nodeEngine } from "../runtime/node-engine.js";
import type { Engine } from "../runtime/ucm-host.js";
import { qemuEngine, xsHostEngine } from "../runtime/xs-engine.js";
import { xsHostIsBuilt } from "../runtime/xs-host.js";
import { xsWorkerEngine } from "../runtime/xs-worker.js";
import { UsageError } from "./output.js";

/** Starts the engine that a --runtime option names. `xs`: the machine of the chip's size where it is built. */
export async function startEngine(runtime: string, offered: readonly string[]): Promise<Engine> {
  if (!offered.includes(runtime))
    throw new UsageError(`--runtime takes ${offered.join(", ")}; it is "${runtime}"`);
  switch (runtime) {
    case "xs":
      return await (xsHostIsBuilt() ? xsHostEngine() : xsWorkerEngine());
    case "qemu":
      return await qemuEngine();
    default:
      return nodeEngine();
  }
}
