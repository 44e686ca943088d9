/**
 * What the owner's page has set up, as one value of NVS beside the build's configuration. This file guarantees: NVS writes one
 * value whole or not at all, so a power cut leaves the old setup or the new one; what cannot be read at the next start is not
 * written; what was set up wins over the build's defaults; secrets that came with the build for one server are not shown to
 * another that the owner names. Platform-free.
 */
import { utf8Length } from "../../src/base/utf8.js";
import { readConfig, type UcmConfig } from "../../src/setup/config.js";
import { type Document, withSetup } from "../../src/setup/kept-setup.js";
import type { Setup } from "../../src/setup/setup-form.js";

/** Roots as PEM text, and the secrets that the configuration names files for elsewhere. */
export interface Stored {
  readonly ca?: string;
  /** The module has a certificate of its own for it: by default with OpenADR 2.0b alone. */
  readonly certificate?: boolean;
  /** Basic authentication of OCPP, until the platform sets another. */
  readonly password?: string;
  /** OAuth 2, OpenADR 3. */
  readonly clientSecret?: string;
  /** For the first certificate from the EST server; each device its own. */
  readonly estSecret?: string;
  /** Of `update`: the root of trust, as the document that comes with the device. */
  readonly root?: string;
}
export type StoredSets = Readonly<Record<string, Stored | undefined>>;

/** NVS or what stands for it; `set` is whole or not at all. */
export interface SetupValue {
  get(): string | undefined;
  set(text: string): void;
  delete(): void;
}

/** A text in NVS has at most 4000 bytes with its end. */
const MOST_BYTES = 3900;

export interface Wifi {
  readonly ssid: string;
  readonly passphrase: string;
}

/** What the build brings (`mc/config`). */
export interface Defaults {
  readonly ucm: unknown;
  readonly wifi: Wifi;
  readonly credentials: StoredSets;
}

interface Kept {
  readonly document: Setup["document"];
  readonly wifi?: Wifi;
  /** By the upstream's id. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** What the module starts with. */
export interface Settings {
  readonly config: UcmConfig;
  readonly wifi: Wifi;
  readonly credentials: StoredSets;
  /** Neither the build nor anybody has said what this module is to do. */
  readonly fresh: boolean;
}

export class KeptSetup {
  constructor(
    private readonly value: SetupValue,
    private readonly defaults: Defaults,
    private readonly log: (text: string) => void,
  ) {}

  /** Throws where the build itself cannot be read. What is kept and fits no more is left, and the build counts. */
  load(): Settings {
    const { ucm, wifi, credentials } = this.defaults;
    const kept = this.kept();
    const config = kept === undefined ? undefined : readConfig(this.document(kept));
    if (kept !== undefined && config !== undefined && "upstreams" in config)
      return {
        ...{ config, wifi: kept.wifi ?? wifi, fresh: false },
        credentials: this.credentials(kept, config),
      };
    if (kept !== undefined) this.log("what was set up does not fit this build");
    const read = readConfig(ucm);
    if (!("upstreams" in read)) throw new Error(read.map((f) => f.text).join(" "));
    return { config: read, wifi, credentials, fresh: read.upstreams.length === 0 };
  }

  /** Keeps what the page gave; `forgetPassword` is told of upstreams whose password belongs to another server. Throws where it cannot. */
  keep({ document, wifi, secret }: Setup, forgetPassword: (upstream: string) => void): void {
    const before = this.kept();
    const present = before === undefined ? this.build() : this.document(before);
    const next = withSetup(present, document);
    const read = readConfig(next);
    if (!("upstreams" in read)) throw new Error(read.map((f) => f.text).join(" "));
    const given = document.upstreams.map(({ id }) => id);
    // Of what was given before, what the build knows too and this one does not replace.
    const earlier = (before?.document.upstreams ?? []).filter(
      ({ id }) => !given.includes(id) && this.ofBuild(id) !== undefined && find(next, id) !== undefined,
    );
    const secrets: Record<string, string> = {};
    for (const { id, protocol } of [...earlier, ...document.upstreams]) {
      const known = find(present, id)?.["protocol"] === protocol ? before?.secrets[id!] : undefined;
      const one = given.includes(id) && secret !== "" ? secret : known;
      if (one !== undefined) secrets[id!] = one;
    }
    const upstreams = document.upstreams.map(({ id }) => find(next, id)!);
    const network = wifi.ssid === "" ? before?.wifi : { ssid: wifi.ssid, passphrase: wifi.passphrase };
    const text = JSON.stringify({
      document: { ...document, upstreams: [...earlier, ...upstreams] },
      ...(network === undefined ? {} : { wifi: network }),
      secrets,
    });
    if (utf8Length(text) > MOST_BYTES) throw new Error("the setup is too long to be kept");
    // First: a power cut in between loses a password, and never shows one to another server.
    for (const { id, url } of document.upstreams)
      if (secret !== "" || find(present, id)?.["url"] !== url) forgetPassword(id!);
    this.value.set(text);
  }

  /** Factory reset. */
  forget(): void {
    if (this.value.get() !== undefined) this.value.delete();
  }

  private build(): Document {
    return (this.defaults.ucm ?? {}) as Document;
  }

  private ofBuild(id: string | undefined): Readonly<Record<string, unknown>> | undefined {
    return find(this.build(), id);
  }

  private kept(): Kept | undefined {
    const text = this.value.get();
    if (text === undefined) return undefined;
    try {
      const kept = JSON.parse(text) as Kept;
      if (Array.isArray(kept.document.upstreams) && typeof kept.secrets === "object") return kept;
    } catch {
      // As if there were none.
    }
    this.log("what was set up cannot be read");
    return undefined;
  }

  /** One after the other, as they were given. */
  private document({ document }: Kept): Document {
    let whole = this.build();
    for (const one of document.upstreams) whole = withSetup(whole, { ...document, upstreams: [one] });
    return whole;
  }

  private credentials({ document, secrets }: Kept, config: UcmConfig): StoredSets {
    const all: Record<string, Stored | undefined> = { ...this.defaults.credentials };
    for (const { id, protocol, url } of config.upstreams) {
      if (!document.upstreams.some((given) => given.id === id)) continue;
      const built = this.ofBuild(id);
      const same = built?.["url"] === url && built["protocol"] === protocol;
      const { ca, certificate, ...theirs } = all[id] ?? {};
      const secret = secrets[id];
      all[id] = {
        ...(ca === undefined ? {} : { ca }),
        ...(certificate === undefined ? {} : { certificate }),
        ...(same ? theirs : {}),
        ...(secret === undefined
          ? {}
          : protocol === "ocpp16"
            ? { password: secret }
            : { clientSecret: secret }),
      };
    }
    return all;
  }
}

function find(
  { upstreams }: Document,
  id: string | undefined,
): Readonly<Record<string, unknown>> | undefined {
  return upstreams?.find((each) => each["id"] === id);
}
