// `openucm ucm` with pages of its own, as a process: the button, and what a factory reset leaves on this computer.
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { CliProcess, cliPath } from "../support/process.js";

const data = mkdtempSync(join(tmpdir(), "openucm-setup-"));
afterAll(() => rmSync(data, { recursive: true, force: true }));

const securityLog = (): string =>
  spawnSync(process.execPath, [cliPath, "journal", "--data", data, "--what", "security"], {
    encoding: "utf8",
  }).stdout;

const module = (...args: string[]): CliProcess =>
  new CliProcess(["ucm", "--serial", "pty", "--setup-port", "0", "--data", data, "--json", ...args]);

async function until(what: string, done: () => boolean): Promise<void> {
  for (const end = Date.now() + 200_000; !done();) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((again) => setTimeout(again, 25));
  }
}

const known = { upstreams: [], region: "us" };

describe("the button of a module on a computer", () => {
  it("opens setup, at the start and by a signal", async () => {
    writeFileSync(join(data, "module.json"), JSON.stringify(known));
    const running = module("--button", "1");
    await running.line("setup", (line) => line["event"] === "setup");
    await until("pressed", () => securityLog().split("open: button").length === 2);
    process.kill(running.child.pid!, "SIGUSR2");
    await until("pressed again", () => securityLog().split("open: button").length === 3);
    await running.stop();
  });

  it("held for ten seconds forgets what is the owner's; the module's identity and its firmware stay", async () => {
    const put = (name: string): void => {
      mkdirSync(join(data, name, ".."), { recursive: true });
      writeFileSync(join(data, name), "x");
    };
    writeFileSync(join(data, "passwords.json"), "{}");
    const own = ["utility.secret"];
    const modules = ["certificates/utility.pem", "slots/a.bin"];
    [...own, ...modules].forEach(put);
    const secret = readFileSync(join(data, "owner-secret.txt"), "utf8");
    const running = module("--button", "10");
    await running.line("setup", (line) => line["event"] === "setup");
    await until("forgotten", () => !existsSync(join(data, "module.json")));
    await until("begun anew", () => securityLog().includes("open: new module"));
    await running.stop();
    for (const name of [...own, "passwords.json", "module.json"])
      expect(readdirSync(data)).not.toContain(name);
    for (const name of modules) expect(existsSync(join(data, name)), name).toBe(true);
    expect(readFileSync(join(data, "owner-secret.txt"), "utf8")).toBe(secret);
  });

  it("is refused where there are no pages", () => {
    const args = ["ucm", "--serial", "pty", "--config", join(data, "none.json"), "--button", "1"];
    const { status, stderr } = spawnSync(process.execPath, [cliPath, ...args], { encoding: "utf8" });
    expect({ status, stderr }).toMatchObject({ status: 2 });
  });
});
