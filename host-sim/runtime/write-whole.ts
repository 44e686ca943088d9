import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { makeFolder } from "./make-folder.js";

/**
 * Writes a file so that a power cut at any moment leaves the old one or the new, and never half or an empty one: aside,
 * to the disk, then renamed, and the folder to the disk too. When it returns, what was written stays written. That takes
 * some milliseconds (on a slow card many): not for what is written again and again beside a line that has its deadlines.
 */
export function writeWhole(path: string, bytes: Uint8Array | string, mode?: number): void {
  const folder = dirname(path);
  const made = makeFolder(folder, mode === 0o600 ? 0o700 : undefined);
  const aside = `${path}.new`;
  // What a power cut has left there may have another mode.
  rmSync(aside, { force: true });
  writeSynced(aside, "wx", bytes, mode);
  renameSync(aside, path);
  syncFolder(folder);
  // A folder that is new stands in the one above it.
  if (made !== undefined)
    for (let at = resolve(folder); at !== dirname(made); at = dirname(at)) syncFolder(dirname(at));
}

/** Writes a file that is opened by `flags` ("wx": a new one, "a": at its end); it is on the disk when this returns. */
export function writeSynced(
  path: string,
  flags: "wx" | "a",
  bytes: Uint8Array | string,
  mode?: number,
): void {
  const file = openSync(path, flags, mode);
  try {
    writeFileSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Names and what they name, onto the disk. Windows has nothing like it, and keeps them by itself. */
function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
