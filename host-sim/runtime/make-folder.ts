import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * Makes a folder and what lacks above it. Not by `recursive` of mkdir: Node tries for ever where a folder is there but
 * takes no other (`/proc`).
 * @param mode of each folder that is made
 * @returns the uppermost that was made; undefined where all was there
 */
export function makeFolder(path: string, mode = 0o777): string | undefined {
  const missing: string[] = [];
  let at = resolve(path);
  for (; !existsSync(at); at = dirname(at)) missing.push(at);
  if (missing.length === 0 && statSync(at).isDirectory()) return undefined;
  const uppermost = missing.at(-1);
  for (const one of missing.length === 0 ? [at] : missing.reverse()) {
    try {
      mkdirSync(one, { mode });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Another program was faster.
      if (code === "EEXIST" && existsSync(one) && statSync(one).isDirectory()) continue;
      if (code === "ENOENT" && existsSync(dirname(one)))
        throw new Error(`${dirname(one)} takes no new folder`, { cause: error });
      throw error;
    }
  }
  return uppermost;
}
