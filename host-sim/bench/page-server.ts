/** Serves the page's files and the WebSocket that feeds it, on 127.0.0.1 alone (host-sim/control). */
import { createReadStream, existsSync, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocketServer, type WebSocket } from "ws";
import { isLocal, startLocalServer, type LocalServer } from "../control/local-server.js";
import { maxScenario, readCommand } from "./commands.js";
import type { FromPage, ToPage } from "./messages.js";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Nothing is loaded from elsewhere, and no other page can frame this one. */
const security = {
  "content-security-policy":
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self' ws:; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

/** dist/page, seen from dist/host-sim/bench or from host-sim/bench. */
export function pageFolder(): string {
  for (const up of ["../../page", "../../dist/page"]) {
    const folder = fileURLToPath(new URL(up, import.meta.url));
    if (existsSync(join(folder, "index.html"))) return folder;
  }
  throw new Error("the page is not built: run `npm run build`");
}

function serveFile(folder: string, request: IncomingMessage, response: ServerResponse): boolean {
  if (request.method !== "GET") return false;
  const asked = new URL(request.url ?? "/", "http://localhost").pathname;
  const path = join(folder, normalize(asked === "/" ? "/index.html" : asked));
  if (!path.startsWith(folder + sep) || !existsSync(path) || !statSync(path).isFile()) return false;
  response.writeHead(200, {
    ...security,
    "content-type": types[extname(path)] ?? "application/octet-stream",
  });
  createReadStream(path).pipe(response);
  return true;
}

export interface PageServer {
  readonly url: string;
  /** Tells every page that watches this charger, or every page there is. */
  tell(message: ToPage, charger?: number): void;
  close(): Promise<void>;
}

export interface PageServerOptions {
  readonly port: number;
  /** What a page is told that begins to watch a charger; the first at first. */
  greeting(charger: number): readonly ToPage[];
  /** Answers a refusal in words, a message for this page alone, or undefined. */
  command(message: FromPage, charger: number): string | ToPage | undefined;
}

/** A page that does not read for this long is let go, so that it cannot fill the memory. */
const maxBufferedBytes = 4_000_000;

export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const folder = pageFolder();
  const local: LocalServer = await startLocalServer(
    options.port,
    () => undefined,
    (request, response) => serveFile(folder, request, response),
  );
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 4 * maxScenario });
  const watching = new Map<WebSocket, number>();
  local.server.on("upgrade", (request, socket, head) => {
    if (!isLocal(request) || request.headers.origin === undefined || request.url !== "/live") {
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => welcome(client, options, watching));
  });
  return {
    url: `${local.url}/`,
    tell: (message, charger) => {
      let text: string | undefined;
      for (const [client, watched] of watching) {
        if (charger !== undefined && charger !== watched) continue;
        text ??= JSON.stringify(message);
        if (client.bufferedAmount > maxBufferedBytes) client.terminate();
        else client.send(text);
      }
    },
    close: async () => {
      for (const client of sockets.clients) client.terminate();
      sockets.close();
      await local.close();
    },
  };
}

function welcome(client: WebSocket, options: PageServerOptions, watching: Map<WebSocket, number>): void {
  const send = (message: ToPage): void => client.send(JSON.stringify(message));
  const watch = (wanted: number): void => {
    for (const message of options.greeting(wanted)) {
      // Where there is no such charger, it is the first.
      if (message.type === "hello") watching.set(client, message.charger);
      send(message);
    }
  };
  client.on("error", () => client.terminate());
  client.on("close", () => watching.delete(client));
  client.on("message", (data) => {
    let message: unknown;
    try {
      message = JSON.parse(String(data));
    } catch {
      message = undefined;
    }
    const command = readCommand(message);
    if (typeof command === "string") return send({ type: "refused", text: command });
    if (command.do === "watch") return watch(command.charger);
    const answer = options.command(command, watching.get(client) ?? 1);
    if (answer !== undefined) send(typeof answer === "string" ? { type: "refused", text: answer } : answer);
  });
  watch(1);
}
