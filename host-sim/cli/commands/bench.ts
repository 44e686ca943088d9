import { join, resolve } from "node:path";
import type { Command } from "commander";
import { Bench } from "../../bench/bench.js";
import { playDemo } from "../../bench/demo.js";
import { startPageServer, type PageServer } from "../../bench/page-server.js";
import { loadProfile } from "../../sgd/profile.js";
import type { Run } from "../run.js";
import { startEngine } from "../engine.js";
import { captureOption, openCapture } from "../capture-option.js";
import { dataDirOption, portOption, version } from "../options.js";
import { asNamed, Output } from "../output.js";
import { untilInterrupted } from "../wait.js";

interface BenchFlags {
  readonly runtime: string;
  readonly port: number;
  readonly demo: boolean;
  readonly profile: string;
  readonly data: string;
  readonly capture?: string;
  readonly json?: boolean;
}

export function addBench(program: Command, run: Run): void {
  program
    .command("bench")
    .description("everything on one computer: utility, module, line, charger, car, and a page to watch")
    .option("--runtime <engine>", "engine that runs the module: node or xs", "node")
    .option("--port <number>", "port of the page on 127.0.0.1; 0 = any", portOption, 8045)
    .option("--no-demo", "do not play the demonstration")
    .option("--profile <name>", "charger profile: a name or a JSON file", "evse-level2-32a")
    .addOption(dataDirOption())
    .addOption(captureOption())
    .option("--json", "one JSON object a line")
    .addHelpText("after", "\nThe page opens at the printed address. Ctrl-C ends everything.")
    .action((flags: BenchFlags) =>
      run(async () => {
        const output = new Output(flags.json ?? false);
        asNamed(() => loadProfile(flags.profile));
        const engine = await startEngine(flags.runtime, ["node", "xs"]);
        const capture = flags.capture === undefined ? undefined : openCapture(flags.capture);
        let page: PageServer | undefined = undefined;
        let failed: (code: number) => void = () => undefined;
        const failure = new Promise<number>((done) => (failed = done));
        const bench = await Bench.start({
          dataDir: join(resolve(flags.data), "bench"),
          engine,
          profile: flags.profile,
          pollSeconds: 2,
          ...(capture === undefined ? {} : { capture }),
          onMessage: (message) => page?.tell(message),
          onFailure: (error) => {
            process.stderr.write(`openucm bench: the module stopped: ${error.message}\n`);
            failed(1);
          },
        });
        page = await startPageServer({
          port: flags.port,
          greeting: () => bench.greeting(version()),
          command: (message) => bench.command(message),
        });
        bench.run();
        output.emit(
          { event: "ready", url: page.url },
          `The bench is running. Open ${page.url}\nUtility (OpenADR 2.0b VTN): ${bench.vtn.urls.openadr2b}   its API: ${bench.vtn.api}\nCtrl-C ends everything.`,
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
