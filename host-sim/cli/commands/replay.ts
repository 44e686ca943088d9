import type { Command } from "commander";
import { decodeFrameText } from "../../../src/wire/decode.js";
import { Segmenter } from "../../capture/segmenter.js";
import { cuesOf } from "../../capture/replay.js";
import type { CaptureRecord } from "../../capture/record.js";
import { openLine } from "../../line/node/open-line.js";
import { monotonicMs } from "../../runtime/clock.js";
import { captureOption, loadCapture, tapLine, utcOf } from "../capture-option.js";
import { echoOption, type LineFlags, lineOf, rtsOption, serialHelp } from "../options.js";
import { Output, UsageError } from "../output.js";
import { Progress } from "../progress.js";
import type { Run } from "../run.js";
import { untilInterrupted } from "../wait.js";
import { recordText } from "./capture.js";

interface ReplayFlags extends LineFlags {
  readonly capture?: string;
  readonly serial: string;
  readonly role: string;
  readonly speed: string;
  readonly json?: boolean;
}

/** From an open line to the first byte: the other side may still be starting. */
const LEAD_MS = 500;
/** After the last byte: its answer may still come. */
const TAIL_MS = 3500;

export function addReplay(program: Command, run: Run): void {
  program
    .command("replay")
    .description("play one side of a captured line back, with its times")
    .argument("<file>", "pcapng file of `openucm capture --between` or `--capture`")
    .requiredOption("--serial <line>", serialHelp)
    .requiredOption("--role <role>", "the side that is played: ucm (the module) or sgd (the charger)")
    .option("--speed <factor>", "so many times faster (2) or slower (0.5)", "1")
    .addOption(captureOption())
    .addOption(echoOption())
    .addOption(rtsOption())
    .option("--json", "one JSON object a line")
    .addHelpText(
      "after",
      `
It plays by the clock and listens to nothing: right where the other side answers as it did then.

Examples:
  openucm replay line.pcapng --serial pty --role sgd            be the charger of the recording
  openucm replay line.pcapng --serial COM5 --role ucm --speed 2 be its module, twice as fast`,
    )
    .action((file: string, flags: ReplayFlags) =>
      run(async () => {
        if (flags.role !== "ucm" && flags.role !== "sgd")
          throw new UsageError(`--role takes ucm or sgd; it is "${flags.role}"`);
        const speed = Number(flags.speed);
        if (!(speed > 0 && speed <= 1000)) throw new UsageError("--speed takes a number above 0, up to 1000");
        const records = loadCapture(file);
        const [self, other] =
          flags.role === "ucm" ? (["module", "charger"] as const) : (["charger", "module"] as const);
        const cues = cuesOf(records, self, speed);
        if (cues.length === 0) {
          const blind = records.some((one) => one.from === "unknown");
          const why = blind ? "; a tap cannot tell who spoke: record with capture --between" : "";
          throw new UsageError(`${file} has nothing that the ${self} said${why}`);
        }
        const blind = records.filter((one) => one.from === "unknown").length;
        if (blind > 0)
          process.stderr.write(
            `replay: ${blind} records of which a tap could not tell who spoke are left out; record with capture --between to have them\n`,
          );
        const output = new Output(flags.json ?? false);
        const heard = new Segmenter(other);
        let heardCount = 0;
        const tell = (dir: "tx" | "rx", record: CaptureRecord): void => {
          const { hex, text } = decodeFrameText(record.bytes);
          if (dir === "rx") heardCount++;
          output.emit(
            { event: "frame", dir, hex, text },
            `${dir === "tx" ? "→" : "←"} ${recordText(record)}`,
          );
        };
        let carrier: boolean | undefined;
        let there: () => void = () => undefined;
        const tapped = tapLine(flags.capture, self, other);
        const line = await openLine(flags.serial, {
          ...lineOf(flags, output, flags.serial),
          onEvent: (event) => {
            tapped.onEvent(event);
            if (event.ev === "carrier") {
              carrier = event.on;
              if (event.on) there();
            } else if (event.ev === "rx") {
              for (const one of heard.push(event.bytes, utcOf(event.atMs), 19_200)) tell("rx", one);
            }
          },
        });
        if (line.path !== undefined)
          output.emit({ event: "serial", path: line.path }, `serial line: ${line.path}`);
        if (line.url !== undefined)
          output.emit({ event: "serial", url: line.url }, `serial line: ${line.url}`);
        const player = tapped.wrap(line);
        const progress = new Progress(cues.length, output.json);
        let timer: NodeJS.Timeout | undefined;
        let sent = 0;
        const played = (async (): Promise<number> => {
          const pause = (ms: number): Promise<void> =>
            new Promise((done) => (timer = setTimeout(done, Math.max(0, ms))));
          await pause(LEAD_MS);
          // A socket that nobody has joined yet carries nothing.
          if (carrier === false) await new Promise<void>((done) => (there = done));
          const beginMs = monotonicMs();
          for (const [i, cue] of cues.entries()) {
            await pause(beginMs + cue.afterMs - monotonicMs());
            player.write(cue.bytes);
            const record = { utcMs: Date.now(), from: self, bytes: cue.bytes, bitsPerSecond: 19_200 };
            tell("tx", { ...record, marks: { badChecksum: false, incomplete: false, collision: false } });
            sent = i + 1;
            progress.update(i + 1, `${i + 1} of ${cues.length}`);
          }
          await pause(TAIL_MS);
          return 0;
        })();
        return await untilInterrupted(async () => {
          clearTimeout(timer);
          progress.end();
          for (const one of heard.flush(19_200)) tell("rx", one);
          await line.close();
          tapped.close();
          const recorded = records.filter((one) => one.from === other).length;
          output.emit(
            { event: "replayed", sent, heard: heardCount, recorded },
            `played ${sent} of ${cues.length} records of the ${self}; heard ${heardCount}, where ${recorded} were recorded`,
          );
        }, played);
      }),
    );
}
