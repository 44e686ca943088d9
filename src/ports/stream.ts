/**
 * A byte stream over TLS as the protocols that bring no client of the platform's ask for it (src/websocket). The
 * world does DNS, TLS 1.2 or later and the checks of certificates and names.
 */
import type { HttpFailure } from "./http.js";

export interface StreamRequest {
  /** Chosen by who asks, unique while the stream lives. */
  readonly id: number;
  readonly host: string;
  readonly port: number;
  /** False: without TLS, which a world opens to its own computer alone. */
  readonly secure: boolean;
  /** Which upstream's trust roots and client certificate to use: its id. */
  readonly credentials: string;
}

export type StreamEvent =
  /** Connected, and the TLS handshake is through. */
  | { readonly id: number; readonly ev: "open" }
  | { readonly id: number; readonly ev: "data"; readonly bytes: Uint8Array }
  /** The other side, or the network, has ended it. */
  | { readonly id: number; readonly ev: "closed" }
  /** It did not come about, or broke for a reason that can be named. */
  | { readonly id: number; readonly ev: "failed"; readonly reason: HttpFailure; readonly text: string };

export interface StreamPort {
  open(request: StreamRequest): void;
  write(id: number, bytes: Uint8Array): void;
  /** Ends it after what was written; no further event of it arrives. */
  close(id: number): void;
}
