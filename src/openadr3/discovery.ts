import { isPrivate } from "./config.js";

/** The service under which a local VTN announces itself (OpenADR 3.1 Definition). */
export const OPENADR3_SERVICE = "_openadr3._tcp";

/** A local VTN as its TXT record describes it. */
export interface LocalVtn {
  readonly version: string;
  /** What to configure as address. */
  readonly url: string;
  readonly programNames: readonly string[];
  readonly requiresAuth: boolean;
}

const MAX_TEXT = 255;
const MAX_PROGRAMS = 16;

/**
 * Reads a TXT record: `version`, `base_path`, `local_url`, `program_names` (commas between), `requires_auth`. Keys are
 * in any case, the first of a kind counts (RFC 6763 6.4). Undefined where it names no address that can be used, or a
 * version that is not 3.1.
 */
export function readLocalVtn(txt: readonly string[], host: string, port: number): LocalVtn | undefined {
  const value = (key: string): string => {
    for (const one of txt) {
      const split = one.indexOf("=");
      if (split > 0 && one.length <= MAX_TEXT && one.slice(0, split).toLowerCase() === key) {
        return one.slice(split + 1);
      }
    }
    return "";
  };
  const version = value("version");
  if (version !== "" && !/^3\.1(\.|$)/.test(version)) return undefined;
  const path = value("base_path").replace(/^\/*/, "/").replace(/\/+$/, "");
  const named = value("local_url").replace(/\/+$/, "");
  let url = named === "" ? `https://${host}:${String(port)}` : named;
  if (!url.endsWith(path)) url += path;
  if ((named === "" && (host === "" || !(port > 0 && port < 65_536))) || !isPrivate(url)) return undefined;
  const programNames = value("program_names")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "")
    .slice(0, MAX_PROGRAMS);
  return { version, url, programNames, requiresAuth: value("requires_auth").toLowerCase() !== "false" };
}
