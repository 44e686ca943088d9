/** {@link MdnsPort} on this computer, by the npm package `bonjour-service`. */
import { Bonjour, type Browser, type Service } from "bonjour-service";
import type { MdnsEvent, MdnsPort } from "../../src/ports/mdns.js";

export interface NodeMdnsOptions {
  /** Where what is found goes: the firmware. Called from the event loop, never from inside `browse`. */
  readonly deliver: (event: MdnsEvent) => void;
  readonly log?: (text: string) => void;
  /** Ask again so often while looking, ms. */
  readonly askMs?: number;
}

const ASK_MS = 30_000;

export class NodeMdns implements MdnsPort {
  readonly #options: NodeMdnsOptions;
  readonly #browsers = new Map<string, { readonly browser: Browser; readonly timer: NodeJS.Timeout }>();
  #bonjour: Bonjour | undefined;

  constructor(options: NodeMdnsOptions) {
    this.#options = options;
  }

  browse(service: string): void {
    this.stop(service);
    const [, type = "", protocol = ""] = /^_([a-z0-9-]+)\._(tcp|udp)$/.exec(service) ?? [];
    if (type === "" || (protocol !== "tcp" && protocol !== "udp")) return;
    // A machine without a network has no multicast: that is a log line, never a crash.
    this.#bonjour ??= new Bonjour({}, (error: Error) =>
      this.#options.log?.(`Looking on the local network failed: ${error.message}`),
    );
    const tell = (found: Service): void => {
      // Found from the cache while `browse` runs: told after it.
      setImmediate(() => {
        if (this.#browsers.has(service)) this.#options.deliver(eventOf(service, found));
      });
    };
    const browser = this.#bonjour.find({ type, protocol });
    browser.on("up", tell);
    browser.on("txt-update", tell);
    const timer = setInterval(() => {
      browser.update();
      // One that is known already is told again: it may have come back.
      for (const found of browser.services) tell(found);
    }, this.#options.askMs ?? ASK_MS);
    timer.unref();
    this.#browsers.set(service, { browser, timer });
  }

  stop(service: string): void {
    const known = this.#browsers.get(service);
    if (known === undefined) return;
    clearInterval(known.timer);
    known.browser.stop();
    this.#browsers.delete(service);
  }

  close(): void {
    for (const service of [...this.#browsers.keys()]) this.stop(service);
    this.#bonjour?.destroy();
    this.#bonjour = undefined;
  }
}

function eventOf(service: string, found: Service): MdnsEvent {
  const txt = Object.entries((found.txt ?? {}) as Record<string, unknown>).map(
    ([key, value]) => `${key}=${String(value)}`,
  );
  return {
    service,
    instance: found.name,
    host: found.host.replace(/\.$/, ""),
    port: found.port,
    txt,
  };
}
