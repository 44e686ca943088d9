/** What the command line says when something named is not there, and that each command stands in its document. */
import { spawn, spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReadStream } from "node:tty";
import { afterAll, describe, expect, it } from "vitest";
import { buildProgram } from "../../host-sim/cli/program.js";
import { reportText } from "../../host-sim/scenario/report.js";
import type { ScenarioResult } from "../../host-sim/scenario/run.js";
import { whyNot } from "../../host-sim/runtime/why-not.js";
import { CliProcess, cliPath, repoRoot } from "../support/process.js";

const dir = mkdtempSync(join(tmpdir(), "openucm-words-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
mkdirSync(join(dir, "empty"));
writeFileSync(join(dir, "notes.txt"), "of mine");

function openucm(args: readonly string[]): { status: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [cliPath, ...args], { encoding: "utf8", input: "", cwd: dir });
  return { status: run.status, out: run.stdout, err: run.stderr };
}

describe("what is not there", () => {
  it.each([
    [["decode", "--pcap", "none.pcapng"], /cannot read none\.pcapng \(no such file or folder\)$/],
    [["decode", "--pcap", "empty"], /cannot read empty \(it is a folder\)$/],
    [["sgd", "--serial", "pty", "--capture", "no/x"], /cannot write no\/x \(no such file or folder\)$/],
    // Not written over, though it could be.
    [
      ["sgd", "--serial", "pty", "--capture", "notes.txt"],
      /notes\.txt is there and is no capture: name another/,
    ],
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
    // A run of minutes must not show at its end that it could show nothing.
    [
      ["fleet", "--count", "1", "--shed-after", "60"],
      /--shed-after 60 never comes, the fleet runs for 60 s: /,
    ],
    [
      ["fleet", "--count", "1", "--ramp", "60"],
      /--ramp 60 does not start every module, the fleet runs for 60 s/,
    ],
    [["fleet", "--count", "1", "--virtual-time", "--vtn", "https://x"], /--virtual-time has no sockets: /],
    [
      ["fleet", "--count", "1", "--shed-after", "5", "--vtn", "https://x"],
      /--shed-after is for the fleet's own VTN/,
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

describe("escape codes", () => {
  const ESCAPE = /\x1b|\x9b/;
  const runs: readonly (readonly string[])[] = [
    ["--help"],
    ["bench", "--help"],
    ["nonsense"],
    ["sgd"],
    ["decode", "08", "01", "00", "02", "01", "00", "0C", "3D"],
    ["fleet", "--count", "2", "--virtual-time", "--seconds", "20"],
  ];

  it.each(runs.map((args) => [args]))("none where no terminal is: %j", (args) => {
    const { out, err } = openucm(args);
    expect(out + err).not.toMatch(ESCAPE);
    expect(out + err).not.toContain("\r");
    expect((out + err).length).toBeGreaterThan(20);
  });

  it.skipIf(process.platform === "win32")(
    "none on a terminal with NO_COLOR, and no bar beside other words",
    async () => {
      const args = ["scenario", "run", "cancel", "epri-2017-22a5", "--virtual-time"];
      const { code, text } = await onTerminal(args, { NO_COLOR: "1" }, "2 passed, 0 failed\r\n");
      expect(code).toBe(0);
      expect(text).not.toMatch(ESCAPE);
      expect(text).toMatch(/\r\[=+ +\] /);
      // What stands on the screen in the end: each line is what was written last over it, blanks at its end aside.
      expect(text.split("\n").map((line) => seen(line))).toEqual([
        expect.stringMatching(/^✓ cancel: /) as string,
        expect.stringMatching(/^✓ epri-2017-22a5: /) as string,
        "2 passed, 0 failed",
        "",
      ]);
    },
  );
});

/** A command on a terminal, until it has said `last`. */
async function onTerminal(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  last: string,
): Promise<{ code: number | null; text: string }> {
  const nodePty = createRequire(import.meta.url)("@lydell/node-pty") as {
    open(options: object): {
      readonly master: ReadStream;
      readonly slave: ReadStream;
      readonly ptsName: string;
    };
  };
  const { master, slave, ptsName } = nodePty.open({ cols: 100, rows: 30 });
  // We keep the other end open too, so that nothing is lost when the program ends.
  slave.pause();
  const end = openSync(ptsName, "r+");
  try {
    let text = "";
    const said = new Promise<void>((done) =>
      master.on("data", (bytes: Buffer | string) => {
        text += bytes.toString();
        if (text.includes(last)) done();
      }),
    );
    const child = spawn(process.execPath, [cliPath, ...args], {
      ...{ cwd: dir, stdio: [end, end, end] },
      env: { ...process.env, TERM: "xterm-256color", ...env },
    });
    const code = await new Promise<number | null>((done) => child.once("exit", done));
    await said;
    return { code, text };
  } finally {
    closeSync(end);
    for (const stream of [master, slave]) stream.on("error", () => undefined).destroy();
  }
}

/** What is seen of a line on which the carriage went back and forth. */
function seen(line: string): string {
  const shown: string[] = [];
  for (const part of line.split("\r")) [...part].forEach((letter, at) => (shown[at] = letter));
  return shown.join("").trimEnd();
}

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
