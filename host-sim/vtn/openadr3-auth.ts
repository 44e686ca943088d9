/** Who calls: OAuth 2 client credentials, a client certificate, or nobody in particular. */
import { type JsonObject, Problem } from "./openadr3-types.js";

export interface Client3 {
  readonly clientId: string;
  readonly clientSecret: string;
  /** `ven` = a module; `bl` = the utility's business logic, which may write programs and events. */
  readonly role: "ven" | "bl";
}

export interface Caller {
  readonly clientId: string;
  readonly role: "ven" | "bl" | "anonymous";
}

const SCOPES = {
  ven: "read_targets read_ven_objects write_reports write_subscriptions write_vens",
  bl: "read_all write_programs write_events write_subscriptions write_vens",
} as const;

interface Token {
  readonly client: Client3;
  readonly endsUtcMs: number;
}

export class Auth3 {
  readonly #clients: readonly Client3[];
  readonly #tokenSeconds: number;
  readonly #newId: (kind: string) => string;
  readonly #tokens = new Map<string, Token>();

  constructor(clients: readonly Client3[], tokenSeconds: number, newId: (kind: string) => string) {
    this.#clients = clients;
    this.#tokenSeconds = tokenSeconds;
    this.#newId = newId;
  }

  /** POST /auth/token: the grant of RFC 6749 4.4, credentials in the body or as HTTP Basic. */
  token(body: string, authorization: string | undefined, utcMs: number): JsonObject | Problem | AuthRefusal {
    const form = new URLSearchParams(body);
    const basic = /^Basic\s+(\S+)$/i.exec(authorization ?? "")?.[1];
    const [basicId, basicSecret] = basic === undefined ? [] : decodeBasic(basic);
    const clientId = form.get("client_id") ?? basicId ?? null;
    const secret = form.get("client_secret") ?? basicSecret ?? null;
    if (form.get("grant_type") !== "client_credentials") {
      return new AuthRefusal(400, "unsupported_grant_type", "grant_type must be client_credentials");
    }
    if (clientId === null || secret === null) {
      return new AuthRefusal(400, "invalid_request", "client_id or client_secret is missing");
    }
    const client = this.#clients.find((c) => c.clientId === clientId && c.clientSecret === secret);
    if (client === undefined)
      return new AuthRefusal(401, "invalid_client", "client_id or client_secret is wrong");
    const granted = SCOPES[client.role].split(" ");
    const asked = (form.get("scope") ?? "").split(" ").filter((s) => s !== "");
    const unknown = asked.find((s) => !granted.includes(s));
    if (unknown !== undefined)
      return new AuthRefusal(400, "invalid_scope", `scope ${unknown} is not for this client`);
    const token = this.#newId("token");
    this.#tokens.set(token, { client, endsUtcMs: utcMs + this.#tokenSeconds * 1000 });
    return {
      access_token: token,
      token_type: "Bearer",
      expires_in: this.#tokenSeconds,
      scope: granted.join(" "),
    };
  }

  /** Every token is worthless from now on, as after a restart of the server. */
  revokeAll(): void {
    this.#tokens.clear();
  }

  /** @param certificateName common name of a client certificate that the bench's CA signed */
  caller(
    authorization: string | undefined,
    certificateName: string | undefined,
    utcMs: number,
  ): Caller | Problem {
    if (authorization !== undefined) {
      const token = /^Bearer\s+(\S+)$/i.exec(authorization)?.[1];
      const known = token === undefined ? undefined : this.#tokens.get(token);
      if (known === undefined)
        return new Problem(401, "the bearer token is not known: fetch a new one from /auth/token");
      if (utcMs >= known.endsUtcMs) return new Problem(401, "the bearer token has expired: fetch a new one");
      return { clientId: known.client.clientId, role: known.client.role };
    }
    if (certificateName !== undefined) return { clientId: `cert-${certificateName}`, role: "ven" };
    return { clientId: "anonymous", role: "anonymous" };
  }
}

/** RFC 6749 2.3.1: both halves are form-encoded before they are joined. Empty where it is none of that. */
function decodeBasic(encoded: string): string[] {
  try {
    return atob(encoded).split(":").map(decodeURIComponent);
  } catch {
    return [];
  }
}

/** RFC 6749 5.2, with the fields of a problem beside it so that both readers are served. */
export class AuthRefusal {
  constructor(
    readonly status: number,
    readonly error: string,
    readonly detail: string,
  ) {}

  toJson(): JsonObject {
    return {
      ...new Problem(this.status, this.detail).toJson(),
      error: this.error,
      error_description: this.detail,
    };
  }
}
