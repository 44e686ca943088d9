/**
 * Does the fuzz find faults? Each mutant of mutants.json is one planted in src/wire or src/link: its text is
 * replaced while the short fuzz (short.ts) is bundled, so the sources themselves are never touched.
 */
import { build } from "esbuild";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Mutant {
  /** Below src/. */
  readonly file: string;
  /** Text that occurs there exactly once. */
  readonly search: string;
  readonly replace: string;
  /** What a programmer would have done wrong. */
  readonly what: string;
}

export interface MutantResult {
  readonly mutant: Mutant;
  readonly found: boolean;
  /** What the fuzz said, or how the process ended. */
  readonly by: string;
}

const here = fileURLToPath(new URL(".", import.meta.url));
const src = fileURLToPath(new URL("../../src/", import.meta.url));
/** The unharmed code needs two or three seconds; a mutant that takes so long hangs, which is found as well. */
const limitMs = 60_000;

export function readMutants(): readonly Mutant[] {
  const text = readFileSync(new URL("mutants.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { mutants: Mutant[] }).mutants;
}

/** The file with its fault in it. Throws where the text to be replaced is not there exactly once. */
export function planted(mutant: Mutant): string {
  const text = readFileSync(join(src, mutant.file), "utf8");
  const parts = text.split(mutant.search);
  if (parts.length !== 2) {
    throw new Error(`${mutant.file}: "${mutant.search}" is there ${parts.length - 1} times (${mutant.what})`);
  }
  return parts.join(mutant.replace);
}

/** Bundles short.ts, with a mutant in it or without, and runs it. */
async function tryOne(folder: string, name: string, mutant: Mutant | undefined): Promise<string | undefined> {
  const outfile = join(folder, `${name}.mjs`);
  const text = mutant && planted(mutant);
  const path = mutant && join(src, mutant.file);
  await build({
    entryPoints: [join(here, "short.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "es2022",
    logLevel: "silent",
    plugins: [
      {
        name: "plant",
        setup(bundler) {
          bundler.onLoad({ filter: /\.ts$/ }, (file) =>
            file.path === path && text !== undefined ? { contents: text, loader: "ts" } : undefined,
          );
        },
      },
    ],
  });
  return run(outfile);
}

/** What the process complained of, undefined where it found nothing. */
function run(file: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--max-old-space-size=512", file], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let said = "";
    child.stdout.on("data", (bytes: Buffer) => (said += bytes.toString()));
    const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(undefined);
      else resolve(said.split("\n")[0] || (signal === null ? `exit ${code}` : "it hangs"));
    });
  });
}

/** Tries every mutant, on as many processors as there are. Rejects where the unharmed code does not pass. */
export async function tryMutants(mutants: readonly Mutant[]): Promise<MutantResult[]> {
  const folder = mkdtempSync(join(tmpdir(), "openucm-mutants-"));
  try {
    const complaint = await tryOne(folder, "unharmed", undefined);
    if (complaint !== undefined) throw new Error(`the code without a mutant: ${complaint}`);
    const results: MutantResult[] = [];
    let next = 0;
    const lane = async (): Promise<void> => {
      for (;;) {
        const index = next++;
        const mutant = mutants[index];
        if (mutant === undefined) return;
        const by = await tryOne(folder, `m${index}`, mutant);
        results.push({ mutant, found: by !== undefined, by: by ?? "" });
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, lane));
    return results;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
