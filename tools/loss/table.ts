/**
 * The table of losses: for every condition, how often one exchange succeeds and how soon a Shed is proven. Kept in
 * test/vectors/loss-table.json; made by `npm run measure -- loss`, and a sample of it is run again by the tests.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { bundle } from "../fuzz/parallel.js";
import type { Condition } from "./rig.js";
import type { LossJob, LossPart } from "./worker.js";

/** One line of the table. */
export interface LossCell {
  readonly kind: Condition["kind"];
  readonly rate: number;
  readonly seeds: number;
  /** Share of exchanges with their reply: one try; what theory says of that; up to three tries. */
  readonly once: number;
  readonly theory: number;
  readonly retried: number;
  /** Runs in which a Shed was not verified within 60 s of its wish. */
  readonly shedsLate: number;
  /** Seconds from wish to proof of the runs that were in time. */
  readonly shedSeconds: { readonly median: number; readonly p99: number; readonly most: number };
}

export interface LossTable {
  readonly about: string;
  readonly cells: readonly LossCell[];
}

export const tableUrl = new URL("../../test/vectors/loss-table.json", import.meta.url);

export function readTable(): LossTable {
  return JSON.parse(readFileSync(tableUrl, "utf8")) as LossTable;
}

const worker = fileURLToPath(new URL("worker.ts", import.meta.url));
/** Seeds of one job: short, so that the threads end together. */
const jobSeeds = 250;

/** Runs jobs of `seeds` seeds a condition on all processors; the parts of each condition together. */
export async function runLosses(
  conditions: readonly Condition[],
  seeds: number,
  sheds = true,
  onPart: (done: number) => void = () => undefined,
): Promise<readonly LossPart[]> {
  const jobs: (LossJob & { readonly index: number })[] = [];
  conditions.forEach((condition, index) => {
    for (let from = 1; from <= seeds; from += jobSeeds) {
      jobs.push({ condition, from, to: Math.min(from + jobSeeds, seeds + 1), sheds, index });
    }
  });
  const parts = jobs.map((): LossPart => ({ once: 0, retried: 0, shedMs: [] }));
  const folder = mkdtempSync(join(tmpdir(), "openucm-loss-"));
  let next = 0;
  let done = 0;
  try {
    const file = await bundle(worker, folder);
    const lane = (): Promise<void> =>
      new Promise((resolve, reject) => {
        const thread = new Worker(file);
        let at = -1;
        const take = (): void => {
          at = next++;
          if (at < jobs.length) thread.postMessage(jobs[at]);
          else void thread.terminate().then(() => resolve());
        };
        thread.on("error", reject);
        thread.on("message", (part: LossPart) => {
          parts[at] = part;
          onPart(++done / jobs.length);
          take();
        });
        take();
      });
    await Promise.all(Array.from({ length: availableParallelism() }, lane));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return conditions.map((_, index) => {
    const mine = parts.filter((_part, i) => jobs[i]!.index === index);
    return {
      once: mine.reduce((sum, part) => sum + part.once, 0),
      retried: mine.reduce((sum, part) => sum + part.retried, 0),
      shedMs: mine.flatMap((part) => part.shedMs),
    };
  });
}

/** The line of the table for what came of a condition. */
export function cellOf(condition: Condition, theory: number, seeds: number, part: LossPart): LossCell {
  const times = part.shedMs.filter((ms) => ms >= 0).sort((a, b) => a - b);
  const at = (share: number): number => {
    const ms = times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
    return Math.round(ms / 10) / 100;
  };
  const digits = (share: number): number => Math.round(share * 1e4) / 1e4;
  return {
    ...condition,
    seeds,
    once: digits(part.once / seeds),
    theory: digits(theory),
    retried: digits(part.retried / seeds),
    shedsLate: part.shedMs.length - times.length,
    shedSeconds: { median: at(0.5), p99: at(0.99), most: at(1) },
  };
}
