/**
 * Every command of the bench's pages in docs/how-to is carried out, page by page in its order, in an empty folder: with a simulator on a
 * pseudo-terminal where the page has an adapter, and ports that are free. A command that nobody here knows how to try
 * fails the test.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { programPath } from "../support/program-path.js";
import { cliPath, CliProcess, repoRoot } from "../support/process.js";

const folder = new URL("../../docs/how-to/", import.meta.url);
/** The pages of the bench; those on boards, provisioning and releases have tests of their own commands. */
const pages = [
  "a-bench-on-a-raspberry-pi.md",
  "attach-a-usb-adapter.md",
  "read-a-capture-in-wireshark.md",
  "run-in-ci.md",
  "test-my-charger.md",
  "test-my-module.md",
  "write-a-scenario.md",
];
const page = (name: string): string => readFileSync(new URL(name, folder), "utf8");

/** What can be tried of a page: commands of this project, of curl, and of the programs that read its files. */
function commandsOf(name: string): string[] {
  const text = page(name);
  const own = /(?:npx openucm|curl|tshark|SIGROKDECODE_DIR=\S+ sigrok-cli) [^`\n]+/g;
  return [...text.matchAll(own)].map(([command]) => command.replace(/ {2,}#.*$/, "").trim());
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

describe("docs/how-to", () => {
  const work = mkdtempSync(join(tmpdir(), "openucm-how-to-"));
  const ports = new Map<string, number>();
  const tried = new Set<string>();
  const running: CliProcess[] = [];

  beforeAll(async () => {
    for (const port of ["8443", "8090", "8045", "8046"]) ports.set(port, await freePort());
    mkdirSync(join(work, "tools"));
    execFileSync("cp", ["-r", join(repoRoot, "tools/dissectors"), join(work, "tools/dissectors")]);
  });
  afterEach(async () => {
    for (const one of running.splice(0).reverse()) await one.stop();
  });
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  const withPorts = (text: string): string =>
    [...ports].reduce((all, [from, to]) => all.replaceAll(from, String(to)), text);

  /** `npx openucm …` as this computer has it; `devices` take the place of the adapters, in order. */
  function args(command: string, devices: readonly string[] = []): string[] {
    let at = 0;
    const words = withPorts(command)
      .replace(/^npx openucm /, "")
      .split(/\s+/);
    return words.map((word) => (/^\/dev\/(ttyUSB\d|pts\/N)$/.test(word) ? (devices[at++] ?? word) : word));
  }

  function start(command: string, devices: readonly string[] = [], more: readonly string[] = []): CliProcess {
    tried.add(command);
    const one = new CliProcess([...args(command, devices), ...more], { cwd: work });
    running.push(one);
    return one;
  }

  /** Runs to its end; answers what it printed. */
  function run(command: string, devices: readonly string[] = [], more: readonly string[] = []): string {
    tried.add(command);
    const words = [cliPath, ...args(command, devices), ...more];
    const go = () => spawnSync(process.execPath, words, { cwd: work, encoding: "utf8", timeout: 240_000 });
    let done = go();
    // Who is judged by the clock can be late where others take the processor.
    for (let tries = 1; command.includes("conformance") && done.status === 1 && tries < 4; tries++)
      done = go();
    expect(done.stderr).not.toMatch(/openucm: /);
    expect(done.status).toBe(0);
    return done.stdout;
  }

  function shell(command: string): string {
    tried.add(command);
    return execFileSync("sh", ["-c", withPorts(command)], {
      cwd: work,
      encoding: "utf8",
      stdio: "pipe",
      timeout: 240_000,
    });
  }

  const find = (name: string, words: RegExp): string => {
    const command = commandsOf(name).find((one) => words.test(one));
    if (command === undefined) throw new Error(`${name} has no command like ${String(words)}`);
    return command;
  };

  async function simulator(...more: string[]): Promise<string> {
    const sgd = new CliProcess(["sgd", "--serial", "pty", "--json", ...more], { cwd: work });
    running.push(sgd);
    return String((await sgd.line("serial", (line) => line["event"] === "serial"))["path"]);
  }

  /** A module on a pseudo-terminal, enrolled at nobody. */
  async function moduleAlone(): Promise<string> {
    writeFileSync(join(work, "alone.json"), '{"upstreams":[]}');
    const ucm = new CliProcess(
      ["ucm", "--serial", "pty", "--config", "alone.json", "--json", "--data", `alone-${running.length}`],
      { cwd: work },
    );
    running.push(ucm);
    return String((await ucm.line("serial", (line) => line["event"] === "serial"))["path"]);
  }

  const printed = (one: CliProcess, words: RegExp): Promise<unknown> =>
    one.line(String(words), (line) => words.test(JSON.stringify(line)), 200_000);

  it("test my charger: judged, and shed over TLS", async () => {
    const name = "test-my-charger.md";
    const first = find(name, /conformance/);
    // The plan in full is its own test's (conformance-cli); here it is that the command works.
    run(first, [await simulator()], ["--only", "link.ack,link.ack-once"]);
    expect(readFileSync(join(work, "charger.html"), "utf8")).toMatch(/^<!doctype html>/i);
    const config = /```json\n([\s\S]*?)```/.exec(page(name))![1]!;
    writeFileSync(join(work, "module.json"), withPorts(config));
    await printed(start(find(name, /vtn/)), /OpenADR 2\.0b/);
    const ucm = start(find(name, /openucm ucm/), [await simulator()], ["--data", "module"]);
    await printed(ucm, /upstream utility: online/);
    await printed(ucm, /EndShed: verified/);
    shell(find(name, /^curl/));
    await printed(ucm, /command {2}Shed: verified/);
    await printed(start(find(name, /sgd --serial pty/)), /serial line: /);
  }, 600_000);

  it("test my module: judged, given a charger that is treated badly, and played a recorded one", async () => {
    const name = "test-my-module.md";
    run(find(name, /conformance/), [await moduleAlone()], ["--only", "link.ack"]);
    const sgd = start(find(name, /openucm sgd/), [await moduleAlone()]);
    await printed(sgd, /control interface/);
    await printed(sgd, /Get information|Information/);
    for (const command of commandsOf(name).filter((one) => one.startsWith("curl"))) {
      expect(shell(command)).not.toMatch(/"error"/);
    }
    await sgd.stop();
    await printed(start(find(name, /vtn/)), /OpenADR 2\.0b/);
    const replay = find(name, /replay/);
    expect(run(replay, [await moduleAlone()])).toMatch(/played \d+ of \d+ records of the charger/);
  }, 600_000);

  it("attach a USB adapter: listen, stand between, an adapter that echoes", async () => {
    const name = "attach-a-usb-adapter.md";
    const [listen, between, echoing] = commandsOf(name) as [string, string, string];
    const tap = start(listen, [await simulator()]);
    await printed(tap, /Supported\?|Query/);
    await tap.stop();
    const middle = start(between, [await moduleAlone(), await simulator()]);
    await printed(middle, /module {2,}.*Link ACK|charger .*State/);
    await middle.stop();
    // RTS is what a pseudo-terminal has not: the command says so and ends.
    tried.add(echoing);
    const refused = spawnSync(process.execPath, [cliPath, ...args(echoing, [await moduleAlone()])], {
      encoding: "utf8",
      cwd: work,
    });
    expect(refused.stderr).toMatch(/has no RTS that could be switched .*: leave out --rts-driver-enable/);
    const sgd = new CliProcess(
      args(echoing, [await moduleAlone()]).filter((word) => word !== "--rts-driver-enable"),
    );
    running.push(sgd);
    await printed(sgd, /state \d+/);
  }, 600_000);

  it("write a scenario: run, check, list", () => {
    const name = "write-a-scenario.md";
    writeFileSync(join(work, "evening.yaml"), /```yaml\n(title:[\s\S]*?)```/.exec(page(name))![1]!);
    expect(run(find(name, /run evening/))).toMatch(/1 passed, 0 failed/);
    expect(run(find(name, /check/))).toMatch(/no mistake/);
    expect(run(find(name, /list/))).toMatch(/epri-2017-22a5/);
  }, 600_000);

  it("read a capture in Wireshark: recorded, decoded, and read by tshark and sigrok-cli where they are", () => {
    const name = "read-a-capture-in-wireshark.md";
    run(find(name, /scenario run/));
    for (const command of commandsOf(name).filter((one) => one.includes("decode --pcap")))
      expect(run(command).length).toBeGreaterThan(1000);
    for (const program of ["tshark", "sigrok-cli"]) {
      const command = find(name, new RegExp(`(^| )${program} `));
      if (programPath(program) !== undefined) expect(shell(command)).toMatch(/Shed/);
      else if (process.env["CI"] === "true") throw new Error(`${program} is not here`);
      else tried.add(command);
    }
  }, 600_000);

  it("run in CI: all scenarios, a folder of one's own, a charger on an adapter", async () => {
    const name = "run-in-ci.md";
    mkdirSync(join(work, "scenarios"));
    writeFileSync(
      join(work, "scenarios", "mine.yaml"),
      /```yaml\n(title:[\s\S]*?)```/.exec(page("write-a-scenario.md"))![1]!,
    );
    for (const command of commandsOf(name).filter((one) => one.includes("scenario run"))) {
      const expanded = command.replace("scenarios/*.yaml", "scenarios/mine.yaml");
      expect(run(expanded)).toMatch(/[1-9]\d* passed, 0 failed/);
      tried.add(command);
      expect(readFileSync(join(work, "junit.xml"), "utf8")).toMatch(/<testsuites tests="\d+" failures="0"/);
    }
    run(find(name, /conformance/), [await simulator()], ["--only", "link.ack"]);
  }, 600_000);

  it("a bench on a Raspberry Pi: the page answers at its port, with and without the demonstration", async () => {
    const name = "a-bench-on-a-raspberry-pi.md";
    for (const command of commandsOf(name).filter((one) => one.includes("openucm bench"))) {
      const bench = start(command);
      await printed(bench, /The bench is running/);
      const answer = await fetch(`http://127.0.0.1:${ports.get("8045")}/`);
      expect(await answer.text()).toMatch(/<title>OpenUCM bench/);
      await bench.stop();
    }
    await printed(start(find(name, /sgd/), [await moduleAlone()]), /state \d/);
    const tap = start(find(name, /capture/), [await simulator()]);
    await printed(tap, /Supported\?|Query/);
  }, 600_000);

  it("has no command that was not tried", () => {
    const all = pages.flatMap((name) => commandsOf(name));
    expect(all.length).toBeGreaterThan(25);
    expect(all.filter((command) => !tried.has(command))).toEqual([]);
  });
});
