import * as net from "node:net";
import * as tls from "node:tls";
import type { StreamEvent, StreamPort, StreamRequest } from "../../src/ports/stream.js";
import { explain } from "./http-failure.js";
import type { HttpCredentials } from "./node-http.js";

export interface NodeStreamOptions {
  /** Read at each opening, so that what was renewed counts from the next connection on. */
  readonly credentials: (name: string) => HttpCredentials;
  readonly deliver: (event: StreamEvent) => void;
}

interface Open {
  readonly socket: net.Socket;
  /** Nothing is told of it any more. */
  done: boolean;
}

/** What may wait to be sent, as on the chip (drivers/tls/tls.js). */
const MOST_WAITING_BYTES = 65_536;

/** {@link StreamPort} over Node's sockets: TLS 1.2 or later; without TLS to this computer alone. */
export class NodeStream implements StreamPort {
  readonly #options: NodeStreamOptions;
  readonly #open = new Map<number, Open>();

  constructor(options: NodeStreamOptions) {
    this.#options = options;
  }

  open(request: StreamRequest): void {
    this.close(request.id);
    const { id, host, port, secure } = request;
    const credentials = this.#options.credentials(request.credentials);
    const isLocal = host === "localhost" || host === "::1" || (net.isIPv4(host) && host.startsWith("127."));
    if (!secure && !isLocal) {
      const text = `${host} is not this computer: without TLS it is not connected to.`;
      setImmediate(() => this.#options.deliver({ id, ev: "failed", reason: "protocol", text }));
      return;
    }
    let socket: net.Socket;
    try {
      socket = secure ? connectTls(host, port, credentials) : net.connect({ host, port });
    } catch (error) {
      this.#explain(request, error, false);
      return;
    }
    const open: Open = { socket, done: false };
    let isThrough = false;
    this.#open.set(id, open);
    socket.setNoDelay(true);
    socket.on(secure ? "secureConnect" : "connect", () => {
      isThrough = true;
      if (!open.done) this.#options.deliver({ id, ev: "open" });
    });
    socket.on("data", (bytes: Buffer) => {
      if (!open.done) this.#options.deliver({ id, ev: "data", bytes });
    });
    socket.on("error", (error) => {
      if (open.done) return;
      this.#end(id, open);
      this.#explain(request, error, isThrough);
    });
    socket.on("end", () => socket.end());
    socket.on("close", () => {
      if (open.done) return;
      this.#end(id, open);
      this.#options.deliver(
        isThrough ? { id, ev: "closed" } : { id, ev: "failed", reason: "closed", text: "" },
      );
    });
  }

  write(id: number, bytes: Uint8Array): void {
    const open = this.#open.get(id);
    if (!open?.socket.writable) return;
    if (open.socket.writableLength + bytes.length <= MOST_WAITING_BYTES) {
      open.socket.write(bytes);
      return;
    }
    this.#end(id, open);
    open.socket.destroy();
    setImmediate(() =>
      this.#options.deliver({ id, ev: "failed", reason: "closed", text: "too-much-waiting" }),
    );
  }

  close(id: number): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#end(id, open);
    open.socket.end();
    // A peer that does not end its side is not waited for.
    setTimeout(() => open.socket.destroy(), 1000).unref();
  }

  /** Ends every stream at once. */
  destroyAll(): void {
    for (const [id, open] of this.#open) {
      this.#end(id, open);
      open.socket.destroy();
    }
  }

  #end(id: number, open: Open): void {
    open.done = true;
    open.socket.on("error", () => undefined);
    if (this.#open.get(id) === open) this.#open.delete(id);
  }

  #explain(request: StreamRequest, error: unknown, secured: boolean): void {
    const { ca, cert } = this.#options.credentials(request.credentials);
    const { reason, text } = explain(error, {
      host: `${request.host}:${String(request.port)}`,
      hasClientCertificate: cert !== undefined,
      hasCa: ca !== undefined,
      secured,
      answered: false,
    });
    setImmediate(() => this.#options.deliver({ id: request.id, ev: "failed", reason, text }));
  }
}

function connectTls(host: string, port: number, { ca, cert, key }: HttpCredentials): tls.TLSSocket {
  return tls.connect({
    ...{ host, port, minVersion: "TLSv1.2" },
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
}
