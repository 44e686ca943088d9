import { createInterface } from "node:readline";
import type { Command } from "commander";
import { isFault } from "../../../src/base/fault.js";
import { toHex } from "../../../src/base/hex.js";
import { encodeFrame } from "../../../src/wire/decode.js";
import type { Run } from "../run.js";
import { Output } from "../output.js";

export function addEncode(program: Command, run: Run): void {
  program
    .command("encode")
    .description("make CTA-2045 frames from JSON objects as `decode --json` prints them")
    .argument("[object...]", "a JSON object each; none: an object a line from stdin")
    .option("--json", "one JSON object a frame")
    .addHelpText(
      "after",
      `\nExamples:\n  openucm encode '{"type":"08 01","opcode1":1,"opcode2":30}'\n  openucm decode --json 08 01 00 02 01 00 0C 3D | openucm encode`,
    )
    .action((args: string[], options: { json?: boolean }) =>
      run(async () => {
        const output = new Output(options.json ?? false);
        let bad = 0;
        const make = (text: string): void => {
          let object: unknown;
          try {
            object = JSON.parse(text);
          } catch {
            object = undefined;
          }
          const result = object === undefined ? "this is no JSON object" : encodeFrame(object);
          if (typeof result === "string" || isFault(result)) {
            bad++;
            const why = typeof result === "string" ? result : `${result.text} (${result.fault})`;
            process.stderr.write(`openucm encode: ${why}: ${text.slice(0, 80)}\n`);
          } else {
            const hex = toHex(result, " ");
            output.emit({ hex }, hex);
          }
        };
        if (args.length > 0) args.forEach(make);
        else {
          if (process.stdin.isTTY) process.stderr.write("JSON objects, one a line; Ctrl-D ends\n");
          for await (const line of createInterface({ input: process.stdin })) {
            if (line.trim() !== "") make(line);
          }
        }
        return bad > 0 ? 2 : 0;
      }),
    );
}
