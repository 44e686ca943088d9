/**
 * The protocols of the device over one TLS (drivers/tls): HTTP, WebSocket and MQTT. This file guarantees: whatever numbers
 * the clients give their streams, each event reaches the one that opened the stream and no other; nothing is told of a
 * stream after its owner closed it; while the network is down, opening fails at once and the platform is not asked; one turn
 * takes a bounded number of events, so that the line never waits for a fast peer. Platform-free.
 */
import { HttpClient } from "../http/client.js";
import { MqttClient } from "../../src/mqtt/client.js";
import type { HttpEvent, HttpPort } from "../../src/ports/http.js";
import type { MqttEvent } from "../../src/ports/mqtt.js";
import type { StreamEvent, StreamPort, StreamRequest } from "../../src/ports/stream.js";
import { NEVER, type RandomPort } from "../../src/ports/time.js";
import type { WebSocketEvent } from "../../src/ports/websocket.js";
import { type PasswordKeeper, WebSocketClient } from "../../src/websocket/client.js";

/** A stream port that is asked for its events, as drivers/tls is. */
export interface PolledStream extends StreamPort {
  poll(): StreamEvent | undefined;
}

/** Events of one turn; a data event is up to 4 KB. */
const EVENTS = 4;

type Take = (event: StreamEvent, nowMs: number) => void;

interface Route {
  /** What the platform knows the stream by. */
  readonly wireId: number;
  /** What its owner knows it by. */
  readonly id: number;
  readonly owner: Take;
}

/** Shares a stream port among clients that number their streams each for itself. */
export class StreamRouter {
  /** Whether there is a network. */
  online = false;
  private routes: Route[] = [];
  /** Streams that were refused here; told at the next turn. */
  private refused: Route[] = [];
  private nextId = 1;

  constructor(private readonly stream: PolledStream) {}

  /** A port for one client, which `take` tells of its streams alone. */
  port(take: Take): StreamPort {
    const wireId = (id: number): number | undefined =>
      this.routes.find((each) => each.id === id && each.owner === take)?.wireId;
    return {
      open: (request) => this.open(request, take),
      write: (id, bytes) => {
        const to = wireId(id);
        if (to !== undefined) this.stream.write(to, bytes);
      },
      close: (id) => this.close(id, take),
    };
  }

  /** Takes events and hands them on; true: there was one. */
  turn(nowMs: number): boolean {
    let busy = false;
    // Its owner may open the next one, or close another, while it is told.
    for (let count = this.refused.length; count > 0 && this.refused.length > 0; count--) {
      const { id, owner } = this.refused.shift()!;
      busy = true;
      owner({ id, ev: "failed", reason: "unreachable", text: "no network" }, nowMs);
    }
    for (let count = 0; count < EVENTS; count++) {
      const event = this.stream.poll();
      if (event === undefined) break;
      busy = true;
      const route = this.routes.find((each) => each.wireId === event.id);
      if (route === undefined) continue;
      if (event.ev === "closed" || event.ev === "failed") this.forget(route);
      route.owner({ ...event, id: route.id }, nowMs);
    }
    return busy;
  }

  private open(request: StreamRequest, owner: Take): void {
    this.close(request.id, owner);
    const route: Route = { wireId: this.nextId, id: request.id, owner };
    if (!this.online) {
      this.refused.push(route);
      return;
    }
    // As an integer of 31 bits; by then the first are long gone.
    this.nextId = this.nextId >= 0x7fff_ffff ? 1 : this.nextId + 1;
    this.routes.push(route);
    this.stream.open({ ...request, id: route.wireId });
  }

  private close(id: number, owner: Take): void {
    this.refused = this.refused.filter((each) => each.id !== id || each.owner !== owner);
    const route = this.routes.find((each) => each.id === id && each.owner === owner);
    if (route === undefined) return;
    this.forget(route);
    this.stream.close(route.wireId);
  }

  private forget(route: Route): void {
    this.routes = this.routes.filter((each) => each !== route);
  }
}

export interface DeviceStreamsOptions {
  readonly stream: PolledStream;
  readonly random: RandomPort;
  readonly passwords: PasswordKeeper;
  /** Connections that HTTP may hold; the others of the three are left for WebSocket and MQTT. */
  readonly httpConnections: number;
  onHttp(event: HttpEvent): void;
  onWebSocket(event: WebSocketEvent): void;
  onMqtt(event: MqttEvent): void;
  /** Why a broker does not serve us; each reason once. */
  log?(text: string): void;
}

// A build without the upstream that speaks it has not the protocol either (tools/firmware/bundle.mjs).
const Mqtt = MqttClient as typeof MqttClient | undefined;
const WebSocket = WebSocketClient as typeof WebSocketClient | undefined;

/** The clients of the device, as many as the build has. */
export class DeviceStreams {
  readonly http: HttpPort;
  readonly websocket: WebSocketClient | undefined;
  readonly mqtt: MqttClient | undefined;
  private readonly router: StreamRouter;
  private readonly httpClient: HttpClient;
  /** A connection of HTTP may have become free for a request that waits. */
  private stirred = false;

  constructor(options: DeviceStreamsOptions) {
    const { stream, random, passwords, httpConnections } = options;
    this.router = new StreamRouter(stream);
    this.httpClient = new HttpClient({
      stream: this.router.port((event) => this.httpClient.onStream(event)),
      deliver: (event) => options.onHttp(event),
      connections: httpConnections,
    });
    this.http = {
      request: (request) => this.httpClient.request(request),
      abort: (id) => {
        this.httpClient.abort(id);
        this.stirred = true;
      },
    };
    if (WebSocket)
      this.websocket = new WebSocket({
        ...{ random, passwords, stream: this.router.port((event) => this.websocket?.onStream(event)) },
        deliver: (event) => options.onWebSocket(event),
      });
    if (Mqtt)
      this.mqtt = new Mqtt({
        ...{ random, stream: this.router.port((event, nowMs) => this.mqtt?.onStream(event, nowMs)) },
        deliver: (event) => options.onMqtt(event),
        log: (text) => options.log?.(text),
      });
  }

  /** Told when the network comes and goes. Without it nothing is opened; it begins without. */
  setOnline(online: boolean): void {
    this.router.online = online;
  }

  /** When one of the clients has something to do; the streams' own events are to be asked for more often. */
  nextMs(): number {
    if (this.stirred) return 0;
    return Math.min(
      NEVER,
      this.httpClient.nextMs(),
      this.websocket?.nextMs() ?? NEVER,
      this.mqtt?.nextMs() ?? NEVER,
    );
  }

  /** Hands on what has come and does what is due. True: there was something. */
  turn(nowMs: number): boolean {
    const busy = this.router.turn(nowMs);
    if (!busy && nowMs < this.nextMs()) return false;
    this.stirred = false;
    this.httpClient.poll(nowMs);
    this.websocket?.poll(nowMs);
    this.mqtt?.poll(nowMs);
    return true;
  }
}

/** Of the three connections that the TLS has: what is held for days comes first, and HTTP keeps at least one. */
export function httpConnections(protocols: readonly string[]): number {
  const held = protocols.filter((protocol) => protocol !== "openadr2b").length;
  return Math.max(1, Math.min(2, 3 - held));
}
