/** Entry of a worker thread: runs of one condition, and what came of them. */
import { parentPort } from "node:worker_threads";
import { ExchangeRun, ShedRun, type Condition } from "./rig.js";

export interface LossJob {
  readonly condition: Condition;
  /** Seeds from…to, the last not included. */
  readonly from: number;
  readonly to: number;
  /** Without: exchanges alone. */
  readonly sheds: boolean;
}

export interface LossPart {
  /** Exchanges with their reply, of one try and of up to three. */
  readonly once: number;
  readonly retried: number;
  /** ms from wish to proof of every run; −1 where it took longer than a minute. */
  readonly shedMs: readonly number[];
}

/** Does a job; the same job gives the same part. */
export function doJob({ condition, from, to, sheds }: LossJob): LossPart {
  let once = 0;
  let retried = 0;
  const shedMs: number[] = [];
  for (let seed = from; seed < to; seed++) {
    if (new ExchangeRun(seed, condition, 1).run()) once++;
    if (new ExchangeRun(seed, condition, 3).run()) retried++;
    if (sheds) shedMs.push(new ShedRun(seed, condition).run() ?? -1);
  }
  return { once, retried, shedMs };
}

parentPort?.on("message", (job: LossJob) => parentPort!.postMessage(doJob(job)));
