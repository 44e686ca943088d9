/**
 * Layouts of Intermediate messages as data, and the one reader and the one writer that follow them. A layout
 * names the members of a message in the order of their bytes, so that parse and emit cannot disagree, and a
 * further message costs a few bytes of table instead of two functions: byte code is scarce on the device.
 * The names are checked against the message types when this is compiled.
 *
 * What is accepted: all members, or all but some from the end (never fewer than `least`), and no byte more;
 * with `cut` also bytes that end inside one of those.
 */
import type { IntermediateMessage } from "./message.js";

/** How a member lies in the bytes: low four bits = its size, the rest says what it is. Big-endian throughout. */
export const U8 = 0x01;
export const U16 = 0x02;
export const U32 = 0x04;
/** All ones = not supported = undefined. */
export const U48 = 0x06;
export const I8 = 0x11;
export const I16 = 0x12;
/** The low seven bits of a byte whose top bit is the next member, {@link TOP_BIT}. */
export const LOW7 = 0x20;
/** Boolean in the top bit; which way round is a setting (`measuredBit`). */
export const TOP_BIT = 0x21;
/** A byte that should be 0; kept only where it is not. */
export const SPARE = 0x31;
/** Text of one byte a character to the end of the payload. */
export const TEXT = 0x40;
/** The same in 2 or 16 bytes, padded with zeros. */
export const TEXT2 = 0x42;
export const TEXT16 = 0x50;

/** Members in the order of their bytes. */
interface Fields {
  readonly [name: string]: Kind;
}
type Kind = number | Group;

/** A run of members that is a value of its own: an object inside the message, or with `list` an array of them. */
export interface Group {
  /** How many members must be there. */
  readonly least: number;
  readonly fields: Fields;
  /** As many of them as there are bytes. */
  readonly list?: true;
  /** Becomes the member `wide` of the value, and must be equal to it when written. */
  readonly wide?: boolean;
  /** Bytes that end inside a member that may be missing are kept as the text {@link TAIL}, one byte a character. */
  readonly cut?: true;
}

/** Member of a {@link Group} with `cut`: the beginning of the first member that is not whole. */
const TAIL = "tail";

/** A {@link Group} with every member of `T`. */
export type GroupOf<T> = Group & {
  readonly fields: { readonly [K in Exclude<keyof T, "wide" | "tail">]-?: Kind };
};

/** The layout of one message; several may share an opcode, the payload's length tells them apart. */
export interface Layout extends Group {
  readonly name: string;
  /** opcode1 << 8 | opcode2. */
  readonly op: number;
  /** The reply to a query alone: success without a value is too short. */
  readonly whole?: true;
}

/** A {@link Layout} with every member of one of the messages of `M`. */
export type LayoutOf<M extends IntermediateMessage> = M extends { readonly name: infer Name }
  ? Layout & {
      readonly name: Name;
      readonly fields: { readonly [K in Exclude<keyof M, "family" | "name">]-?: Kind };
    }
  : never;

type Values = Record<string, unknown>;

function readInteger(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + bytes[at + i]!;
  return value;
}

function readText(bytes: Uint8Array, at: number, end: number): string {
  let text = "";
  for (; at < end; at++) text += String.fromCharCode(bytes[at]!);
  return text;
}

/**
 * Reads the members of `group` from `bytes[at…]` into `into`; the last member may leave bytes over.
 * Gives the offset after what was read, −1 where the bytes end inside a member or before `least`.
 */
export function readGroup(
  group: Group,
  bytes: Uint8Array,
  at: number,
  into: Values,
  measuredBit: number,
): number {
  const end = bytes.length;
  let index = 0;
  if (group.wide !== undefined) into["wide"] = group.wide;
  for (const name in group.fields) {
    const kind = group.fields[name]!;
    const mayEnd = index++ >= group.least;
    if (at === end) {
      if (!mayEnd) return -1;
      if (typeof kind === "object" && kind.list) into[name] = [];
      return at;
    }
    if (typeof kind === "object") {
      const items: Values[] = [];
      const start = at;
      do {
        const item: Values = {};
        at = readGroup(kind, bytes, at, item, measuredBit);
        if (at < 0) return mayEnd ? readCut(group, bytes, start, into) : -1;
        items.push(item);
      } while (kind.list && at < end);
      into[name] = kind.list ? items : items[0];
      continue;
    }
    const size = kind === TEXT ? end - at : kind & (kind & TEXT ? 0x1f : 0x0f);
    if (at + (kind === LOW7 ? 1 : size) > end) return mayEnd ? readCut(group, bytes, at, into) : -1;
    if (kind & TEXT) {
      let last = at + size;
      if (kind !== TEXT) while (last > at && bytes[last - 1] === 0) last--;
      into[name] = readText(bytes, at, last);
    } else if (kind === LOW7) into[name] = bytes[at]! & 0x7f;
    else if (kind === TOP_BIT) into[name] = bytes[at]! >> 7 === measuredBit;
    else {
      let value = readInteger(bytes, at, size);
      if ((kind === I8 || kind === I16) && value >= 1 << (8 * size - 1)) value -= 1 << (8 * size);
      if (kind === U48 && value === MAX_U48) into[name] = undefined;
      else if (kind !== SPARE || value !== 0) into[name] = value;
    }
    at += size;
  }
  return at;
}

