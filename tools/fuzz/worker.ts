/** Entry of a worker thread: `count` inputs from `seed`, told in steps, and the heap before and after. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import { Fuzz } from "./check.js";
import type { WorkerJob, WorkerNews } from "./parallel.js";

const { seed, count, step } = workerData as WorkerJob;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function usedBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

function say(news: WorkerNews): void {
  parentPort!.postMessage(news);
}

const fuzz = new Fuzz(seed);
try {
  // What is compiled and cached for ever is so after the first inputs.
  const warm = Math.min(count, step);
  fuzz.run(warm);
  const beforeBytes = usedBytes();
  for (let done = warm; done < count; done += step) {
    fuzz.run(Math.min(step, count - done));
    say({ is: "step", inputs: fuzz.counts.inputs });
  }
  say({ is: "done", counts: fuzz.counts, grownBytes: usedBytes() - beforeBytes });
} catch (error) {
  say({ is: "failed", text: fuzz.tell(error).message });
}
