/** Capture files on Node: pcapng written record by record, so that a killed program leaves a readable file; VCD at the end. */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { pcapngPacket, pcapngStart, readPcapng } from "./pcapng.js";
import { LINK_TYPE, packRecord, unpackRecord } from "./pseudo-header.js";
import type { CaptureRecord, CaptureSink } from "./record.js";
import { vcdOf } from "./vcd.js";

/** A file that cannot be written or read: the text says what to do. */
export class CaptureFileError extends Error {}

export interface CaptureFile extends CaptureSink {
  /** Records so far. */
  readonly count: number;
  close(): void;
}

/** Begins the files that are named; either may be undefined. Throws {@link CaptureFileError}. */
export function createCapture(pcapng: string | undefined, vcd?: string): CaptureFile {
  const handle = pcapng === undefined ? undefined : open(pcapng);
  if (handle !== undefined) writeSync(handle, pcapngStart(LINK_TYPE, "cta2045", "OpenUCM"));
  // The VCD is made at the end: fail now where it could not be.
  if (vcd !== undefined) closeSync(open(vcd));
  const kept: CaptureRecord[] = [];
  let count = 0;
  return {
    get count() {
      return count;
    },
    record(record) {
      count++;
      if (handle !== undefined) writeSync(handle, pcapngPacket(packRecord(record), record.utcMs));
      if (vcd !== undefined) kept.push(record);
    },
    close() {
      if (handle !== undefined) closeSync(handle);
      if (vcd !== undefined) writeFileSync(vcd, vcdOf(kept));
    },
  };
}

/** All records of a file of ours. Throws {@link CaptureFileError}. */
export function readCapture(path: string): readonly CaptureRecord[] {
  let file: Uint8Array;
  try {
    file = readFileSync(path);
  } catch (error) {
    throw new CaptureFileError(`cannot read ${path}: ${(error as Error).message}`);
  }
  const packets = readPcapng(file);
  if (typeof packets === "string") throw new CaptureFileError(`${path}: ${packets}`);
  const records: CaptureRecord[] = [];
  for (const packet of packets) {
    if (packet.linkType !== LINK_TYPE) {
      const text = `its packets have link type ${packet.linkType}, not ${LINK_TYPE} (docs/capture.md)`;
      throw new CaptureFileError(`${path} was not captured by openucm: ${text}`);
    }
    const record = unpackRecord(packet.bytes, packet.utcMs);
    if (typeof record === "string") throw new CaptureFileError(`${path}: ${record}`);
    records.push(record);
  }
  return records;
}

function open(path: string): number {
  try {
    return openSync(path, "w");
  } catch (error) {
    throw new CaptureFileError(`cannot write ${path}: ${(error as Error).message}`);
  }
}
