import { backoffMs } from "../base/backoff.js";
import type { MqttEvent, MqttPort, MqttSubscription } from "../ports/mqtt.js";
import type { StreamEvent, StreamPort } from "../ports/stream.js";
import { NEVER, type RandomPort } from "../ports/time.js";
import {
  connectPacket,
  DISCONNECT,
  PacketReader,
  PINGREQ,
  pubackPacket,
  subscribePacket,
  type BrokerPacket,
} from "./packets.js";

export interface MqttWorld {
  readonly stream: StreamPort;
  readonly random: RandomPort;
  deliver(event: MqttEvent): void;
  /** Why a broker does not serve us; each reason once. */
  log?(text: string): void;
}

/** So long without a packet from here, and a ping goes out; the broker waits for one and a half times as long. */
const KEEP_ALIVE_S = 60;
/** A broker that does not answer within this is given up, ms. */
const ANSWER_MS = 20_000;
const RETRY = { periodMs: 2000, floorMs: 1000, maxMs: 300_000 };
const PORT = 8883;
/** The one packet id that is needed. */
const SUBSCRIBE_ID = 1;

interface Live {
  readonly request: MqttSubscription;
  readonly host: string;
  readonly port: number;
  state: "waiting" | "opening" | "connecting" | "subscribing" | "up";
  reader: PacketReader;
  /** What is due at `dueMs` depends on the state: the next attempt, giving up, or a ping. */
  dueMs: number;
  /** A ping is out. */
  asked: boolean;
  failures: number;
  told: string;
}

/**
 * {@link MqttPort} over a byte stream with TLS: a subscriber that keeps its subscriptions and reads nothing of what is
 * published. The same code on the chip and on a computer. Call `poll` when `nextMs` has come and after each call of
 * the port; it has no clock of its own.
 */
export class MqttClient implements MqttPort {
  private readonly world: MqttWorld;
  private readonly live: Live[] = [];
  /** When the bytes came that are being read. */
  private nowMs = 0;

  constructor(world: MqttWorld) {
    this.world = world;
  }

  subscribe(request: MqttSubscription): void {
    this.end(request.id);
    const { host, port } = addressOf(request.uri);
    if (host === "") {
      this.world.log?.(`The broker ${request.uri} has no address with TLS; it is not used.`);
      return;
    }
    const reader = new PacketReader(() => undefined);
    this.live.push({
      request,
      host,
      port,
      state: "waiting",
      reader,
      dueMs: 0,
      asked: false,
      failures: 0,
      told: "",
    });
  }

  end(id: number): void {
    const at = this.live.findIndex((one) => one.request.id === id);
    if (at < 0) return;
    const [one] = this.live.splice(at, 1);
    if (one!.state === "waiting") return;
    if (one!.state !== "opening") this.world.stream.write(id, Uint8Array.from(DISCONNECT));
    this.world.stream.close(id);
  }

  nextMs(): number {
    let next = NEVER;
    for (const one of this.live) next = Math.min(next, one.dueMs);
    return next;
  }

  poll(nowMs: number): void {
    for (const one of [...this.live]) if (nowMs >= one.dueMs) this.due(one, nowMs);
  }

  onStream(event: StreamEvent, nowMs: number): void {
    const one = this.live.find(({ request, state }) => request.id === event.id && state !== "waiting");
    if (one === undefined) return;
    this.nowMs = nowMs;
    switch (event.ev) {
      case "open": {
        if (one.state !== "opening") return;
        const { username, password } = one.request;
        one.reader = new PacketReader((packet) => this.packet(one, packet, this.nowMs));
        one.state = "connecting";
        one.dueMs = nowMs + ANSWER_MS;
        this.send(one, connectPacket(this.clientId(), KEEP_ALIVE_S, username, password));
        return;
      }
      case "data":
        if (!one.reader.push(event.bytes)) this.lose(one, "it does not speak MQTT 3.1.1", nowMs);
        return;
      case "closed":
        this.lose(one, "it has closed the connection", nowMs, false);
        return;
      case "failed":
        this.lose(one, event.text === "" ? event.reason : event.text, nowMs, false);
    }
  }

