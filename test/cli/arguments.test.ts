/** Wrong use gets one clear line on stderr and exit code 2; decode never fails. */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Command, CommanderError } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lockDataDir } from "../../host-sim/cli/data-dir.js";
import { buildProgram } from "../../host-sim/cli/program.js";
import { framesOf } from "../../host-sim/cli/commands/decode.js";
import { describeWith } from "../support/needs.js";
import { CliProcess, cliPath } from "../support/process.js";

const data = mkdtempSync(join(tmpdir(), "openucm-args-"));
afterAll(() => rmSync(data, { recursive: true, force: true }));

function openucm(args: readonly string[], input = ""): { status: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [cliPath, ...args], {
    encoding: "utf8",
    input,
    timeout: 120_000,
    cwd: data,
  });
  return { status: run.status, out: run.stdout, err: run.stderr };
}

describe("wrong use", () => {
  writeFileSync(join(data, "bad.json"), '{"upstreams":[],"regoin":"uk"}');
  writeFileSync(join(data, "torn.json"), '{"upstreams":[');
  writeFileSync(
    join(data, "nofile.json"),
    '{"upstreams":[{"id":"a","protocol":"openadr2b","url":"https://x.example","venName":"v","ca":"missing.pem"}]}',
  );
  it.each([
    [["nonsense"], /unknown command 'nonsense'/],
    [["ucm"], /required option '--serial <line>' not specified/],
    [["ucm", "--serial", "pty", "--config", "none.json"], /cannot read none\.json \(no such file\)/],
    [["ucm", "--serial", "pty", "--config", "bad.json"], /regoin is not a field; known are upstreams/],
    [["ucm", "--serial", "pty", "--config", "torn.json"], /not JSON/],
    [["ucm", "--serial", "pty", "--config", "nofile.json"], /upstreams\[0\]\.ca: cannot read .*missing\.pem/],
    [
      ["sgd", "--serial", "pty", "--profile", "nonsense"],
      /profile "nonsense" is neither a name nor a file; names are evse-level2-32a/,
    ],
    [["sgd", "--serial", "pty", "--control", "70000"], /a port is a number from 0 to 65535/],
    [["bench", "--runtime", "v8"], /--runtime takes node, xs; it is "v8"/],
    [["bench", "--profile", "nonsense"], /profile "nonsense" is neither a name nor a file/],
    [["fleet", "--count", "1", "--profile", "nonsense"], /profile "nonsense" is neither a name nor a file/],
    [["sgd", "--serial", "tcp://x"], /"tcp:\/\/x" must be tcp:\/\/HOST:PORT/],
    [["sgd", "--serial", "http://x:1"], /"http:\/\/x:1" is no line: use pty/],
    [["decode", "--nonsense"], /unknown option '--nonsense'/],
    // What took its time must not be lost at its end.
    [["fleet", "--count", "1", "--virtual-time", "--csv", "no/x.csv"], /--csv: cannot write no\/x\.csv/],
    [["scenario", "run", "--all", "--report", "no/x.html"], /--report: cannot write no\/x\.html/],
    [["scenario", "run", "--all", "--trace", "no/x"], /--trace: cannot write no\/x/],
    [
      ["conformance", "--role", "ucm", "--serial", "pty", "--report", "no/x.xml"],
      /--report: cannot write no\/x\.xml/,
    ],
    [
      ["release", "add", "x", "--board", "b", "--set-version", "1", "--repo", "r", "--keys", "k"].concat(
        "--not-during-event --longest-wait 721".split(" "),
      ),
      /a whole number of at least 0 and at most 720 is needed/,
    ],
    [
      ["release", "add", "x", "--board", "b", "--set-version", "1", "--repo", "r", "--keys", "k"].concat(
        "--longest-wait 24".split(" "),
      ),
      /--longest-wait says how long --not-during-event may hold: give both/,
    ],
    // Whoever forgets it would ship to every home at once.
    [
      ["release", "add", "x", "--board", "b", "--set-version", "1", "--repo", "r", "--keys", "k"],
      /--share is missing: say which share .+ --share 1%.+ raise it with openucm release share .+ 100% is every module/,
    ],
    [["provision", "new", "--out", "batch", "--csv", "no/x.csv"], /--csv: cannot write no\/x\.csv/],
  ])("%j", (args, message) => {
    const { status, err } = openucm(args);
    expect(err).toMatch(message);
    expect(status).toBe(2);
    expect(err).not.toMatch(/\n\s+at /);
  });
});

