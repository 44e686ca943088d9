/**
 * The existing vectors, link scenarios, session dialogues and grid properties in the device's engine: the very test files
 * that Node runs (test/xs/suite says how), in the 32-bit machine and as byte code on the emulated microcontroller. Both
 * have more memory here than a chip, because tests keep what they saw.
 */
import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { qemuMissing, startQemu } from "../../host-sim/runtime/qemu.js";
import { projectRoot, startXsHost, xsHostMissing, type XsRuntime } from "../../host-sim/runtime/xs-host.js";
import { buildSuite, type Suite, type SuiteSize } from "./suite/build-suite.js";
import { largeMachine } from "./suite/large-machine.js";
import { describeWith } from "../support/needs.js";

interface Planned extends Suite {
  /** Not on the emulator, whose watchdog bites in one test; by part of the name. */
  readonly tooLong?: RegExp;
}

const suites: readonly Planned[] = [
  { file: "test/vectors/wire-frames.test.ts" },
  { file: "test/unit/link-frame.test.ts" },
  { file: "test/unit/link-parts.test.ts" },
  { file: "test/unit/link-receiver.test.ts" },
  { file: "test/property/link-receiver.test.ts" },
  { file: "test/scenario/link-exchange.test.ts" },
  { file: "test/scenario/link-faults.test.ts", tooLong: /a line that is never free/ },
  { file: "test/scenario/link-recorded.test.ts" },
  { file: "test/scenario/link-repetition.test.ts" },
  { file: "test/scenario/link-spi.test.ts" },
  { file: "test/scenario/link-turns.test.ts" },
  {
    file: "test/unit/websocket.test.ts",
    replace: [
      ["test/unit/websocket.test.ts", "2 ** 16", "2 ** 8"],
      ["test/unit/websocket.test.ts", "STREAMS = 2e3", "STREAMS = 40"],
    ],
  },
  { file: "test/scenario/sgd-session.test.ts" },
  { file: "test/scenario/sgd-dialogue.test.ts" },
  { file: "test/scenario/sgd-inform.test.ts" },
  { file: "test/scenario/sgd-override.test.ts" },
  { file: "test/unit/grid-core.test.ts" },
  { file: "test/unit/grid-delay.test.ts", tooLong: /never misses an edge between two wakes/ },
  { file: "test/unit/grid-schedule.test.ts" },
  { file: "test/property/grid-model.test.ts" },
  {
    file: "test/property/grid-random.test.ts",
    replace: [["test/support/delay-draws.ts", "DRAWS = 1e4", "DRAWS = 500"]],
  },
];

type Ask = (
  request: Readonly<Record<string, unknown>>,
) => Promise<string | null | readonly string[] | undefined>;

/** Runs every test of a suite; answers the names of those that ran and what went wrong. */
async function runAll(
  ask: Ask,
  runs: number,
  leaveOut?: RegExp,
): Promise<{ ran: number; left: number; failures: string[] }> {
  const names = (await ask({ k: "list" })) as readonly string[];
  const failures: string[] = [];
  let ran = 0;
  for (const [index, name] of names.entries()) {
    if (leaveOut?.test(name)) continue;
    let result = await ask({ k: "run", index, runs });
    for (let tries = 0; result === null && tries < 3; tries++) result = await ask({ k: "result" });
    if (result !== "") failures.push(`${name}: ${String(result)}`);
    ran++;
  }
  return { ran, left: names.length - ran, failures };
}

const asker =
  (machine: XsRuntime): Ask =>
  async (request) =>
    (await machine.step({ nowMs: 0, utcMs: null, in: [request] })).out[0] as never;

const planted = "test/xs/fixtures/planted.test.ts";

describeWith(xsHostMissing(), "test suites in the 32-bit XS machine", () => {
  const size: SuiteSize = { chunks: 32_000_000, slots: 2_000_000, stack: 32_000 };
  const run = async (suite: Suite) => {
    const machine = await startXsHost({ archive: await buildSuite(suite, size) });
    try {
      return await runAll(asker(machine), 100);
    } finally {
      await machine.close();
    }
  };

  it("a test that fails there is seen", async () => {
    const { ran, failures } = await run({ file: planted });
    expect(ran).toBe(8);
    expect(failures).toHaveLength(6);
    expect(failures.join()).not.toContain("passes");
  });

  it.each(suites)("$file", async (suite) => {
    const { ran, failures } = await run(suite);
    expect(failures).toEqual([]);
    expect(ran).toBeGreaterThan(0);
  });
});

describeWith(qemuMissing(), "test suites on the emulated microcontroller", () => {
  const size: SuiteSize = { chunks: 2_000_000, slots: 110_000, stack: 1024 };
  let firmware = "";
  beforeAll(() => void (firmware = largeMachine()));

  const run = async (suite: Planned) => {
    let bite: (error: Error) => void = () => undefined;
    const bitten = new Promise<never>((_, reject) => (bite = reject));
    const machine = await startQemu({
      archive: await buildSuite(suite, size),
      firmware,
      icountShift: 0, // a nanosecond an instruction: the watchdog's 8 s are then 8 billion instructions
      onReset: (why) => bite(new Error(`the machine was reset: ${why}`)),
    });
    try {
      return await Promise.race([runAll(asker(machine), 20, suite.tooLong), bitten]);
    } finally {
      await machine.close();
    }
  };

  it("a test that fails there is seen", async () => {
    const { failures } = await run({ file: planted });
    expect(failures).toHaveLength(6);
  });

  it.each(suites)("$file", async (suite) => {
    const { ran, left, failures } = await run(suite);
    expect(failures).toEqual([]);
    expect(left).toBe(suite.tooLong ? 1 : 0);
    expect(ran).toBeGreaterThan(0);
  });
});

// The plan names files that exist, and all link scenarios and grid properties are in it.
it.each([
  ["test/scenario", /^link-.*\.test\.ts$/],
  ["test/property", /^grid-.*\.test\.ts$/],
])("every suite of its kind in %s is planned", (folder, kind) => {
  const files = readdirSync(resolve(projectRoot, folder))
    .filter((name) => kind.test(name))
    .map((name) => `${folder}/${name}`);
  expect(files.length).toBeGreaterThan(1);
  expect(suites.map(({ file }) => file)).toEqual(expect.arrayContaining(files));
});
