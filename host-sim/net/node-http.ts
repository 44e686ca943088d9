/**
 * The module's network on this computer. This folder guarantees: whatever a server, a certificate or a URL
 * does, the firmware hears of it as an `HttpEvent`, at most one of `end` and `failed` per request, never after
 * `abort`, and never from inside `request` itself; no error of the network escapes as an exception.
 */
import * as http from "node:http";
import * as https from "node:https";
import type { TLSSocket } from "node:tls";
import type { HttpEvent, HttpFailure, HttpPort, HttpRequest } from "../../src/ports/http.js";
import { type FailureContext, explain } from "./http-failure.js";
import { ECDHE_ONLY, isStaticRsaAlone } from "./static-rsa.js";

/** PEM texts. Without `ca` the system's roots count. */
export interface HttpCredentials {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface NodeHttpOptions {
  /** By the id that a request names; an id that is not here gets the system's roots and no client certificate. */
  readonly credentials: ReadonlyMap<string, HttpCredentials>;
  /** Where events go: the firmware. Called from the event loop, never from inside `request`. */
  readonly deliver: (event: HttpEvent) => void;
}

interface Running {
  request: http.ClientRequest | undefined;
  timer: NodeJS.Timeout | undefined;
  done: boolean;
  answered: boolean;
  received: number;
  retried: boolean;
}

/** One connection to a server is enough for a module; a second lets a report go out beside a slow poll. */
const MAX_SOCKETS = 2;

/** {@link HttpPort} over Node's http and https with kept connections and session resumption. TLS 1.2 at least. */
export class NodeHttp implements HttpPort {
  readonly #options: NodeHttpOptions;
  readonly #agents = new Map<string, { readonly of: HttpCredentials; readonly agent: https.Agent }>();
  readonly #plain = new http.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  readonly #running = new Map<number, Running>();

  constructor(options: NodeHttpOptions) {
    this.#options = options;
  }

  request(request: HttpRequest): void {
    this.abort(request.id);
    const running: Running = {
      request: undefined,
      timer: undefined,
      done: false,
      answered: false,
      received: 0,
      retried: false,
    };
    this.#running.set(request.id, running);
    const limitMs = Math.min(Math.max(1, request.timeoutMs), 0x7fffffff);
    running.timer = setTimeout(() => {
      const host = hostOf(request.url);
      this.#fail(
        request.id,
        running,
        "timeout",
        `${host} did not finish its answer within ${request.timeoutMs / 1000} s.`,
      );
    }, limitMs);
    const refusal = refused(request.url);
    if (refusal !== undefined) {
      setImmediate(() => this.#fail(request.id, running, "protocol", refusal));
      return;
    }
    this.#send(request, running);
  }

  abort(id: number): void {
    const running = this.#running.get(id);
    if (running !== undefined) this.#finish(id, running);
  }

