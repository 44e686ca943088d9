import { InvalidArgumentError, Option, type Command } from "commander";
import { Bench } from "../../bench/bench.js";
import { playDemo } from "../../bench/demo.js";
import { startPageServer, type PageServer } from "../../bench/page-server.js";
import { firstRootOf } from "../../bench/update-server.js";
import { loadProfile } from "../../sgd/profile.js";
import type { Engine } from "../../runtime/ucm-host.js";
import { Progress } from "../progress.js";
import type { Run } from "../run.js";
import { startEngine } from "../engine.js";
import { captureOption, openCapture } from "../capture-option.js";
import { lockDataDir } from "../data-dir.js";
import { dataDirOption, portOption, version, wholeNumber } from "../options.js";
import { asNamed, Output } from "../output.js";
import { untilInterrupted } from "../wait.js";

interface BenchFlags {
  readonly runtime: string;
  readonly port: number;
  readonly demo: boolean;
  readonly profile: readonly string[];
  readonly chargers: number;
  readonly region: string;
  readonly seed?: number;
  readonly data: string;
  readonly update?: string;
  readonly capture?: string;
  readonly json?: boolean;
}

/** More would want more certificates, sockets and pixels than one page can use: that is `openucm fleet`. */
const maxChargers = 100;

function chargersOption(text: string): number {
  const count = wholeNumber(1)(text);
  if (count > maxChargers)
    throw new InvalidArgumentError(`at most ${maxChargers}; for more there is openucm fleet.`);
  return count;
}

export function addBench(program: Command, run: Run): void {
  program
    .command("bench")
    .description("everything on one computer: utility, module, line, charger, car, and a page to watch")
    .option("--runtime <engine>", "engine that runs the module: node or xs", "node")
    .option("--port <number>", "port of the page on 127.0.0.1; 0 = any", portOption, 8045)
    .option("--no-demo", "do not play the demonstration")
    .option("--chargers <number>", "how many, each with a module of its own", chargersOption, 1)
    .option(
      "--profile <name>",
      "charger profile: a name or a JSON file; again for more, which the chargers take in turn (default: evse-level2-32a)",
      (value: string, before: readonly string[]) => [...before, value],
      [],
    )
    .addOption(
      new Option("--region <name>", "rules of the module: uk has off-peak hours and a random delay")
        .choices(["us", "au", "uk"])
        .default("us"),
    )
    .option("--seed <number>", "of the line's and the chargers' random numbers", wholeNumber(0))
    .option("--update <folder>", "firmware to offer the modules: a folder of `openucm release publish`")
    .addOption(dataDirOption())
    .addOption(captureOption())
    .option("--json", "one JSON object a line")
    .addHelpText(
      "after",
      `
The page opens at the printed address, on this computer alone. Ctrl-C ends everything.

Examples:
  openucm bench                                  watch one charger shed and return
  openucm bench --chargers 4 --no-demo           four chargers, each with its own module and TLS connection
  openucm bench --region uk                      off-peak hours and random delay, with the owner's controls
  openucm bench --profile evse-slow --seed 7     a slow charger; the same line faults at each run
  openucm bench --update www/fw                  update the modules from there, tab "Update"
  openucm bench --capture line.pcapng            for Wireshark`,
    )
    .action((flags: BenchFlags) =>
      run(async () => {
        const output = new Output(flags.json ?? false);
        const profiles = flags.profile.length > 0 ? flags.profile : ["evse-level2-32a"];
        asNamed(() => profiles.forEach((name) => loadProfile(name)));
        const { update } = flags;
        if (update !== undefined) asNamed(() => firstRootOf(update));
        const dataDir = lockDataDir(flags.data, "bench");
        const engines: Engine[] = [];
        while (engines.length < flags.chargers)
          engines.push(await startEngine(flags.runtime, ["node", "xs"]));
        const capture = flags.capture === undefined ? undefined : openCapture(flags.capture);
        let page: PageServer | undefined = undefined;
        let failed: (code: number) => void = () => undefined;
        const failure = new Promise<number>((done) => (failed = done));
        const progress = new Progress(flags.chargers, output.json);
        const bench = await Bench.start({
          onCharger: (made) => progress.update(made, `${made} of ${flags.chargers} chargers`),
          dataDir,
          engines,
          profiles,
          region: flags.region,
          seed: flags.seed ?? Date.now() & 0x7fffffff,
          pollSeconds: 2,
          ...(update === undefined ? {} : { update: { folder: update, version: version() } }),
          ...(capture === undefined ? {} : { capture }),
          onMessage: (message, charger) => page?.tell(message, charger),
          onFailure: (error) => {
            process.stderr.write(`openucm bench: the module stopped: ${error.message}\n`);
            failed(1);
          },
        });
        progress.end();
        page = await startPageServer({
          port: flags.port,
          greeting: (charger) => bench.greeting(version(), charger),
          command: (message, charger) => bench.command(message, charger),
        });
        bench.run();
        output.emit(
          { event: "ready", url: page.url },
          `The bench is running. Open ${page.url}\nUtility (OpenADR 2.0b VTN): ${bench.vtn.urls.openadr2b}   its API: ${bench.vtn.api}\nThe secret of the module's own page lies in ${bench.ownerSecretFile}\nCtrl-C ends everything.`,
        );
        const stopDemo = flags.demo
          ? playDemo(bench, (text) => output.emit({ event: "demo", text }, text))
          : () => undefined;
        return await untilInterrupted(async () => {
          stopDemo();
          await page?.close();
          await bench.close();
          capture?.close();
        }, failure);
      }),
    );
}
