import type { FlashPort } from "../../src/ports/flash.js";

export interface UcmFlashOptions {
  /** Name of a data partition of whole sectors, neither encrypted nor read-only. */
  readonly partition: string;
}

/** Throws where there is no such partition, and a RangeError for what lies outside it or crosses a sector. */
export default class UcmFlash implements FlashPort {
  constructor(options: UcmFlashOptions);
  readonly sectorBytes: number;
  readonly sectors: number;
  read(at: number, into: Uint8Array): void;
  program(at: number, bytes: Uint8Array): void;
  erase(sector: number): void;
  close(): void;
}
