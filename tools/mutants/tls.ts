/**
 * `npm run mutants:tls`: makes conditions of drivers/tls wrong, one at a time, in a copy, and says of each whether a test
 * notices. `-- 3 17` runs only those. Ends with 1 where one lives that is not judged equivalent (tls-list.ts), or one that
 * is judged so dies. A test that fails for want of time alone is tried once more, and then counted apart: on a busy computer
 * it says little.
 */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { tlsMutants } from "./tls-list.js";

const root = resolve(import.meta.dirname, "../..");
/** The second is asked only where the first notices nothing. */
const judges = [
  ["test/unit/drivers-tls.test.ts", "test/interop/tls.full.test.ts"],
  ["test/interop/device-http.full.test.ts"],
];
/** Of the libraries the system's alone. */
const wanted = "system's|of the system|drivers/tls";

type Outcome = "noticed" | "noticed by time alone" | "lives";

const place = mkdtempSync(join(tmpdir(), "openucm-mutants-"));
process.on("exit", () => rmSync(place, { recursive: true, force: true }));
process.on("SIGINT", () => process.exit(130));

const listed = spawnSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], {
  ...{ cwd: root, encoding: "utf8", maxBuffer: 1 << 26 },
});
for (const path of listed.stdout.split("\0")) {
  if (path === "" || !existsSync(join(root, path))) continue;
  mkdirSync(join(place, dirname(path)), { recursive: true });
  copyFileSync(join(root, path), join(place, path));
}
symlinkSync(join(root, "node_modules"), join(place, "node_modules"));
// The engine's objects are the same, and so is the newer library, which the suites look for but are not asked about.
const engine = "build/tls/xs";
if (existsSync(join(root, engine)))
  cpSync(join(root, engine), join(place, engine), { recursive: true, preserveTimestamps: true });
mkdirSync(join(place, "build"), { recursive: true });
if (existsSync(join(root, "build/mbedtls-3.6")))
  symlinkSync(join(root, "build/mbedtls-3.6"), join(place, "build/mbedtls-3.6"));

function judge(files: readonly string[]): { readonly outcome: Outcome; readonly by: string } {
  const report = join(place, "report.json");
  rmSync(report, { force: true });
  const args = ["run", ...files, "-t", wanted, "--bail", "1", "--reporter", "json", "--outputFile", report];
  const run = spawnSync(join(root, "node_modules/.bin/vitest"), args, {
    ...{ cwd: place, encoding: "utf8", env: { ...process.env, OPENUCM_FULL: "1" }, maxBuffer: 1 << 26 },
  });
  if (run.status === 0) return { outcome: "lives", by: "" };
  const failed: string[] = [];
  let timed = 0;
  if (existsSync(report)) {
    const { testResults } = JSON.parse(readFileSync(report, "utf8")) as {
      testResults: { assertionResults: { status: string; fullName: string; failureMessages: string[] }[] }[];
    };
    for (const { status, fullName, failureMessages } of testResults.flatMap((one) => one.assertionResults))
      if (status === "failed") {
        failed.push(fullName);
        if (failureMessages.every((text) => /timed out|Command failed: \S*xs-tls/.test(text))) timed++;
      }
  }
  // None by name: it does not compile, or the suite could not begin.
  const isTime = failed.length > 0 && timed === failed.length;
  return {
    outcome: isTime ? "noticed by time alone" : "noticed",
    by: failed[0] ?? `no test by name: ${(run.stderr + run.stdout).slice(-300)}`,
  };
}

function tried(): { readonly outcome: Outcome; readonly by: string } {
  let last: ReturnType<typeof judge> = { outcome: "lives", by: "" };
  for (const files of judges) {
    last = judge(files);
    if (last.outcome === "noticed by time alone") last = judge(files);
    if (last.outcome !== "lives") return last;
  }
  return last;
}

const picked = process.argv.slice(2).map(Number);
const before = tried();
if (before.outcome !== "lives") {
  process.stdout.write(`The tests fail as it is: ${before.by}\n`);
  process.exit(1);
}
const counts = { noticed: 0, "noticed by time alone": 0, lives: 0 };
let wrong = 0;
tlsMutants.forEach((mutant, number) => {
  if (picked.length > 0 && !picked.includes(number)) return;
  const path = join(place, "drivers/tls", mutant.file);
  const text = readFileSync(path, "utf8");
  const parts = text.split(mutant.from);
  if (parts.length !== 2) {
    process.stdout.write(`${String(number)} ${mutant.name}: stands ${String(parts.length - 1)} times\n`);
    wrong++;
    return;
  }
  writeFileSync(path, parts.join(mutant.to));
  const { outcome, by } = tried();
  writeFileSync(path, text);
  // Newer than what was compiled from the wrong one.
  const now = new Date();
  utimesSync(path, now, now);
  counts[outcome]++;
  const isRight = (outcome === "lives") === (mutant.equivalent !== undefined);
  if (!isRight) wrong++;
  const why = outcome === "lives" ? (mutant.equivalent ?? "NOBODY NOTICES") : by;
  process.stdout.write(`${String(number)} ${outcome}: ${mutant.name} | ${why}\n`);
});
process.stdout.write(
  `${String(counts.noticed)} noticed, ${String(counts["noticed by time alone"])} by time alone, ${String(counts.lives)} live; ${String(wrong)} not as expected\n`,
);
process.exit(wrong === 0 ? 0 : 1);
