import { Command } from "commander";
import { version } from "./options.js";
import type { Run } from "./run.js";

type Add = (program: Command, run: Run) => void;

/** Each command in the order of the help, with the file that adds it. */
const commands: Readonly<Record<string, () => Promise<Add>>> = {
  bench: async () => (await import("./commands/bench.js")).addBench,
  sgd: async () => (await import("./commands/sgd.js")).addSgd,
  ucm: async () => (await import("./commands/ucm.js")).addUcm,
  journal: async () => (await import("./commands/journal.js")).addJournal,
  vtn: async () => (await import("./commands/vtn.js")).addVtn,
  csms: async () => (await import("./commands/csms.js")).addCsms,
  decode: async () => (await import("./commands/decode.js")).addDecode,
  encode: async () => (await import("./commands/encode.js")).addEncode,
  capture: async () => (await import("./commands/capture.js")).addCapture,
  replay: async () => (await import("./commands/replay.js")).addReplay,
  scenario: async () => (await import("./commands/scenario.js")).addScenario,
  fleet: async () => (await import("./commands/fleet.js")).addFleet,
  conformance: async () => (await import("./commands/conformance.js")).addConformance,
  provision: async () => (await import("./commands/provision.js")).addProvision,
  release: async () => (await import("./commands/release.js")).addRelease,
  completion: async () => {
    const { addCompletion } = await import("./commands/completion.js");
    return (program, run) => addCompletion(program, run, () => buildProgram(run));
  },
};

/**
 * The program with all its commands; with `wanted`, where that names one, with this one alone: what the others need
 * is not loaded then, and `openucm decode` answers at once.
 */
export async function buildProgram(run: Run, wanted?: string): Promise<Command> {
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
  const only = wanted === undefined ? undefined : commands[wanted];
  for (const load of only === undefined ? Object.values(commands) : [only]) (await load())(program, run);
  const strict = (command: Command): void => {
    command.exitOverride().showHelpAfterError("(add --help for usage)");
    command.commands.forEach(strict);
  };
  strict(program);
  return program;
}
