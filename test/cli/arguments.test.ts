/** Wrong use gets one clear line on stderr and exit code 2; decode never fails. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { framesOf } from "../../host-sim/cli/commands/decode.js";
import { cliPath } from "../support/process.js";

const data = mkdtempSync(join(tmpdir(), "openucm-args-"));
afterAll(() => rmSync(data, { recursive: true, force: true }));

function openucm(args: readonly string[], input = ""): { status: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [cliPath, ...args], {
    encoding: "utf8",
    input,
    timeout: 20_000,
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
  ])("%j", (args, message) => {
    const { status, err } = openucm(args);
    expect(err).toMatch(message);
    expect(status).toBe(2);
    expect(err).not.toMatch(/\n\s+at /);
  });

  it.skipIf(!existsSync("/dev/full"))("tells in one line that its output cannot be written", () => {
    for (const args of [
      ["decode", "--json", "0600"],
      ["sgd", "--serial", "pty", "--json"],
    ]) {
      const run = spawnSync(process.execPath, [cliPath, ...args], {
        encoding: "utf8",
        stdio: ["ignore", openSync("/dev/full", "w"), "pipe"],
        timeout: 20_000,
      });
      expect(run.stderr).toMatch(/^openucm: cannot write the output: ENOSPC[^\n]*\n$/);
      expect(run.status).toBe(1);
    }
  });

  it("helps", () => {
    for (const command of ["", "bench", "sgd", "ucm", "vtn", "decode", "encode"]) {
      const { status, out } = openucm([...(command ? [command] : []), "--help"]);
      expect(status).toBe(0);
      expect(out).toMatch(/Usage: openucm/);
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
