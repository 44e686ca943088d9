/** {@link MqttPort} on this computer, by the npm package `mqtt`: MQTT 3.1.1 over TLS (1.2 at least: Node's default). */
import { type ErrorWithReasonCode, type MqttClient, connect } from "mqtt";
import type { MqttEvent, MqttPort, MqttSubscription } from "../../src/ports/mqtt.js";
import type { HttpCredentials } from "./node-http.js";

export interface NodeMqttOptions {
  /** By the id that a subscription names; an id that is not here gets the system's roots and no certificate. */
  readonly credentials: ReadonlyMap<string, HttpCredentials>;
  /** Where events go: the firmware. Called from the event loop, never from inside `subscribe`. */
  readonly deliver: (event: MqttEvent) => void;
  /** Why a broker does not let us in, each reason once. */
  readonly log?: (text: string) => void;
  /** Shortest and longest wait between two attempts, ms. */
  readonly retryMs?: readonly [least: number, most: number];
}

interface Live {
  readonly client: MqttClient;
  up: boolean;
  failures: number;
  told: string;
  timer: NodeJS.Timeout | undefined;
}

const RETRY_MS = [1000, 120_000] as const;
const KEEP_ALIVE_S = 60;
/** A message is a hint: nothing of it is read, so nothing long has to be taken in. */
const QOS = 1;

export class NodeMqtt implements MqttPort {
  readonly #options: NodeMqttOptions;
  readonly #live = new Map<number, Live>();

  constructor(options: NodeMqttOptions) {
    this.#options = options;
  }

  subscribe(request: MqttSubscription): void {
    this.end(request.id);
    const { id, uri, topics } = request;
    if (!uri.startsWith("mqtts://")) {
      this.#options.log?.(`The broker ${uri} has no TLS; it is not used.`);
      return;
    }
    const { ca, cert, key } = this.#options.credentials.get(request.credentials) ?? {};
    const client = connect(uri, {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(request.username === undefined ? {} : { username: request.username }),
      ...(request.password === undefined ? {} : { password: request.password }),
      protocolVersion: 4,
      clean: true,
      keepalive: KEEP_ALIVE_S,
      rejectUnauthorized: true,
      resubscribe: false,
      reconnectPeriod: 0,
      manualConnect: true,
    });
    const live: Live = { client, up: false, failures: 0, told: "", timer: undefined };
    this.#live.set(id, live);
    const alive = (): boolean => this.#live.get(id) === live;
    client.on("connect", () => {
      client.subscribe([...topics], { qos: QOS }, (error, granted) => {
        if (!alive()) return;
        // A broker that refuses one topic refuses it with 128 in its answer.
        if (error != null || !granted?.some(({ qos }) => (qos as number) <= 2)) {
          this.#tell(live, uri, error?.message ?? "it grants no topic");
          client.end(true);
          return;
        }
        live.failures = 0;
        live.told = "";
        live.up = true;
        this.#options.deliver({ id, ev: "up" });
      });
    });
    client.on("message", (topic) => {
      if (alive()) this.#options.deliver({ id, ev: "message", topic });
    });
    client.on("error", (error: Error | ErrorWithReasonCode) => {
      if (alive()) this.#tell(live, uri, error.message);
    });
    client.on("close", () => {
      if (!alive()) return;
      if (live.up) this.#options.deliver({ id, ev: "down" });
      live.up = false;
      const [least, most] = this.#options.retryMs ?? RETRY_MS;
      // Full jitter: a broker that restarts meets everybody at once otherwise.
      const span = Math.min(most, least * 2 ** Math.min(16, live.failures++));
      live.timer = setTimeout(
        () => {
          if (alive()) client.reconnect();
        },
        least / 2 + Math.random() * span,
      );
    });
    setImmediate(() => {
      if (alive()) client.connect();
    });
  }

  end(id: number): void {
    const live = this.#live.get(id);
    this.#live.delete(id);
    clearTimeout(live?.timer);
    live?.client.end(true);
  }

  /** Ends every subscription. */
  close(): void {
    for (const id of [...this.#live.keys()]) this.end(id);
  }

  #tell(live: Live, uri: string, why: string): void {
    if (live.told === why) return;
    live.told = why;
    this.#options.log?.(`The broker ${uri} cannot be used: ${why}.`);
  }
}
