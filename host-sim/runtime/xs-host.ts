/**
 * The firmware on its own engine: starts `build/xs-host/xs-host`, a 32-bit XS machine of the chip's size, with an archive
 * of byte code, and gives it batches of inputs. One batch, one answer, in order; a machine that dies rejects everything
 * that still waits with an {@link XsFault} that names the moment. Needs a compiled application (`npm run build:ts`),
 * gcc-multilib for the machine (tools/xs-host/README.md), nothing of npm.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Readable, Writable } from "node:stream";

/** What the machine is told: the time, and what happened. Times are integer milliseconds. */
export interface XsBatch {
  readonly nowMs: number;
  readonly utcMs: number | null;
  readonly in: readonly unknown[];
}

/** What the machine wants: when to be called again (absolute, in `nowMs`), and what is to be done. */
export interface XsReply {
  readonly wakeMs: number | null;
  readonly out: readonly unknown[];
}

/** Figures of a machine. Slots are of `slots.bytes`; `live` is exact after a collection ({@link XsRuntime.collect}). */
export interface XsStats {
  readonly slots: {
    readonly capacity: number;
    readonly live: number;
    readonly peak: number;
    readonly bytes: number;
  };
  readonly chunks: { readonly capacity: number; readonly live: number; readonly peak: number };
  readonly stack: { readonly capacity: number; readonly peak: number };
  /** Names that ROM does not have: never given back. */
  readonly keys: number;
  /** Bytes of RAM for the tables of names and aliases. */
  readonly tables: number;
  readonly collections: number;
  readonly rom: {
    readonly slots: number;
    readonly chunks: number;
    readonly keys: number;
    /** Objects in ROM that are not frozen: 4 bytes of RAM each. */
    readonly unfrozen: number;
    readonly aliases: number;
  };
}

/** The end of a machine. `code` is stable: memory-full, stack-overflow, exception, keys-full, rom-write, …, exit. */
export class XsFault extends Error {
  constructor(
    readonly code: string,
    readonly exit: number,
    readonly step: number,
    readonly last: string,
    message: string,
    readonly stats: XsStats | null,
  ) {
    super(
      `${code}${message === "" ? "" : `: ${message}`} (step ${step}, ${last === "" ? "no message yet" : last})`,
    );
    this.name = "XsFault";
  }
}

/** A machine that runs the firmware, on the host or emulated. */
export interface XsRuntime {
  step(batch: XsBatch): Promise<XsReply>;
  stats(): Promise<XsStats>;
  /** Collects garbage, then {@link stats}: the live figures are then exact. */
  collect(): Promise<XsStats>;
  /** Ends the machine; resolves when its process has gone. */
  close(): Promise<void>;
  /** Resolves when the machine is gone: with the fault, or undefined after close. */
  readonly ended: Promise<XsFault | undefined>;
}

/** The size of a machine; what is left out is the ESP32's default (78,848 B, 4,928 slots of 16 B) with a stack of 768. */
export interface XsCreation {
  readonly chunks?: number;
  readonly slots?: number;
  readonly stack?: number;
  readonly keys?: number;
  readonly keyIncrement?: number;
  readonly names?: number;
}

export interface XsHostOptions {
  /** Archive made by {@link buildArchive}. */
  readonly archive: string;
  readonly creation?: XsCreation;
  /** What lies in ROM besides the built-ins: nothing, all but the entry module (default), or all. */
  readonly preload?: "none" | "imports" | "all";
  /** Stops the world before the given batch (1 = first) is handled. */
  readonly stops?: readonly { readonly step: number; readonly ms: number }[];
}

/** The project's folder, from the sources as well as from `dist/`; "/" where only the npm package is here. */
export const projectRoot = (() => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "tools", "xs-host")) && dirname(folder) !== folder)
    folder = dirname(folder);
  return folder;
})();

const program = join(projectRoot, "build/xs-host/xs-host");

/** Whether `make -C tools/xs-host` has been done here. */
export const xsHostIsBuilt = (): boolean => existsSync(program);

