/**
 * How many module and charger pairs one core carries in real time, over TLS against a VTN in another process. Each
 * size is a process of its own, pinned to one core where the system has `taskset`. On a machine that is busy with
 * other things it measures those. Virtual time: fleet-virtual.ts.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Measure, Row } from "../measure.js";

const cli = fileURLToPath(new URL("../../dist/host-sim/cli/main.js", import.meta.url));

interface Report {
  readonly online: number;
  readonly count: number;
  readonly exchanges: number;
  readonly answers: number;
  readonly answersInTime: number;
  readonly collided: number;
  readonly answerGapMs: {
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
  readonly answerGapHistogram: readonly (readonly [number, number])[];
  readonly toVerifiedMs: {
    readonly p50: number;
    readonly p95: number;
    readonly max: number;
    readonly count: number;
  };
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly cpuMs: number;
  readonly tookMs: number;
}

/** A fleet in a process of its own; it says what lives on its heap after a collection. */
export function fleet(args: readonly string[]): Report {
  const command = [process.execPath, "--expose-gc", cli, "fleet", "--json", ...args];
  const pinned =
    spawnSync("taskset", ["--version"]).status === 0 ? ["taskset", "-c", "0", ...command] : command;
  const run = spawnSync(pinned[0]!, pinned.slice(1), { encoding: "utf8", maxBuffer: 1 << 26 });
  const line = run.stdout.split("\n").find((text) => text.includes('"event":"fleet"'));
  if (line === undefined) throw new Error(`fleet printed no report: ${run.stderr}`);
  return JSON.parse(line) as Report;
}

async function run(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const data = mkdtempSync(join(tmpdir(), "openucm-fleet-"));
  const vtn = spawn(process.execPath, [cli, "vtn", "--json", "--data", data, "--poll-seconds", "10"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const listening = await new Promise<{ urls: { openadr2b: string }; api: string }>((resolve) => {
    createInterface({ input: vtn.stdout }).once("line", (line) => resolve(JSON.parse(line) as never));
  });
  for (const count of [10, 100, 1000]) {
    const got = fleet([
      "--count",
      String(count),
      "--vtn",
      listening.urls.openadr2b,
      "--pki",
      join(data, "pki"),
      "--seconds",
      "120",
      "--ramp",
      "40",
    ]);
    rows.push({
      name: `${count} pairs in real time, a TLS connection each`,
      value: `${got.answersInTime} of ${got.answers} link answers in 40–200 ms; gap p50 ${got.answerGapMs.p50}, p99.9 ${got.answerGapMs.p999}, max ${got.answerGapMs.max}`,
      unit: "ms",
      target: count === 1000 ? "every deadline kept on one core" : "",
      ...(count === 1000 ? { met: got.online === count && got.answersInTime === got.answers } : {}),
      conditions: `120 s incl. 40 s start, 10 s polls, ${got.exchanges} exchanges, ${got.collided} frames collided and were repeated, ${got.online} online, ${((got.cpuMs / got.tookMs) * 100).toFixed(0)} % of one core, ${(got.heapBytes / count / 1024).toFixed(0)} KB of live heap a pair, ${(got.rssBytes / 1e6).toFixed(0)} MB of the process; histogram ${got.answerGapHistogram.map(([from, n]) => `${from}: ${n}`).join(", ")}`,
    });
  }
  vtn.kill("SIGINT");
  rmSync(data, { recursive: true, force: true });
  return rows;
}

export default {
  name: "fleet",
  about:
    "Module and charger pairs in one process on one core, in real time, each with a TLS connection of its own, 10 s polls and three exchanges a minute.",
  run,
} satisfies Measure;
