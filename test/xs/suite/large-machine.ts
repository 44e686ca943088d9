/** The emulated microcontroller with memory for test suites: the same objects, linked for 4 MB of RAM. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../../host-sim/runtime/xs-host.js";

/** Links it (boards/qemu-rv32 must be made already) and answers its path. */
export function largeMachine(): string {
  const from = join(projectRoot, "build/qemu-rv32");
  const to = join(projectRoot, "build/qemu-rv32-large");
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from).filter((file) => file.endsWith(".o"))) {
    const { atime, mtime } = statSync(join(from, name));
    copyFileSync(join(from, name), join(to, name));
    utimesSync(join(to, name), atime, mtime);
  }
  const args = ["-s", "-C", join(projectRoot, "boards/qemu-rv32"), `DIR=${to}`, "RAM_BYTES=0x3f0000"];
  const made = spawnSync("make", args, { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`the large machine cannot be linked: ${made.stderr}`);
  return join(to, "firmware.elf");
}
