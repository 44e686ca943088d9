import { crc32 } from "../base/crc32.js";
import type { FlashPort } from "../ports/flash.js";

/**
 * What is remembered over a power cut: records in rings of flash sectors, and on top of them the event log,
 * the chained security log, charging sessions, half-hour energy, and the key-value store of everything else.
 * This folder guarantees: what has been acknowledged (the call returned) is there after a power cut at any
 * moment, what was half-written is not believed, and wear is even because every ring is written in turn.
 *
 * This file is the lowest layer: one sector with a header and records. A sector belongs to the ring position
 * `sequence % count`. Every record is sealed by a CRC-32 that covers its place too, so that bytes inside a
 * record can never pass for a record.
 *
 *   header: "UCMF" · sequence u32 · CRC-32 u32        record: 5A · type u8 · length u16 · payload · CRC-32 u32
 *
 * Little endian; records begin on multiples of four bytes.
 */
export const HEADER_BYTES = 12;
/** Marker, type, length and CRC. */
export const RECORD_OVERHEAD = 8;
const MARKER = 0x5a;
const MAGIC = 0x464d4355;

export interface FoundRecord {
  readonly at: number;
  readonly type: number;
  readonly length: number;
}

/** A run of sectors of a flash, as one ring. */
export class FlashArea {
  readonly sectorBytes: number;
  private readonly word = new Uint8Array(4);
  private readonly seal = new Uint8Array(8);

  constructor(
    private readonly flash: FlashPort,
    private readonly first: number,
    readonly count: number,
  ) {
    this.sectorBytes = flash.sectorBytes;
  }

  /** The sequence number of a sector, or undefined where it is blank, dead or half-written. */
  sequenceOf(sector: number): number | undefined {
    const header = new Uint8Array(HEADER_BYTES);
    this.flash.read(this.addressOf(sector, 0), header);
    if (u32(header, 0) !== MAGIC || u32(header, 8) !== crcOf(header.subarray(0, 8), undefined))
      return undefined;
    const sequence = u32(header, 4);
    return sequence % this.count === sector ? sequence : undefined;
  }

  /** Makes a sector ready for use under a new number; erases it first where it is not blank. True if it erased. */
  begin(sequence: number): boolean {
    const sector = sequence % this.count;
    const erased = this.clear(sector);
    const header = new Uint8Array(HEADER_BYTES);
    put32(header, 0, MAGIC);
    put32(header, 4, sequence);
    put32(header, 8, crcOf(header.subarray(0, 8), undefined));
    this.flash.program(this.addressOf(sector, 0), header);
    return erased;
  }

  /** Makes a sector blank. Kills its header first: half-erased, it must not be believed. True if it had to. */
  clear(sector: number): boolean {
    if (this.isBlank(sector)) return false;
    this.flash.program(this.addressOf(sector, 0), new Uint8Array(HEADER_BYTES));
    this.flash.erase(this.first + sector);
    return true;
  }

  isBlank(sector: number): boolean {
    return this.endOf(sector) === 0;
  }

  /** The first address, a multiple of 4, from which on the sector has never been programmed. */
  endOf(sector: number): number {
    const chunk = new Uint8Array(256);
    for (let at = this.sectorBytes - chunk.length; at >= 0; at -= chunk.length) {
      this.flash.read(this.addressOf(sector, at), chunk);
      for (let i = chunk.length - 1; i >= 0; i--) {
        if (chunk[i] !== 0xff) return (at + i + 4) & ~3;
      }
    }
    return 0;
  }

  /** Longest payload that a sector takes. */
  get maxPayload(): number {
    return this.sectorBytes - HEADER_BYTES - RECORD_OVERHEAD;
  }

  /** The end of the last sound record or of half-written bytes after it: where the next record goes. */
  freeFrom(sequence: number): number {
    const end = this.endOf(sequence % this.count);
    let free = Math.max(HEADER_BYTES, end);
    for (let at = HEADER_BYTES; ;) {
      const record = this.nextRecord(sequence, at, end);
      if (record === undefined) return free;
      at = record.at + this.spaceFor(record.length);
      // A record may end in ones, which look like blank flash.
      free = Math.max(free, at);
    }
  }

  /** Bytes that a payload takes up, with everything. */
  spaceFor(payloadBytes: number): number {
    return (payloadBytes + RECORD_OVERHEAD + 3) & ~3;
  }

  /** Programs a record in one go; the caller has seen to it that it fits. Returns the address after it. */
  writeRecord(sequence: number, at: number, type: number, payload: Uint8Array): number {
    const record = new Uint8Array(payload.length + RECORD_OVERHEAD);
    record[0] = MARKER;
    record[1] = type;
    record[2] = payload.length & 0xff;
    record[3] = payload.length >> 8;
    record.set(payload, 4);
    const body = record.subarray(0, payload.length + 4);
    put32(record, body.length, crcOf(body, this.sealOf(sequence, at)));
    this.flash.program(this.addressOf(sequence % this.count, at), record);
    return at + this.spaceFor(payload.length);
  }

  /**
   * The next sound record that begins at or after an address and before `end`, or undefined. Skips what a
   * power cut has left half-written: a record is sound only with its CRC.
   */
  nextRecord(sequence: number, from: number, end: number): FoundRecord | undefined {
    const sector = sequence % this.count;
    for (let at = from; at < end && at + RECORD_OVERHEAD <= this.sectorBytes; at += 4) {
      this.flash.read(this.addressOf(sector, at), this.word);
      if (this.word[0] !== MARKER) continue;
      const length = this.word[2]! | (this.word[3]! << 8);
      if (at + length + RECORD_OVERHEAD > this.sectorBytes) continue;
      const type = this.word[1]!;
      if (this.isSound(sequence, at, length)) return { at, type, length };
    }
    return undefined;
  }

  payload(sequence: number, record: FoundRecord): Uint8Array {
    const bytes = new Uint8Array(record.length);
    this.flash.read(this.addressOf(sequence % this.count, record.at + 4), bytes);
    return bytes;
  }

  private isSound(sequence: number, at: number, length: number): boolean {
    const address = this.addressOf(sequence % this.count, at);
    let crc = crcOf(this.sealOf(sequence, at), undefined);
    const chunk = new Uint8Array(Math.min(128, length + 4));
    for (let done = 0; done < length + 4;) {
      const part = chunk.subarray(0, Math.min(chunk.length, length + 4 - done));
      this.flash.read(address + done, part);
      crc = crc32(part, crc);
      done += part.length;
    }
    this.flash.read(address + 4 + length, this.word);
    return u32(this.word, 0) === crc;
  }

  /** What the CRC of a record begins with: the place where it stands. */
  private sealOf(sequence: number, at: number): Uint8Array {
    put32(this.seal, 0, sequence);
    put32(this.seal, 4, at);
    return this.seal;
  }

  private addressOf(sector: number, at: number): number {
    return (this.first + sector) * this.sectorBytes + at;
  }
}

/** CRC-32 of bytes, after those of `before` where given. */
function crcOf(bytes: Uint8Array, before: Uint8Array | undefined): number {
  return crc32(bytes, before && crc32(before));
}

export function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

export function put32(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = (value >>> (8 * i)) & 0xff;
}
