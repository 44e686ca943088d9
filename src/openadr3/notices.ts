import type { MqttEvent, MqttPort } from "../ports/mqtt.js";
import { field, isObject, listOf, textOf, type Json } from "./json-stream.js";
import { get, post, type Ask, type Sending } from "./requests.js";
import { percent } from "./token.js";

/** Where notifications come from is looked up again so often, ms. */
const REFRESH_MS = 3_600_000;
/** Programmes whose events are listened to one by one. */
const MAX_PROGRAMMES = 8;
const MAX_TOPICS = 16;
const MAX_TOPIC = 256;
/** Subscriptions of an earlier life that are taken away at once; what is left is found the next time. */
const MAX_STALE = 8;
const OPERATIONS = ["CREATE", "UPDATE", "DELETE"];

/** What the utility knows of us, as far as topics depend on it. */
export interface NoticeScope {
  readonly base: string;
  readonly venId: string;
  readonly programIds: readonly string[];
  /** The token in use, "" for none. */
  readonly token: string;
}

export interface NoticeOptions {
  /** Name of the upstream: whose credentials the broker is shown. */
  readonly id: string;
  readonly clientId: string | undefined;
  readonly certificate: boolean;
  readonly clientName: string;
  /** Where this program can be called by the server; undefined = it cannot. */
  readonly callbackUrl: string | undefined;
  readonly callbackToken: string | undefined;
}

/**
 * How the server tells that something has changed: by MQTT where it has a broker over TLS and the world can reach it,
 * and by a webhook where the world says that it can be called. Either is a hint to ask sooner; polling goes on, so
 * that nothing is lost where neither works. It asks: notifiers, lists of topics, own subscription objects.
 */
export class Notices {
  /** The broker has taken our subscription. */
  up = false;
  /** Why there is no MQTT, to be told once; "" for nothing to tell. */
  trouble = "";
  private readonly options: NoticeOptions;
  private readonly mqtt: MqttPort | undefined;
  private readonly nextId: () => number;
  private refreshMs = 0;
  private asks: Ask[] = [];
  private paths: string[] = [];
  private uri = "";
  private username: string | undefined;
  private withToken = false;
  private topics: string[] = [];
  /** The subscription as the world has it. */
  private live: { readonly id: number; readonly key: string; readonly token: string } | undefined;
  /** Subscription objects of ours at the server that are to be deleted, and the one that stands. */
  private stale: string[] = [];
  private hookId = "";

  constructor(options: NoticeOptions, mqtt: MqttPort | undefined, nextId: () => number) {
    this.options = options;
    this.mqtt = mqtt;
    this.nextId = nextId;
  }

  /** Monotonic time at which it has something to ask. */
  nextMs(): number {
    if (this.mqtt === undefined && !this.hooked) return Infinity;
    return this.asks.length > 0 ? 0 : this.refreshMs;
  }

  private get hooked(): boolean {
    return this.options.callbackUrl !== undefined && this.options.callbackToken !== undefined;
  }

  /** What to ask the server now; undefined for nothing. */
  request(scope: NoticeScope, nowMs: number): Sending | undefined {
    if (nowMs < this.nextMs()) return undefined;
    if (this.asks.length === 0) {
      this.refreshMs = nowMs + REFRESH_MS;
      if (this.mqtt !== undefined) this.asks.push("notifiers");
      // A subscription object stands until it is deleted; one of another life has a token that nobody knows.
      if (this.hooked && this.hookId === "") this.asks.push("find-hook");
      if (this.asks.length === 0) return undefined;
    }
    const { base } = scope;
    switch (this.asks[0]) {
      case "notifiers": {
        this.paths = scope.programIds.slice(0, MAX_PROGRAMMES).map((id) => `programs/${percent(id)}/events`);
        if (scope.venId !== "") this.paths.unshift(`vens/${percent(scope.venId)}/events`);
        if (scope.programIds.length === 0) this.paths.push("events");
        this.topics = [];
        return get("notifiers", `${base}/notifiers`);
      }
      case "topics":
        return get("topics", `${base}/notifiers/mqtt/topics/${this.paths[0] ?? "events"}`);
      case "find-hook":
        this.stale = [];
        return get(
          "find-hook",
          `${base}/subscriptions?clientName=${percent(this.options.clientName)}&skip=0&limit=50`,
        );
      case "drop-hook":
        return this.drop(base, this.stale[0] ?? "");
      default:
        return post("make-hook", `${base}/subscriptions`, this.hookBody());
    }
  }

  /** An element of a list in answer to `ask`. */
  take(ask: Ask, value: Json): void {
    if (ask !== "find-hook") return;
    const { callbackUrl, clientName } = this.options;
    const ours = listOf(value, "objectOperations").some(
      (one) => textOf(one, "callbackUrl", 8000) === callbackUrl,
    );
    const id = textOf(value, "id");
    if (this.stale.length >= MAX_STALE) return;
    if (ours && id !== "" && textOf(value, "clientName") === clientName) this.stale.push(id);
  }

  /** The answer to `ask` is whole; `value`: itself where it is no list. */
  answered(ask: Ask, value: Json | undefined, scope: NoticeScope): void {
    switch (ask) {
      case "notifiers":
        this.asks.shift();
        if (this.readBroker(value)) this.asks.unshift("topics");
        else this.end();
        return;
      case "topics":
        this.readTopics(value);
        this.nextPath(scope);
        return;
      case "find-hook":
        this.asks = [...this.stale.map((): Ask => "drop-hook"), "make-hook"];
        return;
      case "drop-hook":
        this.stale.shift();
        this.asks.shift();
        return;
      default:
        this.hookId = textOf(value, "id");
        this.asks.shift();
    }
  }

