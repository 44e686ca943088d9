/** Capture files on Node, written record by record, so that a killed program leaves a readable file, and read so too. */
import { closeSync, fstatSync, openSync, readSync, statSync, writeSync } from "node:fs";
import { whyNot } from "../runtime/why-not.js";
import { pcapngPacket, PcapngReader, pcapngStart } from "./pcapng.js";
import { LINK_TYPE, packRecord, unpackRecord } from "./pseudo-header.js";
import type { CaptureRecord, CaptureSink } from "./record.js";
import { VcdWriter } from "./vcd.js";

/** A capture file is read in pieces of so many bytes. */
const PIECE_BYTES = 256 * 1024;
/** The type of the section header block, with which each pcapng begins; the same in both byte orders. */
const PCAPNG_MAGIC = 0x0a0d0d0a;

/** A file that cannot be written or read: the text says what to do. */
export class CaptureFileError extends Error {}

export interface CaptureFile extends CaptureSink {
  /** Records so far. */
  readonly count: number;
  close(): void;
}

/** Begins the files that are named; either may be undefined. Throws {@link CaptureFileError}. */
export function createCapture(pcapng: string | undefined, vcd?: string): CaptureFile {
  if (pcapng !== undefined) refuseOther(pcapng);
  const handle = pcapng === undefined ? undefined : open(pcapng);
  if (handle !== undefined) writeSync(handle, pcapngStart(LINK_TYPE, "cta2045", "OpenUCM"));
  const bits = vcd === undefined ? undefined : createVcd(vcd);
  let count = 0;
  return {
    get count() {
      return count;
    },
    record(record) {
      count++;
      if (handle !== undefined) writeSync(handle, pcapngPacket(packRecord(record), record.utcMs));
      bits?.record(record);
    },
    close() {
      if (handle !== undefined) closeSync(handle);
      bits?.close();
    },
  };
}

/** Begins a file of the line's bits. Throws {@link CaptureFileError}. */
export function createVcd(path: string): CaptureSink & { close(): void } {
  const handle = open(path);
  const writer = new VcdWriter((text) => void writeSync(handle, text));
  return {
    record: (record) => writer.record(record),
    close() {
      writer.end();
      closeSync(handle);
    },
  };
}

/** All records of a file of ours, at once. Throws {@link CaptureFileError}. */
export function readCapture(path: string): readonly CaptureRecord[] {
  return [...recordsOf(path)];
}

/**
 * The records of a file of ours one after the other, in bounded memory; `onBytes` is told how far it is read. Throws
 * {@link CaptureFileError}.
 */
export function* recordsOf(
  path: string,
  onBytes: (done: number, total: number) => void = () => undefined,
): Generator<CaptureRecord, void, undefined> {
  const fail = (why: string): never => {
    throw new CaptureFileError(`${path}${why}`);
  };
  let handle: number;
  try {
    handle = openSync(path, "r");
  } catch (error) {
    throw new CaptureFileError(`cannot read ${path} (${whyNot(error)})`);
  }
  try {
    const total = fstatSync(handle).size;
    const reader = new PcapngReader();
    const piece = new Uint8Array(PIECE_BYTES);
    for (let done = 0; ;) {
      let length: number;
      try {
        length = readSync(handle, piece);
      } catch (error) {
        throw new CaptureFileError(`cannot read ${path} (${whyNot(error)})`);
      }
      done += length;
      const packets = length === 0 ? (reader.end() ?? []) : reader.push(piece.subarray(0, length));
      if (typeof packets === "string") return fail(`: ${packets}`);
      for (const packet of packets) {
        if (packet.linkType !== LINK_TYPE)
          return fail(
            ` was not captured by openucm: its packets have link type ${packet.linkType}, not ${LINK_TYPE} (docs/capture.md)`,
          );
        const record = unpackRecord(packet.bytes, packet.utcMs);
        if (typeof record === "string") return fail(`: ${record}`);
        yield record;
      }
      if (length === 0) return;
      onBytes(done, total);
    }
  } finally {
    closeSync(handle);
  }
}

/** A name that was mistyped must not cost somebody a file: only captures are written over. */
function refuseOther(path: string): void {
  let handle: number;
  try {
    if (!statSync(path).isFile()) return;
    handle = openSync(path, "r");
  } catch {
    return;
  }
  try {
    const begin = Buffer.alloc(4);
    const length = readSync(handle, begin);
    if (length > 0 && begin.readUInt32LE() !== PCAPNG_MAGIC)
      throw new CaptureFileError(`${path} is there and is no capture: name another file, or remove it`);
  } finally {
    closeSync(handle);
  }
}

function open(path: string): number {
  try {
    return openSync(path, "w");
  } catch (error) {
    throw new CaptureFileError(`cannot write ${path} (${whyNot(error)})`);
  }
}
