/**
 * Reads the answer to one request (RFC 9112), in pieces as they come. Bounded: a line, a head, a body. What could be read in
 * two ways (two lengths, a length beside chunks, folded lines) is a fault.
 */
import type { HttpFailure } from "../../src/ports/http.js";

/** Of one line. */
const LINE_BYTES = 4096;
/** Of all lines before the body, and of those after chunks. */
const HEAD_BYTES = 16384;
const HEADERS = 64;
/** Interim answers (100, 103) that are skipped. */
const INTERIM = 4;

type Headers = readonly (readonly [name: string, value: string])[];

/** `rest`: bytes that are to be read next; undefined = all are taken. */
export type AnswerPart =
  | { readonly k: "more"; readonly rest: Uint8Array | undefined }
  | {
      readonly k: "head";
      readonly status: number;
      readonly headers: Headers;
      readonly rest: Uint8Array | undefined;
    }
  | { readonly k: "data"; readonly bytes: Uint8Array; readonly rest: Uint8Array | undefined }
  /** `keep`: the connection can carry another request. */
  | { readonly k: "end"; readonly keep: boolean; readonly rest: Uint8Array | undefined }
  | {
      readonly k: "fault";
      readonly reason: HttpFailure;
      readonly text: string;
      readonly rest: Uint8Array | undefined;
    };

type Awaits =
  "status" | "header" | "body" | "chunk" | "chunk-data" | "chunk-end" | "trailer" | "close" | "nothing";

const EMPTY = new Uint8Array(0);

export class AnswerReader {
  private awaits: Awaits = "status";
  private line = "";
  private headBytes = 0;
  private interim = 0;
  private status = 0;
  private headers: [string, string][] = [];
  private left = 0;
  private taken = 0;
  private keep = true;

  constructor(private readonly maxBodyBytes: number) {}

  /** The head has come, and the body lasts until the connection ends. */
  endsWithConnection(): boolean {
    return this.awaits === "close";
  }

  /** The next part. To be called again with its `rest`. */
  read(bytes: Uint8Array): AnswerPart {
    switch (this.awaits) {
      case "body":
      case "chunk-data":
      case "close":
        return bytes.length === 0 && this.left > 0 ? { k: "more", rest: undefined } : this.readBody(bytes);
      case "nothing":
        return fault("protocol", "more than the answer");
      default:
        return this.readLine(bytes);
    }
  }

  private readBody(bytes: Uint8Array): AnswerPart {
    const isOpen = this.awaits === "close";
    const count = isOpen ? bytes.length : Math.min(bytes.length, this.left);
    this.taken += count;
    if (this.taken > this.maxBodyBytes) return fault("too-large", "");
    if (!isOpen) this.left -= count;
    const data = count === bytes.length ? bytes : bytes.subarray(0, count);
    if (isOpen || this.left > 0)
      return count === 0 ? { k: "more", rest: undefined } : { k: "data", bytes: data, rest: undefined };
    const after = bytes.length > count ? bytes.subarray(count) : undefined;
    if (this.awaits === "chunk-data") {
      this.awaits = "chunk-end";
      return { k: "data", bytes: data, rest: after };
    }
    // The end comes with the next call, which is made in any case: an empty rest is one.
    if (count === 0) return this.end(after);
    this.left = 0;
    return { k: "data", bytes: data, rest: after ?? EMPTY };
  }

  private readLine(bytes: Uint8Array): AnswerPart {
    const found = bytes.indexOf(10);
    const at = found < 0 ? bytes.length : found;
    if (this.line.length + at > LINE_BYTES) return fault("too-large", "a line");
    this.line += latin1(bytes, at);
    this.headBytes += at + 1;
    if (this.headBytes > HEAD_BYTES && this.awaits !== "chunk" && this.awaits !== "chunk-end")
      return fault("too-large", "the head");
    if (at === bytes.length) return { k: "more", rest: undefined };
    const line = this.line.endsWith("\r") ? this.line.slice(0, -1) : this.line;
    this.line = "";
    const rest = at + 1 < bytes.length ? bytes.subarray(at + 1) : undefined;
    if (/[\u0000\r]/.test(line)) return fault("protocol", "a control character");
    switch (this.awaits) {
      case "status":
        return this.statusLine(line, rest);
      case "header":
        return line === "" ? this.headEnd(rest) : this.header(line, rest);
      case "chunk":
        return this.chunk(line, rest);
      case "chunk-end":
        this.awaits = "chunk";
        return line === "" ? { k: "more", rest } : fault("protocol", "a chunk is longer than it said");
      default:
        // Trailers are of no use here.
        return line === "" ? this.end(rest) : { k: "more", rest };
    }
  }

