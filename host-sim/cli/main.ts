#!/usr/bin/env node
/**
 * The one program, `openucm`. Exit codes: 0 success, 1 failure, 2 usage or configuration, 130 interrupted
 * (docs/cli.md). A subcommand is a file in `commands/` that adds itself to the program.
 */
import { Command, CommanderError } from "commander";
import { addBench } from "./commands/bench.js";
import { addCapture } from "./commands/capture.js";
import { addConformance } from "./commands/conformance.js";
import { addCsms } from "./commands/csms.js";
import { addDecode } from "./commands/decode.js";
import { addEncode } from "./commands/encode.js";
import { addFleet } from "./commands/fleet.js";
import { addJournal } from "./commands/journal.js";
import { addReplay } from "./commands/replay.js";
import { addScenario } from "./commands/scenario.js";
import { addSgd } from "./commands/sgd.js";
import { addUcm } from "./commands/ucm.js";
import { addVtn } from "./commands/vtn.js";
import { LineSpecError } from "../line/node/open-line.js";
import { version } from "./options.js";
import { UsageError } from "./output.js";
import type { Run } from "./run.js";

async function main(argv: readonly string[]): Promise<void> {
  const program = new Command("openucm");
  program
    .description("CTA-2045 universal communications module: firmware, bench and tools")
    .version(version())
    .showSuggestionAfterError()
    .showHelpAfterError("(add --help for usage)")
    .exitOverride()
    .addHelpText(
      "after",
      "\nStart with:  openucm bench\nEvery subcommand has --help. Exit codes: 0 success, 1 failure, 2 usage or configuration, 130 interrupted.",
    );
  const run: Run = async (action) => {
    process.exitCode = await action();
  };
  for (const add of [
    addBench,
    addSgd,
    addUcm,
    addJournal,
    addVtn,
    addCsms,
    addDecode,
    addEncode,
    addCapture,
    addReplay,
    addScenario,
    addFleet,
    addConformance,
  ])
    add(program, run);
  for (const command of program.commands) command.exitOverride().showHelpAfterError("(add --help for usage)");
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed help, version or its own error line already.
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else if (error instanceof UsageError || error instanceof LineSpecError) {
      process.stderr.write(`openucm: ${error.message}\n`);
      process.exitCode = 2;
    } else {
      process.stderr.write(`openucm: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  }
}

// A reader that went away (`openucm … | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`openucm: cannot write the output: ${error.message}\n`);
  process.exit(1);
});

await main(process.argv);
// A full disk is told in the next turn of the event loop.
await new Promise(setImmediate);
// Handles that are still open (sockets closing, workers) must not keep a finished command alive.
process.exit();
