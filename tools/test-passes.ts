/**
 * Which suites of the full run may run two at a time, and which want the machine alone. A suite in real time (processes,
 * sockets, browsers) runs alone: that is seen by what it imports and need not be said here. One that computes, or whose time
 * is virtual, is named in BESIDE. What is neither, though nothing shows it, is named in ALONE. test/house/passes.test.ts
 * holds each suite to exactly one of the three; one that nobody has named runs alone meanwhile.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, posix, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Suites that may share the machine, by why. */
export const BESIDE: readonly { readonly why: string; readonly suites: readonly string[] }[] = [
  {
    why: "computes: generated inputs, no clock",
    suites: [
      "test/property/fuzz.full.test.ts",
      "test/property/journal-week.test.ts",
      "test/property/ocpp16-fuzz.full.test.ts",
      "test/property/openadr2-fuzz.test.ts",
      "test/property/openadr3-fuzz.full.test.ts",
      "test/unit/mqtt.test.ts",
      "test/xs/receiver-twin.full.test.ts",
    ],
  },
  {
    why: "virtual time",
    suites: [
      "test/property/loss.full.test.ts",
      "test/property/model-charger.test.ts",
      "test/scenario/endurance.full.test.ts",
      "test/scenario/outages.full.test.ts",
      "test/scenario/scenario-all.full.test.ts",
      "test/scenario/scenario-mutants.test.ts",
      "test/unit/update-hundred.full.test.ts",
    ],
  },
  {
    why: "a machine of its own whose clock is told or counts instructions",
    suites: [
      "test/xs/handler-in-ram.full.test.ts",
      "test/xs/instructions.full.test.ts",
      "test/xs/journal.full.test.ts",
      "test/xs/link-deadline.full.test.ts",
      "test/xs/main-job.full.test.ts",
      "test/xs/memory.full.test.ts",
      "test/xs/ocpp16-day.full.test.ts",
      "test/xs/openadr2-heap.full.test.ts",
      "test/xs/suites.full.test.ts",
      "test/xs/xs-host.full.test.ts",
    ],
  },
  {
    why: "runs a program to its end and reads what it said",
    suites: [
      "test/house/build-board.full.test.ts",
      "test/house/coverage.full.test.ts",
      "test/interop/dissector-sigrok.full.test.ts",
      "test/interop/dissector-wireshark.full.test.ts",
      "test/interop/nvs-partition.full.test.ts",
      "test/interop/openadr2-xsd.full.test.ts",
      "test/interop/sbom.full.test.ts",
      "test/interop/verify-psa.full.test.ts",
      "test/scenario/scenario-howto.full.test.ts",
      "test/xs/bytecode.full.test.ts",
    ],
  },
];

/** Of these the ones that take about a minute: they begin first, so that none of them is left when all else has ended. */
export const LONG: readonly string[] = [
  "test/property/openadr3-fuzz.full.test.ts",
  "test/xs/suites.full.test.ts",
  "test/property/fuzz.full.test.ts",
  "test/xs/receiver-twin.full.test.ts",
  "test/property/openadr2-fuzz.test.ts",
  "test/property/model-charger.test.ts",
  "test/scenario/outages.full.test.ts",
  "test/scenario/scenario-all.full.test.ts",
  "test/xs/link-deadline.full.test.ts",
  "test/property/ocpp16-fuzz.full.test.ts",
  "test/xs/journal.full.test.ts",
];

/** Suites that want the machine alone, though their imports do not show it, by why. */
export const ALONE: Readonly<Record<string, string>> = {
  "test/house/pack.full.test.ts": "starts an installed bench",
  "test/scenario/timing.full.test.ts": "measures delays of processes",
  "test/xs/qemu.full.test.ts": "writes to the machine's line in real time",
};

/** Suites without processes or sockets of their own that a busy machine or a silent package index can fail all the same, by why. */
export const TOUCHY: Readonly<Record<string, string>> = {
  "test/interop/nvs-partition.full.test.ts": "installs from the package index",
  "test/interop/openadr2-xsd.full.test.ts": "installs from the package index",
  "test/interop/sbom.full.test.ts": "installs from the package index",
  "test/property/fuzz.full.test.ts": "looks at the process's memory",
  "test/scenario/endurance.full.test.ts": "looks at the process's memory",
  "test/scenario/grid-scale.test.ts": "compares the time it takes",
  "test/scenario/grid-year.test.ts": "has a limit in seconds",
  "test/scenario/main-job.test.ts": "compares the time it takes",
  "test/scenario/scenario-all.full.test.ts": "has a limit in seconds of the processor",
  "test/xs/instructions.full.test.ts": "asks a machine in another process while it runs",
  "test/xs/link-deadline.full.test.ts": "asks a machine in another process while it runs",
  "test/xs/long-text.test.ts": "compares the time it takes",
  "test/xs/main-job.full.test.ts": "asks a machine in another process while it runs",
  "test/xs/xs-host.full.test.ts": "stops the world and looks at the clock",
};

/** Every suite of the project, as paths from its folder with "/". */
export function everySuite(): string[] {
  return readdirSync(`${root}test`, { recursive: true })
    .map((file) => `test/${String(file).split(sep).join("/")}`)
    .filter((file) => file.endsWith(".test.ts") && !file.includes("/fixtures/"))
    .sort();
}

/** The suites that `npm test` leaves out, or of which it runs a part. */
export function suitesLeft(): string[] {
  return everySuite().filter(
    (file) => file.endsWith(".full.test.ts") || readFileSync(root + file, "utf8").includes("OPENUCM_FULL"),
  );
}

const besides: readonly string[] = BESIDE.flatMap(({ suites }) => suites);

/** Whether a suite may run beside another. */
export const runsBeside = (suite: string): boolean => besides.includes(suite);

const REAL =
  /\bnew CliProcess\(|from "(?:playwright-core|ws|mqtt|node:(?:net|http|https|tls|dgram))"|host-sim\/net\/|\/(?:vtn|csms)\/server\.js|\/open-line\.js/;

/** What of the real world a suite deals with: the files below test/ that do so, itself included. */
export function realWorldOf(suite: string, seen = new Set<string>()): string[] {
  if (seen.has(suite) || !existsSync(join(root, suite))) return [];
  seen.add(suite);
  const text = readFileSync(join(root, suite), "utf8");
  const below = [...text.matchAll(/from "(\.[^"]+)\.js"/g)]
    .map(([, name]) => posix.join(dirname(suite), `${name!}.ts`))
    .filter((file) => file.startsWith("test/"))
    .flatMap((file) => realWorldOf(file, seen));
  return REAL.test(text) ? [suite, ...below] : below;
}

/**
 * Whether what else the machine does can fail a suite: then a failure is looked at once more, alone. One that computes, or
 * whose time is virtual, has no such excuse: it fails at once.
 */
export const byTheClock = (suite: string): boolean =>
  suite in ALONE || suite in TOUCHY || realWorldOf(suite).length > 0;
