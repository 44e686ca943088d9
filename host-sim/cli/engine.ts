import { nodeEngine } from "../runtime/node-engine.js";
import type { Engine } from "../runtime/ucm-host.js";
import { xsWorkerEngine } from "../runtime/xs-worker.js";
import { UsageError } from "./output.js";

/** Starts the engine that a --runtime option names. */
export async function startEngine(runtime: string, offered: readonly string[]): Promise<Engine> {
  if (!offered.includes(runtime))
    throw new UsageError(`--runtime takes ${offered.join(", ")}; it is "${runtime}"`);
  return runtime === "xs" ? await xsWorkerEngine() : nodeEngine();
}
