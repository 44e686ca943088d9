/** Every branch of src/wire and src/link but a few is taken by their own tests, and none is left out by a comment. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repoRoot } from "../support/process.js";

interface Summary {
  readonly [file: string]: { readonly branches: { readonly total: number; readonly covered: number } };
}

const tests = [
  ...[
    "test/unit/wire",
    "test/unit/link",
    "test/property/wire",
    "test/property/link",
    "test/property/fuzz.test.ts",
  ],
  ...["test/vectors/wire", "test/scenario/link", "test/quirks/information"],
];

describe("coverage of src/wire and src/link", () => {
  it("at least 95 % of the branches of each", () => {
    const folder = mkdtempSync(join(tmpdir(), "openucm-coverage-"));
    try {
      const run = spawnSync(
        process.execPath,
        [
          join(repoRoot, "node_modules/vitest/vitest.mjs"),
          ...[
            "run",
            "--coverage",
            "--coverage.reporter=json-summary",
            `--coverage.reportsDirectory=${folder}`,
          ],
          ...tests,
        ],
        { cwd: repoRoot, encoding: "utf8", env: { ...process.env, OPENUCM_FULL: "" } },
      );
      expect(run.status, run.stdout + run.stderr).toBe(0);
      const summary = JSON.parse(readFileSync(join(folder, "coverage-summary.json"), "utf8")) as Summary;
      for (const part of ["src/wire/", "src/link/"]) {
        const files = Object.entries(summary).filter(([file]) => file.includes(part));
        expect(files.length).toBeGreaterThan(8);
        const sum = (key: "total" | "covered") =>
          files.reduce((all, [, { branches }]) => all + branches[key], 0);
        const share = sum("covered") / sum("total");
        console.log(`${part} ${(share * 100).toFixed(2)} % of ${sum("total")} branches`);
        expect(share).toBeGreaterThanOrEqual(0.95);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 600_000);

  it("no comment takes a line out of it", () => {
    for (const part of ["src/wire", "src/link"]) {
      for (const file of readdirSync(join(repoRoot, part))) {
        const text = readFileSync(join(repoRoot, part, file), "utf8");
        expect(/\b(?:v8|c8|istanbul|node:coverage)\s+(?:ignore|disable)/.test(text), file).toBe(false);
      }
    }
  });
});
