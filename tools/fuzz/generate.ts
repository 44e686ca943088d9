/**
 * Inputs for the fuzzers: seeded, platform-free, and aware of the structure of what they imitate. Plain random bytes
 * would hardly ever meet an opcode that exists with a length that it has; here most inputs lie on a limit or beside it.
 * Nothing is allocated per input but what is handed over, because ten million of them have to take minutes.
 */
import { FRAME_OVERHEAD } from "../../src/wire/frame.js";

/** xorshift32: fast, and good enough to choose inputs by. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e3779b1) | 1;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** 0…2^32 − 1, never 0. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  /** 0…count − 1. */
  below(count: number): number {
    return this.next() % count;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.next() % items.length]!;
  }
}

/** Opcodes of Intermediate DR that exist; every second time their reply is taken. */
const intermediateOps: readonly number[] = [
  0x0101, 0x0102, 0x0103, 0x0200, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x0400, 0x0401, 0x0600, 0x0601,
  0x0a00, 0x0a01, 0x0b00, 0x0b01, 0x0c00,
];
/** Lengths after the opcodes at which some message begins or ends. */
const tails: readonly number[] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16, 26, 27, 30, 45, 46, 49, 50, 51, 52, 64,
];
/** Bytes that mean something special somewhere. */
const special: readonly number[] = [0, 0xff, 0x80, 0x7f, 0x06, 0x15, 0x08, 0x01, 0x02, 0x03, 0xfe, 0x20];
/** How payloads are filled, see `#fill`: at random, one value, special values, text, mostly 0. */
const FILLS: readonly number[] = [0, 0, 0, 0, 0, 4, 4, 5, 5, 5, 5, 5, 6, 6, 7, 7];
const types: readonly number[] = [0x0801, 0x0802, 0x0803, 0x0804, 0x0901, 0x090d, 0x0600, 0x1500, 0xf000, 0];
const longest = 70;

/** A payload and its type, in a buffer that the next call overwrites. */
export class PayloadSource {
  type = 0;
  payload = new Uint8Array(0);
  readonly #buffer = new Uint8Array(longest + 8);

  constructor(readonly dice: Dice) {}

  next(): void {
    const kind = this.dice.below(16);
    if (kind < 10) this.#intermediate();
    else if (kind < 12) this.#pair(0x0801, this.dice.below(0x1e));
    else if (kind < 13) this.#pair(0x0803, 0x15 + this.dice.below(0x0b));
    else {
      this.type = kind === 13 ? this.dice.next() & 0xffff : this.dice.pick(types);
      this.#fill(0, this.dice.below(kind === 15 ? longest : 6));
    }
  }

  #pair(type: number, op: number): void {
    this.type = type;
    // Now and then a byte too few or too many.
    const odd = this.dice.below(32);
    this.#fill(0, odd === 0 ? 1 : odd === 1 ? 3 : 2);
    this.#buffer[0] = op;
  }

  #intermediate(): void {
    const { dice } = this;
    this.type = 0x0802;
    const op = dice.pick(intermediateOps) | (dice.next() & 0x80);
    const size = dice.below(4) === 0 ? dice.below(56) : dice.pick(tails);
    this.#fill(2, 2 + size);
    this.#buffer[0] = op >> 8;
    this.#buffer[1] = op;
    // Replies begin with a response code, mostly a known one; records and groups have codes of a few values.
    if (size > 0 && dice.below(2) === 0) this.#buffer[2] = dice.below(10);
    if (size > 1 && dice.below(4) === 0) this.#buffer[3] = dice.below(10) | (dice.next() & 0x80);
  }

  /** Bytes from…to: random, one value throughout, text, or special ones. */
  #fill(from: number, to: number): void {
    const { dice } = this;
    const kind = FILLS[dice.next() & 15]!;
    const value = dice.pick(special);
    for (let i = from; i < to; i += 4) {
      let bits = dice.next();
      for (let j = i; j < to && j < i + 4; j++) {
        const byte = bits & 0xff;
        bits >>>= 8;
        this.#buffer[j] =
          kind === 0
            ? byte
            : kind === 4
              ? value
              : kind === 5
                ? special[byte % special.length]!
                : kind === 6
                  ? 0x20 + (byte % 0x60)
                  : byte < 0x80
                    ? 0
                    : byte;
      }
    }
    this.payload = this.#buffer.subarray(0, to);
  }
}

