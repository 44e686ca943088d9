import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Command, Option } from "commander";
import type { JournalPart } from "../../../src/journal/access.js";
import { exportLines, type ExportFormat } from "../../../src/journal/export.js";
import { Journal } from "../../../src/journal/journal.js";
import { FileFlash, flashFileName } from "../../runtime/file-flash.js";
import { dataDirOption } from "../options.js";
import { CommandError, UsageError } from "../output.js";
import type { Run } from "../run.js";

interface JournalFlags {
  readonly data: string;
  readonly what: JournalPart;
  readonly format: ExportFormat;
  readonly sources: readonly string[];
  readonly verify?: boolean;
}

const parts: readonly JournalPart[] = ["energy", "sessions", "events", "security"];

/** `openucm journal`: reads the module's flash where it lies; the module need not run, and is not disturbed if it does. */
export function addJournal(program: Command, run: Run): void {
  program
    .command("journal")
    .description("what a module of this computer remembers: energy, sessions, events, security log")
    .addOption(new Option("--what <part>", "part of the journal").choices(parts).default("energy"))
    .addOption(new Option("--format <format>", "csv or json").choices(["csv", "json"]).default("csv"))
    .option("--sources <ids...>", "ids of the upstreams, to name who changed a session", [])
    .option("--verify", "check the chain of the security log; exit code 1 where it is broken")
    .addOption(dataDirOption())
    .addHelpText(
      "after",
      `
Examples:
  openucm journal --what events                                 of the module that \`openucm ucm\` runs here
  openucm journal --what sessions --format json --sources utility
  openucm journal --what security --verify                      exit code 1 where somebody has touched it`,
    )
    .action((flags: JournalFlags) =>
      run(() => {
        const path = join(resolve(flags.data), flashFileName);
        if (!existsSync(path))
          throw new UsageError(
            `there is no journal in ${resolve(flags.data)}; name the module's folder with --data`,
          );
        const journal = new Journal(FileFlash.copyOf(path));
        const sources = [...flags.sources, "local", "owner", "none"];
        for (const line of exportLines(journal, flags.what, flags.format, sources))
          process.stdout.write(`${line}\n`);
        if (flags.verify === true) {
          const broken = journal.security.firstBroken();
          if (broken >= 0)
            throw new CommandError(
              `the security log was tampered with: entry ${broken} does not follow from the one before`,
            );
        }
        return 0;
      }),
    );
}