  private statusLine(line: string, rest: Uint8Array | undefined): AnswerPart {
    const parts = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/.exec(line);
    if (parts === null) return fault("protocol", "no status line");
    this.keep = parts[1] === "1";
    this.status = Number(parts[2]);
    this.headers = [];
    this.awaits = "header";
    return { k: "more", rest };
  }

  private header(line: string, rest: Uint8Array | undefined): AnswerPart {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    // A blank before the colon or at the beginning (folding) is read differently by different programs.
    if (colon < 1 || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return fault("protocol", "a header");
    if (this.headers.length >= HEADERS) return fault("too-large", "headers");
    this.headers.push([name.toLowerCase(), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "")]);
    return { k: "more", rest };
  }

  private headEnd(rest: Uint8Array | undefined): AnswerPart {
    const { status, headers } = this;
    if (status < 200) {
      this.awaits = "status";
      // 101 would be another protocol.
      if (status === 101 || ++this.interim > INTERIM) return fault("protocol", "an interim answer");
      return { k: "more", rest };
    }
    const lengths = headers.filter(([name]) => name === "content-length").map(([, value]) => value);
    const codings = headers.filter(([name]) => name === "transfer-encoding").map(([, value]) => value);
    for (const [name, value] of headers)
      if (name === "connection" && /(^|,)\s*close\s*(,|$)/i.test(value)) this.keep = false;
    if (status === 204 || status === 304) {
      this.awaits = "body";
      this.left = 0;
    } else if (codings.length > 0) {
      if (codings.length > 1 || codings[0]!.toLowerCase() !== "chunked" || lengths.length > 0)
        return fault("protocol", "how long the answer is");
      this.awaits = "chunk";
    } else if (lengths.length > 0) {
      const first = lengths[0]!;
      if (!/^\d{1,10}$/.test(first) || lengths.some((each) => each !== first))
        return fault("protocol", "how long the answer is");
      this.left = Number(first);
      if (this.left > this.maxBodyBytes) return fault("too-large", "");
      this.awaits = "body";
    } else {
      this.awaits = "close";
      this.keep = false;
    }
    // What has no bytes ends with the next call.
    const isOver = this.awaits === "body" && this.left === 0;
    return { k: "head", status, headers, rest: rest ?? (isOver ? EMPTY : undefined) };
  }

  private chunk(line: string, rest: Uint8Array | undefined): AnswerPart {
    const parts = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/.exec(line);
    if (parts === null) return fault("protocol", "a chunk's length");
    this.left = parseInt(parts[1]!, 16);
    if (this.taken + this.left > this.maxBodyBytes) return fault("too-large", "");
    this.awaits = this.left === 0 ? "trailer" : "chunk-data";
    if (this.left === 0) this.headBytes = 0;
    return { k: "more", rest };
  }

  private end(rest: Uint8Array | undefined): AnswerPart {
    this.awaits = "nothing";
    return { k: "end", keep: this.keep, rest: rest !== undefined && rest.length > 0 ? rest : undefined };
  }
}

/** Header bytes are one character each (RFC 9110 5.5). */
function latin1(bytes: Uint8Array, end: number): string {
  let text = "";
  for (let at = 0; at < end; at += 256)
    text += String.fromCharCode(...bytes.subarray(at, Math.min(at + 256, end)));
  return text;
}

function fault(reason: HttpFailure, text: string): AnswerPart {
  return { k: "fault", reason, text, rest: undefined };
}
