/**
 * OpenADR 3.1 as a VEN (docs/openadr3.md). This folder guarantees: whatever a server sends, nothing is thrown, no
 * event is taken in half, and memory is bounded, because answers are taken apart while they arrive and only one
 * element of a list exists as objects at a time; and the client secret goes nowhere but into a token request.
 *
 * This file: a JSON answer, element by element.
 */
import { fault, type Fault } from "../base/fault.js";
import { utf8Decode } from "../base/utf8.js";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Longest element of a list, bytes: 96 quarter-hours of prices as a pretty-printing server writes them. */
export const MAX_ELEMENT_BYTES = 24_576;
/** Deepest nesting inside an element. A recursive parser on a small stack must not be given more. */
const MAX_DEPTH = 12;
/** Commas and colons in an element: what bounds the objects that it becomes. */
const MAX_PARTS = 4096;

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/**
 * Takes bytes as they come. Each element of a list at top level is handed to `take` when it is whole; anything else
 * at top level counts as one element. `undefined` stands for an element that is larger than this module reads.
 */
export class JsonStream {
  /** True where the answer is a list. */
  list = false;
  private readonly take: (value: Json | undefined) => void;
  private buffer = new Uint8Array(1024);
  private length = 0;
  private state: "before" | "in" | "after" = "before";
  private depth = 0;
  private quoted = false;
  private escaped = false;
  private parts = 0;
  private spaced = false;
  private over = false;
  private bad: Fault | undefined;
  /** A comma was read, so an element must follow. */
  private owed = false;

  constructor(take: (value: Json | undefined) => void) {
    this.take = take;
  }

  /** Faults: `openadr3-json`. After one, everything else is ignored. */
  push(bytes: Uint8Array): Fault | undefined {
    for (let i = 0; i < bytes.length && this.bad === undefined; i++) this.byte(bytes[i]!);
    return this.bad;
  }

  end(): Fault | undefined {
    if (this.bad !== undefined) return this.bad;
    if (this.state === "in" && !this.list) {
      if (this.depth !== 0 || this.quoted) this.fail("it is cut off");
      else this.element();
    } else if (this.state !== "after") this.fail(this.state === "before" ? "it is empty" : "it is cut off");
    return this.bad;
  }

  private byte(byte: number): void {
    if (this.quoted) {
      this.keep(byte);
      if (this.escaped) this.escaped = false;
      else if (byte === BACKSLASH) this.escaped = true;
      else if (byte === QUOTE) this.quoted = false;
      return;
    }
    if (byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      this.spaced = this.length > 0;
      return;
    }
    if (this.state === "before") {
      this.state = "in";
      if (byte === OPEN) {
        this.list = true;
        return;
      }
    } else if (this.state === "after") {
      this.fail("something follows it");
      return;
    }
    if (this.list && this.depth === 0 && (byte === COMMA || byte === CLOSE)) {
      const empty = this.length === 0 && !this.over;
      if (empty && (byte === COMMA || this.owed)) this.fail("an element is missing");
      else if (!empty) this.element();
      this.owed = byte === COMMA;
      if (byte === CLOSE) this.state = "after";
      return;
    }
    if (this.spaced) {
      // One space between two words keeps them apart; the rest of the indentation is not worth its memory.
      this.spaced = false;
      const last = this.buffer[this.length - 1]!;
      if (isWord(last) && isWord(byte)) this.keep(SPACE);
    }
    if (byte === QUOTE) this.quoted = true;
    else if (byte === OPEN || byte === 0x7b) {
      if (++this.depth > MAX_DEPTH) this.over = true;
    } else if (byte === CLOSE || byte === 0x7d) {
      if (--this.depth < 0) {
        this.fail("a bracket is closed that was not opened");
        return;
      }
    } else if ((byte === COMMA || byte === 0x3a) && ++this.parts > MAX_PARTS) this.over = true;
    this.keep(byte);
  }

  private keep(byte: number): void {
    if (this.over) return;
    if (this.length === this.buffer.length) {
      if (this.length >= MAX_ELEMENT_BYTES) {
        this.over = true;
        return;
      }
      const larger = new Uint8Array(Math.min(MAX_ELEMENT_BYTES, this.length * 2));
      larger.set(this.buffer);
      this.buffer = larger;
    }
    this.buffer[this.length++] = byte;
  }

  private element(): void {
    if (this.over) this.take(undefined);
    else {
      const text = utf8Decode(this.buffer, 0, this.length);
      let value: Json | undefined;
      try {
        value = text === undefined ? undefined : (JSON.parse(text) as Json);
      } catch {
        value = undefined;
      }
      if (value === undefined) this.fail("it is no JSON");
      else this.take(value);
    }
    this.length = 0;
    this.parts = 0;
    this.over = false;
    this.spaced = false;
  }

  private fail(what: string): void {
    this.bad ??= fault(
      "server",
      "openadr3-json",
      `The answer of the utility's server cannot be read: ${what}.`,
    );
  }
}

function isWord(byte: number): boolean {
  return byte !== COMMA && byte !== 0x3a && byte !== OPEN && byte !== 0x7b && byte !== CLOSE && byte !== 0x7d;
}

/** A field of an object; undefined where it is absent, null, or this is no object. */
export function field(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const found = (value as { readonly [key: string]: Json })[name];
  return found === null ? undefined : found;
}

export function isObject(value: Json | undefined): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A text field of 1 … `max` characters, else "". */
export function textOf(value: Json | undefined, name: string, max = 128): string {
  const found = field(value, name);
  return typeof found === "string" && found.length <= max ? found : "";
}

/** A finite number, else undefined. */
export function numberOf(value: Json | undefined, name: string): number | undefined {
  const found = field(value, name);
  return typeof found === "number" && Number.isFinite(found) ? found : undefined;
}

/** A list, else the empty one. */
export function listOf(value: Json | undefined, name: string): readonly Json[] {
  const found = field(value, name);
  return Array.isArray(found) ? (found as readonly Json[]) : [];
}
