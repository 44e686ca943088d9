import { utf8Decode, utf8Encode, utf8Length } from "../base/utf8.js";
import { MOST_BODY_BYTES, MOST_HEAD_BYTES, type WebRequest, type WebResponse } from "../ports/http-server.js";

/** Head, empty line and body. */
const MOST_BYTES = MOST_HEAD_BYTES + 4 + MOST_BODY_BYTES;

/** A request as it came over the connection: all but its number. */
export type ReadRequest = Omit<WebRequest, "id">;

/**
 * One HTTP/1.1 request from the bytes of one connection (RFC 9112), for a chip that has TCP alone. Bounded in size;
 * time is the driver's, which closes what is not whole after ten seconds. What a small server need not understand is
 * refused with its status: chunked bodies (411), other versions (505), too much (413, 431), nonsense (400).
 */
export class RequestReader {
  #bytes = new Uint8Array(256);
  #length = 0;
  /** Up to here no end of the head was found: whoever sends byte by byte does not have it looked for each time anew. */
  #looked = 0;
  #head: (ReadRequest & { readonly length: number }) | undefined;
  #done = false;

  /** Answers the request once it is whole, a status where it is refused, undefined where more has to come. */
  push(bytes: Uint8Array): ReadRequest | number | undefined {
    if (this.#done) return undefined;
    // What is beyond the longest request that is taken cannot belong to one.
    const fits = bytes.subarray(0, MOST_BYTES - this.#length);
    const length = this.#length + fits.length;
    if (length > this.#bytes.length) {
      const more = new Uint8Array(Math.min(MOST_BYTES, 2 * length));
      more.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = more;
    }
    this.#bytes.set(fits, this.#length);
    this.#length = length;
    const result = this.#read();
    if (result !== undefined) {
      this.#done = true;
      this.#bytes = new Uint8Array(0);
    }
    return result;
  }

  #read(): ReadRequest | number | undefined {
    if (this.#head === undefined) {
      const end = this.#endOfHead();
      if (end < 0) return this.#length > MOST_HEAD_BYTES + 3 ? 431 : undefined;
      if (end > MOST_HEAD_BYTES) return 431;
      const text = utf8Decode(this.#bytes, 0, end);
      const head = text === undefined ? 400 : readHead(text);
      if (typeof head === "number") return head;
      this.#head = head;
      this.#bytes = this.#bytes.slice(end + 4, this.#length);
      this.#length = this.#bytes.length;
    }
    const { length, ...request } = this.#head;
    if (this.#length < length) return undefined;
    const body = utf8Decode(this.#bytes, 0, length);
    return body === undefined ? 400 : { ...request, body };
  }

  /** Where the empty line begins; −1 = not yet there. */
  #endOfHead(): number {
    const bytes = this.#bytes;
    const most = Math.min(this.#length - 3, MOST_HEAD_BYTES + 1);
    for (; this.#looked < most; this.#looked++) {
      const i = this.#looked;
      if (bytes[i] === 13 && bytes[i + 1] === 10 && bytes[i + 2] === 13 && bytes[i + 3] === 10) return i;
    }
    return -1;
  }
}

function readHead(text: string): (ReadRequest & { readonly length: number }) | number {
  const [first, ...lines] = text.split("\r\n");
  const [method, target, version, ...rest] = first!.split(" ");
  if (method === undefined || target === undefined || version === undefined || rest.length > 0) return 400;
  if (version !== "HTTP/1.1" && version !== "HTTP/1.0") return version.startsWith("HTTP/") ? 505 : 400;
  if (!target.startsWith("/")) return 400;
  const values = new Map<string, string>();
  for (const line of lines) {
    const at = line.indexOf(":");
    // A folded line, a name with a space before the colon, a bare line: ways to smuggle (RFC 9112 section 5).
    if (at <= 0 || line.charAt(at - 1) === " " || line.charAt(0) === " " || line.charAt(0) === "\t")
      return 400;
    const name = line.slice(0, at).toLowerCase();
    if (values.has(name) && (name === "host" || name === "content-length" || name === "transfer-encoding"))
      return 400;
    values.set(name, line.slice(at + 1).trim());
  }
  if (values.has("transfer-encoding")) return 411;
  const said = values.get("content-length") ?? "0";
  if (said === "" || said.length > 9) return 400;
  for (const digit of said) if (digit < "0" || digit > "9") return 400;
  const length = Number(said);
  if (length > MOST_BODY_BYTES) return 413;
  const host = values.get("host");
  if (host === undefined) return 400;
  const value = (name: string): string => values.get(name) ?? "";
  return {
    ...{ method, target, host, length, body: "" },
    ...{ origin: value("origin"), site: value("sec-fetch-site"), cookie: value("cookie") },
  };
}

const REASONS: Readonly<Record<number, string>> = Object.freeze({
  200: "OK",
  303: "See Other",
  403: "Forbidden",
  404: "Not Found",
  429: "Too Many Requests",
});

/** The bytes of an answer; the connection is closed after them. */
export function writeResponse({ status, headers, body }: Omit<WebResponse, "id">): Uint8Array {
  let head = `HTTP/1.1 ${status} ${REASONS[status] ?? "Refused"}\r\nconnection: close\r\ncontent-length: ${utf8Length(body)}\r\n`;
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`;
  return utf8Encode(`${head}\r\n${body}`);
}
