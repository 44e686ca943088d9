/**
 * Runs the tests and says plainly what ran. `npm test` = what needs only Node, gcc and make; with --full also the
 * suites that need system packages; with --full --rest only what `npm test` has left out just before, its results counted
 * with the rest. The full run has two passes (test-passes.ts): suites that compute, two at a time, then those in real time,
 * one at a time. Ends with one line `N passed, N failed` (and `, N skipped` where some were).
 */
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { everySuite, runsBeside, suitesLeft } from "./test-passes.js";

const root = fileURLToPath(new URL("../", import.meta.url));
const full = process.argv.includes("--full");
const rest = full && process.argv.includes("--rest");
/** What the steps of the last `npm test` gave. */
const stepsResult = `${root}build/test-steps.json`;

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
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
        failed++;
        process.stdout.write(`${stdout}${stderr}\n`);
      }
      done();
    });
  });
}

/** The results of the suites in a report, but for those of the files named. */
function count({ testResults }: Report, without: readonly string[] = []): void {
  for (const { name, assertionResults } of testResults) {
    if (without.includes(relative(root, name).split(sep).join("/"))) continue;
    for (const { status, fullName } of assertionResults) {
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
  count(reportOf(before), files);
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

/** One run of vitest, counted. `suites`: these alone; without: what its configuration names. */
function runSuites(name: string, suites: readonly string[], more: readonly string[] = []): void {
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
    count(report);
    if (report.numFailedTests === 0 && vitest.status !== 0) failed++;
    // A name is a filter to vitest: none of ours may find nothing, or be found twice.
    const ran = report.testResults.map((one) => relative(root, one.name).split(sep).join("/")).sort();
    if (suites.length > 0 && ran.join() !== [...suites].sort().join()) {
      process.stdout.write(`Asked for ${suites.length} suites, ${ran.length} ran.\n`);
      failed++;
    }
  } catch {
    process.stdout.write("The test runner left no result.\n");
    failed++;
  }
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
  runSuites("-full-beside", suites.filter(parallel), ["--maxWorkers=2"]);
  process.stdout.write("\nSuites in real time, one at a time:\n");
  runSuites(
    "-full-alone",
    suites.filter((suite) => !parallel(suite)),
    ["--maxWorkers=1"],
  );
} else runSuites("", []);

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
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
process.exit(failed > 0 ? 1 : 0);
