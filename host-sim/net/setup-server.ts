/** Serves the module's own pages over Node's HTTP server, on 127.0.0.1 alone: the module checks Host and Origin itself. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  MOST_BODY_BYTES,
  MOST_HEAD_BYTES,
  type WebRequest,
  type WebResponse,
} from "../../src/ports/http-server.js";
import { CommandError } from "../cli/output.js";

export interface SetupServer {
  readonly url: string;
  close(): Promise<void>;
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  if (Number(request.headers["content-length"] ?? 0) > MOST_BODY_BYTES) return undefined;
  // The socket is not ended with the body: whoever sends too much is told so.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > MOST_BODY_BYTES) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A head has to be whole within the first, a request within the second, ms. */
const MOST_CONNECTIONS = 16;
const LIMITS = { headMs: 5000, requestMs: 10_000 };

/** `ask` hands a request to the module; port 0 = any. */
export async function startSetupServer(
  port: number,
  ask: (request: Omit<WebRequest, "id">) => Promise<Omit<WebResponse, "id"> | undefined>,
  { headMs, requestMs } = LIMITS,
): Promise<SetupServer> {
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // One request a connection, as on the chip.
    response.shouldKeepAlive = false;
    const body = await bodyOf(request);
    const { method = "GET", url = "/", headers } = request;
    const answer =
      body === undefined
        ? { status: 413, headers: [], body: "That is too much.\n" }
        : await ask({
            ...{ method, target: url, body, host: headers.host ?? "", origin: headers.origin ?? "" },
            ...{ site: String(headers["sec-fetch-site"] ?? ""), cookie: headers.cookie ?? "" },
          });
    if (answer === undefined) {
      response.writeHead(503, { "retry-after": "5", "content-type": "text/plain" });
      response.end("The module has no power or is starting.\n");
      return;
    }
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(answer.body);
  };
  const server = createServer(
    {
      maxHeaderSize: 4 * MOST_HEAD_BYTES,
      headersTimeout: headMs,
      requestTimeout: requestMs,
      // Node looks at these two only so often.
      connectionsCheckingInterval: 500,
    },
    (request, response) => {
      serve(request, response).catch(() => response.destroy());
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  // Whoever never sends a byte, or does not take the answer.
  server.setTimeout(requestMs, (socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      reject(
        taken ? new CommandError(`port ${port} is in use on 127.0.0.1: choose another, or 0 for any`) : error,
      );
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
