import type { MdnsEvent, MdnsPort } from "../ports/mdns.js";
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

/**
 * Looks for a server on the local network. The first that can serve this module is taken: it speaks 3.1 over TLS, has
 * one of the programmes that are wanted, and asks for no token where we have none. What mDNS says is no proof of
 * anything: the server must still show a certificate of the configured authority before it hears a word.
 */
export class Finder {
  /** The local network is being searched. */
  looking = false;
  /** Servers that were found and cannot be used, to be told. */
  trouble = "";
  private readonly mdns: MdnsPort;
  private readonly programs: readonly string[];
  private readonly identified: boolean;
  /** Where the last attempt came to nothing: others go first. */
  private avoid = "";

  constructor(mdns: MdnsPort, programs: readonly string[], identified: boolean) {
    this.mdns = mdns;
    this.programs = programs;
    this.identified = identified;
  }

  /** Looks on, or begins to. `failed`: an address that has just not answered. */
  begin(failed = ""): void {
    if (this.looking) return;
    this.looking = true;
    this.avoid = failed;
    this.mdns.browse(OPENADR3_SERVICE);
  }

  end(): void {
    if (!this.looking) return;
    this.looking = false;
    this.mdns.stop(OPENADR3_SERVICE);
  }

  /** The base URL of a server that fits; undefined for one that does not. */
  take(event: MdnsEvent): string | undefined {
    if (event.service !== OPENADR3_SERVICE) return undefined;
    const vtn = readLocalVtn(event.txt, event.host, event.port);
    const { programs } = this;
    if (vtn === undefined) this.trouble = "it speaks no OpenADR 3.1 over TLS";
    else if (vtn.requiresAuth && !this.identified) this.trouble = "it wants a login, and none is configured";
    else if (
      programs.length > 0 &&
      vtn.programNames.length > 0 &&
      !programs.some((name) => vtn.programNames.includes(name))
    ) {
      this.trouble = `it has no programme "${programs.join(", ")}"`;
    } else if (vtn.url === this.avoid) {
      // Announced once more: it may be back, and is the next to be tried if nobody else is there.
      this.avoid = "";
      return undefined;
    } else return vtn.url;
    this.trouble = `A local server (${event.instance.slice(0, 64)}) is passed over: ${this.trouble}.`;
    return undefined;
  }
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
