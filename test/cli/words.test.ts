/** What the command line says when something named is not there, and that each command stands in its document. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { buildProgram } from "../../host-sim/cli/program.js";
import { reportText } from "../../host-sim/scenario/report.js";
import type { ScenarioResult } from "../../host-sim/scenario/run.js";
import { whyNot } from "../../host-sim/runtime/why-not.js";
import { CliProcess, cliPath, repoRoot } from "../support/process.js";

const dir = mkdtempSync(join(tmpdir(), "openucm-words-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
mkdirSync(join(dir, "empty"));

function openucm(args: readonly string[]): { status: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [cliPath, ...args], { encoding: "utf8", input: "", cwd: dir });
  return { status: run.status, out: run.stdout, err: run.stderr };
}

describe("what is not there", () => {
  it.each([
    [["decode", "--pcap", "none.pcapng"], /cannot read none\.pcapng \(no such file or folder\)$/],
    [["decode", "--pcap", "empty"], /cannot read empty \(it is a folder\)$/],
    [["sgd", "--serial", "pty", "--capture", "no/x"], /cannot write no\/x \(no such file or folder\)$/],
    [["scenario", "run", "empty"], /^openucm: empty: it is a folder;/],
    [["fleet", "--count", "1", "--csv", "no/x"], /cannot write no\/x \(no such file or folder\)$/],
    [
      ["fleet", "--count", "1", "--vtn", "nope", "--pki", "empty"],
      /'nope' is invalid\. an address is needed/,
    ],
    [
      ["fleet", "--count", "1", "--vtn", "https://x", "--pki", "empty"],
      /--pki: there is no ca\.key in empty;/,
    ],
    [
      ["fleet", "--count", "1", "--vtn", "https://x", "--ca", "none", "--cert", "none", "--key", "none"],
      /--ca: cannot read none \(no such file or folder\)$/,
    ],
  ])("%j: in words, exit code 2", (args, words) => {
    const { status, out, err } = openucm(args);
    expect(err.trim().split("\n")[0]).toMatch(words);
    expect(status).toBe(2);
    expect(out).toBe("");
  });

  it("keeps what the system said where it has no words for it", () => {
    expect(whyNot(Object.assign(new Error("m"), { code: "EMFILE" }))).toBe("EMFILE");
    expect(whyNot(new Error("m"))).toBe("m");
  });
});

it("conformance with nobody there says so in one line for all tests, and what to look at", () => {
  const { status, out, err } = openucm([
    "conformance",
    "--role",
    "ucm",
    "--serial",
    "tcp://127.0.0.1:1",
    "--wait",
    "1",
  ]);
  expect(out.match(/nothing was ever heard/g)).toHaveLength(1);
  expect(out).toMatch(/^\? {2}\d\d tests: nothing was ever heard of the peer$/m);
  expect(err).toMatch(/is an appliance \(SGD\) on and connected/);
  expect(status).toBe(1);
});

it("a report of many scenarios begins with a list that leads to each, the failed first", () => {
  const one = (name: string, passed: boolean): ScenarioResult =>
    ({
      ...{ name, passed, title: `T ${name}`, why: "", seed: 1, virtualMs: 0, realMs: 0 },
      ...{ steps: [], samples: [], trace: [] },
    }) as unknown as ScenarioResult;
  const html = reportText("r.html", [one("a", true), one("b", false)])!;
  expect([...html.matchAll(/href="#(\w+)"/g)].map((link) => link[1])).toEqual(["b", "a"]);
  expect(html).toMatch(/<section id="b">/);
  expect(reportText("r.html", [one("a", true)])).not.toContain("href=");
});

it("a fleet that is interrupted reports what it found, and ends with 130", async () => {
  const fleet = new CliProcess([
    "fleet",
    "--count",
    "1",
    "--seconds",
    "600",
    "--json",
    "--data",
    join(dir, "f"),
  ]);
  // Told when the signal is listened for.
  await fleet.line("running", (line) => line["event"] === "running");
  fleet.child.kill("SIGINT");
  expect(await fleet.exited).toBe(130);
  expect(fleet.lines.at(-1)).toMatchObject({ event: "fleet", count: 1 });
});

it("docs/cli.md has a section for each command", async () => {
  const program = await buildProgram(() => Promise.resolve());
  const heads = [...readFileSync(join(repoRoot, "docs/cli.md"), "utf8").matchAll(/^## (.*)$/gm)].map(
    (one) => one[1],
  );
  const missing = program.commands
    .map((one) => one.name())
    .filter((name) => !heads.some((head) => head!.split(" and ").includes(name)));
  expect(missing).toEqual([]);
});
