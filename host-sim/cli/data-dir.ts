import { closeSync, linkSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { makeFolder } from "../runtime/make-folder.js";
import { whyNot } from "../runtime/why-not.js";
import { UsageError } from "./output.js";

/** Makes the folder that `--data` names, private to this user. Answers its absolute path. */
export function makeDataDir(...path: readonly string[]): string {
  const dir = resolve(...path);
  try {
    makeFolder(dir, 0o700);
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
 * of a process that lives no more is taken over, also where another program has its number by now.
 */
export function lockDataDir(...path: readonly string[]): string {
  const dir = makeDataDir(...path);
  const file = join(dir, "lock");
  const own = `${process.pid}\n${lifeOf(process.pid)}\n`;
  // Of this process alone: a second lock of its own must not be mistaken for somebody's aside.
  const aside = join(dir, `.lock-${process.pid}`);
  for (let tries = 0; !claim(file, aside, own); tries++) {
    const there = read(file);
    const holder = there === undefined ? undefined : holderOf(there);
    if (holder !== undefined || tries === 10)
      throw new UsageError(
        `another openucm (process ${holder ?? "unknown"}) uses ${dir}: end it, or name another folder with --data DIR; if none runs, remove ${file}`,
      );
    if (there !== undefined) takeAway(file, aside, there);
  }
  process.on("exit", () => {
    if (read(file) === own) rmSync(file, { force: true });
  });
  return dir;
}

/** Writes the lock, whole or not at all; false where there is one. */
function claim(file: string, aside: string, own: string): boolean {
  try {
    writeFileSync(aside, own, { mode: 0o600 });
    linkSync(aside, file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    // A file system without links (FAT): what is there for a moment is an empty lock.
    if (code === "EPERM" || code === "ENOTSUP" || code === "EOPNOTSUPP" || code === "ENOSYS")
      return claimWithoutLinks(file, own);
    throw new UsageError(`cannot write ${file} (${whyNot(error)}): name another folder with --data DIR`);
  } finally {
    rmSync(aside, { force: true });
  }
}

function claimWithoutLinks(file: string, own: string): boolean {
  try {
    writeFileSync(file, own, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Removes the lock of a dead process, and gives back one that another program has just put in its place. */
function takeAway(file: string, aside: string, dead: string): void {
  try {
    renameSync(file, aside);
    if (read(aside) !== dead) linkSync(aside, file);
  } catch {
    // Somebody else was faster: the next try shows who.
  } finally {
    rmSync(aside, { force: true });
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** The process that holds the lock; undefined where it lives no more, or the lock is torn. */
function holderOf(lock: string): number | undefined {
  const [number, life] = lock.split("\n");
  const pid = Number(number);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process may not be signalled, but is there.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return undefined;
  }
  const now = lifeOf(pid);
  return life !== undefined && life !== "" && now !== "" && now !== life ? undefined : pid;
}

/**
 * What tells a process from a later one of the same number: this start of the system, and the ticks from there to its
 * own start (proc(5), field 22 of stat). Empty where the system does not tell; then the number alone counts.
 */
function lifeOf(pid: number): string {
  const boot = read("/proc/sys/kernel/random/boot_id");
  const stat = read(`/proc/${pid}/stat`);
  if (boot === undefined || stat === undefined) return "";
  // The name in brackets may hold anything; what follows are the state and numbers.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A zombie has a number, and writes nothing any more.
  return fields[0] === "Z" ? "ended" : `${boot.trim()} ${fields[19] ?? ""}`;
}
