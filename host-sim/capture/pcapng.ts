/**
 * The few blocks of pcapng (draft-ietf-opsawg-pcapng) that a capture needs: section header, interface
 * description, enhanced packet. Written little-endian with microseconds; read in either byte order, with any
 * resolution of time, and with blocks that we do not know passed over.
 */

/** A packet of any interface. */
export interface Packet {
  readonly linkType: number;
  /** UTC, ms; to the microsecond. */
  readonly utcMs: number;
  readonly bytes: Uint8Array;
}

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const SIMPLE_PACKET = 3;
const PACKET = 6;
const MAGIC = 0x1a2b3c4d;
const OPTION_END = 0;
const OPTION_APPLICATION = 4;
const OPTION_NAME = 2;
const OPTION_RESOLUTION = 9;
const LONGEST_BLOCK = 16 * 1024 * 1024;

/** What a file begins with: a section and its one interface. */
export function pcapngStart(linkType: number, interfaceName: string, application: string): Uint8Array {
  const section = new Uint8Array(16);
  const view = new DataView(section.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, 1, true);
  // Section length unknown: the file grows while it is written.
  view.setBigInt64(8, -1n, true);
  const face = new Uint8Array(8);
  const faceView = new DataView(face.buffer);
  faceView.setUint16(0, linkType, true);
  faceView.setUint32(4, 0, true);
  return joined([
    block(SECTION, joined([section, option(OPTION_APPLICATION, ascii(application)), option(OPTION_END)])),
    block(INTERFACE, joined([face, option(OPTION_NAME, ascii(interfaceName)), option(OPTION_END)])),
  ]);
}

/** One packet of the first interface. */
export function pcapngPacket(bytes: Uint8Array, utcMs: number): Uint8Array {
  const body = new Uint8Array(20 + padded(bytes.length));
  const view = new DataView(body.buffer);
  const micros = BigInt(Math.round(utcMs * 1000));
  view.setUint32(4, Number(micros >> 32n), true);
  view.setUint32(8, Number(micros & 0xffffffffn), true);
  view.setUint32(12, bytes.length, true);
  view.setUint32(16, bytes.length, true);
  body.set(bytes, 20);
  return block(PACKET, body);
}

interface Interface {
  readonly linkType: number;
  /** Units of time a second. */
  readonly unitsPerSecond: number;
}

/** Every packet of a file that is held whole; {@link PcapngReader} for files of any size. */
export function readPcapng(file: Uint8Array): readonly Packet[] | string {
  const reader = new PcapngReader();
  const packets = reader.push(file);
  return typeof packets === "string" ? packets : (reader.end() ?? packets);
}

/**
 * Reads a file piece by piece, and holds no more of it than the block that is not whole yet. A file that breaks off
 * in the middle of a block (its writer was killed) gives what is whole.
 */
export class PcapngReader {
  #held: Uint8Array = new Uint8Array(0);
  /** Bytes of the file before those that are held. */
  #before = 0;
  #faces: Interface[] = [];
  #little = true;

  /** The packets that have become whole. Text: what is wrong with a file that is no pcapng, or damaged. */
  push(bytes: Uint8Array): readonly Packet[] | string {
    const file = this.#held.length === 0 ? bytes : joined([this.#held, bytes]);
    if (this.#before === 0) {
      // A copy: whoever reads a file uses his buffer again.
      this.#held = file.slice();
      if (file.length < 28) return [];
      const wrong = wrongStart(file);
      if (wrong !== undefined) return wrong;
    }
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    const packets: Packet[] = [];
    let at = 0;
    while (at + 12 <= file.length) {
      const where = this.#before + at;
      if (view.getUint32(at, true) === SECTION) {
        this.#little = view.getUint32(at + 8, true) === MAGIC;
        if (!this.#little && view.getUint32(at + 8) !== MAGIC)
          return `the section at byte ${where} has no byte order`;
        this.#faces = [];
      }
      const little = this.#little;
      const type = view.getUint32(at, little);
      const length = view.getUint32(at + 4, little);
      if (length < 12 || length % 4 !== 0 || length > LONGEST_BLOCK) {
        return `the block at byte ${where} has the impossible length ${length}`;
      }
      if (at + length > file.length) break;
      if (view.getUint32(at + length - 4, little) !== length) {
        return `the block at byte ${where} does not end with its length`;
      }
      if (type === INTERFACE && length >= 20) this.#faces.push(readInterface(view, at, length, little));
      else if (type === SIMPLE_PACKET) return "it has packets without times (simple packet blocks)";
      else if (type === PACKET && length >= 32) {
        const packet = readPacket(view, file, at, length, little, this.#faces);
        if (typeof packet === "string") return `the packet at byte ${where} ${packet}`;
        packets.push(packet);
      }
      at += length;
    }
    this.#before += at;
    this.#held = file.slice(at);
    return packets;
  }

  /** The file ends here; text where it was no pcapng at all. */
  end(): string | undefined {
    return this.#before === 0 ? wrongStart(this.#held) : undefined;
  }
}

/** What is wrong with the begin of a file, if anything. */
function wrongStart(file: Uint8Array): string | undefined {
  const magic =
    file.length < 4 ? 0 : new DataView(file.buffer, file.byteOffset, file.byteLength).getUint32(0, true);
  if (magic === SECTION && file.length >= 28) return undefined;
  const old = [0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1].includes(magic);
  return old ? "it is a pcap file of the old kind; convert it with: editcap -F pcapng" : "it is no pcapng";
}

function readPacket(
  view: DataView,
  file: Uint8Array,
  at: number,
  length: number,
  little: boolean,
  faces: readonly Interface[],
): Packet | string {
  const face = faces[view.getUint32(at + 8, little)];
  const captured = view.getUint32(at + 20, little);
  if (face === undefined) return "names an interface that is not there";
  if (captured > length - 32) return "is longer than its block";
  const units = (BigInt(view.getUint32(at + 12, little)) << 32n) | BigInt(view.getUint32(at + 16, little));
  const perSecond = BigInt(face.unitsPerSecond);
  const micros = (units * 1_000_000n) / perSecond;
  return {
    linkType: face.linkType,
    utcMs: Number(micros) / 1000,
    bytes: file.slice(at + 28, at + 28 + captured),
  };
}

function readInterface(view: DataView, at: number, length: number, little: boolean): Interface {
  let unitsPerSecond = 1_000_000;
  const end = at + length - 4;
  for (let o = at + 16; o + 4 <= end;) {
    const code = view.getUint16(o, little);
    const size = view.getUint16(o + 2, little);
    if (code === OPTION_END) break;
    if (code === OPTION_RESOLUTION && size === 1 && o + 5 <= end) {
      const value = view.getUint8(o + 4);
      const power = Math.min(value & 0x7f, (value & 0x80) !== 0 ? 40 : 12);
      unitsPerSecond = (value & 0x80) !== 0 ? 2 ** power : 10 ** power;
    }
    o += 4 + padded(size);
  }
  return { linkType: view.getUint16(at + 8, little), unitsPerSecond };
}

function block(type: number, body: Uint8Array): Uint8Array {
  const length = 12 + body.length;
  const out = new Uint8Array(length);
  const view = new DataView(out.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  out.set(body, 8);
  view.setUint32(length - 4, length, true);
  return out;
}

function option(code: number, value: Uint8Array = new Uint8Array(0)): Uint8Array {
  const out = new Uint8Array(4 + padded(value.length));
  const view = new DataView(out.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, value.length, true);
  out.set(value, 4);
  return out;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 0x7f);
}
