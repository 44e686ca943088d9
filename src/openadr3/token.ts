import { fault, isFault, type Fault } from "../base/fault.js";
import { utf8Encode } from "../base/utf8.js";
import { isPrivate } from "./config.js";
import { numberOf, textOf, type Json } from "./json-stream.js";

/** A token that ends within this is not used any more, ms. */
const MARGIN_MS = 30_000;
const MAX_TOKEN = 4096;

/**
 * OAuth 2 client credentials (RFC 6749 4.4): where tokens are to be had, and the one that is in use. It keeps the
 * only copy of token and address; nothing of it is ever logged or stored.
 */
export class TokenKeeper {
  /** Where tokens are to be had; "" until the server has said so. */
  url = "";
  private token = "";
  private endsMs = 0;

  /** A token that is good at that monotonic time, or "". */
  at(nowMs: number): string {
    return nowMs < this.endsMs - MARGIN_MS ? this.token : "";
  }

  drop(): void {
    this.token = "";
    this.endsMs = 0;
  }

  /** Another server: what the last one said does not count there. */
  forget(): void {
    this.drop();
    this.url = "";
  }

  /** GET /auth/server: `tokenURL`. The secret is sent nowhere where it could be read on the way. */
  takeServer(value: Json | undefined): Fault | undefined {
    const url = textOf(value, "tokenURL", 2048);
    if (url === "")
      return fault("server", "openadr3-token", "The server names no place to get a token from.");
    if (!isPrivate(url)) {
      return fault(
        "server",
        "openadr3-not-tls",
        "The server names a place for tokens without TLS; the client secret is not sent there.",
      );
    }
    this.url = url;
    return undefined;
  }

  /** The answer of the token endpoint. */
  takeToken(value: Json | undefined, nowMs: number): Fault | undefined {
    const token = textOf(value, "access_token", MAX_TOKEN);
    const read = /^[\x21-\x7e]+$/.test(token)
      ? token
      : fault("server", "openadr3-token", "The server's answer to the token request holds no token.");
    if (isFault(read)) return read;
    if (textOf(value, "token_type").toLowerCase() !== "bearer") {
      return fault("server", "openadr3-token", "The server gives a token that is no bearer token.");
    }
    this.token = read;
    const seconds = numberOf(value, "expires_in");
    // A life below the margin would mean a token for every request; then the server has to say 401.
    const lifeMs = seconds === undefined || seconds <= 0 ? Infinity : seconds * 1000;
    this.endsMs = nowMs + (lifeMs < 2 * MARGIN_MS ? lifeMs / 2 + MARGIN_MS : lifeMs);
    return undefined;
  }
}

/** The body of a token request. */
export function tokenRequest(clientId: string, clientSecret: string): string {
  const id = percent(clientId);
  return `grant_type=client_credentials&client_id=${id}&client_secret=${percent(clientSecret)}`;
}

/** Percent-encoding of everything but RFC 3986 unreserved; never throws, as encodeURIComponent may. */
export function percent(text: string): string {
  let out = "";
  for (const byte of utf8Encode(text)) {
    const char = String.fromCharCode(byte);
    out += /[A-Za-z0-9\-._~]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}
