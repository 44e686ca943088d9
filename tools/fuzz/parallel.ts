/** The fuzz on as many threads as there are processors; each has a seed of its own. */
import { build } from "esbuild";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { FuzzCounts } from "./check.js";

export interface WorkerJob {
  readonly seed: number;
  readonly count: number;
  readonly step: number;
}

export type WorkerNews =
  | { readonly is: "step"; readonly inputs: number }
  | { readonly is: "done"; readonly counts: FuzzCounts; readonly grownBytes: number }
  | { readonly is: "failed"; readonly text: string };

export interface FuzzReport {
  readonly counts: FuzzCounts;
  readonly threads: number;
  readonly seconds: number;
  /** Most that the live heap of a thread has grown between its first inputs and its last, bytes. */
  readonly grownBytes: number;
}

const here = fileURLToPath(new URL(".", import.meta.url));
const stepInputs = 50_000;
/** A step takes about a second; a thread that is silent for so long hangs. */
const hangMs = 60_000;

/** One file of what `entry` imports, in `folder`, so that a thread or a process needs no loader. */
export async function bundle(entry: string, folder: string): Promise<string> {
  const outfile = join(folder, basename(entry).replace(/\.ts$/, ".mjs"));
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "es2022",
    logLevel: "silent",
  });
  return outfile;
}

/** Tries `count` inputs. Rejects at the first that fails, and where a thread hangs. */
export async function fuzzInParallel(
  count: number,
  firstSeed = 1,
  onStep: (inputs: number) => void = () => undefined,
): Promise<FuzzReport> {
  const folder = mkdtempSync(join(tmpdir(), "openucm-fuzz-"));
  const threads = Math.max(1, Math.min(availableParallelism(), 8));
  const startedMs = performance.now();
  try {
    const file = await bundle(join(here, "worker.ts"), folder);
    const inputs = new Array<number>(threads).fill(0);
    const share = Math.ceil(count / threads);
    const jobs = inputs.map((_, i) =>
      work(
        file,
        { seed: firstSeed + i, count: Math.min(share, count - i * share), step: stepInputs },
        (n) => {
          inputs[i] = n;
          onStep(inputs.reduce((sum, value) => sum + value, 0));
        },
      ),
    );
    const reports = await Promise.all(jobs);
    const counts: FuzzCounts = { inputs: 0, messages: 0, frames: 0, answers: 0, discarded: 0 };
    for (const report of reports) {
      for (const key of Object.keys(counts) as (keyof FuzzCounts)[]) counts[key] += report.counts[key];
    }
    const grownBytes = Math.max(...reports.map((report) => report.grownBytes));
    return { counts, threads, seconds: (performance.now() - startedMs) / 1000, grownBytes };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function work(
  file: string,
  job: WorkerJob,
  onStep: (inputs: number) => void,
): Promise<Extract<WorkerNews, { is: "done" }>> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(file, { workerData: job });
    const hung = (): void => end(new Error(`seed ${job.seed}: no news for ${hangMs} ms: it hangs`));
    let timer = setTimeout(hung, hangMs);
    const end = (error: Error): void => {
      clearTimeout(timer);
      void worker.terminate();
      reject(error);
    };
    worker.on("error", end);
    worker.on("exit", (code) => end(new Error(`a thread ended with ${code}`)));
    worker.on("message", (news: WorkerNews) => {
      clearTimeout(timer);
      if (news.is === "failed") end(new Error(news.text));
      else if (news.is === "done") resolve(news);
      else {
        timer = setTimeout(hung, hangMs);
        onStep(news.inputs);
      }
    });
  });
}
