/**
 * What both protocols of the VTN need of the network: an HTTPS server on 127.0.0.1 whose certificate can be
 * changed for a bad one, bounded request bodies, and the misbehaviour that happens below a message.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { CommandError } from "../cli/output.js";
import type { MisbehaviourSet } from "./misbehaviour.js";

const MAX_REQUEST_BYTES = 1_048_576;
/** `slow-bytes`: one piece of so many bytes in so many ms. */
const SLOW_BYTES = 1;
const SLOW_MS = 100;
/** `clock-off`: the Date header is so far ahead. */
const CLOCK_OFF_MS = 400 * 86_400_000;

export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TlsFrontOptions {
  readonly port: number;
  readonly tls: https.ServerOptions;
  readonly keepAliveMs: number;
  readonly misbehaviours: MisbehaviourSet;
  /** Answers a request whose body has come in whole. */
  readonly answer: (request: IncomingMessage, body: string) => Reply | Promise<Reply>;
}

export class TlsFront {
  readonly #server: https.Server;

  private constructor(server: https.Server) {
    this.#server = server;
  }

  /** Fails with a `CommandError` when the port is taken. */
  static async listen(options: TlsFrontOptions): Promise<TlsFront> {
    const server = https.createServer(
      { ...options.tls, requestTimeout: 30_000 },
      (request, response) => void serve(options, request, response),
    );
    server.keepAliveTimeout = options.keepAliveMs;
    // Clients that fail the handshake are their own problem; without a listener they would be nobody's.
    server.on("tlsClientError", () => undefined);
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => {
        const taken = `port ${options.port} is in use on 127.0.0.1: choose another, or 0 for any`;
        reject(error.code === "EADDRINUSE" ? new CommandError(taken) : error);
      });
      server.listen(options.port, "127.0.0.1", resolve);
    });
    return new TlsFront(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Shows another certificate from now on. */
  show(tls: https.ServerOptions): void {
    this.#server.setSecureContext(tls);
    // A kept connection or session would not look at the certificate again.
    this.#server.closeAllConnections();
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

async function serve(
  options: TlsFrontOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { misbehaviours } = options;
  response.on("error", () => undefined);
  try {
    const body = await readBody(request);
    if (body === undefined) {
      const text = `A message may have ${MAX_REQUEST_BYTES} bytes`;
      send(misbehaviours, response, { status: 413, type: "text/plain", body: text });
      return;
    }
    if (misbehaviours.take("reset")) {
      request.socket.destroy();
      return;
    }
    if (misbehaviours.take("no-answer")) return;
    send(misbehaviours, response, await options.answer(request, body));
  } catch (error) {
    // The client went away in the middle of its request; anything else is a bug that must be seen.
    if ((error as NodeJS.ErrnoException).code !== "ECONNRESET" && !request.destroyed) {
      process.stderr.write(
        `openucm vtn: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      );
    }
    response.destroy();
  }
}

/** undefined when it is too long. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size <= MAX_REQUEST_BYTES) chunks.push(chunk as Buffer);
  }
  return size > MAX_REQUEST_BYTES ? undefined : Buffer.concat(chunks).toString("utf8");
}

function send(misbehaviours: MisbehaviourSet, response: ServerResponse, reply: Reply): void {
  const body = Buffer.from(reply.body, "utf8");
  if (misbehaviours.take("clock-off")) {
    response.sendDate = false;
    response.setHeader("Date", new Date(Date.now() + CLOCK_OFF_MS).toUTCString());
  }
  response.writeHead(reply.status, {
    "Content-Type": reply.type,
    "Content-Length": body.length,
    ...reply.headers,
  });
  if (!misbehaviours.take("slow-bytes")) {
    response.end(body);
    return;
  }
  let at = 0;
  const timer = setInterval(() => {
    response.write(body.subarray(at, (at += SLOW_BYTES)));
    if (at >= body.length) response.end();
  }, SLOW_MS);
  response.on("close", () => clearInterval(timer));
}