  /** Drops everything that runs and closes kept connections. */
  close(): void {
    for (const id of [...this.#running.keys()]) this.abort(id);
    for (const { agent } of this.#agents.values()) agent.destroy();
    this.#plain.destroy();
  }

  #send(request: HttpRequest, running: Running): void {
    const url = new URL(request.url);
    const secure = url.protocol === "https:";
    const credentials = this.#options.credentials.get(request.credentials) ?? {};
    const context = (outgoing?: http.ClientRequest): FailureContext => ({
      host: url.host,
      hasClientCertificate: credentials.cert !== undefined,
      hasCa: credentials.ca !== undefined,
      secured: !secure || (outgoing?.socket as TLSSocket | null | undefined)?.authorized === true,
      answered: running.answered,
    });
    const onError = (error: unknown, outgoing?: http.ClientRequest): void => {
      const { reason, text } = explain(error, context(outgoing));
      if (reason === "tls-handshake" || reason === "tls-client-certificate") {
        this.#ask(request, running, reason, text);
      } else this.#fail(request.id, running, reason, text);
    };
    try {
      const headers: Record<string, string> = {};
      for (const [name, value] of request.headers) headers[name] = value;
      const options: https.RequestOptions = { method: request.method, headers };
      const outgoing = secure
        ? https.request(url, { ...options, agent: this.#agent(request.credentials, credentials) })
        : http.request(url, { ...options, agent: this.#plain });
      running.request = outgoing;
      outgoing.on("response", (response) => this.#onResponse(request, running, response, onError));
      outgoing.on("error", (error) => {
        // The server closed a kept connection just as we used it: once more, on a new one (RFC 9112 9.3.1).
        const stale = outgoing.reusedSocket && (error as NodeJS.ErrnoException).code === "ECONNRESET";
        if (stale && !running.answered && !running.retried && !running.done) {
          running.retried = true;
          this.#send(request, running);
          return;
        }
        onError(error, outgoing);
      });
      outgoing.end(request.body);
    } catch (error) {
      // Unusable PEM, forbidden characters in a header, and the like.
      setImmediate(() => onError(error));
    }
  }

  /** A handshake that failed may have a cause that the utility must be told by name. */
  #ask(request: HttpRequest, running: Running, reason: HttpFailure, text: string): void {
    if (running.done) return;
    const url = new URL(request.url);
    void isStaticRsaAlone(url.hostname, Number(url.port || 443)).then((alone) => {
      // Without words of its own: those of the firmware say it all.
      if (alone) this.#fail(request.id, running, "tls-static-rsa", url.host);
      else this.#fail(request.id, running, reason, text);
    });
  }

  #onResponse(
    request: HttpRequest,
    running: Running,
    response: http.IncomingMessage,
    onError: (error: unknown) => void,
  ): void {
    if (running.done) return;
    running.answered = true;
    const headers: [string, string][] = [];
    for (let i = 0; i + 1 < response.rawHeaders.length; i += 2) {
      headers.push([response.rawHeaders[i]!.toLowerCase(), response.rawHeaders[i + 1]!]);
    }
    const { id } = request;
    this.#options.deliver({ id, ev: "head", status: response.statusCode ?? 0, headers });
    response.on("data", (chunk: Buffer) => {
      if (running.done) return;
      running.received += chunk.length;
      if (running.received > request.maxBodyBytes) {
        const text = `The answer of ${hostOf(request.url)} is longer than ${request.maxBodyBytes} bytes and was dropped.`;
        this.#fail(id, running, "too-large", text);
        return;
      }
      this.#options.deliver({ id, ev: "data", bytes: new Uint8Array(chunk) });
    });
    response.on("end", () => {
      if (running.done) return;
      this.#finish(id, running, false);
      this.#options.deliver({ id, ev: "end" });
    });
    response.on("error", onError);
    response.on("aborted", () => onError({ code: "ECONNRESET", message: "aborted" }));
  }

  #agent(id: string, credentials: HttpCredentials): https.Agent {
    const known = this.#agents.get(id);
    const { ca, cert, key } = credentials;
    if (known !== undefined) {
      if (known.of.ca === ca && known.of.cert === cert && known.of.key === key) return known.agent;
      // Renewed: what is kept open shows the old ones.
      for (const sockets of Object.values(known.agent.freeSockets))
        for (const one of sockets ?? []) one.destroy();
    }
    const options: https.AgentOptions = {
      keepAlive: true,
      maxSockets: MAX_SOCKETS,
      minVersion: "TLSv1.2",
      ciphers: ECDHE_ONLY,
    };
    if (ca !== undefined) options.ca = ca;
    if (cert !== undefined) options.cert = cert;
    if (key !== undefined) options.key = key;
    const agent = new https.Agent(options);
    this.#agents.set(id, { of: { ca, cert, key }, agent });
    return agent;
  }

  #fail(id: number, running: Running, reason: HttpFailure, text: string): void {
    if (running.done) return;
    this.#finish(id, running);
    this.#options.deliver({ id, ev: "failed", reason, text });
  }

  #finish(id: number, running: Running, destroy = true): void {
    running.done = true;
    clearTimeout(running.timer);
    if (this.#running.get(id) === running) this.#running.delete(id);
    if (destroy) running.request?.destroy();
  }
}

/** Why a URL is not asked at all; undefined when it may be. */
function refused(text: string): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return `"${text}" is no URL: write it as https://host/path.`;
  }
  if (url.protocol === "https:") return undefined;
  if (url.protocol !== "http:") return `"${url.protocol}//" is not supported: use https://.`;
  const loopback = url.hostname === "localhost" || url.hostname === "[::1]" || /^127\./.test(url.hostname);
  return loopback
    ? undefined
    : `Plain http:// is refused except to this computer itself: use https:// for ${url.host}.`;
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
