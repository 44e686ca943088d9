/**
 * The lint itself is tested: each rule sees a planted violation. A linter that reads no file also finds nothing.
 */
import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync, copyFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

describe("banned globals in src", () => {
  const eslint = new ESLint({ cwd: root });
  it.each([
    ["process.exit(1);", "no-restricted-globals"],
    ["export const t = () => Date.now();", "no-restricted-globals"],
    ["setTimeout(() => undefined, 1);", "no-restricted-globals"],
    ["export const f = new Intl.NumberFormat();", "no-restricted-globals"],
    ["export const s = (1).toLocaleString();", "no-restricted-syntax"],
    ["export const r = () => Math.random();", "no-restricted-syntax"],
    ["let count = 0; export const n = () => count++;", "no-restricted-syntax"],
    ["export let count = 0;", "no-restricted-syntax"],
    ["const seen = new Map(); export { seen };", "no-restricted-syntax"],
    ["export const digits = /[0-9]/;", "no-restricted-syntax"],
    ["export const forms = { digits: [/[0-9]/] };", "no-restricted-syntax"],
    ["export const digits = new RegExp('[0-9]');", "no-restricted-syntax"],
    ["export class Digits { static form = /[0-9]/; }", "no-restricted-syntax"],
    ["export const load = () => import('./fault.js');", "no-restricted-syntax"],
  ])("%s", async (code, rule) => {
    const [result] = await eslint.lintText(`${code}\n`, { filePath: join(root, "src/base/planted.ts") });
    expect(result?.messages.map((message) => message.ruleId)).toContain(rule);
  });

  it("is quiet on clean code", async () => {
    const clean = `export const double = (x: number): number => 2 * x;
export const isDigit = (text: string): boolean => /^[0-9]$/.test(text);
`;
    const [result] = await eslint.lintText(clean, { filePath: join(root, "src/base/planted.ts") });
    expect(result?.messages).toEqual([]);
  });
});

describe("import rule", () => {
  let house: string;
  const cruise = (): { status: number | null; text: string } => {
    const run = spawnSync(
      process.execPath,
      [
        join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs"),
        "src",
        "host-sim",
        "--config",
        ".dependency-cruiser.cjs",
        "--output-type",
        "err-long",
      ],
      { cwd: house, encoding: "utf8" },
    );
    return { status: run.status, text: run.stdout + run.stderr };
  };
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(house, path)), { recursive: true });
    writeFileSync(join(house, path), text);
  };

  beforeAll(() => {
    // A house of its own, with this project's rules, so that no planted file can be left behind here.
    house = mkdtempSync(join(root, "build-house-"));
    for (const file of [".dependency-cruiser.cjs", "tsconfig.base.json"])
      copyFileSync(join(root, file), join(house, file));
    writeFileSync(
      join(house, "tsconfig.json"),
      '{"extends":"./tsconfig.base.json","include":["src","host-sim"]}',
    );
    writeFileSync(join(house, "package.json"), '{"type":"module"}');
    symlinkSync(join(root, "node_modules"), join(house, "node_modules"));
    for (const folder of ["base", "ports", "wire", "link", "sgd", "grid", "translate", "openadr2"]) {
      write(`src/${folder}/a.ts`, "export const a = 1;\n");
    }
    write("src/app.ts", 'export { a } from "./sgd/a.js";\n');
    write("host-sim/x.ts", 'import { a } from "../src/app.js";\nexport const x = a;\n');
  });
  afterAll(() => rmSync(house, { recursive: true, force: true }));

  it("passes a clean house and has really read it", () => {
    const { status, text } = cruise();
    expect(text).toMatch(/no dependency violations found \((9|1\d) modules/);
    expect(status).toBe(0);
  });

  it.each([
    ["src/wire/bad.ts", 'export { a } from "../link/a.js";\n', "wire-imports"],
    ["src/grid/bad.ts", 'export { a } from "../sgd/a.js";\n', "grid-imports"],
    ["src/openadr2/bad.ts", 'export { a } from "../sgd/a.js";\n', "openadr2-imports"],
    ["src/sgd/bad.ts", 'export { a } from "../grid/a.js";\n', "sgd-imports"],
    ["src/base/bad.ts", 'export { readFileSync } from "node:fs";\n', "base-imports"],
    ["src/bad.ts", 'export { x } from "../host-sim/x.js";\n', "src-stands-alone"],
    ["src/bad.ts", 'export { readFileSync } from "node:fs";\n', "src-stands-alone"],
    ["src/link/bad.ts", 'export { z } from "./other.js";\n', "unresolvable"],
  ])("catches %s: %s", (path, text, rule) => {
    write(path, text);
    const result = cruise();
    rmSync(join(house, path));
    expect(result.text).toContain(rule);
    expect(result.status).not.toBe(0);
  });
});
