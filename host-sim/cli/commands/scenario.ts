import type { Command } from "commander";
import { writeFileSync } from "node:fs";
import { loadScenario, shippedNames } from "../../scenario/files.js";
import type { Scenario } from "../../scenario/model.js";
import { reportText, writeReport } from "../../scenario/report.js";
import { runScenario, Stopped, type ScenarioResult } from "../../scenario/run.js";
import { openCapture } from "../capture-option.js";
import { startEngine } from "../engine.js";
import { wholeNumber } from "../options.js";
import { checkWritable, Output, UsageError } from "../output.js";
import { Progress } from "../progress.js";
import type { Run } from "../run.js";

interface RunFlags {
  readonly all?: boolean;
  readonly virtualTime?: boolean;
  readonly seed?: number;
  readonly report: readonly string[];
  readonly trace?: string;
  readonly capture?: string;
  readonly runtime: string;
  readonly json?: boolean;
}

export function addScenario(program: Command, run: Run): void {
  const scenario = program
    .command("scenario")
    .description(
      "run scenarios: what utility, charger, car, customer, line and clock do, and what must come of it",
    )
    .addHelpText(
      "after",
      "\nStart with:  openucm scenario list\nHow to write one: docs/how-to/write-a-scenario.md",
    );
  scenario
    .command("list")
    .description("name the scenarios that come with the bench")
    .option("--json", "one JSON object a line")
    .addHelpText("after", "\nExamples:\n  openucm scenario list\n  openucm scenario list --json")
    .action((flags: { json?: boolean }) =>
      run(() => {
        const output = new Output(flags.json ?? false);
        const names = shippedNames();
        const width = Math.max(...names.map((name) => name.length));
        for (const one of load(names)) {
          const { name, title, why } = one;
          output.emit({ name, title, why, steps: one.steps.length }, `${name.padEnd(width)}  ${title}`);
        }
        return 0;
      }),
    );
  scenario
    .command("check")
    .description("say what is wrong with scenario files, without running them")
    .argument("<file...>", "YAML or JSON files, or names of the list")
    .addHelpText("after", "\nExample:\n  openucm scenario check my.yaml another.json")
    .action((files: string[]) =>
      run(() => {
        for (const one of load(files))
          process.stdout.write(`${one.name}: ${one.steps.length} steps, no mistake\n`);
        return 0;
      }),
    );
  scenario
    .command("run")
    .description("run scenarios one after another; exit code 1 where one fails")
    .argument("[file...]", "YAML or JSON files, or names of the list")
    .option("--all", "all that come with the bench")
    .option("--virtual-time", "as fast as it goes, in place of by the clock")
    .option("--seed <number>", "of all random numbers, in place of the file's", wholeNumber(0))
    .option("--report <file>", "also .html, .xml (JUnit) or .json; may be given again", collect, [])
    .option("--trace <file>", "everything that happened, one JSON object a line")
    .option("--capture <file>", "every frame of the line, pcapng (docs/capture.md)")
    .option("--runtime <engine>", "engine that runs the module: node or xs", "node")
    .option("--json", "one JSON object a line")
    .addHelpText(
      "after",
      `
Examples:
  openucm scenario run epri-2017-22a5 --virtual-time
  openucm scenario run --all --virtual-time --report out.html --report junit.xml
  openucm scenario run my.yaml --capture my.pcapng`,
    )
    .action((files: string[], flags: RunFlags) => run(() => runAll(files, flags)));
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** All of them, or a usage error with every mistake in any. */
function load(names: readonly string[]): Scenario[] {
  const mistakes: string[] = [];
  const scenarios: Scenario[] = [];
  for (const name of names) {
    const one = loadScenario(name);
    if ("steps" in one) scenarios.push(one);
    else mistakes.push(...one);
  }
  if (mistakes.length > 0) throw new UsageError(mistakes.join("\n"));
  return scenarios;
}

async function runAll(files: readonly string[], flags: RunFlags): Promise<number> {
  if ((files.length === 0) === (flags.all !== true))
    throw new UsageError("scenario run takes files or names (`openucm scenario list`), or --all");
  for (const path of flags.report) {
    if (reportText(path, []) === undefined)
      throw new UsageError(`--report ${path}: the name must end with .html, .xml or .json`);
    checkWritable("--report", path);
  }
  if (flags.trace !== undefined) checkWritable("--trace", flags.trace);
  const scenarios = load(flags.all === true ? shippedNames() : files);
  if (flags.capture !== undefined && scenarios.length > 1)
    throw new UsageError("--capture takes the line of one scenario; run them one at a time");
  const engine = await startEngine(flags.runtime, ["node", "xs"]);
  const output = new Output(flags.json ?? false);
  const capture = flags.capture === undefined ? undefined : openCapture(flags.capture);
  let interrupted = false;
  process.once("SIGINT", () => (interrupted = true));
  process.once("SIGTERM", () => (interrupted = true));
  const progress = new Progress(scenarios.length, output.json);
  const results: ScenarioResult[] = [];
  try {
    for (const one of scenarios) {
      if (interrupted) break;
      const result = await runScenario(one, {
        engine,
        realTime: flags.virtualTime !== true,
        stopped: () => interrupted,
        ...(flags.seed === undefined ? {} : { seed: flags.seed }),
        ...(capture === undefined ? {} : { capture }),
        onStep: (text, step, of) => {
          progress.update(
            results.length + step / (of + 1),
            `${results.length}/${scenarios.length} ${one.name}: ${text}`,
          );
          if (flags.virtualTime !== true)
            output.emit({ event: "step", name: one.name, step, of, text }, `  ${text}`);
        },
      });
      results.push(result);
      progress.end();
      tell(result, output);
      // Virtual time never waits: signals and the terminal get their turn here.
      await new Promise((done) => setImmediate(done));
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  } finally {
    progress.end();
    capture?.close();
    await engine.close();
  }
  for (const path of flags.report) writeReport(path, results);
  if (flags.trace !== undefined) writeFileSync(flags.trace, results.map((one) => one.trace).join(""));
  const failed = results.filter((one) => !one.passed).length;
  const passed = results.length - failed;
  output.emit({ event: "end", passed, failed, interrupted }, `${passed} passed, ${failed} failed`);
  if (interrupted) return 130;
  return failed > 0 ? 1 : 0;
}

function tell(result: ScenarioResult, output: Output): void {
  const { trace: _trace, samples: _samples, ...short } = result;
  const failed = result.steps.find((step) => step.outcome === "failed");
  const where = failed === undefined ? "" : `\n    line ${failed.line}: ${failed.text}\n    ${failed.why}`;
  output.emit(
    { event: "scenario", ...short },
    `${result.passed ? "✓" : "✗"} ${result.name}: ${result.title}${where}`,
  );
}
