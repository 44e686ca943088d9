/** What is sent: a URL taken apart, and the head of a request. Nothing a caller gives can add a header or a second request. */
import type { HttpRequest } from "../../src/ports/http.js";

export interface Target {
  readonly secure: boolean;
  /** An IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
  /** As the Host header has it. */
  readonly authority: string;
  /** Path and query. */
  readonly path: string;
}

/** RFC 9110 5.6.2: what names of headers are made of. */
const isToken = (text: string): boolean => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text);
/** No control characters, above all no line ends. */
const isValue = (text: string): boolean => !/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text);

/** Undefined where the URL, the method or a header cannot be sent. User names in URLs are refused. */
export function readTarget({ url, method, headers }: HttpRequest): Target | undefined {
  const parts =
    /^(https?):\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?(\/[^#]*|\?[^#]*)?(?:#.*)?$/.exec(url);
  if (parts === null) return undefined;
  const [, scheme, authority, portText, rest = ""] = parts;
  const secure = scheme === "https";
  const port = portText === undefined ? (secure ? 443 : 80) : Number(portText);
  const path = rest.startsWith("/") ? rest : `/${rest}`;
  if (port < 1 || port > 65535 || /[^\u0021-\u007e]/.test(path) || !isToken(method)) return undefined;
  for (const [name, value] of headers) if (!isToken(name) || !isValue(value)) return undefined;
  const isUsual = port === (secure ? 443 : 80);
  return {
    ...{ secure, port, path },
    host: authority!.replace(/^\[|\]$/g, ""),
    authority: isUsual ? authority! : `${authority!}:${String(port)}`,
  };
}

/** With the empty line. Lengths and the connection are this client's to say; what a caller says of them is left out. */
export function requestHead(request: HttpRequest, target: Target, bodyBytes: number | undefined): string {
  const { method, headers } = request;
  let head = `${method} ${target.path} HTTP/1.1\r\nHost: ${target.authority}\r\n`;
  for (const [name, value] of headers)
    if (!/^(host|content-length|transfer-encoding|connection|te|upgrade|expect)$/i.test(name))
      head += `${name}: ${value}\r\n`;
  if (bodyBytes !== undefined || method === "POST" || method === "PUT")
    head += `Content-Length: ${String(bodyBytes ?? 0)}\r\n`;
  return `${head}\r\n`;
}
