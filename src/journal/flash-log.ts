import { HEADER_BYTES, type FlashArea } from "./flash-sector.js";

export interface LogRecord {
  readonly type: number;
  readonly payload: Uint8Array;
}

/**
 * A ring of records, oldest dropped by the sector. When `append` returns, the record is kept. A power cut
 * loses at most the record being written.
 */
export class FlashLog {
  private sequence = 0;
  private at = 0;
  private nextIsBlank = false;
  /** Erased in the middle of an append, because nobody called `tidy` in time. */
  forcedErases = 0;
  erases = 0;

  /**
   * Opens what is there. `spareBytes`: when less is left in the sector in use, `wantsErase` asks for the next one
   * to be made ready; that drops the oldest records a little before they must.
   */
  constructor(
    private readonly area: FlashArea,
    private readonly spareBytes = 256,
  ) {
    let head: number | undefined;
    for (let sector = 0; sector < area.count; sector++) {
      const sequence = area.sequenceOf(sector);
      if (sequence !== undefined && (head === undefined || sequence > head)) head = sequence;
    }
    if (head === undefined) this.enter(0);
    else {
      this.sequence = head;
      this.at = area.freeFrom(head);
    }
  }

  /** Keeps a record; false where it is longer than a sector. */
  append(type: number, payload: Uint8Array): boolean {
    if (payload.length > this.area.maxPayload) return false;
    if (this.at + this.area.spaceFor(payload.length) > this.area.sectorBytes) {
      if (this.enter(this.sequence + 1)) this.forcedErases++;
    }
    this.at = this.area.writeRecord(this.sequence, this.at, type, payload);
    return true;
  }

  /** True where a quiet moment should be used for `tidy`. */
  get wantsErase(): boolean {
    const { area } = this;
    if (this.nextIsBlank || this.at + this.spareBytes <= area.sectorBytes) return false;
    this.nextIsBlank = area.isBlank((this.sequence + 1) % area.count);
    return !this.nextIsBlank;
  }

  /** Erases at most one sector. True if it did. */
  tidy(): boolean {
    if (!this.wantsErase) return false;
    this.area.clear((this.sequence + 1) % this.area.count);
    this.nextIsBlank = true;
    this.erases++;
    return true;
  }

  /** All records, oldest first. Appending while reading is not seen for certain. */
  *records(): Generator<LogRecord> {
    const { area } = this;
    for (let sequence = Math.max(0, this.sequence - area.count + 1); sequence <= this.sequence; sequence++) {
      if (area.sequenceOf(sequence % area.count) !== sequence) continue;
      const end = area.endOf(sequence % area.count);
      for (let at = HEADER_BYTES; ;) {
        const record = area.nextRecord(sequence, at, end);
        if (record === undefined) break;
        at = record.at + area.spaceFor(record.length);
        yield { type: record.type, payload: area.payload(sequence, record) };
      }
    }
  }

  /** Forgets everything: one sector after the other, oldest first. */
  clear(): void {
    while (this.clearStep()) continue;
    this.enter(this.sequence + 1);
  }

  /** Forgets the oldest sector that holds anything; false where none did. Append nothing before `clear`. */
  clearStep(): boolean {
    const { area } = this;
    for (let i = 1; i <= area.count; i++) {
      if (!area.clear((this.sequence + i) % area.count)) continue;
      this.erases++;
      return true;
    }
    return false;
  }

  /** Takes a sector into use; true if it had to be erased. */
  private enter(sequence: number): boolean {
    const erased = this.area.begin(sequence);
    if (erased) this.erases++;
    this.sequence = sequence;
    this.at = HEADER_BYTES;
    this.nextIsBlank = false;
    return erased;
  }
}
