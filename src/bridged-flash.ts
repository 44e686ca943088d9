import type { FlashPort } from "./ports/flash.js";

const PAGE_BYTES = 256;
const SECTOR_BYTES = 4096;

/**
 * Flash where the world is another machine: its contents come with the first inputs, reads are answered from RAM,
 * and every programming and erasing is also told to the world, which keeps it. Only pages that hold something
 * take up RAM. The chip has a driver instead, which reads its flash in place.
 */
export class BridgedFlash implements FlashPort {
  readonly sectorBytes = SECTOR_BYTES;
  private readonly pages = new Map<number, Uint8Array>();

  constructor(
    readonly sectors: number,
    private readonly tell: (op: "program" | "erase", at: number, bytes: Uint8Array) => void,
  ) {}

  /** Contents from the world; nothing is told. */
  load(at: number, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      const page = this.page(at + i);
      page[(at + i) % PAGE_BYTES]! &= bytes[i]!;
    }
  }

  read(at: number, into: Uint8Array): void {
    for (let done = 0; done < into.length;) {
      const from = (at + done) % PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - from, into.length - done);
      const page = this.pages.get(Math.floor((at + done) / PAGE_BYTES));
      if (page === undefined) into.fill(0xff, done, done + count);
      else into.set(page.subarray(from, from + count), done);
      done += count;
    }
  }

  program(at: number, bytes: Uint8Array): void {
    this.load(at, bytes);
    this.tell("program", at, bytes);
  }

  erase(sector: number): void {
    const first = (sector * SECTOR_BYTES) / PAGE_BYTES;
    for (let i = 0; i < SECTOR_BYTES / PAGE_BYTES; i++) this.pages.delete(first + i);
    this.tell("erase", sector * SECTOR_BYTES, new Uint8Array(0));
  }

  private page(at: number): Uint8Array {
    const index = Math.floor(at / PAGE_BYTES);
    let page = this.pages.get(index);
    if (page === undefined) {
      page = new Uint8Array(PAGE_BYTES).fill(0xff);
      this.pages.set(index, page);
    }
    return page;
  }
}
