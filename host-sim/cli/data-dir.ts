import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { whyNot } from "../runtime/why-not.js";
import { CommandError, UsageError } from "./output.js";

/** Makes the folder that `--data` names, private to this user. Answers its absolute path. */
export function makeDataDir(...path: readonly string[]): string {
  const dir = resolve(...path);
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const probe = join(dir, `.probe-${process.pid}`);
    closeSync(openSync(probe, "w"));
    rmSync(probe);
  } catch (error) {
    throw new UsageError(
      `cannot write to the folder ${dir} (${whyNot(error)}): name another with --data DIR`,
    );
  }
  return dir;
}

/**
 * The same, and keeps a second program out that would write the same flash and store; until this process ends. A lock
 * of a process that lives no more is taken over.
 */
export function lockDataDir(...path: readonly string[]): string {
  const dir = makeDataDir(...path);
  const file = join(dir, "lock");
  for (let tries = 0; ; tries++) {
    try {
      const handle = openSync(file, "wx", 0o600);
      writeSync(handle, String(process.pid));
      closeSync(handle);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const owner = ownerOf(file);
      if (owner !== undefined || tries === 3)
        throw new CommandError(
          `another openucm (process ${owner ?? "unknown"}) uses ${dir}: end it, or name another folder with --data DIR; if none runs, remove ${file}`,
        );
      rmSync(file, { force: true });
    }
  }
  process.on("exit", () => rmSync(file, { force: true }));
  return dir;
}

/** The process that holds the lock; undefined where it lives no more. */
function ownerOf(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    if (!Number.isInteger(pid) || pid <= 0) return undefined;
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    // Another user's process may not be signalled, but is there.
    return (error as NodeJS.ErrnoException).code === "EPERM" ? Number(readFileSync(file, "utf8")) : undefined;
  }
}
