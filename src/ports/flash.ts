/**
 * NOR flash as the chips have it: erasing sets a whole sector to ones, programming only lets bits fall, and
 * power may go away in the middle of either. Calls return when the work is done. Addresses count from the
 * begin of what this port covers; nothing crosses a sector.
 */
export interface FlashPort {
  /** Bytes of a sector, the unit of erasing; 4096 on common parts. */
  readonly sectorBytes: number;
  readonly sectors: number;
  /** Fills `into` from an address. */
  read(at: number, into: Uint8Array): void;
  /** Lets the bits fall that are 0 in `bytes`. */
  program(at: number, bytes: Uint8Array): void;
  /** 45–300 ms during which the chip can read nothing else: only on a quiet line (docs/architecture.md). */
  erase(sector: number): void;
}