/** The bytes end inside a member: kept where the group allows it, else −1. */
function readCut(group: Group, bytes: Uint8Array, at: number, into: Values): number {
  if (!group.cut) return -1;
  into[TAIL] = readText(bytes, at, bytes.length);
  return bytes.length;
}

const MAX_U48 = 0xffff_ffff_ffff;

function writeInteger(out: Uint8Array | undefined, at: number, size: number, value: number): void {
  if (out === undefined) return;
  // From the end, by division: values reach 48 bits; a negative one wraps into its two's complement.
  for (let i = size - 1; i >= 0; i--) {
    out[at + i] = value & 0xff;
    value = Math.floor(value / 256);
  }
}

/** Offset after the text; −1 where it does not fit `size` (0 = any) or is more than a byte a character. */
function writeText(out: Uint8Array | undefined, at: number, size: number, text: unknown): number {
  if (typeof text !== "string" || (size > 0 && text.length > size)) return -1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) return -1;
    if (out) out[at + i] = code;
  }
  if (size === 0) return at + text.length;
  out?.fill(0, at + text.length, at + size);
  return at + size;
}

/** Offset after one member, −1 where the value does not fit it. */
function writeMember(
  kind: Kind,
  value: unknown,
  out: Uint8Array | undefined,
  at: number,
  measuredBit: number,
): number {
  if (typeof kind === "object") {
    const items: unknown = kind.list ? value : [value];
    if (!Array.isArray(items)) return -1;
    for (const item of items as unknown[]) {
      if (typeof item !== "object" || item === null) return -1;
      at = writeGroup(kind, item as Values, out, at, measuredBit);
      if (at < 0) return -1;
    }
    return at;
  }
  if (kind & TEXT) return writeText(out, at, kind & 0x1f, value);
  if (kind === TOP_BIT) {
    if (typeof value !== "boolean") return -1;
    if (out) out[at]! |= (value ? measuredBit : 1 - measuredBit) << 7;
    return at + 1;
  }
  const size = kind & 0x0f;
  if (kind === U48) value = value === undefined ? MAX_U48 : Math.round(value as number);
  const span = kind === LOW7 ? 0x80 : 2 ** (8 * size);
  const least = kind === I8 || kind === I16 ? -span / 2 : 0;
  if (typeof value !== "number" || !Number.isInteger(value)) return -1;
  if (value < least || value >= least + span) return -1;
  writeInteger(out, at, kind === LOW7 ? 1 : size, value);
  return at + size;
}

/**
 * Writes the members of `group` to `out[at…]`, or only measures where `out` is undefined.
 * Gives the offset after them, −1 where a value is missing, of the wrong kind or out of range.
 */
export function writeGroup(
  group: Group,
  values: Values,
  out: Uint8Array | undefined,
  at: number,
  measuredBit: number,
): number {
  if (group.wide !== undefined && values["wide"] !== group.wide) return -1;
  let index = 0;
  let ended = false;
  for (const name in group.fields) {
    const kind = group.fields[name]!;
    const value = values[name];
    const mayEnd = index++ >= group.least;
    if (value === undefined && kind === SPARE) {
      writeInteger(out, at++, 1, 0);
    } else if (value === undefined && kind !== U48) {
      if (!mayEnd) return -1;
      ended = true;
    } else {
      // A member after a missing one has no place; an empty list where a list is a must is another message.
      if (ended || (!mayEnd && Array.isArray(value) && value.length === 0)) return -1;
      at = writeMember(kind, value, out, at, measuredBit);
      if (at < 0) return -1;
    }
  }
  const tail = group.cut && values[TAIL];
  return tail === undefined ? at : ended ? writeText(out, at, 0, tail) : -1;
}
