#!/usr/bin/env node
/**
 * The one program, `openucm`. Exit codes: 0 success, 1 failure, 2 usage or configuration, 130 interrupted
 * (docs/cli.md). A subcommand is a file in `commands/` that adds itself to the program (program.ts).
 */
import { CommanderError } from "commander";
import { LineSpecError } from "../line/node/base.js";
import { UsageError } from "./output.js";
import { buildProgram } from "./program.js";

async function main(argv: readonly string[]): Promise<void> {
  const program = await buildProgram(async (action) => {
    process.exitCode = await action();
  }, argv[2]);
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

// Nobody left to tell: the exit code says it.
process.stderr.on("error", () => undefined);

await main(process.argv);
// A full disk is told in the next turn of the event loop.
await new Promise(setImmediate);
// Handles that are still open (sockets closing, workers) must not keep a finished command alive.
process.exit();
