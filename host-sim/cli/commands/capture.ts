import type { Command } from "commander";
import { decodeFrameText } from "../../../src/wire/decode.js";
import { marksText, type CaptureRecord, type Sender } from "../../capture/record.js";
import { SpeakerOf } from "../../capture/speaker.js";
import { IDLE_MS, Segmenter } from "../../capture/segmenter.js";
import { openLine, type NodeLine } from "../../line/node/open-line.js";
import { monotonicMs } from "../../runtime/clock.js";
import { openCapture, utcOf } from "../capture-option.js";
import { serialHelp, tellOfLine, wholeNumber } from "../options.js";
import { Output, UsageError } from "../output.js";
import type { Run } from "../run.js";
import { untilInterrupted } from "../wait.js";

interface CaptureFlags {
  readonly serial?: string;
  readonly between?: string[];
  readonly out?: string;
  readonly vcd?: string;
  readonly bitRate: number;
  readonly seconds?: number;
  readonly infer: boolean;
  readonly json?: boolean;
}

/** The object that stands for a record in `--json`, here and in `decode --pcap`. */
export function recordObject(record: CaptureRecord): Readonly<Record<string, unknown>> {
  const { utcMs, from, marks } = record;
  return { utcMs, from, marks: marksText(marks), ...decodeFrameText(record.bytes) };
}

/** A line for people. */
export function recordText(record: CaptureRecord): string {
  const { hex, text } = decodeFrameText(record.bytes);
  const time = new Date(record.utcMs).toISOString().slice(11, 23);
  const marks = marksText(record.marks);
  return `${time}  ${record.from.padEnd(7)}  ${text}   [${hex}]${marks === "" ? "" : `  ! ${marks}`}`;
}

export function addCapture(program: Command, run: Run): void {
  program
    .command("capture")
    .description("record a line to a file that Wireshark, PulseView and `openucm replay` open")
    .option("--serial <line>", `listen alone, in parallel to both: ${serialHelp}`)
    .option("--between <lines...>", "MODULE CHARGER: stand between two lines and pass everything on")
    .option("--out <file>", "pcapng file (docs/capture.md)")
    .option("--vcd <file>", "the line's bits, for PulseView, GTKWave and sigrok-cli")
    .option("--no-infer", "with --serial: leave out who spoke, instead of telling it from what was said")
    .option("--bit-rate <number>", "bits a second", wholeNumber(300), 19_200)
    .option("--seconds <number>", "end after so long; default: until Ctrl-C", wholeNumber(1))
    .option("--json", "one JSON object a record")
    .addHelpText(
      "after",
      `
A tap on the pair hears both alike. Who spoke is told from what was said (a Shed is a module's, an ACK answers the
frame before it); what both may say stays unknown. --between knows, and only such a capture replays in full.
Examples:
  openucm capture --serial /dev/ttyUSB0 --out line.pcapng
  openucm capture --between /dev/ttyUSB0 /dev/ttyUSB1 --out line.pcapng --vcd line.vcd`,
    )
    .action((flags: CaptureFlags) =>
      run(async () => {
        const lines = flags.between ?? (flags.serial === undefined ? [] : [flags.serial]);
        if (lines.length === 0 || (flags.between !== undefined && flags.serial !== undefined))
          throw new UsageError("capture needs --serial LINE or --between MODULE CHARGER, one of them");
        if (flags.between !== undefined && lines.length !== 2)
          throw new UsageError(`--between takes two lines, MODULE and CHARGER; it has ${lines.length}`);
        if (flags.out === undefined && flags.vcd === undefined)
          throw new UsageError("say where to: --out FILE.pcapng, --vcd FILE.vcd or both");
        return await capture(lines, flags);
      }),
    );
}

async function capture(specs: readonly string[], flags: CaptureFlags): Promise<number> {
  const output = new Output(flags.json ?? false);
  const file = openCapture(flags.out, flags.vcd);
  const speaker = specs.length === 1 && flags.infer ? new SpeakerOf() : undefined;
  const put = (records: readonly CaptureRecord[]): void => {
    for (const heard of records) {
      const { badChecksum, incomplete } = heard.marks;
      const from = speaker?.of(heard.bytes, !badChecksum && !incomplete) ?? heard.from;
      const record = { ...heard, from };
      file.record(record);
      output.emit({ event: "record", ...recordObject(record) }, recordText(record));
    }
  };
  const senders: readonly Sender[] = specs.length === 1 ? ["unknown"] : ["module", "charger"];
  const opened: NodeLine[] = [];
  const segmenters = senders.map((sender) => new Segmenter(sender));
  const heardMs = senders.map(() => 0);
  try {
    for (const [i, spec] of specs.entries()) {
      const line = await openLine(spec, {
        onNotice: tellOfLine(output, spec),
        bitsPerSecond: flags.bitRate,
        onEvent: (event) => {
          if (event.ev === "carrier") {
            const text = `${senders[i]}: the line ${event.on ? "is there" : "has gone"}`;
            output.emit({ event: "carrier", from: senders[i], on: event.on }, text);
          }
          if (event.ev !== "rx") return;
          opened[1 - i]?.write(event.bytes);
          heardMs[i] = monotonicMs();
          put(segmenters[i]!.push(event.bytes, utcOf(event.atMs), flags.bitRate));
        },
      });
      opened.push(line);
      if (line.path !== undefined)
        output.emit({ event: "serial", path: line.path, side: senders[i] }, `${senders[i]}: ${line.path}`);
      if (line.url !== undefined)
        output.emit({ event: "serial", url: line.url, side: senders[i] }, `${senders[i]}: ${line.url}`);
    }
  } catch (error) {
    for (const line of opened) await line.close();
    file.close();
    throw error;
  }
  const idle = setInterval(() => {
    segmenters.forEach((one, i) => {
      if (one.isBusy && monotonicMs() - heardMs[i]! > IDLE_MS) put(one.flush(flags.bitRate));
    });
  }, IDLE_MS);
  const { seconds } = flags;
  const ended =
    seconds === undefined
      ? undefined
      : new Promise<number>((done) => setTimeout(() => done(0), seconds * 1000));
  return await untilInterrupted(async () => {
    clearInterval(idle);
    for (const one of segmenters) put(one.flush(flags.bitRate));
    for (const line of opened) await line.close();
    file.close();
    const where = [flags.out, flags.vcd].filter((path) => path !== undefined).join(", ");
    output.emit(
      { event: "captured", records: file.count, out: flags.out ?? null, vcd: flags.vcd ?? null },
      `${file.count} records in ${where}`,
    );
  }, ended);
}
