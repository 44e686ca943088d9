/**
 * The module's WebSockets on this computer, on `ws`: TLS 1.2 at least, basic authentication with a password that the
 * firmware never sees, pings. The firmware hears at most one of `closed` and `failed` per connection, never after its
 * own `close`, and never from inside a call; no error of the network escapes as an exception.
 */
import { STATUS_CODES, type IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import type { WebSocketEvent, WebSocketPort, WebSocketRequest } from "../../src/ports/websocket.js";
import { explain } from "./http-failure.js";
import type { HttpCredentials } from "./node-http.js";

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

interface Open {
  readonly socket: WebSocket;
  readonly request: WebSocketRequest;
  isOpen: boolean;
  done: boolean;
  /** A ping has gone out, and no pong has come. */
  waiting: boolean;
  timer: NodeJS.Timeout | undefined;
  /** A server that says 401 has judged this password. */
  readonly password: string | undefined;
}

/** {@link WebSocketPort} over `ws`, which masks, joins fragments, checks the accept key and answers pings. */
export class NodeWebSocket implements WebSocketPort {
  readonly #options: NodeWebSocketOptions;
  readonly #open = new Map<number, Open>();
  /** New passwords that no server has taken yet. */
  readonly #unproven = new Map<string, string>();
  readonly #proven = new Map<string, string>();

  constructor(options: NodeWebSocketOptions) {
    this.#options = options;
  }

  open(request: WebSocketRequest): void {
    this.close(request.id, 1000, "");
    const { credentials: name, url } = request;
    const credentials = this.#options.credentials.get(name) ?? {};
    const password = this.#unproven.get(name) ?? this.#proven.get(name) ?? credentials.password;
    const headers: Record<string, string> = {};
    if (password !== undefined) {
      headers["Authorization"] = `Basic ${Buffer.from(`${request.user}:${password}`).toString("base64")}`;
    }
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, request.subprotocol, {
        headers,
        handshakeTimeout: request.timeoutMs,
        maxPayload: request.maxMessageBytes,
        perMessageDeflate: false,
        minVersion: "TLSv1.2",
        ...(credentials.ca === undefined ? {} : { ca: credentials.ca }),
        ...(credentials.cert === undefined ? {} : { cert: credentials.cert }),
        ...(credentials.key === undefined ? {} : { key: credentials.key }),
      });
    } catch (error) {
      const text = `"${url}" cannot be opened: ${(error as Error).message}.`;
      setImmediate(() => this.#options.deliver({ id: request.id, ev: "failed", reason: "protocol", text }));
      return;
    }
    const open: Open = {
      socket,
      request,
      isOpen: false,
      done: false,
      waiting: false,
      timer: undefined,
      password,
    };
    this.#open.set(request.id, open);
    const fail = (error: unknown): void => this.#failed(open, error);
    socket.on("unexpected-response", (_request, response) => this.#refused(open, response));
    socket.on("error", fail);
    socket.on("open", () => this.#opened(open));
    socket.on("message", (data, isBinary) => {
      if (open.done) return;
      if (isBinary) {
        this.#end(open);
        socket.close(1003, "text only");
        this.#tell(open, { ev: "closed", code: 1003, reason: "binary message" });
      } else this.#tell(open, { ev: "text", text: (data as Buffer).toString("utf8") });
    });
    socket.on("pong", () => (open.waiting = false));
    socket.on("close", (code, reason) => {
      if (open.done) return;
      this.#end(open);
      if (open.isOpen) this.#tell(open, { ev: "closed", code, reason: reason.toString("utf8") });
      else this.#tell(open, { ev: "failed", reason: "closed", text: "" });
    });
  }

  send(id: number, text: string): void {
    const open = this.#open.get(id);
    if (open?.isOpen && open.socket.readyState === WebSocket.OPEN) open.socket.send(text);
  }

  close(id: number, code: number, reason: string): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#end(open);
    if (!open.isOpen) {
      open.socket.terminate();
      return;
    }
    open.socket.close(code, reason);
    // A peer that does not answer the closing handshake is not waited for.
    setTimeout(() => open.socket.terminate(), 2000).unref();
  }

  keepAlive(id: number, pingMs: number): void {
    const open = this.#open.get(id);
    if (open !== undefined) this.#ping(open, pingMs);
  }

  setPassword(credentials: string, password: string): void {
    this.#unproven.set(credentials, password);
  }

  /** Ends every connection. */
  closeAll(): void {
    for (const id of [...this.#open.keys()]) this.close(id, 1001, "going away");
  }

  #opened(open: Open): void {
    if (open.done) return;
    open.isOpen = true;
    const { credentials, pingMs } = open.request;
    const fresh = this.#unproven.get(credentials);
    if (fresh !== undefined && fresh === open.password) {
      this.#unproven.delete(credentials);
      this.#proven.set(credentials, fresh);
      this.#options.keepPassword?.(credentials, fresh);
    }
    this.#ping(open, pingMs);
    this.#tell(open, { ev: "open", subprotocol: open.socket.protocol });
  }

  #refused(open: Open, response: IncomingMessage): void {
    const status = response.statusCode ?? 0;
    response.destroy();
    open.socket.terminate();
    if (open.done) return;
    this.#end(open);
    // The platform told a new password and does not take it: the one before still counts.
    if (status === 401) this.#unproven.delete(open.request.credentials);
    const text = STATUS_CODES[status] ?? "";
    this.#tell(open, { ev: "failed", reason: `http-${status}`, text });
  }

  #failed(open: Open, error: unknown): void {
    if (open.done) return;
    if (open.isOpen) {
      // What the peer broke; `close` follows with the code that it was ended with.
      return;
    }
    this.#end(open);
    const message = error instanceof Error ? error.message : "";
    if (message.includes("Sec-WebSocket-Accept")) {
      this.#tell(open, { ev: "failed", reason: "accept-key", text: "" });
      return;
    }
    if (message.includes("subprotocol")) {
      // `ws` refuses what the firmware would refuse; it shall say so itself.
      this.#tell(open, { ev: "open", subprotocol: "" });
      return;
    }
    if (message.includes("handshake has timed out")) {
      this.#tell(open, { ev: "failed", reason: "timeout", text: "" });
      return;
    }
    const { ca, cert } = this.#options.credentials.get(open.request.credentials) ?? {};
    const { reason, text } = explain(error, {
      host: new URL(open.request.url).host,
      hasClientCertificate: cert !== undefined,
      hasCa: ca !== undefined,
      secured: false,
      answered: false,
    });
    this.#tell(open, { ev: "failed", reason, text });
  }

  #ping(open: Open, pingMs: number): void {
    clearInterval(open.timer);
    open.waiting = false;
    if (pingMs <= 0) return;
    open.timer = setInterval(() => {
      if (open.waiting) open.socket.terminate();
      else {
        open.waiting = true;
        open.socket.ping();
      }
    }, pingMs);
    open.timer.unref();
  }

  #end(open: Open): void {
    open.done = true;
    clearInterval(open.timer);
    this.#open.delete(open.request.id);
  }

  #tell(open: Open, event: DistributiveOmit<WebSocketEvent, "id">): void {
    this.#options.deliver({ id: open.request.id, ...event });
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
