/** The opening handshake (RFC 6455, 4.1 and 4.2.2): our request, and whether the answer is one. */
import { toBase64 } from "../base/base64.js";
import { utf8Encode } from "../base/utf8.js";
import type { WebSocketFailure } from "../ports/websocket.js";
import { sha1 } from "./sha1.js";

/** A longer head of an answer is no answer. */
const MOST_HEAD_BYTES = 8192;
/** Of a longer line the rest is passed over: none that counts is so long. */
const MOST_LINE = 300;
const MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export interface Address {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** As it stands in the Host field. */
  readonly authority: string;
  readonly path: string;
}

/** A `wss://` or `ws://` address in its parts; undefined where it is none. Names are ASCII, IPv6 in brackets. */
export function readAddress(url: string): Address | undefined {
  for (let i = 0; i < url.length; i++) {
    const c = url.charCodeAt(i);
    // What could end a line of the request, or is to be escaped.
    if (c <= 0x20 || c >= 0x7f) return undefined;
  }
  const secure = url.startsWith("wss://");
  if (!secure && !url.startsWith("ws://")) return undefined;
  const from = secure ? 6 : 5;
  let end = from;
  while (end < url.length && !"/?#".includes(url[end]!)) end++;
  const authority = url.slice(from, end);
  let path = url.slice(end);
  const fragment = path.indexOf("#");
  if (fragment >= 0) path = path.slice(0, fragment);
  if (!path.startsWith("/")) path = `/${path}`;
  if (authority.includes("@")) return undefined;
  const colon = authority.lastIndexOf(":");
  const named = colon > authority.lastIndexOf("]");
  const port = named ? Number(authority.slice(colon + 1)) : secure ? 443 : 80;
  let host = named ? authority.slice(0, colon) : authority;
  if (host.startsWith("[")) host = host.endsWith("]") ? host.slice(1, -1) : "";
  if (host === "" || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return { secure, host, port, authority, path };
}

/** The request. `authorization`: value of that field, or undefined for none. */
export function requestBytes(
  address: Address,
  key: string,
  subprotocol: string,
  authorization: string | undefined,
): Uint8Array {
  return utf8Encode(
    `GET ${address.path} HTTP/1.1\r\nHost: ${address.authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ${subprotocol}\r\n` +
      `${authorization === undefined ? "" : `Authorization: ${authorization}\r\n`}\r\n`,
  );
}

/** `Basic …` of a name and a password (RFC 7617). */
export function basicAuthorization(user: string, password: string): string {
  return `Basic ${toBase64(utf8Encode(`${user}:${password}`))}`;
}

/** What the server must answer to a key (4.2.2). */
export function acceptKey(key: string): string {
  return toBase64(sha1(utf8Encode(key + MAGIC)));
}

/** What an answer came to: the subprotocol chosen ("" = none), or why it is no WebSocket. */
export type Answer =
  | { readonly ok: true; readonly subprotocol: string; readonly rest: Uint8Array }
  | { readonly ok: false; readonly reason: WebSocketFailure; readonly text: string };

/** The fields that count. */
const FIELDS = [
  ...["upgrade", "connection", "sec-websocket-accept", "sec-websocket-protocol"],
  "sec-websocket-extensions",
];

/** Reads the head of the answer line by line; of it, no more is kept than what counts. */
export class AnswerReader {
  private line = "";
  private bytes = 0;
  private begun = false;
  private readonly fields: Record<string, string | undefined> = {};

  constructor(private readonly key: string) {}

  /** The answer as soon as it is known; undefined until then. */
  push(bytes: Uint8Array): Answer | undefined {
    for (let i = 0; i < bytes.length; i++) {
      if (++this.bytes > MOST_HEAD_BYTES) return failed("protocol", "a head without end");
      const code = bytes[i]!;
      if (code !== 0x0a) {
        if (this.line.length < MOST_LINE) this.line += String.fromCharCode(code);
        continue;
      }
      const line = this.line.endsWith("\r") ? this.line.slice(0, -1) : this.line;
      this.line = "";
      if (this.begun && line === "") return this.judge(bytes.subarray(i + 1));
      const wrong = this.begun ? this.takeField(line) : this.begin(line);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  private begin(line: string): Answer | undefined {
    this.begun = true;
    const status = Number(line.slice(9, 12));
    if (!line.startsWith("HTTP/1.1 ") || !(status >= 100 && status <= 599))
      return failed("protocol", "what answers is no web server");
    return status === 101 ? undefined : failed(`http-${status}`, line.slice(13, 80));
  }

  private takeField(line: string): Answer | undefined {
    const colon = line.indexOf(":");
    if (colon < 1) return failed("protocol", "a field without a name");
    const name = line.slice(0, colon).toLowerCase();
    if (!FIELDS.includes(name)) return undefined;
    // A field that comes twice is one list (RFC 9110, 5.2); of those that count none may.
    const before = this.fields[name];
    const value = line.slice(colon + 1).trim();
    this.fields[name] = before === undefined ? value : `${before},${value}`;
    return undefined;
  }

  private judge(rest: Uint8Array): Answer {
    const { fields } = this;
    const upgrades = fields["upgrade"]?.toLowerCase() === "websocket";
    const connection = (fields["connection"] ?? "").toLowerCase().split(",");
    if (!upgrades || !connection.some((token) => token.trim() === "upgrade"))
      return failed("protocol", "the server does not change to WebSocket");
    if (fields["sec-websocket-accept"] !== acceptKey(this.key)) return failed("accept-key", "");
    if (fields["sec-websocket-extensions"] !== undefined)
      return failed("protocol", "the server uses an extension that was not asked for");
    return { ok: true, subprotocol: fields["sec-websocket-protocol"] ?? "", rest };
  }
}

function failed(reason: WebSocketFailure, text: string): Answer {
  return { ok: false, reason, text };
}
