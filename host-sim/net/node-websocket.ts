import { randomBytes } from "node:crypto";
import type { WebSocketEvent, WebSocketPort, WebSocketRequest } from "../../src/ports/websocket.js";
import { WebSocketClient } from "../../src/websocket/client.js";
import { monotonicMs, WakeUp } from "../runtime/clock.js";
import type { HttpCredentials } from "./node-http.js";
import { NodeStream } from "./node-stream.js";

export interface WebSocketCredentials extends HttpCredentials {
  /** Of HTTP basic authentication. */
  readonly password?: string | undefined;
}

export interface NodeWebSocketOptions {
  readonly credentials: ReadonlyMap<string, WebSocketCredentials>;
  readonly deliver: (event: WebSocketEvent) => void;
  /** Keeps a password that a platform has set and that has worked; without it, it lasts as long as the program. */
  readonly keepPassword?: (credentials: string, password: string) => void;
}

/** {@link WebSocketPort} on this computer: the firmware's own client (src/websocket) over Node's sockets. */
export class NodeWebSocket implements WebSocketPort {
  readonly #client: WebSocketClient;
  readonly #stream: NodeStream;
  readonly #wake = new WakeUp(() => this.#poll());
  readonly #ids = new Set<number>();

  constructor({ credentials, deliver, keepPassword }: NodeWebSocketOptions) {
    const proven = new Map<string, string>();
    this.#stream = new NodeStream({
      credentials: (name) => credentials.get(name) ?? {},
      deliver: (event) => {
        this.#client.onStream(event);
        this.#poll();
      },
    });
    this.#client = new WebSocketClient({
      stream: this.#stream,
      random: { uint32: () => randomBytes(4).readUInt32LE(0) },
      passwords: {
        get: (name) => proven.get(name) ?? credentials.get(name)?.password,
        keep: (name, password) => {
          proven.set(name, password);
          keepPassword?.(name, password);
        },
      },
      deliver: (event) => {
        if (event.ev === "closed" || event.ev === "failed") this.#ids.delete(event.id);
        deliver(event);
      },
    });
  }

  open(request: WebSocketRequest): void {
    this.#ids.add(request.id);
    this.#client.open(request);
    this.#arm();
  }

  send(id: number, text: string): void {
    this.#client.send(id, text);
  }

  close(id: number, code: number, reason: string): void {
    this.#ids.delete(id);
    this.#client.close(id, code, reason);
    this.#arm();
  }

  keepAlive(id: number, pingMs: number): void {
    this.#client.keepAlive(id, pingMs);
    this.#arm();
  }

  setPassword(credentials: string, password: string): void {
    this.#client.setPassword(credentials, password);
  }

  /** Says goodbye to every server, and waits for none. */
  closeAll(): void {
    for (const id of [...this.#ids]) this.#client.close(id, 1001, "going away");
    this.#wake.stop();
    setImmediate(() => this.#stream.destroyAll());
  }

  #poll(): void {
    this.#client.poll(monotonicMs());
    this.#arm();
  }

  /** A timer that has not begun is due at once, in a turn of its own. */
  #arm(): void {
    this.#wake.at(this.#client.nextMs());
  }
}
