/** The package as npm would publish it: it installs elsewhere, without dev dependencies, and its program works. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { repoRoot } from "../support/process.js";

function run(
  program: string,
  args: readonly string[],
  cwd: string,
): { status: number | null; out: string; err: string } {
  const done = spawnSync(program, args, { cwd, encoding: "utf8", timeout: 180_000 });
  return { status: done.status, out: done.stdout, err: done.stderr };
}

describe("npm pack", () => {
  const folder = mkdtempSync(join(tmpdir(), "openucm-pack-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("gives a package whose openucm works without the dev dependencies", { timeout: 600_000 }, async () => {
    const packed = run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], repoRoot);
    expect(packed.err).not.toMatch(/npm error/);
    const archive = readdirSync(folder).find((file) => file.endsWith(".tgz"));
    writeFileSync(join(folder, "package.json"), '{"private":true}');
    const installed = run(
      "npm",
      ["install", "--omit=dev", "--no-audit", "--no-fund", `./${archive}`],
      folder,
    );
    expect(installed.status).toBe(0);
    expect(readdirSync(join(folder, "node_modules"))).not.toContain("vitest");
    const decoded = run(join(folder, "node_modules/.bin/openucm"), ["decode", "--json", "06 00"], folder);
    expect(JSON.parse(decoded.out)).toMatchObject({ ok: true, hex: "06 00" });
    const xs = run(
      join(folder, "node_modules/.bin/openucm"),
      ["bench", "--runtime", "xs", "--port", "0"],
      folder,
    );
    expect(xs.err).toMatch(/XS is not installed/);
    const bench = spawn(
      join(folder, "node_modules/.bin/openucm"),
      ["bench", "--port", "0", "--json", "--no-demo"],
      { cwd: folder, stdio: ["ignore", "pipe", "ignore"] },
    );
    const gone = new Promise((done) => bench.once("close", done));
    let said = "";
    bench.stdout.on("data", (bytes: Buffer) => (said += bytes.toString()));
    try {
      await expect.poll(() => said).toMatch(/"event":"ready","url":"http:\/\/127\.0\.0\.1:\d+\/"/);
    } finally {
      bench.kill("SIGINT");
      await gone;
    }
  });
});
