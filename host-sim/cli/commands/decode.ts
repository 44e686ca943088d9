import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { decodeFrameText, type DecodedFrame } from "../../../src/wire/decode.js";
import { CaptureFileError, createVcd, recordsOf } from "../../capture/files.js";
import { Output, UsageError } from "../output.js";
import { Progress } from "../progress.js";
import type { Run } from "../run.js";
import { recordObject, recordText } from "./capture.js";

function human(frame: DecodedFrame): string {
  if (!frame.ok) return `${frame.hex || "(nothing)"}\n  ! ${frame.fault}: ${frame.text}`;
  const fields = Object.entries(frame.fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${frame.hex}\n  ${frame.name} (${frame.type}): ${frame.text}${fields.length > 0 ? `\n  ${fields.join("  ")}` : ""}`;
}

/**
 * Each argument is a frame in hex; arguments of two digits each that stand together are joined into one, so that
 * both `decode "08 01 …"` and `decode 08 01 …` mean one frame.
 */
export function framesOf(args: readonly string[]): readonly string[] {
  const frames: string[] = [];
  let joining = false;
  for (const arg of args) {
    const isByte = /^[0-9a-fA-F]{2}$/.test(arg);
    if (isByte && joining) frames.push(`${frames.pop()!} ${arg}`);
    else frames.push(arg);
    joining = isByte;
  }
  return frames;
}

/** Says what a capture file holds, record by record: it may be larger than memory. */
async function decodeCapture(path: string, vcd: string | undefined, output: Output): Promise<void> {
  // Where the frames themselves run over the terminal, a bar between them would be in the way.
  const progress = new Progress(1, output.json || process.stdout.isTTY);
  try {
    const bits = vcd === undefined ? undefined : createVcd(vcd);
    let count = 0;
    let share = 0;
    for (const record of recordsOf(path, (done, total) => (share = done / Math.max(1, total)))) {
      output.emit(recordObject(record), recordText(record));
      bits?.record(record);
      progress.update(share, `${++count} records`);
      // Whoever reads more slowly than we write must not make us hold it all.
      if (process.stdout.writableNeedDrain) await once(process.stdout, "drain");
    }
    bits?.close();
  } catch (error) {
    throw error instanceof CaptureFileError ? new UsageError(error.message) : error;
  } finally {
    progress.end();
  }
}

export function addDecode(program: Command, run: Run): void {
  program
    .command("decode")
    .description("say what CTA-2045 frames mean")
    .argument(
      "[frame...]",
      "a frame in hex each; single bytes are joined into one frame; none: a frame a line from stdin",
    )
    .option("--pcap <file>", "the frames of a capture file (pcapng, docs/capture.md) instead")
    .option("--vcd <file>", "with --pcap: also write the line's bits to this file")
    .option("--json", "one JSON object a frame")
    .addHelpText(
      "after",
      '\nExamples:\n  openucm decode 08 01 00 02 01 00 0C 3D\n  openucm decode --json "080100020100 0C3D" 0600\n  openucm decode < frames.txt\n  openucm decode --pcap line.pcapng --vcd line.vcd',
    )
    .action((args: string[], options: { json?: boolean; pcap?: string; vcd?: string }) =>
      run(async () => {
        const output = new Output(options.json ?? false);
        if (options.vcd !== undefined && options.pcap === undefined)
          throw new UsageError("--vcd needs --pcap FILE: loose frames have no times");
        if (options.pcap !== undefined) {
          await decodeCapture(options.pcap, options.vcd, output);
          return 0;
        }
        const tell = (text: string): void => {
          const frame = decodeFrameText(text);
          output.emit({ ...frame }, human(frame));
        };
        if (args.length > 0) framesOf(args).forEach(tell);
        else {
          if (process.stdin.isTTY) process.stderr.write("frames in hex, one a line; Ctrl-D ends\n");
          for await (const line of createInterface({ input: process.stdin })) {
            if (line.trim() !== "") tell(line);
          }
        }
        return 0;
      }),
    );
}
