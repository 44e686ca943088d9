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
 * A suite that needs programs of the system. Without them it is skipped by name, with the command that adds
 * them; with CI=true that is a failure instead.
 */
export function describeNeeding(programs: readonly string[], name: string, suite: () => void): void {
  const missing = programs.filter((program) => programPath(program) === undefined);
  if (missing.length === 0) {
    describe(name, suite);
    return;
  }
  const add = `apt-get install ${missing.map((program) => packages[program] ?? program).join(" ")}`;
  const reason = `${name}: needs ${missing.join(", ")}; add with: ${add}`;
  if (process.env["CI"] === "true") {
    it(reason, () => {
      throw new Error(reason);
    });
  } else {
    console.warn(`skipped: ${reason}`);
    describe.skip(reason, suite);
  }
}
