/**
 * A broker for the notifications of OpenADR 3.1: MQTT 3.1.1 over TLS on 127.0.0.1, clean sessions, QoS 0, only
 * the VTN publishes. Enough for a module under test; no general broker.
 */
import type { AddressInfo } from "node:net";
import * as tls from "node:tls";
import {
  type MqttPacket,
  connack,
  pingresp,
  publish,
  readPacket,
  suback,
  topicMatches,
  unsuback,
} from "./mqtt-packets.js";

export interface MqttBrokerOptions {
  readonly port: number;
  readonly tls: tls.TlsOptions;
  /** Whether a client may connect, by its user name and password. */
  readonly admit: (username: string | undefined, password: string | undefined) => boolean;
}

interface Session {
  readonly socket: tls.TLSSocket;
  connected: boolean;
  pending: Buffer;
  readonly filters: Set<string>;
  timer: NodeJS.Timeout | undefined;
  keepAliveMs: number;
}

/** A client that does not send CONNECT in this time is dropped. */
const CONNECT_MS = 10_000;

export class MqttBroker {
  readonly #server: tls.Server;
  readonly #options: MqttBrokerOptions;
  readonly #sessions = new Set<Session>();

  private constructor(options: MqttBrokerOptions) {
    this.#options = options;
    this.#server = tls.createServer(options.tls, (socket) => this.#open(socket));
    this.#server.on("tlsClientError", () => undefined);
  }

  static async listen(options: MqttBrokerOptions): Promise<MqttBroker> {
    const broker = new MqttBroker(options);
    await new Promise<void>((resolve, reject) => {
      broker.#server.once("error", reject);
      broker.#server.listen(options.port, "127.0.0.1", resolve);
    });
    return broker;
  }

  get uri(): string {
    return `mqtts://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Subscribers now. */
  get clients(): number {
    return [...this.#sessions].filter((s) => s.connected).length;
  }

  publish(topic: string, payload: string): void {
    const packet = publish(topic, payload);
    for (const { connected, filters, socket } of this.#sessions) {
      if (connected && [...filters].some((filter) => topicMatches(filter, topic))) socket.write(packet);
    }
  }

  /** Shows another certificate from now on, and drops everybody. */
  show(options: tls.TlsOptions): void {
    this.#server.setSecureContext(options);
    this.drop();
  }

  /** Cuts every connection. */
  drop(): void {
    for (const { socket } of this.#sessions) socket.destroy();
  }

  close(): Promise<void> {
    this.drop();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #open(socket: tls.TLSSocket): void {
    const session: Session = {
      socket,
      connected: false,
      pending: Buffer.alloc(0),
      filters: new Set(),
      timer: undefined,
      keepAliveMs: CONNECT_MS,
    };
    this.#sessions.add(session);
    this.#wait(session);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(session.timer);
      this.#sessions.delete(session);
    });
    socket.on("data", (chunk: Buffer) => {
      session.pending = Buffer.concat([session.pending, chunk]);
      for (;;) {
        const read = readPacket(session.pending);
        if (read === undefined) return;
        if (read === "malformed" || !this.#handle(session, read.packet)) {
          socket.destroySoon();
          return;
        }
        session.pending = session.pending.subarray(read.length);
        this.#wait(session);
      }
    });
  }

  /** 3.1.2.10: one and a half times the keep-alive without a packet, and the connection is cut. */
  #wait(session: Session): void {
    clearTimeout(session.timer);
    if (session.keepAliveMs > 0)
      session.timer = setTimeout(() => session.socket.destroy(), session.keepAliveMs * 1.5);
  }

  /** False where the connection must be closed. */
  #handle(session: Session, packet: MqttPacket): boolean {
    const { socket, filters } = session;
    if (packet.packet === "connect") {
      if (session.connected) return false;
      const code = packet.level !== 4 ? 1 : this.#options.admit(packet.username, packet.password) ? 0 : 4;
      socket.write(connack(code));
      session.connected = code === 0;
      session.keepAliveMs = packet.keepAliveSeconds * 1000;
      return session.connected;
    }
    if (!session.connected) return false;
    switch (packet.packet) {
      case "subscribe":
        for (const filter of packet.filters) filters.add(filter);
        socket.write(
          suback(
            packet.id,
            packet.filters.map(() => true),
          ),
        );
        return true;
      case "unsubscribe":
        for (const filter of packet.filters) filters.delete(filter);
        socket.write(unsuback(packet.id));
        return true;
      case "pingreq":
        socket.write(pingresp());
        return true;
      default:
        return false;
    }
  }
}