  private due(one: Live, nowMs: number): void {
    if (one.state === "waiting") {
      const { id, credentials } = one.request;
      one.state = "opening";
      one.dueMs = nowMs + ANSWER_MS;
      this.world.stream.open({ id, host: one.host, port: one.port, secure: true, credentials });
    } else if (one.state === "up" && !one.asked) {
      one.asked = true;
      one.dueMs = nowMs + ANSWER_MS;
      this.send(one, Uint8Array.from(PINGREQ));
    } else this.lose(one, "it does not answer", nowMs);
  }

  private packet(one: Live, packet: BrokerPacket, nowMs: number): void {
    // One chunk may hold several packets, and the first of them may have ended it.
    if (!this.live.includes(one) || one.state === "waiting") return;
    switch (packet.packet) {
      case "connack":
        if (one.state !== "connecting" || packet.code !== 0) {
          this.lose(one, refusal(packet.code), nowMs);
          return;
        }
        one.state = "subscribing";
        one.dueMs = nowMs + ANSWER_MS;
        this.send(one, subscribePacket(SUBSCRIBE_ID, one.request.topics));
        return;
      case "suback":
        if (
          one.state !== "subscribing" ||
          packet.id !== SUBSCRIBE_ID ||
          !packet.codes.some((code) => code < 3)
        ) {
          this.lose(one, "it grants none of the topics", nowMs);
          return;
        }
        one.state = "up";
        one.failures = 0;
        one.told = "";
        this.rest(one, nowMs);
        this.world.deliver({ id: one.request.id, ev: "up" });
        return;
      case "publish":
        if (one.state !== "up" && one.state !== "subscribing") return;
        if (packet.qos > 0) this.send(one, pubackPacket(packet.id));
        this.world.deliver({ id: one.request.id, ev: "message", topic: packet.topic });
        return;
      case "pingresp":
        if (one.state === "up") this.rest(one, nowMs);
    }
  }

  private rest(one: Live, nowMs: number): void {
    one.asked = false;
    one.dueMs = nowMs + KEEP_ALIVE_S * 1000;
  }

  private send(one: Live, bytes: Uint8Array): void {
    this.world.stream.write(one.request.id, bytes);
  }

  private lose(one: Live, why: string, nowMs: number, close = true): void {
    if (close) this.world.stream.close(one.request.id);
    if (one.told !== why) this.world.log?.(`The broker ${one.host} cannot be used: ${why}.`);
    one.told = why;
    const wasUp = one.state === "up";
    one.state = "waiting";
    one.asked = false;
    one.failures++;
    one.dueMs = nowMs + backoffMs(RETRY, one.failures, this.world.random);
    if (wasUp) this.world.deliver({ id: one.request.id, ev: "down" });
  }

  /** New for each connection: two with one name would throw each other out. */
  private clientId(): string {
    const { random } = this.world;
    return `ucm${random.uint32().toString(36)}${random.uint32().toString(36)}`.slice(0, 23);
  }
}

/** `mqtts://host[:port]`; `host` "" where it is none. */
function addressOf(uri: string): { readonly host: string; readonly port: number } {
  const none = { host: "", port: 0 };
  const found = /^mqtts:\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::(\d{1,5}))?\/?$/.exec(uri);
  if (found === null) return none;
  const port = found[2] === undefined ? PORT : Number(found[2]);
  return port > 0 && port < 65_536 ? { host: found[1]!.replace(/^\[|\]$/g, ""), port } : none;
}

/** Table 3.1 of the specification. */
function refusal(code: number): string {
  switch (code) {
    case 1:
      return "it does not speak MQTT 3.1.1";
    case 3:
      return "it is not available";
    case 4:
    case 5:
      return "it refuses our login";
    default:
      return `it refuses the connection (code ${String(code)})`;
  }
}
