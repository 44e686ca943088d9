import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildArchive, projectRoot } from "../../host-sim/runtime/xs-host.js";
import { describeWith } from "../support/needs.js";

const tools = join(projectRoot, "tools/xs-bytecode");
const made = spawnSync("make", ["-s", "-C", tools], { encoding: "utf8" });
const missing = made.status === 0 ? undefined : `the byte-code compiler cannot be built: ${made.stderr}`;
const fixtures = resolve(import.meta.dirname, "fixtures");

describeWith(missing, "byte-code compiler", () => {
  let folder = "";
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "bytecode-test-"))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const compile = (...files: string[]) =>
    spawnSync(join(projectRoot, "build/xs-bytecode/xs-bytecode"), ["-b", fixtures, "-o", folder, ...files], {
      encoding: "utf8",
    });

  test("a module becomes XS_B with version, names and code, and its sizes are told", () => {
    const run = compile(join(fixtures, "check.js"));
    expect(run.status).toBe(0);
    const file = readFileSync(join(folder, "check.xsb"));
    expect(file.toString("latin1", 4, 8)).toBe("XS_B");
    expect(file.readUInt32BE(0)).toBe(file.length);
    expect([...file.subarray(16, 18)]).toEqual([13, 3]);
    const [, code, names, size] = /^check\.js (\d+) (\d+) (\d+)\n$/.exec(run.stdout) ?? [];
    expect(Number(size)).toBe(file.length);
    expect(Number(code) + Number(names) + 36).toBe(file.length);
  });

  test("compiling twice gives the same bytes", () => {
    compile(join(fixtures, "frame-echo.js"));
    const first = readFileSync(join(folder, "frame-echo.xsb"));
    compile(join(fixtures, "frame-echo.js"));
    expect(readFileSync(join(folder, "frame-echo.xsb")).equals(first)).toBe(true);
  });

  test("a fault in a module is named with file and line, and ends with 1", () => {
    const bad = join(folder, "bad.js");
    writeFileSync(bad, "const a = 1;\nconst b = ;\n");
    const run = compile(bad);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain(`${bad}:2: error:`);
  });

  test("usage and missing files are told apart", () => {
    expect(compile().status).toBe(2);
    expect(compile(join(folder, "none.js")).status).toBe(1);
  });

  test("an archive holds the entry and what it imports, imports first", () => {
    const archive = readFileSync(buildArchive(join(fixtures, "frame-echo.js"))).toString("latin1");
    expect(archive.startsWith("XS_A", 4)).toBe(true);
    expect(archive.indexOf("PATHcheck.js\0")).toBeGreaterThan(0);
    expect(archive.indexOf("PATHframe-echo.js\0")).toBeGreaterThan(archive.indexOf("PATHcheck.js\0"));
  });

  test("a module of an npm package keeps the name by which it is imported", () => {
    const entry = join(folder, "crc.js");
    writeFileSync(entry, 'import crc32 from "crc/calculators/crc32";\nexport const step = crc32;\n');
    expect(readFileSync(buildArchive(entry)).toString("latin1")).toContain("PATHcrc/calculators/crc32\0");
  });

  test("an import that no device can resolve is refused by name", () => {
    const entry = join(folder, "node.js");
    writeFileSync(entry, 'import { readFileSync } from "node:fs";\nexport const step = readFileSync;\n');
    expect(() => buildArchive(entry)).toThrow(/"node:fs" is no module that XS could run/);
  });

  const report = (budget: object, ...args: string[]) => {
    const file = join(folder, "budget.json");
    writeFileSync(file, JSON.stringify(budget));
    const run = spawnSync(
      process.execPath,
      [join(tools, "report.mjs"), "--budget", file, ...args, fixtures],
      { encoding: "utf8" },
    );
    return {
      ...run,
      budget: () => JSON.parse(readFileSync(file, "utf8")) as { folders: Record<string, number> },
    };
  };

  test("the report passes within the budget, names what grew beyond it, and asks a budget of every folder", () => {
    const roomy = { all: 9999, linked: 9999, oneUpstream: 9999, folders: { ".": 9999 } };
    const good = report(roomy);
    expect(good.stderr).toBe("");
    expect(good.status).toBe(0);
    expect(good.stdout).toContain("frame-echo.js");
    expect(good.stdout).toContain("Device builds use the SDK's own xsc and xsl");
    const grown = report({ ...roomy, folders: { ".": 100 } });
    expect(grown.status).toBe(1);
    expect(grown.stderr).toMatch(/more than its budget of 100/);
    expect(report({ ...roomy, all: 100 }).stderr).toMatch(/all of src/);
    expect(report({ ...roomy, oneUpstream: 100 }).stderr).toMatch(/largest upstream/);
    expect(report({ ...roomy, folders: {} }).status).toBe(1);
  });

  type Measured = { all: number; names: number; modules: { name: string; code: number }[] };

  test("--update keeps what is measured plus 3 %, --json gives it all", () => {
    const updated = report({ folders: {} }, "--update", "--json");
    expect(updated.status).toBe(0);
    const measured = JSON.parse(updated.stdout) as Measured;
    expect(measured.modules.map(({ name }) => name)).toContain("check.js");
    const code = measured.modules.reduce((sum, module) => sum + module.code, 0);
    expect(updated.budget().folders["."]).toBeGreaterThan(code * 1.02);
    expect(updated.budget().folders["."]).toBeLessThan(code * 1.03 + 64);
  });

  test("what an entry does not import does not count, and a name counts once", () => {
    const one = (...args: string[]) =>
      JSON.parse(report({ folders: {} }, "--json", ...args).stdout) as Measured;
    const whole = one();
    const reached = one("--entry", join(fixtures, "bytes-echo.js"));
    expect(reached.modules.map(({ name }) => name)).toEqual(["check.js", "frame-echo.js", "bytes-echo.js"]);
    expect(reached.all).toBe(whole.all);
    // The three files have names in common, so together they take less than each alone.
    const alone = ["check.js", "frame-echo.js", "bytes-echo.js"].map((name) => {
      const [, , names] = /^\S+ (\d+) (\d+) \d+\n$/.exec(compile(join(fixtures, name)).stdout) ?? [];
      return Number(names);
    });
    expect(reached.names).toBeLessThan(alone.reduce((sum, size) => sum + size, 0));
    expect(reached.names).toBeGreaterThan(Math.max(...alone) - 10);
  });

  test("the firmware keeps within its budget", () => {
    const run = spawnSync(process.execPath, [join(tools, "report.mjs")], { encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(run.status).toBe(0);
  });
});
