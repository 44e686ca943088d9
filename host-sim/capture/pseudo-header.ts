/**
 * The eight bytes before each record in a capture file, all numbers big-endian (docs/capture.md):
 *
 *     version (1) | header length (1) | sender (1) | error marks (1) | bit rate / 100 (4)
 *
 * A reader skips as many bytes as the header length tells, so that later versions can add.
 */
import type { CaptureRecord, Marks, Sender } from "./record.js";

/** LINKTYPE_USER0: meant for private use, and what the dissector in tools/dissectors registers for. */
export const LINK_TYPE = 147;
export const HEADER_VERSION = 1;
export const HEADER_BYTES = 8;

/** By code. */
export const SENDERS: readonly Sender[] = ["unknown", "module", "charger"];
export const MARK_BITS: Readonly<Record<keyof Marks, number>> = {
  badChecksum: 0x01,
  incomplete: 0x02,
  collision: 0x04,
};

/** Header and bytes of a record. */
export function packRecord(record: CaptureRecord): Uint8Array {
  const out = new Uint8Array(HEADER_BYTES + record.bytes.length);
  out[0] = HEADER_VERSION;
  out[1] = HEADER_BYTES;
  out[2] = SENDERS.indexOf(record.from);
  for (const mark of Object.keys(MARK_BITS) as (keyof Marks)[]) {
    if (record.marks[mark]) out[3]! |= MARK_BITS[mark];
  }
  new DataView(out.buffer).setUint32(4, Math.round(record.bitsPerSecond / 100));
  out.set(record.bytes, HEADER_BYTES);
  return out;
}

/** A record, or what is wrong with the header. */
export function unpackRecord(packet: Uint8Array, utcMs: number): CaptureRecord | string {
  if (packet.length < HEADER_BYTES) return `a packet of ${packet.length} bytes is shorter than its header`;
  const length = packet[1]!;
  if (packet[0]! < 1 || length < HEADER_BYTES || length > packet.length) {
    return `the header of a packet is none of OpenUCM's (version ${packet[0]}, length ${length})`;
  }
  const marks = packet[3]!;
  const rate = new DataView(packet.buffer, packet.byteOffset).getUint32(4) * 100;
  return {
    utcMs,
    from: SENDERS[packet[2]!] ?? "unknown",
    bytes: packet.slice(length),
    bitsPerSecond: rate === 0 ? 19_200 : rate,
    marks: {
      badChecksum: (marks & MARK_BITS.badChecksum) !== 0,
      incomplete: (marks & MARK_BITS.incomplete) !== 0,
      collision: (marks & MARK_BITS.collision) !== 0,
    },
  };
}