/** Why what a checkout alone has cannot be used, or undefined in a checkout: the npm package leaves tools/ out. */
export function checkoutMissing(): string | undefined {
  return existsSync(join(projectRoot, "tools/xs-host"))
    ? undefined
    : "the tools that build it are in the project's repository, not in the npm package: clone it and run `npm ci`";
}

/** Why the machine cannot be used here, or undefined when it is built (building it where gcc can). */
export function xsHostMissing(): string | undefined {
  const outside = checkoutMissing();
  if (outside !== undefined) return outside;
  const made = spawnSync("make", ["-s", "-j2", "-C", join(projectRoot, "tools/xs-host")], {
    encoding: "utf8",
  });
  if (made.status === 0 && existsSync(program)) return undefined;
  const lines = (made.stderr || made.error?.message || "").trim().split("\n");
  return `the 32-bit XS machine cannot be built (Debian: apt install gcc-multilib): ${lines.at(-1) ?? ""}`;
}

/**
 * Compiles `entry` (a `.js` file that exports `step`) and all that it imports into an archive below `build/`, and returns
 * its path. `size`: the machine that it wants, where that is not the default. `bundled`: as a device build does it
 * (tools/firmware/bundle.mjs). Throws with the compiler's words.
 */
export function buildArchive(
  entry: string,
  base: string = dirname(resolve(entry)),
  size?: Required<Pick<XsCreation, "chunks" | "slots" | "stack">>,
  bundled = false,
): string {
  // Two that differ must not take each other's place: suites run beside one another.
  const kind = `${bundled ? "-bundled" : ""}${size ? `-${size.chunks}-${size.slots}-${size.stack}` : ""}`;
  const name = `${relative(projectRoot, resolve(entry)).replace(/[^\w.-]+/g, "_")}${kind}`;
  const folder = join(projectRoot, "build/archives");
  const out = join(folder, `${name}.xsa`);
  mkdirSync(folder, { recursive: true });
  const tool = join(projectRoot, "tools/xs-bytecode/archive.mjs");
  const sizes = size ? ["--size", `${size.chunks},${size.slots},${size.stack}`] : [];
  const how = bundled ? ["--bundle"] : [];
  execFileSync(process.execPath, [tool, ...how, "--base", base, ...sizes, "-o", out, entry], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  return out;
}

/** The creation that a board's `manifest.json` asks for. */
export function boardCreation(board: string): XsCreation {
  const manifest = JSON.parse(readFileSync(join(projectRoot, "boards", board, "manifest.json"), "utf8")) as {
    creation?: {
      chunk?: { initial?: number };
      heap?: { initial?: number };
      stack?: number;
      keys?: { available?: number };
    };
  };
  const { chunk, heap, stack, keys } = manifest.creation ?? {};
  return {
    ...(chunk?.initial !== undefined && { chunks: chunk.initial }),
    ...(heap?.initial !== undefined && { slots: heap.initial }),
    ...(stack !== undefined && { stack }),
    ...(keys?.available !== undefined && { keys: keys.available }),
  };
}

type Waiting = { readonly mark: "=" | "!"; resolve(text: string): void; reject(fault: Error): void };

/** The protocol of lines that both machines speak: `=` answers a batch, `!` answers a command, `+` is unasked output. */
export class XsChannel {
  private readonly waiting: Waiting[] = [];
  private rest = "";
  private gone: Error | undefined;

  constructor(
    input: Readable,
    private readonly output: Writable,
    private readonly on: {
      /** The machine is up; also after every reset of an emulated one. */
      ready(event: { readonly reset?: string; readonly stats: XsStats }): void;
      fault(fault: XsFault): void;
      unasked?(reply: XsReply): void;
    },
  ) {
    input.setEncoding("utf8");
    input.on("data", (text: string) => {
      const lines = (this.rest + text).split("\n");
      this.rest = lines.pop() ?? "";
      for (const line of lines) this.take(line);
    });
    output.on("error", () => undefined); // the end of the process tells more
  }

  private take(line: string): void {
    const mark = line[0];
    const text = line.slice(1);
    if (mark === "+") {
      this.on.unasked?.(JSON.parse(text) as XsReply);
      return;
    }
    const event = mark === "!" ? (JSON.parse(text) as { event?: string }) : undefined;
    if (event?.event === "ready") this.on.ready(event as never);
    else if (event?.event === "fault") {
      const { code, exit, step, last, message, stats } = event as never as XsFault;
      this.on.fault(new XsFault(code, exit, step, last, message, stats));
    } else {
      const waiting = this.waiting.shift();
      if (!waiting) return;
      if (event?.event === "error") waiting.reject(new Error((event as { message?: string }).message));
      else if (waiting.mark === mark) waiting.resolve(text);
      else waiting.reject(new Error(`the machine answered out of order: ${line.slice(0, 80)}`));
    }
  }

  private ask(mark: "=" | "!", line: string): Promise<string> {
    if (this.gone) return Promise.reject(this.gone);
    return new Promise((resolve, reject) => {
      this.waiting.push({ mark, resolve, reject });
      this.output.write(`${line}\n`);
    });
  }

  /** The order of the members is part of the protocol: an emulated machine puts its own clock in front of `in`. */
  async step(batch: XsBatch): Promise<XsReply> {
    const text = `{"nowMs":${batch.nowMs},"utcMs":${batch.utcMs},"in":${JSON.stringify(batch.in)}}`;
    return JSON.parse(await this.ask("=", text)) as XsReply;
  }

  async command<T>(name: string): Promise<T> {
    return JSON.parse(await this.ask("!", `!${name}`)) as T;
  }

  /** Writes a line that has no answer. */
  send(line: string): void {
    this.output.write(`${line}\n`);
  }

  /** Rejects what waits, and what is asked later. */
  end(error: Error): void {
    this.gone = error;
    for (const waiting of this.waiting.splice(0)) waiting.reject(error);
  }
}

/** The end of the machine's process as a fault, where the machine itself said none. */
export function processFault(name: string, status: number | null, signal: string | null): XsFault {
  return new XsFault(
    "exit",
    status ?? -1,
    -1,
    "",
    `${name} ended with ${signal ?? `status ${status}`}`,
    null,
  );
}

/** Resolves with the process's exit. */
export function exitOf(child: ChildProcess): Promise<{ status: number | null; signal: string | null }> {
  return new Promise((resolve) => {
    child.once("error", () => resolve({ status: 127, signal: null }));
    child.once("exit", (status, signal) => resolve({ status, signal }));
  });
}

/** Starts a machine; resolves when the application is loaded, rejects with its fault. */
export async function startXsHost(
  options: XsHostOptions,
): Promise<XsRuntime & { readonly started: XsStats; stop(ms: number): Promise<void> }> {
  const flags = {
    chunks: "--chunks",
    slots: "--slots",
    stack: "--stack",
    keys: "--keys",
    keyIncrement: "--key-increment",
    names: "--names",
  };
  const args = Object.entries(options.creation ?? {}).flatMap(([name, value]) => [
    flags[name as keyof typeof flags],
    String(value),
  ]);
  if (options.preload) args.push("--preload", options.preload);
  for (const { step, ms } of options.stops ?? []) args.push("--stop", `${step}:${ms}`);
  const child = spawn(program, [...args, options.archive], { stdio: ["pipe", "pipe", "ignore"] });
  let fault: XsFault | undefined;
  let closing = false;
  let channel: XsChannel | undefined;
  const ready = new Promise<XsStats>((resolve) => {
    channel = new XsChannel(child.stdout, child.stdin, {
      ready: ({ stats }) => resolve(stats),
      fault: (told) => (fault = told),
    });
  });
  const ended = exitOf(child).then(({ status, signal }) => {
    if (!fault && !closing) fault = processFault("xs-host", status, signal);
    channel?.end(fault ?? new Error("the machine is closed"));
    return closing ? undefined : fault;
  });
  const started = await Promise.race([
    ready,
    ended.then((end) => Promise.reject(end ?? new Error("the machine is closed"))),
  ]);
  const line = channel as unknown as XsChannel;
  return {
    started,
    ended,
    step: (batch) => line.step(batch),
    stats: () => line.command<XsStats>("stats"),
    collect: () => line.command<XsStats>("gc"),
    stop: async (ms) => void (await line.command(`stop ${ms}`)),
    close: async () => {
      closing = true;
      line.send("!quit");
      await ended;
    },
  };
}