const gaps: readonly number[] = [0, 1, 5, 10, 15, 19, 20, 21, 25, 44, 45, 46, 64, 65, 66, 100, 110, 200, 201];
const longGaps: readonly number[] = [245, 246, 299, 300, 455, 480, 499, 500, 501, 520, 521, 600, 1000];

/** Damage to what is on the line, and how it comes in: the bytes in `bytes[0…length)`, cut at the `cuts`. */
export class LineSource {
  readonly bytes = new Uint8Array(1400);
  length = 0;
  /** Offsets at which a pause begins, ascending; the last is `length`. */
  readonly cuts: number[] = [];
  /** Pause before each part, ms. */
  readonly pausesMs: number[] = [];

  constructor(readonly dice: Dice) {}

  /** Takes a good frame and makes of it what a line may make of it. */
  next(frame: Uint8Array): void {
    const { dice, bytes } = this;
    let n = 0;
    const before = dice.below(16);
    if (before < 3) for (let i = 0; i <= before; i++) bytes[n++] = dice.pick(special);
    else if (before === 3) n = this.#answer(n);
    const start = n;
    bytes.set(frame, n);
    n += frame.length;
    n = this.#damage(start, n);
    const after = dice.below(32);
    if (after < 2) n = this.#answer(n);
    else if (after === 2) {
      bytes.set(frame, n);
      n += frame.length;
    } else if (after === 3) for (let i = dice.below(40); i >= 0; i--) bytes[n++] = dice.next();
    else if (after === 4) for (let i = dice.below(700); i >= 0; i--) bytes[n++] = dice.next();
    this.length = n;
    this.#cut(n);
  }

  #answer(at: number): number {
    const { dice, bytes } = this;
    bytes[at++] = dice.below(2) === 0 ? 0x06 : 0x15;
    if (dice.below(8) > 0) bytes[at++] = dice.below(3) === 0 ? dice.below(10) : 0;
    return at;
  }

  /** New end of the frame in bytes[from…to). */
  #damage(from: number, to: number): number {
    const { dice, bytes } = this;
    const at = from + dice.below(to - from);
    switch (dice.below(24)) {
      case 0:
        bytes[at]! ^= 1 << dice.below(8);
        return to;
      case 1:
        return at;
      case 2:
        bytes.copyWithin(at, at + 1, to);
        return to - 1;
      case 3:
        bytes.copyWithin(at + 1, at, to);
        return to + 1;
      case 4:
        bytes[from + 3] = dice.next();
        return to;
      case 5:
        bytes[from + 2] = dice.below(4) | (dice.next() & 0xe0);
        return to;
      case 6:
        // The header, the end, and what is one byte short of it.
        return from + dice.pick([1, 2, 3, 4, 5, to - from - 1, to - from - 2]);
      case 7:
        // 00 and FF are the same to the sum, and not to the receiver.
        bytes[to - 1] = bytes[to - 1]! ^ 0xff;
        return to;
      default:
        return to;
    }
  }

  #cut(n: number): void {
    const { dice, cuts, pausesMs } = this;
    cuts.length = 0;
    pausesMs.length = 0;
    pausesMs.push(dice.below(4) === 0 ? dice.pick(longGaps) : dice.pick(gaps));
    if (n > 1 && dice.below(3) === 0) {
      let at = 0;
      for (let parts = 1 + dice.below(3); parts > 0 && at < n - 1; parts--) {
        at += 1 + dice.below(n - at - 1);
        cuts.push(at);
        pausesMs.push(dice.below(6) === 0 ? dice.pick(longGaps) : dice.pick(gaps));
      }
    }
    if (n > 0) cuts.push(n);
  }
}

/** The longest frame that {@link PayloadSource} gives, bytes. */
export const LONGEST_FRAME = longest + FRAME_OVERHEAD + 2;
