/**
 * Receives the webhooks of OpenADR 3.1 on this computer, on 127.0.0.1; for a server elsewhere a proxy with TLS stands
 * before it. A call is a hint to ask the server: its body is not read. The device has none of this: it does not listen.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import * as http from "node:http";
import type { AddressInfo } from "node:net";

/** A path that may be called, and what the caller has to show. */
export interface Webhook {
  /** The upstream that is meant. */
  readonly upstream: string;
  /** Path of its callback address. */
  readonly path: string;
  readonly token: string;
}

/** Longest body that is waited for; what it says does not count. */
const MAX_BODY = 65_536;
const MAX_ECHO = 256;

/** A token that nobody guesses; lives as long as the process. */
export function webhookToken(): string {
  return randomBytes(24).toString("base64url");
}

export class WebhookServer {
  readonly #server: http.Server;

  private constructor(hooks: readonly Webhook[], onCall: (upstream: string) => void) {
    this.#server = http.createServer({ requestTimeout: 10_000 }, (request, response) => {
      const end = (status: number, body = ""): void => {
        response.writeHead(status, { "content-type": "text/plain" }).end(body);
      };
      const url = parsed(request.url ?? "/");
      const hook = hooks.find(({ path }) => path === url?.pathname);
      let bytes = 0;
      request.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_BODY) request.destroy();
      });
      request.on("error", () => undefined);
      request.on("end", () => {
        if (hook === undefined) return end(404);
        // The server asks whether we are who was meant: it says a word, we say it back.
        const echo = url?.searchParams.get("echo");
        if (echo != null) return echo.length <= MAX_ECHO ? end(200, echo) : end(400);
        if (!shows(request.headers.authorization, hook.token)) return end(401);
        if (request.method !== "POST") return end(405);
        end(200);
        onCall(hook.upstream);
      });
    });
  }

  static async listen(
    port: number,
    hooks: readonly Webhook[],
    onCall: (upstream: string) => void,
  ): Promise<WebhookServer> {
    const one = new WebhookServer(hooks, onCall);
    await new Promise<void>((resolve, reject) => {
      one.#server.once("error", reject);
      one.#server.listen(port, "127.0.0.1", resolve);
    });
    return one;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

function parsed(path: string): URL | undefined {
  try {
    return new URL(path, "http://127.0.0.1");
  } catch {
    return undefined;
  }
}

function shows(header: string | undefined, token: string): boolean {
  const said = Buffer.from(header ?? "");
  const right = Buffer.from(`Bearer ${token}`);
  return said.length === right.length && timingSafeEqual(said, right);
}
