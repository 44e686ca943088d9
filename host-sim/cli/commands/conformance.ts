import { writeFileSync } from "node:fs";
import { extname } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Role } from "../../conformance/plan.js";
import type { TestCase } from "../../conformance/test-case.js";
import { countsOf, countsText, isProblem, peerName, type RunReport } from "../../conformance/report.js";
import { htmlReport } from "../../conformance/report-html.js";
import { junitReport } from "../../conformance/report-junit.js";
import { resultDetail, resultLine, textReport } from "../../conformance/report-text.js";
import { type LiveRun, runLive } from "../../conformance/run.js";
import { SILENT, type TestResult } from "../../conformance/runner.js";
import { allTests, selectTests } from "../../conformance/tests/all.js";
import { captureOption, tapLine } from "../capture-option.js";
import {
  echoOption,
  type LineFlags,
  lineOf,
  rtsOption,
  serialHelp,
  version,
  wholeNumber,
} from "../options.js";
import { checkWritable, CommandError, Output, UsageError } from "../output.js";
import { Progress } from "../progress.js";
import type { Run } from "../run.js";

interface ConformanceFlags extends LineFlags {
  readonly role?: Role;
  readonly serial?: string;
  readonly report: readonly string[];
  readonly only: readonly string[];
  readonly all?: boolean;
  readonly capture?: string;
  readonly list?: boolean;
  readonly strict?: boolean;
  readonly wait: number;
  readonly json?: boolean;
}

/** What a report file is written as, by its ending. */
const FORMATS: Readonly<Record<string, (report: RunReport) => string>> = {
  ".html": htmlReport,
  ".xml": junitReport,
  ".txt": textReport,
};

function reportFile(path: string, before: readonly string[]): readonly string[] {
  if (FORMATS[extname(path)] === undefined)
    throw new InvalidArgumentError("it must end in .html, .xml or .txt.");
  return [...before, path];
}

function ids(text: string, before: readonly string[]): readonly string[] {
  return [...before, ...text.split(",").map((id) => id.trim())];
}

export function addConformance(program: Command, run: Run): void {
  program
    .command("conformance")
    .description("run the conformance plan (docs/conformance.md) against a peer on a serial line")
    .addOption(
      new Option("--role <part>", "the part that we play: the peer under test is the other").choices([
        "ucm",
        "sgd",
      ]),
    )
    .option("--serial <line>", serialHelp)
    .addOption(captureOption())
    .addOption(echoOption())
    .addOption(rtsOption())
    .option("--report <file>", "write a report: .html, .xml (JUnit) or .txt; may be repeated", reportFile, [])
    .option("--only <ids>", "only these tests, separated by commas; may be repeated", ids, [])
    .option("--all", "the tests that take minutes or reboot the peer, too")
    .option("--list", "say what the tests are, and run none")
    .option("--strict", "requirements with weak sources fail too")
    .option("--wait <seconds>", "how long the peer is waited for", wholeNumber(1), 30)
    .option("--json", "one JSON object a line")
    .addHelpText(
      "after",
      `
The plan makes an appliance shed, lift and end loads; --all reboots the peer, too.
Exit code 0: nothing failed; 1: something failed, or nothing could be judged.

Examples:
  openucm conformance --role ucm --serial /dev/ttyUSB0 --report charger.html
  openucm conformance --role sgd --serial pty --only link.ack,frames.gap
  openucm conformance --role ucm --list`,
    )
    .action((flags: ConformanceFlags) =>
      run(async () => {
        const output = new Output(flags.json ?? false);
        const only = flags.only.length > 0 ? flags.only : undefined;
        checkIds(flags.only, flags.role);
        if (flags.list === true) return list(output, flags);
        if (flags.role === undefined) {
          throw new UsageError(
            "conformance needs --role ucm (the peer is an appliance) or --role sgd (a module)",
          );
        }
        if (flags.serial === undefined) throw new UsageError(`conformance needs --serial: ${serialHelp}`);
        for (const path of flags.report) checkWritable("--report", path);
        const tests = selectTests(flags.role, { only, all: flags.all });
        return await judge(output, flags, flags.role, flags.serial, tests);
      }),
    );
}

