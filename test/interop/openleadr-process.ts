// OpenLEADR's VTN as a process that is told and tells by JSON lines (openleadr_vtn.py).
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { interopFile } from "./openleadr-venv.js";

export type OpenleadrLine = Record<string, unknown> & { event: string };

/** The other program. */
export class OpenleadrVtn {
  readonly lines: OpenleadrLine[] = [];
  readonly folder = mkdtempSync(join(tmpdir(), "openleadr-"));
  #child: ChildProcess;
  errors = "";

  constructor(python: string) {
    this.#child = spawn(python, [interopFile("openleadr_vtn.py"), this.folder]);
    createInterface({ input: this.#child.stdout! }).on("line", (line) =>
      this.lines.push(JSON.parse(line) as OpenleadrLine),
    );
    this.#child.stderr!.on("data", (data) => (this.errors += String(data)));
  }

  send(command: Record<string, unknown>): void {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`);
  }

  /** The first line from `from` on that fits, or an error after the time. */
  async wait(
    event: string,
    fits: (line: OpenleadrLine) => boolean = () => true,
    from = 0,
    ms = 200_000,
  ): Promise<OpenleadrLine> {
    const end = Date.now() + ms;
    for (;;) {
      const line = this.lines.slice(from).find((l) => l.event === event && fits(l));
      if (line !== undefined) return line;
      if (Date.now() > end || this.#child.exitCode !== null) {
        throw new Error(
          `no "${event}" came.\n${JSON.stringify(this.lines.slice(-20))}\n${this.errors.slice(-2000)}`,
        );
      }
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  async stop(): Promise<void> {
    const gone = new Promise((done) => this.#child.on("exit", done));
    this.send({ cmd: "stop" });
    const kill = setTimeout(() => this.#child.kill(), 3000);
    await gone;
    clearTimeout(kill);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
