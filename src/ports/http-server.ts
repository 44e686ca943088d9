/**
 * The module's own small web server: the world listens (on the chip src/setup/http-codec.ts over TCP), the module
 * answers. One request a connection; nothing is kept open.
 */
export interface WebRequest {
  /** Chosen by the world, unique while the request waits for its answer. */
  readonly id: number;
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  /** Headers that matter; "" where one was not sent. `site` is Sec-Fetch-Site. */
  readonly host: string;
  readonly origin: string;
  readonly site: string;
  readonly cookie: string;
  /** Of a form, at most {@link MOST_BODY_BYTES}. */
  readonly body: string;
}

/** Longest head and body of a request, bytes. */
export const MOST_HEAD_BYTES = 2048;
export const MOST_BODY_BYTES = 4096;

export interface WebResponse {
  readonly id: number;
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface WebServerPort {
  respond(response: WebResponse): void;
}
