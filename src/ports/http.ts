/**
 * HTTP over TLS as the firmware asks for it. TLS, DNS, connection reuse and time-outs are the world's;
 * the firmware names a set of credentials and never sees a key.
 */
export interface HttpRequest {
  /** Chosen by the firmware, unique while the request lives. */
  readonly id: number;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** UTF-8 text; undefined for none. */
  readonly body: string | undefined;
  /** Which upstream's trust roots and client certificate to use: its id. */
  readonly credentials: string;
  readonly timeoutMs: number;
  /** The world stops reading and reports `too-large` beyond this many body bytes. */
  readonly maxBodyBytes: number;
}

/** Why a request failed before or beside an HTTP status. Stable codes: they stand in logs and on the page. */
export type HttpFailure =
  | "dns"
  | "refused"
  | "unreachable"
  | "timeout"
  | "closed"
  | "too-large"
  | "tls-untrusted"
  | "tls-host-name"
  | "tls-expired"
  | "tls-not-yet-valid"
  | "tls-client-certificate"
  | "tls-handshake"
  /** The server offers static-RSA suites alone, which this module does not speak. */
  | "tls-static-rsa"
  /** The server's certificate, or one of its issuers', is not for this use (CA flag, key usage). */
  | "tls-purpose"
  /** The server has no TLS 1.2, or somebody between lowered the version. */
  | "tls-version"
  /** This module has no room for another connection just now. */
  | "busy"
  | "protocol"
  | "aborted";

export type HttpEvent =
  | {
      readonly id: number;
      readonly ev: "head";
      readonly status: number;
      /** Lower-case names. */
      readonly headers: readonly (readonly [name: string, value: string])[];
    }
  | { readonly id: number; readonly ev: "data"; readonly bytes: Uint8Array }
  | { readonly id: number; readonly ev: "end" }
  | { readonly id: number; readonly ev: "failed"; readonly reason: HttpFailure; readonly text: string };

export interface HttpPort {
  request(request: HttpRequest): void;
  /** Drops a request; no further event of it arrives. */
  abort(id: number): void;
}
