/** An engine that is not here is an error that says how to get it, not a trace. */
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cliPath, repoRoot } from "../support/process.js";

describe("ucm --runtime qemu", () => {
  const folder = mkdtempSync(join(tmpdir(), "openucm-missing-"));
  const config = join(folder, "module.json");
  beforeAll(() => writeFileSync(config, JSON.stringify({ upstreams: [] })));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const ucm = (cli: string) =>
    spawnSync(process.execPath, [cli, "ucm", "--serial", "pty", "--config", config, "--runtime", "qemu"], {
      encoding: "utf8",
      env: { PATH: "" },
    });

  it("without the emulator names the package that brings it", () => {
    const run = ucm(cliPath);
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/^openucm: qemu-system-riscv32 is missing \(Debian: apt install [^\n]*\n$/);
  });

  it("from the npm package, which leaves tools/ out, says where it can be had", () => {
    cpSync(join(repoRoot, "dist"), join(folder, "package/dist"), { recursive: true });
    cpSync(join(repoRoot, "package.json"), join(folder, "package/package.json"));
    symlinkSync(join(repoRoot, "node_modules"), join(folder, "package/node_modules"));
    const run = ucm(join(folder, "package/dist/host-sim/cli/main.js"));
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/^openucm: [^\n]*clone it[^\n]*\n$/);
  });
});
