/**
 * Runs the tests and says plainly what ran. `npm test` = what needs only Node, gcc and make; with --full also the
 * suites that need system packages; with --full --rest only what `npm test` has left out just before, its results counted
 * with the rest. The full run has two passes (test-passes.ts): suites that compute, two at a time, then those in real time,
 * one at a time. A suite by the clock that failed is run once more, alone, at the end: what passes then is counted as passed,
 * and told by name with what was wrong at first. Ends with the names of what failed and one line `N passed, N failed` (and
 * `, N skipped` where some were).
 */
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { byTheClock, everySuite, runsBeside, suitesLeft } from "./test-passes.js";

const root = fileURLToPath(new URL("../", import.meta.url));
const full = process.argv.includes("--full");
const rest = full && process.argv.includes("--rest");
/** What the steps of the last `npm test` gave. */
const stepsResult = `${root}build/test-steps.json`;
/** What the suites of the last `npm test` gave that were run once more. */
const againResult = `${root}build/test-result-again.json`;

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
    /** Why a suite could not run as a whole. */
    readonly message?: string;
    readonly status: string;
  }[];
}
const reportOf = (file: string): Report => JSON.parse(readFileSync(file, "utf8")) as Report;

/** Steps that are no vitest suites; each counts as one test. */
const steps: readonly (readonly [string, readonly string[]])[] = [
  ["types: src alone, without Node", ["tsc", "-p", "src"]],
  ["types: everything", ["tsc", "-p", "tsconfig.json"]],
  ["types: page", ["tsc", "-p", "host-sim/page"]],
  ["lint", ["eslint", "."]],
  ["import rule", ["depcruise", "src", "host-sim", "--config", ".dependency-cruiser.cjs"]],
  ["format", ["prettier", "--check", "--log-level", "warn", "."]],
  ["build", ["npm", "run", "--silent", "build:ts"]],
  ["build for XS", ["npm", "run", "--silent", "build:xs"]],
  ["build of the page", ["vite", "build", "--config", "host-sim/page/vite.config.ts", "--logLevel", "warn"]],
];

let passed = 0;
let failed = 0;
let skipped = 0;
const leftOut: string[] = [];
/** What failed, in the words of the last pages of a log: a step's name, or a suite, its test and the first lines of why. */
const broken: string[] = [];
const wrong = (what: string): void => {
  failed++;
  broken.push(what);
};
/** Suites by the clock that failed; they are counted when they have been run once more. */
const again: { readonly suite: string; readonly why: readonly string[] }[] = [];

/** One step; never throws. */
function runStep(name: string, [program, ...args]: readonly string[]): Promise<void> {
  const started = Date.now();
  const path = program === "npm" ? "npm" : `${root}node_modules/.bin/${program}`;
  return new Promise((done) => {
    execFile(path, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const ok = error === null;
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      process.stdout.write(` ${ok ? "✓" : "✗"} ${name} (${seconds} s)\n`);
      if (ok) passed++;
      else {
        wrong(name);
        process.stdout.write(`${stdout}${stderr}\n`);
      }
      done();
    });
  });
}

const nameOf = (file: string): string => relative(root, file).split(sep).join("/");

/** The first lines of a failure, without the test runner's own. */
const begin = (why: string): string =>
  why
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.includes("node_modules"))
    .slice(0, 4)
    .map((line) => `\n      ${line}`)
    .join("");

/** What failed in a suite, with the beginning of why. */
function failuresOf({ name, assertionResults, message, status }: Report["testResults"][number]): string[] {
  const tests = assertionResults
    .filter((test) => test.status === "failed")
    .map(
      ({ fullName, failureMessages }) => `${nameOf(name)} > ${fullName}${begin(failureMessages?.[0] ?? "")}`,
    );
  if (tests.length > 0 || status !== "failed") return tests;
  return [`${nameOf(name)}${begin(message ?? "")}`];
}

/** The results of the suites in a report, but for those of the files named. */
function count({ testResults }: Report, without: readonly string[] = [], last = true): void {
  for (const suite of testResults) {
    const name = nameOf(suite.name);
    if (without.includes(name)) continue;
    const why = failuresOf(suite);
    if (why.length > 0 && !last && byTheClock(name)) {
      again.push({ suite: name, why });
      continue;
    }
    broken.push(...why);
    // A suite that could not begin has no tests to count.
    if (why.length > 0 && suite.assertionResults.every(({ status }) => status !== "failed")) failed++;
    for (const { status, fullName } of suite.assertionResults) {
      if (status === "passed") passed++;
      else if (status === "failed") failed++;
      else {
        skipped++;
        leftOut.push(fullName);
      }
    }
  }
}

const before = `${root}build/test-result.json`;
const files = full ? suitesLeft() : [];
if (rest) {
  if (!existsSync(before) || !existsSync(stepsResult)) {
    process.stderr.write(
      "There is no result of npm test to go on from: run npm test first, or leave --rest out.\n",
    );
    process.exit(2);
  }
  const made = JSON.parse(readFileSync(stepsResult, "utf8")) as { passed: number; failed: number };
  passed += made.passed;
  failed += made.failed;
  if (made.failed > 0) broken.push("steps of npm test, as it printed");
  const second = existsSync(againResult) ? reportOf(againResult).testResults : [];
  count(reportOf(before), [...files, ...second.map(({ name }) => nameOf(name))]);
  count({ testResults: second }, files);
}

