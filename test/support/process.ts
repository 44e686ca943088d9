import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const repoRoot = fileURLToPath(new URL("../../", import.meta.url));
export const cliPath = `${repoRoot}dist/host-sim/cli/main.js`;

/** A running `openucm …` whose stdout is JSON lines. For tests of whole processes: these wait in real time. */
export class CliProcess {
  readonly child: ChildProcess;
  readonly lines: Record<string, unknown>[] = [];
  stderr = "";
  readonly #waiters: (() => void)[] = [];
  #gone = false;
  /** Resolves with the exit code when the process has ended and all that it has said is in {@link lines}. */
  readonly exited: Promise<number | null>;

  constructor(
    args: readonly string[],
    options: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
  ) {
    this.child = spawn(process.execPath, [cliPath, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
    });
    createInterface({ input: this.child.stdout! }).on("line", (line) => {
      try {
        this.lines.push(JSON.parse(line) as Record<string, unknown>);
      } catch {
        this.lines.push({ notJson: line });
      }
      this.#wake();
    });
    this.child.stderr!.on("data", (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.exited = new Promise((resolve) => {
      const end = (code: number | null): void => {
        this.#gone = true;
        resolve(code);
        this.#wake();
      };
      // Not "exit": then its last words may still be on their way. A child of its own that lives on would keep them open.
      this.child.on("close", end);
      this.child.on("exit", (code) => setTimeout(end, 10_000, code).unref());
    });
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  /** The first line from index `from` on that fits, waited for at most `limitMs`. */
  async line(
    what: string,
    fits: (line: Record<string, unknown>) => boolean,
    limitMs = 200_000,
    from = 0,
  ): Promise<Record<string, unknown>> {
    const deadline = Date.now() + limitMs;
    for (let seen = from; ;) {
      for (; seen < this.lines.length; seen++) if (fits(this.lines[seen]!)) return this.lines[seen]!;
      const leftMs = deadline - Date.now();
      if (leftMs <= 0 || this.#gone) {
        throw new Error(
          `no line "${what}" within ${limitMs} ms (exit ${this.child.exitCode}); stderr: ${this.stderr.slice(-800)}; last lines: ${JSON.stringify(this.lines.slice(-5))}`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#waiters.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) this.child.kill("SIGINT");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 60_000);
    await this.exited;
    clearTimeout(timer);
  }
}