it("provision: all that a batch has is private, and the utility's list has the mode of any new file", () => {
  const made = "provision new --out of-two --count 2 --csv enrol.csv --est-csv est.csv".split(" ");
  expect(openucm(made).status).toBe(0);
  const mode = (path: string): number => statSync(join(data, path)).mode & 0o777;
  const files = readdirSync(join(data, "of-two"), { recursive: true, encoding: "utf8" });
  expect(files.length).toBeGreaterThan(14);
  for (const name of files) {
    const path = join("of-two", name);
    expect([name, mode(path)]).toEqual([name, statSync(join(data, path)).isDirectory() ? 0o700 : 0o600]);
  }
  expect(mode("est.csv")).toBe(0o600);
  writeFileSync(join(data, "any"), "");
  expect(mode("enrol.csv")).toBe(mode("any"));
});

describe("a serial line that is not there", () => {
  it("is told with what to do, exit code 1", () => {
    const { status, err } = openucm(["sgd", "--serial", "/dev/nothing-here"]);
    expect(err).toMatch(/cannot open the serial line \/dev\/nothing-here: .+ \(is the adapter in\?/);
    expect(err.trim()).not.toContain("\n");
    expect(status).toBe(1);
  });
});

// Of the systems that run these tests, Linux alone has a device that is always full.
describeWith(existsSync("/dev/full") ? undefined : "needs the device /dev/full", "a full disk", () => {
  it("tells in one line that its output cannot be written", () => {
    for (const args of [
      ["decode", "--json", "0600"],
      ["sgd", "--serial", "pty", "--json"],
    ]) {
      const run = spawnSync(process.execPath, [cliPath, ...args], {
        encoding: "utf8",
        stdio: ["ignore", openSync("/dev/full", "w"), "pipe"],
        timeout: 120_000,
      });
      expect(run.stderr).toMatch(/^openucm: cannot write the output: ENOSPC[^\n]*\n$/);
      expect(run.status).toBe(1);
    }
  });
});

/** A command with its words, e.g. `scenario run`. */
function commandsBelow(command: Command, words: readonly string[] = []): [string, Command][] {
  return command.commands
    .filter((one) => one.name() !== "help")
    .flatMap((one) => {
      const name = [...words, one.name()];
      return [[name.join(" "), one] as [string, Command], ...commandsBelow(one, name)];
    });
}

const program = await buildProgram(async () => undefined);
const all = commandsBelow(program);

describe("help", () => {
  it("lists the commands and says where to start", () => {
    expect(all.map(([name]) => name)).toEqual(
      expect.arrayContaining(["bench", "sgd", "ucm", "vtn", "scenario run", "fleet", "completion"]),
    );
    const { status, out } = openucm(["--help"]);
    expect(status).toBe(0);
    expect(out).toMatch(/Usage: openucm/);
    expect(out).toMatch(/Start with: {2}openucm bench/);
  });

  it.each(all)("%s: what it does, what each option means, and examples", (name, command) => {
    const helpOf = (one: Command): string => {
      let text = "";
      one.configureOutput({ writeOut: (part) => void (text += part) });
      one.outputHelp();
      return text;
    };
    const out = helpOf(command);
    expect(command.description()).not.toBe("");
    for (const option of command.options) expect([option.flags, option.description]).not.toContain("");
    // A command of a group may leave them to the group's help.
    const above = command.parent === null || command.parent === program ? "" : helpOf(command.parent);
    expect(out + above).toMatch(/\n {2}(openucm|curl) |Start with: {2}openucm /);
    // An example that names an option which is not there teaches nothing.
    const known = [...command.options.map((option) => option.long), "--help"];
    for (const line of out.split("\n").filter((text) => text.trim().startsWith(`openucm ${name} `))) {
      const example = line.replace(/ {2,}[^-].*$/, "");
      for (const [option] of example.matchAll(/ (--[a-z-]+)/g)) expect(known).toContain(option.trim());
    }
  });

  it.each(all.filter(([, command]) => command.commands.length === 0))(
    "%s refuses an option that it has not in one line, exit code 2",
    async (name) => {
      const fresh = await buildProgram(async () => undefined, name.split(" ")[0]!);
      let err = "";
      for (const one of [fresh, ...commandsBelow(fresh).map(([, command]) => command)])
        one.configureOutput({ writeErr: (text) => void (err += text) });
      const failure = await fresh
        .parseAsync([...name.split(" "), "--no-such-option"], { from: "user" })
        .catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(CommanderError);
      expect((failure as CommanderError).exitCode).not.toBe(0);
      expect(err).toMatch(/^error: [^\n]*\n\n?\(add --help for usage\)\n$/);
    },
  );
});

describe("the folder of --data", () => {
  it("that cannot be written is refused in a line that says what to do", () => {
    writeFileSync(join(data, "a-file"), "");
    for (const args of [
      ["bench", "--no-demo", "--port", "0", "--data", "a-file/x"],
      ["vtn", "--data", "a-file/x"],
    ]) {
      const { status, err } = openucm(args);
      expect(err).toMatch(
        /^openucm: cannot write to the folder .*a-file\/x.* \(a part of the path is a file\): name another with --data DIR\n$/,
      );
      expect(status).toBe(2);
    }
  });

  it.skipIf(!existsSync("/proc/self"))("is refused at once where the system takes no new folder", () => {
    for (const args of [["bench", "--no-demo", "--port", "0"], ["vtn"], ["csms"]]) {
      const { status, err } = openucm([...args, "--data", "/proc/x/y"]);
      expect(err).toMatch(
        /^openucm: cannot write to the folder \/proc\/x\/y.* \(\/proc takes no new folder\): name another with --data DIR\n$/,
      );
      expect(status).toBe(2);
    }
  });

  it("keeps a second bench out while the first lives, and takes over what a dead one has left", () => {
    const dir = join(data, "locked");
    lockDataDir(dir);
    expect(() => lockDataDir(dir)).toThrow(
      /another openucm \(process \d+\) uses .*locked: end it, or name another folder with --data DIR/,
    );
    const left = [
      // No process has this number: Linux goes up to 2^22.
      "99999999",
      "torn",
      "",
      // The number is taken, by a process of another start of the system.
      ...(existsSync("/proc/self/stat") ? [`${process.pid}\nanother-boot 17\n`] : []),
    ];
    for (const text of left) {
      writeFileSync(join(dir, "lock"), text);
      expect(lockDataDir(dir)).toBe(dir);
      expect(() => lockDataDir(dir)).toThrow(`process ${process.pid}`);
    }
    expect(readdirSync(dir)).toEqual(["lock"]);
  });

  it("says so where the lock can be neither read nor taken away", () => {
    const dir = join(data, "odd");
    mkdirSync(join(dir, "lock"), { recursive: true });
    expect(() => lockDataDir(dir)).toThrow("another openucm (process unknown)");
  });

  it("an update folder that is none is the user's mistake", () => {
    const { status, err } = openucm(["bench", "--no-demo", "--update", join(data, "nothing")]);
    expect(err).toMatch(/^openucm: .*nothing is no update repository: .*openucm release publish --to/);
    expect(status).toBe(2);
  });

  it("a second program is refused with exit code 2; one that was killed keeps nobody out", async () => {
    const folder = join(data, "shared");
    const args = [
      "ucm",
      "--serial",
      "tcp-listen://127.0.0.1:0",
      "--setup-port",
      "0",
      "--json",
      "--data",
      folder,
    ];
    const start = async (): Promise<CliProcess> => {
      const one = new CliProcess(args);
      // Told when signals are listened for.
      await one.line("that it runs", (line) => line["event"] === "intent");
      return one;
    };
    const first = await start();
    const { status, err } = openucm(args);
    expect(err).toBe(
      `openucm: another openucm (process ${first.child.pid}) uses ${folder}: end it, or name another folder with --data DIR; if none runs, remove ${join(folder, "lock")}\n`,
    );
    expect(status).toBe(2);
    first.child.kill("SIGKILL");
    await first.exited;
    const second = await start();
    await second.stop();
    expect(existsSync(join(folder, "lock"))).toBe(false);
    await (await start()).stop();
  });
});

describe("a TCP line with nobody there", () => {
  it("is told in words and, with --json, as an event; each once", async () => {
    const one = new CliProcess(["sgd", "--serial", "tcp://127.0.0.1:1", "--json", "--no-plugged"]);
    const text = "tcp://127.0.0.1:1 is not there (connection refused); it is tried again until it answers";
    expect(await one.line("the line", (line) => line["event"] === "line")).toEqual({
      ...{ event: "line", line: "tcp://127.0.0.1:1", connected: false, text },
    });
    await one.stop();
    expect(one.lines.filter((line) => line["event"] === "line")).toHaveLength(1);
    expect(one.stderr).toBe(`line: ${text}\n`);
  });
});

describe("completion", () => {
  beforeAll(() => writeFileSync(join(data, "completion.bash"), openucm(["completion", "bash"]).out));

  const complete = (line: string): string[] => {
    const words = line.split(" ");
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const run = spawnSync(
      "bash",
      [
        "-c",
        `source completion.bash; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _openucm; printf '%s\\n' "\${COMPREPLY[@]}"`,
      ],
      { encoding: "utf8", cwd: data },
    );
    expect(run.stderr).toBe("");
    return run.stdout.trim().split("\n");
  };

  it.each([
    ["openucm sc", ["scenario"]],
    ["openucm bench --ch", ["--chargers"]],
    ["openucm bench --region ", ["us", "au", "uk"]],
    ["openucm scenario ru", ["run"]],
    ["openucm scenario run epri", ["epri-2017-22a5"]],
    ["openucm scenario run uk-random-delay --virt", ["--virtual-time"]],
    ["openucm sgd --profile evse-slo", ["evse-slow"]],
    ["openucm completion z", ["zsh"]],
    ["openucm release add --sh", ["--share"]],
    ["openucm vtn --data bad.j", ["bad.json"]],
    ["openucm decode --pcap bad.j", ["bad.json"]],
    ["openucm scenario run bad.j", ["bad.json"]],
  ])("bash: %s", (line, wanted) => {
    expect(complete(line)).toEqual(wanted);
  });

  it("bash: offers what may stand there, and nothing of another command", () => {
    expect(complete("openucm scenario ")).toEqual(expect.arrayContaining(["list", "check", "run"]));
    // No command of its own, though one below another is called so.
    expect(complete("openucm list ")).toContain("bench");
    expect(complete("openucm vtn list ")).not.toContain("run");
  });

  it("zsh: by its own means, and its PATH stays", () => {
    const { out } = openucm(["completion", "zsh"]);
    expect(out).toMatch(/^#compdef openucm\n/);
    expect(out).toMatch(/"scenario run"\) offered=\([^)]*epri-2017-22a5/);
    expect(out).not.toMatch(/COMP_WORDS|compgen|\bpath\b/);
  });

  it("fish: a command is offered where it may stand, by all the words before it", () => {
    const { out } = openucm(["completion", "fish"]);
    expect(out).toMatch(/-n "__openucm_at 'scenario'" -f -a run$/m);
    expect(out).toMatch(/-n "__openucm_at 'bench'" -l region -x -a "us au uk"$/m);
    expect(out).toMatch(/-n "__openucm_at 'decode'" -l pcap -r$/m);
    expect(out).not.toContain("__fish_seen_subcommand_from");
  });

  it("names every command and option for every shell", () => {
    for (const shell of ["zsh", "fish"]) {
      const { out, status } = openucm(["completion", shell]);
      expect(status).toBe(0);
      for (const [name, command] of all) {
        expect(out).toContain(name.split(" ").at(-1));
        for (const { long } of command.options) expect(out).toContain(long!.slice(2));
      }
    }
  });
});

describe("decode and encode", () => {
  it.each([
    [["06", "00"], ["06 00"]],
    [
      ["0600", "15", "03"],
      ["0600", "15 03"],
    ],
    [
      ["08", "01", "zz"],
      ["08 01", "zz"],
    ],
    [
      ["06 00", "0600"],
      ["06 00", "0600"],
    ],
    [[], []],
  ])("takes %j as %j", (args, frames) => {
    expect(framesOf(args)).toEqual(frames);
  });

  it("joins arguments of two digits into one frame", () => {
    const { out, status } = openucm(["decode", "--json", "08", "01", "00", "02", "01", "00", "0C", "3D"]);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      hex: "08 01 00 02 01 00 0C 3D",
      ok: true,
      type: "08 01",
      name: "Shed",
      opcode1: 1,
      opcode2: 0,
    });
  });

  it("reads a frame a line from stdin, bad ones included, and exits 0", () => {
    const { out, status } = openucm(["decode", "--json"], "0600\n\n080100020302 0442\nzz\n");
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map((line) => line["ok"])).toEqual([true, false, false]);
    expect(lines[1]).toMatchObject({ fault: "bad-checksum" });
    expect(status).toBe(0);
  });

  it("encodes what decode prints", () => {
    const decoded = openucm(["decode", "--json", "0801000217 05 BF6E"]).out;
    const { out, status } = openucm(["encode"], decoded);
    expect(out.trim()).toBe("08 01 00 02 17 05 BF 6E");
    expect(status).toBe(0);
  });

  it("refuses what cannot be encoded", () => {
    const { status, err } = openucm(["encode", "nonsense"]);
    expect(status).toBe(2);
    expect(err).toMatch(/no JSON object/);
  });
});
