/** `openucm scenario` as a user and a CI job run it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readCapture } from "../../host-sim/capture/files.js";
import { shippedNames } from "../../host-sim/scenario/files.js";
import { cliPath, CliProcess } from "../support/process.js";

function openucm(...args: string[]): { status: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [cliPath, "scenario", ...args], { encoding: "utf8" });
  return { status: run.status, out: run.stdout, err: run.stderr };
}

describe("openucm scenario", () => {
  const folder = mkdtempSync(join(tmpdir(), "openucm-scenario-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string): string => join(folder, name);
  const failing = at("failing.yaml");
  writeFileSync(failing, "title: It fails\nwhy: On purpose\nsteps:\n  - expect: { currentA: 5 }\n");

  it("lists those that come with it, from the built package", () => {
    const { status, out } = openucm("list", "--json");
    expect(status).toBe(0);
    const names = out
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { name: string }).name);
    expect(names).toEqual(shippedNames());
  });

  it("runs in virtual time with reports, trace and capture; the same seed gives the same trace", () => {
    const run = (trace: string) =>
      openucm(
        ...["run", "epri-2017-22a5", "--virtual-time", "--seed", "3", "--trace", at(trace)],
        ...["--report", at("out.html"), "--report", at("junit.xml"), "--capture", at("line.pcapng")],
      );
    const { status, out } = run("a.jsonl");
    expect(status).toBe(0);
    expect(out).toMatch(/✓ epri-2017-22a5: .*\n1 passed, 0 failed\n$/);
    expect(readFileSync(at("out.html"), "utf8")).toContain("<!doctype html>");
    expect(readFileSync(at("junit.xml"), "utf8")).toMatch(/<testsuites tests="\d+" failures="0"/);
    expect(readCapture(at("line.pcapng")).length).toBeGreaterThan(50);
    run("b.jsonl");
    expect(readFileSync(at("b.jsonl"), "utf8")).toBe(readFileSync(at("a.jsonl"), "utf8"));
  });

  it("exits with 1 and says what was seen where an expectation is not met", () => {
    const { status, out } = openucm("run", failing, "--virtual-time");
    expect(status).toBe(1);
    expect(out).toMatch(
      /✗ failing: It fails\n {4}line 4: expect current 5 A\n {4}not now: current 5 A: it is 32 A/,
    );
  });

  it("exits with 2 and names file, line and field of every mistake before it runs anything", () => {
    const wrong = at("wrong.yaml");
    writeFileSync(wrong, "title: T\nwhy: W\nsteps:\n  - car: drive\n  - waitSeconds: long\n");
    const { status, out, err } = openucm("run", failing, wrong);
    expect(status).toBe(2);
    expect(out).toBe("");
    expect(err).toMatch(/wrong\.yaml:4:5: steps\[0\]\.car must be one of/);
    expect(err).toMatch(/wrong\.yaml:5:5: steps\[1\]\.waitSeconds must be a number/);
    expect(openucm("check", "nobody").err).toMatch(/neither a shipped scenario nor a file/);
  });

  it("runs by the wall clock, and ends with 130 when interrupted", async () => {
    const quick = at("quick.yaml");
    writeFileSync(
      quick,
      "title: T\nwhy: W\nbench: { settle: false }\nsteps:\n  - waitSeconds: 2\n  - expect: { plugged: true }\n",
    );
    const beganMs = Date.now();
    const one = new CliProcess(["scenario", "run", quick, "--json"]);
    expect(await one.exited).toBe(0);
    expect(Date.now() - beganMs).toBeGreaterThan(2000);
    expect(one.lines.at(-1)).toEqual({ event: "end", passed: 1, failed: 0, interrupted: false });
    const two = new CliProcess(["scenario", "run", "override-runs-out", "--json"]);
    await two.line("a step", (line) => line["event"] === "step");
    await two.stop();
    expect(await two.exited).toBe(130);
  });
});
