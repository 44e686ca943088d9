import type { StreamEvent, StreamPort, StreamRequest } from "../../src/ports/stream.js";

export interface TlsOptions {
  /** The trusted clock, ms since 1970; undefined = unknown: then the dates of certificates are not judged, all else is. */
  readonly utcMs: () => number | undefined;
  /** From `open` to the open connection; at most and by default 30 s. */
  readonly timeoutMs?: number;
}

/** PEM text or DER. Without `ca` nothing is trusted. */
export interface TlsCredentialSet {
  readonly ca: string | Uint8Array;
  readonly cert?: string | Uint8Array | undefined;
  /** P-256 (or what the library knows), unencrypted. Copied, parsed, wiped; never given back. */
  readonly key?: string | Uint8Array | undefined;
  /** `openadr-2.0b` adds ECDHE-ECDSA-AES128-CBC-SHA256 at the end of the AEAD suites. */
  readonly profile?: "modern" | "openadr-2.0b";
}

/**
 * {@link StreamPort} over Mbed TLS, three connections at once. In a `failed` event `reason` is an HttpFailure and `text`
 * begins with the reason's own name (docs/tls.md), e.g. `forged-signature`. A fourth is `busy`, but waits where one of the three
 * is just ending (2 s at most). One instance a chip.
 */
export default class Tls implements StreamPort {
  constructor(options: TlsOptions);
  /** Sets, replaces or (undefined) removes a set. A reason where it cannot be kept; what is in it is judged at its first use. */
  setCredentials(name: string, set: TlsCredentialSet | undefined): string | undefined;
  open(request: StreamRequest): void;
  write(id: number, bytes: Uint8Array): void;
  close(id: number): void;
  /** Connections that are not free: open, opening, closing. */
  readonly busy: number;
  poll(): StreamEvent | undefined;
  /** Ends all connections and wipes every secret. */
  end(): void;
}
