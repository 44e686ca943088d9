/** Two processes and a pseudo-terminal: our link in one, and in the other a peer at the legal minimum delays. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export interface Timing {
  /** From the last byte of a reply of the peer to our link ACK, ms, as the peer saw it, ascending. */
  readonly ackMs: readonly number[];
  /** From command to command, ms, ascending. */
  readonly cycleMs: readonly number[];
  /** The same at the legal minima. */
  readonly legalCycleMs: number;
  /** Link NAKs of ours. */
  readonly strange: number;
}

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../../", import.meta.url));

/** Measures `cycles` commands with their replies; about 0.31 s each. */
export async function measureTiming(cycles: number, load: boolean): Promise<Timing> {
  // Below the project, so that its packages are found.
  const folder = mkdtempSync(join(root, "node_modules/.openucm-timing-"));
  const children: ChildProcess[] = [];
  try {
    await build({
      entryPoints: [join(here, "module.ts"), join(here, "peer.ts")],
      outdir: folder,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      packages: "external",
      platform: "node",
      format: "esm",
      target: "es2022",
      logLevel: "silent",
    });
    return await new Promise<Timing>((resolve, reject) => {
      const start = (file: string, ...args: string[]): ChildProcess => {
        const child = spawn(process.execPath, [join(folder, file), ...args], {
          stdio: ["ignore", "pipe", "pipe"],
        });
        let complaint = "";
        child.stderr!.on("data", (bytes: Buffer) => (complaint += bytes.toString()));
        child.on("exit", (code) => {
          if (code !== 0 && code !== null) reject(new Error(`${file} ended with ${code}: ${complaint}`));
        });
        children.push(child);
        return child;
      };
      const limit = setTimeout(() => reject(new Error("no end of it")), 60_000 + cycles * 1000);
      const peer = start("peer.mjs", String(cycles));
      createInterface({ input: peer.stdout! }).on("line", (line) => {
        const said = JSON.parse(line) as { path?: string } & Timing;
        if (said.path !== undefined) start("module.mjs", said.path, ...(load ? ["--load"] : []));
        else {
          clearTimeout(limit);
          const ascending = (values: readonly number[]) => [...values].sort((a, b) => a - b);
          resolve({ ...said, ackMs: ascending(said.ackMs), cycleMs: ascending(said.cycleMs) });
        }
      });
    });
  } finally {
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The value under which this share of the ascending values lies. */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? NaN;
}