function checkIds(wanted: readonly string[], role: Role | undefined): void {
  for (const id of wanted) {
    const test = allTests.find((one) => one.id === id);
    if (test === undefined) {
      throw new UsageError(`there is no test "${id}"; openucm conformance --list says which there are`);
    }
    if (role !== undefined && !test.roles.includes(role)) {
      throw new UsageError(`test "${id}" is for --role ${test.roles.join(", ")}`);
    }
  }
}

function list(output: Output, { role, only }: ConformanceFlags): number {
  for (const test of allTests) {
    if (role !== undefined && !test.roles.includes(role)) continue;
    if (only.length > 0 && !only.includes(test.id)) continue;
    const { id, roles, requirement, section, mark, optional } = test;
    output.emit(
      { event: "listed", id, roles, requirement, section, mark, optional: optional ?? null },
      `${id.padEnd(25)} ${roles.join(", ").padEnd(8)} ${`${section} [${mark}]`.padEnd(15)} ${requirement}${optional ? ` (--all: ${optional})` : ""}`,
    );
  }
  return 0;
}

async function judge(
  output: Output,
  flags: ConformanceFlags,
  role: Role,
  serial: string,
  tests: readonly TestCase[],
): Promise<number> {
  const startedUtcMs = Date.now();
  const bar = new Progress(tests.length, output.json);
  let where = serial;
  const [self, other] = role === "ucm" ? (["module", "charger"] as const) : (["charger", "module"] as const);
  const tapped = tapLine(flags.capture, self, other);
  const live: LiveRun = await runLive({
    role,
    serial,
    adapter: lineOf(flags, output, serial),
    tap: tapped,
    tests,
    strict: flags.strict ?? false,
    waitMs: flags.wait * 1000,
    onLine: ({ path, url }) => {
      if (path !== undefined) output.emit({ event: "serial", path }, `serial line: ${path}`);
      if (url !== undefined) output.emit({ event: "serial", url }, `serial line: ${url}`);
      where = path ?? url ?? serial;
    },
    onStart: (test, index) => bar.update(index, `${index} of ${tests.length}: ${test.id}`),
    onResult: (result) => {
      bar.end();
      // With nobody there every test says the same: one line for all of them, at the end.
      const isSilent = result.reason === SILENT;
      const text = isProblem(result) && !isSilent ? resultDetail(result) : resultLine(result);
      output.emit({ event: "test", ...plain(result) }, isSilent ? undefined : text);
    },
  });
  bar.update(0, `waiting for ${peerName(role)}`);
  const interrupted = new Promise<"interrupted">((resolve) => {
    process.once("SIGINT", () => resolve("interrupted"));
    process.once("SIGTERM", () => resolve("interrupted"));
  });
  const how = await Promise.race([live.ended, interrupted]);
  bar.end();
  await live.close();
  tapped.close();
  const { results } = live.runner;
  const report: RunReport = {
    role,
    line: where,
    startedUtcMs,
    durationMs: Date.now() - startedUtcMs,
    strict: flags.strict ?? false,
    version: version(),
    results,
    isComplete: how !== "interrupted",
  };
  for (const path of flags.report) save(path, FORMATS[extname(path)]!(report));
  const counts = countsOf(results);
  const silent = results.filter(({ reason }) => reason === SILENT).length;
  if (silent > 0 && !output.json)
    output.emit({}, `?  ${silent} ${silent === 1 ? "test" : "tests"}: ${SILENT}`);
  output.emit(
    { event: "summary", ...counts, complete: report.isComplete, durationMs: report.durationMs },
    `${countsText(results)}${report.isComplete ? "" : "; interrupted"}`,
  );
  if (silent > results.length / 2)
    process.stderr.write(
      `conformance: nothing was heard on ${where}: is ${peerName(role)} on and connected, and A and B the right way round?\n`,
    );
  if (how === "interrupted") return 130;
  return counts.fail > 0 || counts.pass + counts["not-applicable"] + counts.advice === 0 ? 1 : 0;
}

function save(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new CommandError(`the report ${path} could not be written: ${(error as Error).message}`);
  }
}

function plain({ test, verdict, reason, startMs, endMs }: TestResult): Readonly<Record<string, unknown>> {
  const { id, requirement, section, mark } = test;
  return { id, verdict, reason, requirement, section, mark, durationMs: Math.round(endMs - startMs) };
}
