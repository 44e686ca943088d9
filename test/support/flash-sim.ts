import type { FlashPort } from "../../src/ports/flash.js";
import { uniformInt, type Uint32Source } from "../../src/base/random.js";

/** One programming or erasing, as it reached the flash. */
export type FlashOperation =
  | { readonly kind: "program"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "erase"; readonly sector: number };

/** How much of an operation power lets happen: none, one bit, half, all but one bit, or any bits. */
export const CUTS = ["none", "one", "half", "all-but-one", "random"] as const;
export type Cut = (typeof CUTS)[number];

/**
 * NOR flash in RAM. Programming a bit from 0 to 1 is our bug and throws; so does leaving a sector. Before every
 * operation `onOperation` may look at the flash as it is, and take copies in which power goes away inside it.
 */
export class FlashSim implements FlashPort {
  readonly sectorBytes: number;
  readonly sectors: number;
  readonly bytes: Uint8Array;
  readonly erasesOf: number[];
  operations = 0;
  programmedBytes = 0;
  onOperation: ((operation: FlashOperation) => void) | undefined;

  constructor(sectors: number, sectorBytes = 4096) {
    this.sectors = sectors;
    this.sectorBytes = sectorBytes;
    this.bytes = new Uint8Array(sectors * sectorBytes).fill(0xff);
    this.erasesOf = new Array<number>(sectors).fill(0);
  }

  read(at: number, into: Uint8Array): void {
    if (at < 0 || at + into.length > this.bytes.length) throw new RangeError("read beyond the flash");
    into.set(this.bytes.subarray(at, at + into.length));
  }

  program(at: number, bytes: Uint8Array): void {
    const sector = Math.floor(at / this.sectorBytes);
    if (at < 0 || at + bytes.length > (sector + 1) * this.sectorBytes)
      throw new RangeError("program leaves the sector");
    for (let i = 0; i < bytes.length; i++) {
      if ((this.bytes[at + i]! & bytes[i]!) !== bytes[i]!) throw new Error(`bit rises at ${String(at + i)}`);
    }
    this.operations++;
    this.programmedBytes += bytes.length;
    this.onOperation?.({ kind: "program", at, bytes });
    this.bytes.set(bytes, at);
  }

  erase(sector: number): void {
    if (!(sector >= 0 && sector < this.sectors)) throw new RangeError("erase beyond the flash");
    this.operations++;
    this.onOperation?.({ kind: "erase", sector });
    this.erasesOf[sector]!++;
    this.bytes.fill(0xff, sector * this.sectorBytes, (sector + 1) * this.sectorBytes);
  }

  /** A copy of the flash in which power went away within an operation that has not happened here yet. */
  cutWithin(operation: FlashOperation, cut: Cut, random: Uint32Source): FlashSim {
    const copy = new FlashSim(this.sectors, this.sectorBytes);
    copy.bytes.set(this.bytes);
    const at = operation.kind === "program" ? operation.at : operation.sector * this.sectorBytes;
    const target =
      operation.kind === "program" ? operation.bytes : new Uint8Array(this.sectorBytes).fill(0xff);
    const changing: number[] = [];
    for (let i = 0; i < target.length; i++) {
      const differing = copy.bytes[at + i]! ^ target[i]!;
      for (let bit = 0; bit < 8; bit++) if ((differing >> bit) & 1) changing.push(i * 8 + bit);
    }
    const count = changing.length;
    let happens: number[];
    if (cut === "none") happens = [];
    else if (cut === "one") happens = count === 0 ? [] : [changing[uniformInt(random, count - 1)]!];
    else if (cut === "half") happens = changing.slice(0, count >> 1);
    else if (cut === "all-but-one") {
      const missing = count === 0 ? 0 : uniformInt(random, count - 1);
      happens = changing.filter((_, i) => i !== missing);
    } else {
      const part = uniformInt(random, 256);
      happens = changing.filter(() => uniformInt(random, 255) < part);
    }
    for (const index of happens) copy.bytes[at + (index >> 3)]! ^= 1 << (index & 7);
    return copy;
  }
}
