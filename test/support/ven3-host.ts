// Our 3.1 VEN on this computer's clock and network, with every port that a computer has.
import { NodeHttp, type HttpCredentials } from "../../host-sim/net/node-http.js";
import { NodeMdns } from "../../host-sim/net/node-mdns.js";
import { NodeMqtt } from "../../host-sim/net/node-mqtt.js";
import type { GridEvent } from "../../src/grid/event.js";
import { OpenAdr3Ven, type OpenAdr3Config } from "../../src/openadr3/ven.js";
import type { SgdStatus } from "../../src/ports/sgd-status.js";

export class Ven3Host {
  readonly ven: OpenAdr3Ven;
  readonly logs: string[] = [];
  held: readonly GridEvent[] = [];
  /** Requests so far, `METHOD path`. */
  readonly asked: string[] = [];
  readonly #http: NodeHttp;
  readonly #mqtt: NodeMqtt;
  readonly #mdns: NodeMdns;
  #timer: NodeJS.Timeout | undefined;
  #ids = 0;
  #closed = false;

  /** `random` 0: what is hinted is asked for at once. */
  constructor(config: OpenAdr3Config, credentials: HttpCredentials, random: () => number = () => 0) {
    const all = new Map([[config.id, credentials]]);
    const log = (text: string): void => void this.logs.push(text);
    this.#http = new NodeHttp({
      credentials: all,
      deliver: (event) => this.#then(() => this.ven.onHttp(event, this.now)),
    });
    this.#mqtt = new NodeMqtt({
      credentials: all,
      deliver: (event) => this.#then(() => this.ven.onMqtt(event, this.now)),
      log,
      retryMs: [50, 500],
    });
    this.#mdns = new NodeMdns({
      deliver: (event) => this.#then(() => this.ven.onMdns(event, this.now)),
      log,
      askMs: 1000,
    });
    this.ven = new OpenAdr3Ven(config, {
      http: {
        request: (request) => {
          this.asked.push(`${request.method} ${new URL(request.url).pathname}`);
          this.#http.request(request);
        },
        abort: (id) => this.#http.abort(id),
      },
      mqtt: this.#mqtt,
      mdns: this.#mdns,
      random: { uint32: random },
      store: { get: () => undefined, set: () => undefined, delete: () => undefined },
      nextRequestId: () => ++this.#ids,
      replaceEvents: (_, events) => {
        this.held = events;
        return events.map(({ id, revision }) => ({ id, revision, verdict: "new", why: "" }));
      },
      clockSeen: () => undefined,
      log: (_, text) => log(text),
    });
    this.#then(() => this.ven.start(this.now));
  }

  get now() {
    return { ms: Math.floor(performance.now()), utcMs: Date.now() };
  }

  hint(): void {
    this.#then(() => this.ven.hint(this.now));
  }

  sgd(status: SgdStatus): void {
    this.#then(() => this.ven.onSgd(status, this.now));
  }

  leave(): void {
    this.#then(() => this.ven.deregister(this.now));
  }

  async until(what: string, fits: () => boolean, ms = 200_000): Promise<void> {
    for (const end = Date.now() + ms; !fits();) {
      if (Date.now() > end)
        throw new Error(
          `not ${what}: ${JSON.stringify(this.ven.status())}\n${this.logs.join("\n")}\n${this.asked.slice(-12).join("\n")}`,
        );
      await new Promise((done) => setTimeout(done, 15));
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#http.close();
    this.#mqtt.close();
    this.#mdns.close();
  }

  #then(act: () => void): void {
    if (this.#closed) return;
    act();
    clearTimeout(this.#timer);
    const wait = this.ven.nextMs() - this.now.ms;
    if (!Number.isFinite(wait)) return;
    this.#timer = setTimeout(
      () => this.#then(() => this.ven.poll(this.now)),
      Math.min(0x7fffffff, Math.max(1, wait)),
    );
  }
}
