/** `openucm conformance` as a process: usage, and a few tests of the plan in real time on a pseudo-terminal. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { cliPath, CliProcess } from "../support/process.js";

const folder = mkdtempSync(join(tmpdir(), "openucm-conformance-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function conformance(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [cliPath, "conformance", ...args], { encoding: "utf8" });
}

describe("usage", () => {
  it.each([
    [["--role", "ucm"], /needs --serial/],
    [
      ["--role", "ucm", "--serial", "pty", "--only", "link.nak"],
      /no test "link\.nak"; openucm conformance --list/,
    ],
    [["--role", "ucm", "--serial", "pty", "--only", "module.wake"], /"module\.wake" is for --role sgd/],
    [["--role", "ucm", "--serial", "pty", "--report", "a.pdf"], /\.html, \.xml or \.txt/],
  ])("%j exits with 2 and says what to do", (args, said) => {
    const { status, stderr } = conformance(...args);
    expect(stderr).toMatch(said);
    expect(status).toBe(2);
  });

  it("--list names the tests of a part, one a line", () => {
    const { status, stdout } = conformance("--role", "sgd", "--list", "--json");
    const listed = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(status).toBe(0);
    expect(listed.map(({ id }) => id)).toEqual(expect.arrayContaining(["link.ack", "module.wake"]));
    expect(listed.map(({ id }) => id)).not.toContain("basic.shed");
    expect(listed[0]).toMatchObject({ event: "listed", mark: "C", section: "2.3, 2.6" });
  });
});

describe.concurrent("in real time on a pseudo-terminal", () => {
  const few = "link.ack,link.nak-type,basic.state,info.get,frames.checksum";

  async function run(
    fault: string | undefined,
    only: string,
  ): Promise<{ code: number | null; peer: CliProcess; judge: CliProcess }> {
    const peer = new CliProcess(["sgd", "--serial", "pty", "--control", "0", "--json"]);
    const path = String((await peer.line("serial", (line) => line["event"] === "serial"))["path"]);
    const url = String((await peer.line("control", (line) => line["event"] === "control"))["url"]);
    if (fault !== undefined)
      await fetch(`${url}/fault`, { method: "POST", body: JSON.stringify({ name: fault }) });
    const reports = ["html", "xml", "txt"].flatMap((type) => [
      "--report",
      join(folder, `${fault ?? "sound"}.${type}`),
    ]);
    const judge = new CliProcess([
      "conformance",
      "--role",
      "ucm",
      "--serial",
      path,
      "--only",
      only,
      "--json",
      ...reports,
    ]);
    const code = await judge.exited;
    await peer.stop();
    return { code, peer, judge };
  }

  it("a sound charger: exit 0, and a report of each kind", async ({ expect }) => {
    let { code, judge } = await run(undefined, few);
    // By the clock a sound charger can be late where others take the processor: the judge then says so. In virtual time none is.
    for (let tries = 1; code !== 0 && tries < 4; tries++) ({ code, judge } = await run(undefined, few));
    const verdicts = judge.lines
      .filter((line) => line["event"] === "test")
      .map((line) => [line["id"], line["verdict"]]);
    expect(verdicts, judge.stderr).toEqual(few.split(",").map((id) => [id, "pass"]));
    expect(judge.lines.at(-1)).toMatchObject({ event: "summary", pass: 5, fail: 0, complete: true });
    expect(code).toBe(0);
    for (const type of ["html", "xml", "txt"]) expect(existsSync(join(folder, `sound.${type}`))).toBe(true);
  });

  it("a charger that acknowledges too late: exit 1, and the trace in the report", async ({ expect }) => {
    const { code } = await run("late-ack", "link.ack,link.ack-latest");
    expect(code).toBe(1);
    const html = readFileSync(join(folder, "late-ack.html"), "utf8");
    expect(html).toMatch(/id="link\.ack-latest" class="finding fail"/);
    expect(html).toMatch(/class="peer shown".*06 00/);
  });

  it("nobody there: link.ack fails, exit 1", async ({ expect }) => {
    const judge = new CliProcess([
      "conformance",
      ...["--role", "sgd", "--serial", "pty", "--wait", "1", "--only", "link.ack,module.wake", "--json"],
    ]);
    expect(await judge.exited).toBe(1);
    const verdicts = judge.lines.filter((line) => line["event"] === "test").map((line) => line["verdict"]);
    expect(verdicts).toEqual(["fail", "inconclusive"]);
  });
});
