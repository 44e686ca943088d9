/**
 * A WebSocket over TLS as the firmware asks for it. The world does DNS, TLS, the opening handshake (accept key
 * included), masking, fragments and pings; the firmware names credentials and never sees a key, and checks the
 * subprotocol itself, because not every platform's client does.
 */
import type { HttpFailure } from "./http.js";

export interface WebSocketRequest {
  /** Chosen by the firmware, unique while the connection lives. */
  readonly id: number;
  readonly url: string;
  readonly subprotocol: string;
  /** Which upstream's trust roots, client certificate and password to use: its id. */
  readonly credentials: string;
  /** HTTP basic authentication under this name with the password of `credentials`, where the world has one. */
  readonly user: string;
  /** From the call to the open connection. */
  readonly timeoutMs: number;
  /** A longer message ends the connection with 1009. */
  readonly maxMessageBytes: number;
  /** A ping so often, and the end of the connection where no pong came until the next; 0 = never. */
  readonly pingMs: number;
}

/** Why no connection came about. `http-NNN`: the server answered so instead. */
export type WebSocketFailure = HttpFailure | `http-${number}` | "accept-key";

export type WebSocketEvent =
  | { readonly id: number; readonly ev: "open"; readonly subprotocol: string }
  | { readonly id: number; readonly ev: "text"; readonly text: string }
  /** The connection was open and is no more; 1006 where nobody said goodbye (RFC 6455 7.4.1). */
  | { readonly id: number; readonly ev: "closed"; readonly code: number; readonly reason: string }
  | { readonly id: number; readonly ev: "failed"; readonly reason: WebSocketFailure; readonly text: string };

export interface WebSocketPort {
  open(request: WebSocketRequest): void;
  send(id: number, text: string): void;
  /** Ends it; no further event of it arrives. */
  close(id: number, code: number, reason: string): void;
  /** Changes the interval of pings. */
  keepAlive(id: number, pingMs: number): void;
  /**
   * Hands over a new password for the next connection. The world keeps it, and goes back to the one before where the
   * server refuses the new one.
   */
  setPassword(credentials: string, password: string): void;
}
