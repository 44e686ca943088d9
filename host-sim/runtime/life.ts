/** What one life of the module has open in the world, which the next must not inherit: its ids begin anew. */
import type { CertificateCall, CertificateEvent, CertificatePort } from "../../src/ports/certificates.js";
import type { HttpPort } from "../../src/ports/http.js";
import type { MdnsPort } from "../../src/ports/mdns.js";
import type { MqttPort } from "../../src/ports/mqtt.js";
import type { WebSocketPort } from "../../src/ports/websocket.js";
import type { Input, Output } from "../../src/runtime.js";

export interface LifePorts {
  readonly http: HttpPort;
  readonly websocket?: WebSocketPort;
  readonly certificates?: CertificatePort;
  readonly mqtt?: MqttPort;
  readonly mdns?: MdnsPort;
}

/** What the event that answers a call is called. */
const ANSWERED = { request: "requested", install: "installed", look: "validity", roots: "roots" } as const;

const OF_A_LIFE: readonly Input["k"][] = [
  ...(["head", "data", "end", "failed", "ws", "mqtt", "mdns", "certificate", "slot", "web"] as const),
];

/** True for what answers something that a life has asked for: of no meaning to another. */
export function isOfALife(input: Input): boolean {
  return OF_A_LIFE.includes(input.k);
}

export class Life {
  readonly #ports: LifePorts;
  readonly #http = new Set<number>();
  readonly #sockets = new Set<number>();
  readonly #brokers = new Set<number>();
  readonly #services = new Set<string>();
  /** Calls without an answer yet, and answers that are owed to a life that is over: by event and credentials. */
  #calls = new Map<string, number>();
  readonly #late = new Map<string, number>();

  constructor(ports: LifePorts) {
    this.#ports = ports;
  }

  /** Notes what is opened. What has ended by itself may stay noted: to abort it again does no harm. */
  opened(output: Output): void {
    if (output.k === "http") this.#http.add(output.request.id);
    else if (output.k === "ws" && output.call.do === "open") this.#sockets.add(output.call.request.id);
    else if (output.k === "mqtt" && output.call.do === "subscribe") this.#brokers.add(output.call.request.id);
    else if (output.k === "mdns" && output.call.do === "browse") this.#services.add(output.call.service);
    else if (output.k === "certificate") this.#count(output.call);
  }

  /** It is over by itself. */
  closed(kind: "http" | "ws", id: number): void {
    (kind === "http" ? this.#http : this.#sockets).delete(id);
  }

  /** False for an answer to a call of a life that is over. */
  isMine({ ev, credentials }: CertificateEvent): boolean {
    const key = `${ev} ${credentials}`;
    const late = this.#late.get(key) ?? 0;
    const counts = late > 0 ? this.#late : this.#calls;
    counts.set(key, Math.max(0, (counts.get(key) ?? 0) - 1));
    return late === 0;
  }

  /** It is over: nothing that it has opened tells the next one anything. */
  end(): void {
    const { http, websocket, mqtt, mdns } = this.#ports;
    for (const id of this.#http) http.abort(id);
    for (const id of this.#sockets) websocket?.close(id, 1001, "going away");
    for (const id of this.#brokers) mqtt?.end(id);
    for (const service of this.#services) mdns?.stop(service);
    for (const open of [this.#http, this.#sockets, this.#brokers, this.#services]) open.clear();
    for (const [key, count] of this.#calls) this.#late.set(key, (this.#late.get(key) ?? 0) + count);
    this.#calls = new Map();
  }

  #count({ do: what, credentials }: CertificateCall): void {
    if (what === "word") return;
    const key = `${ANSWERED[what]} ${credentials}`;
    this.#calls.set(key, (this.#calls.get(key) ?? 0) + 1);
  }
}