// Two at a time: none of them needs what another makes.
const waiting = rest ? [] : [...steps];
async function runSteps(): Promise<void> {
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) await runStep(...step);
}
mkdirSync(`${root}build`, { recursive: true });
if (!full) rmSync(stepsResult, { force: true });
await Promise.all([runSteps(), runSteps()]);
if (!full) writeFileSync(stepsResult, JSON.stringify({ passed, failed }));

/** One run of vitest, counted. `suites`: these alone; without: what its configuration names. last: nothing is tried again. */
function runSuites(
  name: string,
  suites: readonly string[],
  { more = [], last = false }: { more?: readonly string[]; last?: boolean } = {},
): void {
  const result = `${root}build/test-result${name}.json`;
  rmSync(result, { force: true });
  const vitest = spawnSync(
    process.execPath,
    [
      `${root}node_modules/vitest/vitest.mjs`,
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${result}`,
      ...more,
      ...suites,
    ],
    {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...(full ? { OPENUCM_FULL: "1" } : {}) },
    },
  );
  try {
    const report = reportOf(result);
    count(report, [], last);
    const said = report.testResults.some(({ status }) => status === "failed");
    if (!said && vitest.status !== 0) wrong("an error outside the tests, as the test runner printed it");
    // A name is a filter to vitest: none of ours may find nothing, or be found twice.
    const ran = report.testResults.map((one) => nameOf(one.name)).sort();
    if (suites.length > 0 && ran.join() !== [...suites].sort().join())
      wrong(`asked for ${suites.length} suites, ${ran.length} ran`);
  } catch {
    wrong("the test runner left no result");
  }
}

/** What failed by the clock, once more and alone: a machine that others load must not hide what is right, nor what is wrong. */
function tryAgain(): void {
  // A run of the rest may be followed by another, which needs what npm test gave.
  if (!full) rmSync(againResult, { force: true });
  if (again.length === 0) return;
  process.stdout.write("\nOnce more, alone:\n");
  const suites = again.map(({ suite }) => suite);
  runSuites(full ? "-full-again" : "-again", suites, { more: ["--maxWorkers=1"], last: true });
  process.stdout.write(
    `\nFailed at first, and run once more alone:\n${again.flatMap(({ why }) => why.map((one) => `  ${one}\n`)).join("")}`,
  );
}

/**
 * Makes what several suites would else make at the same moment, or while a limit of theirs runs. What cannot be made here
 * is told by the suites that need it.
 */
function buildAhead(): void {
  for (const folder of ["tools/xs-bytecode", "tools/xs-host", "boards/qemu-rv32"]) {
    const started = Date.now();
    const made = spawnSync("make", ["-s", "-j2", "-C", root + folder], { encoding: "utf8" });
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    process.stdout.write(` ${made.status === 0 ? "✓" : "–"} made ahead: ${folder} (${seconds} s)\n`);
  }
}

if (full) {
  buildAhead();
  const suites = rest ? files : everySuite();
  const parallel = (suite: string): boolean => !files.includes(suite) || runsBeside(suite);
  process.stdout.write("\nSuites that compute, two at a time:\n");
  runSuites("-full-beside", suites.filter(parallel), { more: ["--maxWorkers=2"] });
  process.stdout.write("\nSuites in real time, one at a time:\n");
  runSuites(
    "-full-alone",
    suites.filter((suite) => !parallel(suite)),
    { more: ["--maxWorkers=1"] },
  );
} else runSuites("", []);
tryAgain();

if (!full) {
  const left = suitesLeft()
    .filter((file) => file.endsWith(".full.test.ts"))
    .sort();
  if (left.length > 0) {
    process.stdout.write(
      "\nNot run here, because they need system packages (`npm run test:full` runs them; .ci/run installs what they need):\n",
    );
    for (const file of left) process.stdout.write(`  skipped: ${file}\n`);
  }
}
// In CI nothing may be left out, but for things that no package of Debian brings: a document, Python 3.12, and
// openleadr-rs, which takes a quarter of an hour to compile and PostgreSQL 16.
const barred = leftOut.filter(
  (name) =>
    !/OPENUCM_OPENADR3_SPEC|needs Python 3\.12|needs openleadr-vtn|needs PostgreSQL 16|needs cargo .* for Mbed TLS 3\.6/.test(
      name,
    ),
);
if (full && process.env["CI"] === "true" && barred.length > 0) {
  process.stdout.write(
    `\nSkipped, which counts as failed in CI:\n${barred.map((name) => `  ${name}\n`).join("")}`,
  );
  failed += barred.length;
  skipped -= barred.length;
}
if (broken.length > 0) process.stdout.write(`\nFailed:\n${broken.map((one) => `  ${one}\n`).join("")}`);
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
process.exit(failed > 0 ? 1 : 0);
