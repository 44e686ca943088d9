/**
 * The firmware in the XS engine of the npm package `@agoric/xsnap`: a worker process, spoken to in netstrings on
 * file descriptors 3 and 4. It is the device's language engine, without the device's memory limits; for those see
 * tools/xs-host. XS is compiled when the package is installed, which needs gcc and make.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { CommandError } from "../cli/output.js";
import type { Batch, Reply } from "../../src/runtime.js";
import type { Engine } from "./ucm-host.js";

const howTo =
  "XS is not installed. In a checkout `npm ci` compiles it (gcc and make needed); beside an installed package run `npm install @agoric/xsnap@0.15.0`.";

/** Path of the worker program, or undefined where XS is not installed for this system. */
export function xsWorkerPath(): string | undefined {
  const folder = { linux: "lin", darwin: "mac" }[process.platform as string];
  if (folder === undefined) return undefined;
  try {
    const entry = createRequire(import.meta.url).resolve("@agoric/xsnap/package.json");
    const path = join(dirname(entry), "xsnap-native/xsnap/build/bin", folder, "release/xsnap-worker");
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** The firmware as one script, made by `npm run build:xs`; stands in dist/ whether this file is compiled or not. */
export function firmwareScript(): string {
  for (const up of ["../../xs/machine.js", "../../dist/xs/machine.js"]) {
    const path = fileURLToPath(new URL(up, import.meta.url));
    if (existsSync(path)) return readFileSync(path, "utf8");
  }
  throw new CommandError("dist/xs/machine.js is missing: run `npm run build`");
}

/** Netstrings (`length:bytes,`) of a stream, cut out whole. */
class NetstringReader {
  #buffer: Buffer = Buffer.alloc(0);

  *take(chunk: Buffer): Generator<Buffer> {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const colon = this.#buffer.indexOf(58);
      if (colon < 0) return;
      const length = Number(this.#buffer.toString("latin1", 0, colon));
      if (!Number.isInteger(length)) throw new Error("the XS worker broke its protocol");
      const end = colon + 1 + length;
      if (this.#buffer.length < end + 1) return;
      const message = this.#buffer.subarray(colon + 1, end);
      this.#buffer = this.#buffer.subarray(end + 1);
      yield message;
    }
  }
}

/** What the worker measured of one call. */
export interface XsMeter {
  /** Byte codes run, in XS's own unit; repeatable. */
  readonly compute: number;
  /** Live slots. */
  readonly currentHeapCount: number;
}

/** One XS machine in a process of its own. */
export class XsWorker {
  readonly #child: ChildProcess;
  readonly #reader = new NetstringReader();
  readonly #waiting: { resolve: (reply: string) => void; reject: (error: Error) => void }[] = [];
  #stderr = "";
  meter: XsMeter = { compute: 0, currentHeapCount: 0 };

  constructor(path: string) {
    // No limit (-l 0): a firmware runs for ever, and the meter counts per call.
    this.#child = spawn(path, ["openucm", "-l", "0"], {
      stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
    });
    (this.#child.stdio[4] as Readable).on("data", (chunk: Buffer) => this.#take(chunk));
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-2000);
    });
    this.#child.on("error", (error) => this.#end(error));
    this.#child.on("exit", (code, signal) => {
      this.#end(
        new Error(
          `the XS machine stopped (${signal ?? `exit code ${code}`})${this.#stderr ? `: ${this.#stderr.trim()}` : ""}`,
        ),
      );
    });
    (this.#child.stdio[3] as Writable).on("error", () => undefined);
  }

  /** `e`: runs a script; `?`: calls `handleCommand` with the text. */
  send(kind: "e" | "?", text: string): Promise<string> {
    const bytes = Buffer.from(kind + text, "utf8");
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      (this.#child.stdio[3] as Writable).write(
        Buffer.concat([Buffer.from(`${bytes.length}:`), bytes, Buffer.from(",")]),
      );
    });
  }

  close(): void {
    this.#child.removeAllListeners("exit");
    this.#child.kill();
  }

  #take(chunk: Buffer): void {
    for (const message of this.#reader.take(chunk)) {
      const waiting = this.#waiting.shift();
      if (message[0] === 46) {
        // ".{meter}\x01reply"
        const separator = message.indexOf(1);
        if (separator > 0) this.meter = JSON.parse(message.toString("utf8", 1, separator)) as XsMeter;
        waiting?.resolve(message.toString("utf8", separator < 0 ? 1 : separator + 1));
      } else waiting?.reject(new Error(`uncaught in XS: ${message.toString("utf8", 1)}`));
    }
  }

  #end(error: Error): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }
}

/** Makes `openucm.step` the worker's command; the worker brings the two coders, the firmware uses neither. */
const glue = `
const decoder = new TextDecoder();
const encoder = new TextEncoder();
globalThis.handleCommand = (bytes) => encoder.encode(openucm.step(decoder.decode(bytes))).buffer;`;

/** The firmware in an XS worker. Throws a {@link CommandError} that says how to install XS where it is missing. */
export async function xsWorkerEngine(): Promise<Engine & { readonly worker: XsWorker }> {
  const path = xsWorkerPath();
  if (path === undefined) throw new CommandError(howTo);
  const worker = new XsWorker(path);
  await worker.send("e", `${firmwareScript()}\n${glue}`);
  return {
    name: "XS 13.3 (npm worker)",
    holdsFlash: true,
    worker,
    step: async (batch: Batch) => JSON.parse(await worker.send("?", JSON.stringify(batch))) as Reply,
    close: () => worker.close(),
  };
}
