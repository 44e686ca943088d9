/**
 * The firmware on its own engine as an {@link Engine}: in the 32-bit machine of the chip's size (xs-host.ts), or on the
 * emulated microcontroller (qemu.ts). Both get what a device gets: byte code of `src/`, a heap that does not grow, and
 * a server's answer in pieces.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError } from "../cli/output.js";
import type { Batch, Input, Output, Reply } from "../../src/runtime.js";
import { withFrameLine } from "./frame-line-engine.js";
import { qemuMissing, startQemu, type QemuRuntime } from "./qemu.js";
import type { Engine, OwnMachine } from "./ucm-host.js";
import { buildArchive, startXsHost, xsHostMissing, type XsHostOptions, type XsRuntime } from "./xs-host.js";

/** The firmware's byte code as a device has it, compiled from `dist/`. Throws a {@link CommandError} where it is not built. */
export function firmwareArchive(entryName = "machine-entry"): string {
  for (const up of ["../../", "../../dist/"]) {
    const dist = fileURLToPath(new URL(up, import.meta.url));
    const entry = join(dist, `host-sim/runtime/${entryName}.js`);
    if (existsSync(entry)) return buildArchive(entry, dist, undefined, true);
  }
  throw new CommandError("dist/ is missing: run `npm run build`");
}

/** Hex digits of a batch beyond which the rest waits for the next: 512 bytes, what a small device reads of a socket at once. */
const pieceDigits = 1024;

const digitsOf = (input: Input): number =>
  input.k === "data" || input.k === "rx" || input.k === "flash" ? input.hex.length : 0;

/** Inputs that are together too much for a small heap, cut into batches, in order; at least one. */
export function* pieces(inputs: readonly Input[]): Generator<Input[]> {
  let piece: Input[] = [];
  let digits = 0;
  for (const input of inputs) {
    for (let at = 0; at === 0 || at < digitsOf(input); at += pieceDigits) {
      const part =
        input.k === "data" && input.hex.length > pieceDigits
          ? { ...input, hex: input.hex.slice(at, at + pieceDigits) }
          : input;
      if (piece.length > 0 && digits + digitsOf(part) > pieceDigits) {
        yield piece;
        piece = [];
        digits = 0;
      }
      piece.push(part);
      digits += digitsOf(part);
      if (part === input) break;
    }
  }
  yield piece;
}

async function stepInPieces(runtime: XsRuntime, batch: Batch): Promise<Reply> {
  const out: Output[] = [];
  let wakeMs: number | null = null;
  for (const inputs of pieces(batch.in)) {
    const reply = (await runtime.step({ ...batch, in: inputs })) as Reply;
    out.push(...reply.out);
    wakeMs = reply.wakeMs;
  }
  return { wakeMs, out };
}

/** How strong the line below JavaScript is (src/ports/line.ts): "frame" if not given, as on the device. */
interface LineOption {
  readonly line?: "byte" | "frame";
}

/** The firmware in a 32-bit XS machine of the chip's size. Throws a {@link CommandError} where it cannot be had. */
export async function xsHostEngine({
  line = "frame",
  ...options
}: Partial<XsHostOptions> & LineOption = {}): Promise<Engine & { readonly runtime: XsRuntime }> {
  const missing = xsHostMissing();
  if (missing !== undefined) throw new CommandError(missing);
  const runtime = await startXsHost({
    ...options,
    archive: options.archive ?? firmwareArchive(),
  });
  const plain: Engine = {
    name: "XS 13.3 (32 bit, the chip's memory)",
    step: (batch) => stepInPieces(runtime, batch),
    close: () => runtime.close(),
  };
  const engine = line === "frame" ? withFrameLine(plain) : plain;
  return {
    name: plain.name,
    runtime,
    step: (batch) => engine.step(batch),
    close: () => engine.close(),
  };
}

/** To a machine with a frame line: the first input says so. From it: the rate of its UART is that of the caller's line. */
const frameLined = (batch: Batch): Batch => ({
  ...batch,
  in: batch.in.map((input) => (input.k === "boot" ? { ...input, line: "frame" } : input)),
});
const rateTold = (reply: Reply): Reply => ({
  ...reply,
  out: reply.out.map((output) =>
    output.k === "line" ? { k: "rate", bitsPerSecond: output.bitsPerSecond } : output,
  ),
});

/** The firmware on the emulated microcontroller. Throws a {@link CommandError} where it cannot be had. */
export async function qemuEngine({
  archive,
  line = "frame",
}: { readonly archive?: string } & LineOption = {}): Promise<
  Engine & { readonly runtime: QemuRuntime; readonly machine: OwnMachine }
> {
  const missing = qemuMissing();
  if (missing !== undefined) throw new CommandError(missing);
  let listener: Parameters<OwnMachine["listen"]>[0] | undefined;
  const runtime = await startQemu({
    archive: archive ?? firmwareArchive(),
    line,
    onOutput: (reply) => listener?.onOutput(rateTold(reply as Reply)),
    onReset: (why) => listener?.onRestart(why),
  });
  return {
    name: "XS 13.3 (emulated rv32 microcontroller)",
    runtime,
    step: async (batch) =>
      rateTold(await stepInPieces(runtime, line === "frame" ? frameLined(batch) : batch)),
    close: () => runtime.close(),
    machine: {
      receive: (bytes) => void runtime.line.write(bytes),
      listen: (to) => {
        listener = to;
        runtime.line.on("data", (bytes: Buffer) => to.onSent(bytes));
        void runtime.ended.then((fault) => {
          if (fault) to.onFailure(fault);
        });
      },
    },
  };
}
