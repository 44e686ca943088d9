import { closeSync, ftruncateSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { fromHex, toHex } from "../../src/base/hex.js";
import type { FlashPort } from "../../src/ports/flash.js";
import { JOURNAL_SECTORS } from "../../src/journal/journal.js";
import type { Input } from "../../src/runtime.js";

const sectorBytes = 4096;

/** Sectors of the module's flash on this computer: the journal's, and 96 KB for values. */
export const flashSectors = JOURNAL_SECTORS + 24;

/** The name of the module's flash in its data folder. */
export const flashFileName = "ucm-flash.bin";

/** A part of the flash that is not blank, as a page. */
export interface FlashPiece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/**
 * NOR flash in a file: blank is FF, programming only lets bits fall, erasing takes a sector. Every operation is in the
 * file when the call returns, so that a process that is killed leaves what a power cut leaves.
 */
export class FileFlash implements FlashPort {
  readonly sectorBytes = sectorBytes;
  readonly sectors: number;
  readonly #file: number | undefined;
  readonly #image: Buffer;

  private constructor(image: Buffer, file: number | undefined) {
    this.#image = image;
    this.#file = file;
    this.sectors = image.length / sectorBytes;
  }

  /** Opens a flash, or makes a blank one; a file that was cut short is filled up with blank. */
  static open(path: string, sectors = flashSectors): FileFlash {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = openSync(path, "a+", 0o600);
    closeSync(file);
    const rw = openSync(path, "r+");
    const image = read(rw, sectors);
    ftruncateSync(rw, image.length);
    writeSync(rw, image, 0, image.length, 0);
    return new FileFlash(image, rw);
  }

  /** A blank one in RAM. */
  static blank(sectors = flashSectors): FileFlash {
    return new FileFlash(Buffer.alloc(sectors * sectorBytes, 0xff), undefined);
  }

  /** A copy in RAM, to look at: nothing that is done to it reaches the file. Throws where there is no file. */
  static copyOf(path: string): FileFlash {
    const file = openSync(path, "r");
    try {
      return new FileFlash(read(file, flashSectors), undefined);
    } finally {
      closeSync(file);
    }
  }

  read(at: number, into: Uint8Array): void {
    into.set(this.#image.subarray(at, at + into.length));
  }

  program(at: number, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) this.#image[at + i]! &= bytes[i]!;
    this.#write(at, bytes.length);
  }

  erase(sector: number): void {
    this.#image.fill(0xff, sector * sectorBytes, (sector + 1) * sectorBytes);
    this.#write(sector * sectorBytes, sectorBytes);
  }

  /** Does what a `flash` output of the module tells. */
  carryOut(operation: { readonly op: "program" | "erase"; readonly at: number; readonly hex: string }): void {
    if (operation.op === "erase") this.erase(operation.at / sectorBytes);
    else this.program(operation.at, fromHex(operation.hex) ?? new Uint8Array(0));
  }

  /** What a module is told before it boots. */
  inputs(): Input[] {
    return [...this.pieces()].map(({ at, bytes }) => ({ k: "flash", at, hex: toHex(bytes) }));
  }

  /** Everything that is not blank, in pages of 256 bytes. */
  *pieces(): Generator<FlashPiece> {
    const pageBytes = 256;
    for (let at = 0; at < this.#image.length; at += pageBytes) {
      const bytes = this.#image.subarray(at, at + pageBytes);
      if (bytes.some((byte) => byte !== 0xff)) yield { at, bytes };
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }

  #write(at: number, count: number): void {
    if (this.#file !== undefined) writeSync(this.#file, this.#image, at, count, at);
  }
}

function read(file: number, sectors: number): Buffer {
  const bytes = Math.max(sectors, Math.ceil(fstatSync(file).size / sectorBytes)) * sectorBytes;
  const image = Buffer.alloc(bytes, 0xff);
  readSync(file, image, 0, bytes, 0);
  return image;
}
