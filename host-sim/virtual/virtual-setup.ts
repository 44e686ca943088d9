import { readConfig, type UcmConfig } from "../../src/setup/config.js";
import type { Setup } from "../../src/setup/setup-form.js";
import { type Document, withSetup } from "../../src/setup/kept-setup.js";

/** The module at the utility's OpenADR 3.1 side. */
export const client3 = {
  clientId: "module",
  clientSecret: "of the virtual bench alone",
  role: "ven",
} as const;

/** What a module of the virtual bench is told before it works, as its host would keep it in files. */
export class VirtualSetup {
  /** What the pages have set up, in order. */
  readonly setups: Setup[] = [];
  config: UcmConfig;
  #document: Document;
  /** Utilities' secrets that were typed, by the id of their upstream. */
  readonly #secrets = new Map<string, string>();

  constructor(
    private readonly factory: Document,
    /** Nobody has set the module up. */
    public fresh: boolean,
  ) {
    this.#document = fresh ? this.#blank() : factory;
    this.config = this.#read();
  }

  #blank(): Document {
    return { ...this.factory, upstreams: [] };
  }

  #read(): UcmConfig {
    const config = readConfig(this.#document);
    if (!("upstreams" in config)) throw new Error(config.map((one) => one.text).join("; "));
    // As the host does it: what the file of the secret holds stands in memory alone.
    const upstreams = config.upstreams.map((one) => {
      const typed = this.#secrets.get(one.id);
      const clientSecret = one.clientId === client3.clientId ? (typed ?? client3.clientSecret) : typed;
      return clientSecret === undefined ? one : { ...one, clientSecret };
    });
    return { ...config, upstreams };
  }

  /** Takes over what the page gave last. */
  keep(): void {
    const { document, secret } = this.setups.at(-1)!;
    const id = document.upstreams[0]?.id;
    if (id !== undefined && secret !== "") this.#secrets.set(id, secret);
    this.#document = withSetup(this.#document, document);
    this.config = this.#read();
    this.fresh = false;
  }

  /** Factory reset: what the owner's page gave is gone. */
  forget(): void {
    this.#secrets.clear();
    this.#document = this.#blank();
    this.config = this.#read();
    this.fresh = true;
  }
}

/** One upstream "utility" that the bench's own server answers, and what `more` says beside or in its place. */
export function benchDocument(
  url3: string | undefined,
  more: Readonly<Record<string, unknown>> | undefined,
): Document {
  const utility =
    url3 === undefined
      ? {
          id: "utility",
          protocol: "openadr2b",
          url: "https://127.0.0.1:1/OpenADR2/Simple/2.0b",
          venName: "module",
        }
      : {
          id: "utility",
          protocol: "openadr3",
          url: url3,
          venName: "module",
          clientId: client3.clientId,
          clientSecretFile: "(of the bench)",
          pollSeconds: 10,
        };
  return { upstreams: [utility], polling: { stateSeconds: 60, commoditySeconds: 5 }, ...more };
}
