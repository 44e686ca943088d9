import { relative, sep } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { LONG } from "./tools/test-passes.js";

/** `npm test` runs what needs only Node, gcc and make; suites named `*.full.test.ts` need more (CONTRIBUTING.md). */
const full = process.env["OPENUCM_FULL"] === "1";

/** Long suites first, the others as vitest has them. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONG.indexOf(
        relative(import.meta.dirname, moduleId)
          .split(sep)
          .join("/"),
      );
      return at < 0 ? LONG.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Fixtures hold tests that fail on purpose.
    exclude: ["node_modules/**", "test/**/fixtures/**", ...(full ? [] : ["test/**/*.full.test.ts"])],
    // Left to itself, vitest leaves one core of two idle. Of the full suites many measure time and want the machine alone;
    // tools/test.ts says which do not.
    sequence: { sequencer: LongFirst },
    maxWorkers: full ? 1 : 2,
    // What waits, waits for what it then asserts: a limit ends what hangs and says nothing of speed.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 200_000 } },
    setupFiles: ["test/support/seed.ts"],
    coverage: { provider: "v8", include: ["src/wire/**", "src/link/**"] },
  },
});
