/** `openucm journal` as a user runs it: on the flash file that a module has left. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FileFlash, flashFileName } from "../../host-sim/runtime/file-flash.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { Journal } from "../../src/journal/journal.js";
import { cliPath } from "../support/process.js";

const folder = mkdtempSync(join(tmpdir(), "openucm-journal-"));
const path = join(folder, flashFileName);

function openucm(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [cliPath, "journal", "--data", folder, ...args], { encoding: "utf8" });
}

describe("openucm journal", () => {
  beforeAll(async () => {
    const flash = FileFlash.open(path);
    const bench = new VirtualBench({ engine: nodeEngine(), flash });
    bench.sgd.plug();
    await bench.run(95 * 60_000);
    flash.close();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("exports energy as CSV and JSON, and changes nothing", () => {
    const before = readFileSync(path);
    const csv = openucm().stdout.trim().split("\n");
    expect(csv[0]).toBe("start_utc,energy_wh");
    expect(csv).toHaveLength(4);
    const json = JSON.parse(openucm("--what", "energy", "--format", "json").stdout) as {
      energy_wh: number;
    }[];
    expect(json.map((row) => row.energy_wh)).toEqual(csv.slice(1).map((line) => Number(line.split(",")[1])));
    expect(json[1]!.energy_wh).toBeCloseTo(3840, -1);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("checks the chain of the security log, and finds what was changed", () => {
    const sound = openucm("--what", "security", "--verify");
    expect(sound).toMatchObject({ status: 0, stderr: "" });
    expect(sound.stdout).toMatch(/^utc,code,text,chain\n.*,power-cycle,power,/);
    // Somebody who can write the flash puts an entry in that does not follow.
    const flash = FileFlash.copyOf(path);
    const log = (flash: FileFlash): { append(type: number, payload: Uint8Array): boolean } =>
      (
        new Journal(flash) as unknown as { logs: { append(type: number, payload: Uint8Array): boolean }[] }
      ).logs.at(-1)!;
    log(flash).append(1, new Uint8Array(21).fill(7));
    const bytes = new Uint8Array(flash.sectors * flash.sectorBytes);
    flash.read(0, bytes);
    const before = readFileSync(path);
    writeFileSync(path, bytes);
    expect(openucm("--what", "security", "--verify")).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/tampered with: entry \d+ does not follow/) as unknown,
    });
    writeFileSync(path, before);
  });

  it("says what to do where there is none, and refuses an unknown part", () => {
    const none = spawnSync(process.execPath, [cliPath, "journal", "--data", join(folder, "empty")], {
      encoding: "utf8",
    });
    expect(none).toMatchObject({ status: 2, stderr: expect.stringContaining("--data") as unknown });
    expect(openucm("--what", "diary").status).toBe(2);
  });
});
