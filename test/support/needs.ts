import { describe, it } from "vitest";
import { programPath } from "./program-path.js";

export { programPath } from "./program-path.js";

/** What the longer suites need of the system, and the Debian packages that bring it (also in .ci/run). */
const packages: Readonly<Record<string, string>> = {
  chromium: "chromium",
  "qemu-system-riscv32": "qemu-system-misc",
  "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
  python3: "python3 python3-venv",
  openssl: "openssl",
  tshark: "tshark",
  "sigrok-cli": "sigrok-cli",
  gcc: "gcc make",
};

/**
 * A suite that needs something of the system. `missing` says what is not there and how to get it; undefined where all
 * is. Without it the suite is skipped by name; with CI=true that is a failure instead.
 */
export function describeWith(missing: string | undefined, name: string, suite: () => void): void {
  if (missing === undefined) {
    describe(name, suite);
    return;
  }
  const reason = `${name}: ${missing}`;
  if (process.env["CI"] === "true") {
    it(reason, () => {
      throw new Error(reason);
    });
  } else {
    console.warn(`skipped: ${reason}`);
    describe.skip(reason, suite);
  }
}

/** The same for programs on PATH. */
export function describeNeeding(programs: readonly string[], name: string, suite: () => void): void {
  const missing = programs.filter((program) => programPath(program) === undefined);
  const add = `apt-get install ${missing.map((program) => packages[program] ?? program).join(" ")}`;
  const reason = missing.length === 0 ? undefined : `needs ${missing.join(", ")}; add with: ${add}`;
  describeWith(reason, name, suite);
}
