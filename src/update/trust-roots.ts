import { fault, isFault, type Fault } from "../base/fault.js";
import { toHex } from "../base/hex.js";
import { sha256 } from "../base/sha256.js";
import { utf8Encode, utf8Length } from "../base/utf8.js";
import { askFile, type Steps } from "./asks.js";
import { isPlain } from "./canonical.js";
import { urlOf } from "./download.js";
import type { TargetFile } from "./metadata.js";

/** Longest bundle, bytes; drivers/identity keeps no longer one, and `openucm release` makes none. */
export const MOST_ROOT_BYTES = 7600;

/** Who keeps the roots that servers are trusted by. */
export interface RootsHost {
  /** That set of credentials is here, and older than this version. */
  wants(credentials: string, version: number): boolean;
  /** What it answers comes to `Updater.onRoots`. */
  put(credentials: string, version: number, bundle: string): void;
}

/**
 * Fetches the bundles of trust roots among the targets, `custom` being `{"trustRoots":{"credentials","version"}}`: PEM, and
 * the whole list of what that set of credentials is to trust. A fault where a file is not the one that was signed.
 */
export function* fetchRoots(
  targets: readonly TargetFile[],
  host: RootsHost,
  consistent: boolean,
): Steps<Fault | undefined> {
  for (const { path, length, sha256: hash, custom } of targets) {
    const { trustRoots } = custom;
    if (!isPlain(trustRoots)) continue;
    const { credentials, version } = trustRoots;
    if (typeof credentials !== "string" || !Number.isInteger(version)) continue;
    if ((version as number) > 0xffff_ffff || !host.wants(credentials, version as number)) continue;
    const wrong = (why: string): Fault => fault("server", "tuf-roots", `${path} ${why}.`);
    if (length > MOST_ROOT_BYTES) return wrong("is too long");
    const text = yield* askFile(urlOf(path, hash, consistent), length);
    if (isFault(text)) return text;
    if (utf8Length(text) !== length || toHex(sha256(utf8Encode(text))).toLowerCase() !== hash)
      return wrong("is not what was signed");
    host.put(credentials, version as number, text);
  }
  return undefined;
}