  /** The server does not answer `ask`: go on without. */
  refused(ask: Ask, scope: NoticeScope): void {
    if (ask === "topics") this.nextPath(scope);
    else if (ask === "drop-hook") {
      this.stale.shift();
      this.asks.shift();
    } else {
      if (ask === "notifiers") this.end();
      if (ask === "make-hook")
        this.trouble = "The server takes no subscription for a webhook; polling goes on.";
      this.asks.shift();
    }
  }

  /** An event of the port. True where the server should be asked soon. */
  onMqtt(event: MqttEvent): boolean {
    if (event.id !== this.live?.id) return false;
    if (event.ev === "message") return true;
    const before = this.up;
    this.up = event.ev === "up";
    // What was published while nobody listened is lost.
    return this.up && !before;
  }

  /** A broker that wants the token is shown the new one, once the old one does not let us in any more. */
  renew(token: string): void {
    if (this.live === undefined || !this.withToken || this.up || token === "" || token === this.live.token)
      return;
    this.subscribe(token);
  }

  /** What is to be deleted at the server when the module leaves. */
  leave(base: string): Sending | undefined {
    return this.hookId === "" ? undefined : { ...this.drop(base, this.hookId), ask: "leave" };
  }

  left(): void {
    this.hookId = "";
  }

  /** Listens no more, and begins anew when it is asked again. */
  stop(): void {
    this.end();
    this.asks = [];
    this.refreshMs = 0;
  }

  private end(): void {
    if (this.live !== undefined) this.mqtt?.end(this.live.id);
    this.live = undefined;
    this.up = false;
  }

  private drop(base: string, id: string): Sending {
    return {
      ask: "drop-hook",
      method: "DELETE",
      url: `${base}/subscriptions/${percent(id)}`,
      body: undefined,
    };
  }

  private hookBody(): string {
    const { clientName, callbackUrl, callbackToken: bearerToken } = this.options;
    const operation = { objects: ["EVENT"], operations: OPERATIONS, callbackUrl, bearerToken };
    return JSON.stringify({ clientName, objectOperations: [operation] });
  }

  /** GET /notifiers. False where there is no broker that this module can use. */
  private readBroker(value: Json | undefined): boolean {
    const mqtt = field(value, "MQTT");
    if (!isObject(mqtt)) return false;
    const uris = listOf(mqtt, "URIS").filter((one): one is string => typeof one === "string");
    const uri = uris.find((one) => /^mqtts:\/\/[^/?#\s@]+\/?$/.test(one) && one.length <= 256);
    if (uri === undefined) {
      this.trouble = "The server's MQTT broker has no address with TLS (mqtts://); polling goes on.";
      return false;
    }
    const authentication = field(mqtt, "authentication");
    const { clientId, certificate } = this.options;
    this.uri = uri.replace(/\/$/, "");
    this.username = undefined;
    this.withToken = false;
    // openleadr-rs 0.2 writes OAUTH2BEARERTOKEN.
    switch (textOf(authentication, "method").toUpperCase().replace(/_/g, "")) {
      case "ANONYMOUS":
      case "":
        return true;
      case "OAUTH2BEARERTOKEN": {
        const name = textOf(authentication, "username");
        this.username = name === "{clientID}" || name === "" ? clientId : name;
        this.withToken = true;
        if (clientId !== undefined) return true;
        break;
      }
      case "CERTIFICATE":
        // The specification lets a server hand out private keys; this module uses its own or none.
        if (certificate) return true;
        break;
      default:
    }
    this.trouble = "The server's MQTT broker wants a login that this module has not; polling goes on.";
    return false;
  }

  private readTopics(value: Json | undefined): void {
    const topics = field(value, "topics");
    const all = textOf(topics, "ALL", MAX_TOPIC);
    const said = all === "" ? OPERATIONS.map((one) => textOf(topics, one, MAX_TOPIC)) : [all];
    for (const topic of said) {
      const sound = topic !== "" && !topic.includes("\u0000") && !this.topics.includes(topic);
      if (sound && this.topics.length < MAX_TOPICS) this.topics.push(topic);
    }
  }

  private nextPath(scope: NoticeScope): void {
    const last = this.paths.shift();
    if (this.paths.length === 0 && this.topics.length === 0 && last !== "events") this.paths.push("events");
    if (this.paths.length > 0) return;
    this.asks.shift();
    if (this.topics.length === 0) {
      this.trouble = "The server names no topics of its events; polling goes on.";
      this.end();
    } else this.subscribe(scope.token);
  }

  private subscribe(token: string): void {
    const { uri, username, topics } = this;
    const key = [uri, username ?? "", ...topics].join("\n");
    const shown = this.withToken ? token : "";
    if (this.live?.key === key && (this.up || this.live.token === shown)) return;
    this.end();
    this.live = { id: this.nextId(), key, token: shown };
    const password = this.withToken ? token : undefined;
    const { id } = this.live;
    this.mqtt?.subscribe({ id, uri, topics: [...topics], username, password, credentials: this.options.id });
  }
}
