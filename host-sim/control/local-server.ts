/**
 * The small HTTP server under every control interface of the bench: it listens on 127.0.0.1 alone, and refuses
 * requests whose Host or Origin is not this machine's, so that no web page elsewhere can drive it (DNS rebinding,
 * cross-site requests). Bodies are JSON, bounded in size and time; errors are JSON that says what to do.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CommandError } from "../cli/output.js";

/** A refusal that the caller caused: answered with `status` and `{"error": message}`. */
export class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Answers a JSON value, or undefined if the path is not its own. `body` is undefined where none was sent. */
export type Handler = (method: string, path: string, body: unknown) => unknown | Promise<unknown>;

export interface LocalServer {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  close(): Promise<void>;
}

const maxBodyBytes = 64 * 1024;
const localNames = ["127.0.0.1", "localhost", "[::1]"];

/** True where Host, and Origin if there is one, name this machine. */
export function isLocal(request: IncomingMessage): boolean {
  const host = request.headers.host ?? "";
  if (!localNames.includes(host.replace(/:\d+$/, ""))) return false;
  const origin = request.headers.origin;
  if (origin === undefined) return true;
  return origin === `http://${host}`;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > maxBodyBytes) throw new RequestError(413, `the body is longer than ${maxBodyBytes} bytes`);
    chunks.push(chunk as Buffer);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (error) {
    throw new RequestError(400, `the body is not JSON: ${(error as Error).message}`);
  }
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  const text = `${JSON.stringify(value)}\n`;
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(text);
}

/**
 * Starts on 127.0.0.1:`port` (0 = any free port). `other` may serve what is not JSON (the page's files); it
 * answers true where it did.
 */
export async function startLocalServer(
  port: number,
  handler: Handler,
  other?: (request: IncomingMessage, response: ServerResponse) => boolean,
): Promise<LocalServer> {
  const server = createServer((request, response) => {
    void serve(request, response, handler, other);
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 5_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new CommandError(`port ${port} is in use on 127.0.0.1: choose another, or 0 for any`)
          : error,
      );
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  const actual = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${actual}`,
    port: actual,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  handler: Handler,
  other?: (request: IncomingMessage, response: ServerResponse) => boolean,
): Promise<void> {
  try {
    if (!isLocal(request)) {
      throw new RequestError(
        403,
        "this interface answers to this computer alone (Host or Origin is another)",
      );
    }
    if (other?.(request, response)) return;
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const body = await readJson(request);
    const value = await handler(request.method ?? "GET", path, body);
    if (value === undefined) throw new RequestError(404, `there is no ${request.method} ${path} here`);
    answer(response, 200, value);
  } catch (error) {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (error instanceof RequestError) answer(response, error.status, { error: error.message });
    else {
      process.stderr.write(`openucm: ${(error as Error).stack ?? String(error)}\n`);
      answer(response, 500, { error: "an error inside the bench; its text is on the terminal" });
    }
  }
}
