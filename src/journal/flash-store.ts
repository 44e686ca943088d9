import { utf8Decode, utf8Encode } from "../base/utf8.js";
import type { StorePort } from "../ports/time.js";
import { HEADER_BYTES, type FlashArea } from "./flash-sector.js";

const SET = 1;
const DELETE = 2;

interface Place {
  readonly sequence: number;
  readonly at: number;
  readonly length: number;
}

/**
 * Small values that survive a restart, in a ring of flash sectors: the newest record of a key counts. When a
 * call returns, it is kept; a power cut within it leaves the old value or the new one. RAM holds one small
 * entry a key. One sector of the ring stays free, into which the oldest sector's living records move before
 * it is erased; so the ring turns, and wear is even.
 */
export class FlashStore implements StorePort {
  private readonly index = new Map<string, Place>();
  private readonly area: FlashArea;
  private readonly spareBytes: number;
  private head = 0;
  private tail = 0;
  private at = 0;
  private liveBytes = 0;
  /** A purge goes up to this sector; undefined = there is none. */
  private purgeTo: number | undefined;
  forcedErases = 0;
  erases = 0;
  /** Values that were refused because they did not fit. */
  refused = 0;

  /** Opens what is there; needs at least four sectors. */
  constructor(area: FlashArea, spareBytes = 512) {
    this.area = area;
    this.spareBytes = spareBytes;
    const present: number[] = [];
    for (let sector = 0; sector < area.count; sector++) {
      const sequence = area.sequenceOf(sector);
      if (sequence !== undefined) present.push(sequence);
    }
    if (present.length === 0) {
      this.enter(0);
      return;
    }
    present.sort((a, b) => a - b);
    if (present.length === area.count) {
      // Power went away while the oldest sector was being moved: its copies are worth nothing yet.
      area.clear(present.pop()! % area.count);
      this.erases++;
    }
    this.tail = present[0]!;
    for (const sequence of present) this.readSector(sequence);
    this.head = present[present.length - 1]!;
    this.at = area.freeFrom(this.head);
  }

  get(key: string): string | undefined {
    const place = this.index.get(key);
    if (place === undefined) return undefined;
    const bytes = this.area.payload(place.sequence, { at: place.at, type: SET, length: place.length });
    return utf8Decode(bytes, 1 + bytes[0]!);
  }

  /** Keeps a value; false where there is no room for it, and the old one stays. */
  set(key: string, value: string): boolean {
    const payload = pack(key, value);
    const old = this.index.get(key);
    const grows =
      this.area.spaceFor(payload.length) - (old === undefined ? 0 : this.area.spaceFor(old.length));
    if (payload.length > this.area.maxPayload || this.liveBytes + grows > this.capacity) {
      this.refused++;
      return false;
    }
    this.write(SET, key, payload);
    return true;
  }

  delete(key: string): void {
    if (this.index.has(key)) this.write(DELETE, key, pack(key, ""));
  }

  /**
   * Bytes that values may take up in all, overhead included: half of the ring, less the free sector and room
   * to move. Records are laid one after the other, so two neighbouring sectors are always more than one
   * sector full once the ring has turned; therefore half can always be kept, whatever the sizes.
   */
  get capacity(): number {
    return Math.floor(((this.area.count - 3) * (this.area.sectorBytes - HEADER_BYTES)) / 2);
  }

  get usedBytes(): number {
    return this.liveBytes;
  }

  keys(): IterableIterator<string> {
    return this.index.keys();
  }

  /** True where a quiet moment should be used for `tidy`. */
  get wantsErase(): boolean {
    return this.isLast && this.at + this.spareBytes > this.area.sectorBytes;
  }

  /** Moves one sector's living records and erases it. True if it did. */
  tidy(): boolean {
    if (!this.wantsErase) return false;
    this.collect();
    return true;
  }

  /**
   * Forgets all but what `keep` names, at most one sector a step: the oldest first, and what is kept moves on. False when
   * nothing else is left anywhere in its flash. After a power cut old values may be back; whoever purges goes on then.
   */
  purgeStep(keep: (key: string) => boolean): boolean {
    const { area } = this;
    if (this.purgeTo === undefined) {
      this.purgeTo = this.head;
      for (const [key, { length }] of [...this.index]) {
        if (keep(key)) continue;
        this.index.delete(key);
        this.liveBytes -= area.spaceFor(length);
      }
    }
    // A sector that was given up, but not erased to its end.
    for (let i = 1; i <= area.count - (this.head - this.tail + 1); i++) {
      if (!area.clear((this.head + i) % area.count)) continue;
      this.erases++;
      return true;
    }
    if (this.tail > this.purgeTo) {
      this.purgeTo = undefined;
      return false;
    }
    if (this.tail === this.head) this.enter(this.head + 1);
    this.collect();
    return true;
  }

  /** True where all sectors but the free one are in use. */
  private get isLast(): boolean {
    return this.head - this.tail + 1 >= this.area.count - 1;
  }

  private write(type: number, key: string, payload: Uint8Array): void {
    const space = this.area.spaceFor(payload.length);
    for (let turns = 0; this.at + space > this.area.sectorBytes; turns++) {
      if (turns > 3 * this.area.count) throw new Error("FlashStore: no room within its capacity");
      if (this.isLast) {
        this.collect();
        this.forcedErases++;
      } else this.enter(this.head + 1);
    }
    const { at } = this;
    this.at = this.area.writeRecord(this.head, at, type, payload);
    this.note(type, key, { sequence: this.head, at, length: payload.length });
  }

  private note(type: number, key: string, place: Place): void {
    const old = this.index.get(key);
    if (old !== undefined) this.liveBytes -= this.area.spaceFor(old.length);
    if (type === DELETE) this.index.delete(key);
    else {
      this.index.set(key, place);
      this.liveBytes += this.area.spaceFor(place.length);
    }
  }

  /**
   * Moves the oldest sector's living records to the end of the ring, into the free sector where need be, and
   * frees the oldest. Nothing but such copies is written into the free sector before the oldest is dead.
   */
  private collect(): void {
    const { area, tail } = this;
    const end = area.endOf(tail % area.count);
    for (let from = HEADER_BYTES; ;) {
      const record = area.nextRecord(tail, from, end);
      if (record === undefined) break;
      from = record.at + area.spaceFor(record.length);
      const payload = area.payload(tail, record);
      const key = keyOf(payload);
      const place = this.index.get(key);
      // Neither what was replaced, nor a deletion: in the oldest sector it has nothing left to delete.
      if (place?.sequence !== tail || place.at !== record.at) continue;
      if (this.at + area.spaceFor(payload.length) > area.sectorBytes) this.enter(this.head + 1);
      const { at } = this;
      this.at = area.writeRecord(this.head, at, SET, payload);
      this.index.set(key, { sequence: this.head, at, length: payload.length });
    }
    area.clear(tail % area.count);
    this.erases++;
    this.tail = tail + 1;
  }

  private readSector(sequence: number): void {
    const { area } = this;
    const end = area.endOf(sequence % area.count);
    for (let from = HEADER_BYTES; ;) {
      const record = area.nextRecord(sequence, from, end);
      if (record === undefined) return;
      from = record.at + area.spaceFor(record.length);
      const key = keyOf(area.payload(sequence, record));
      this.note(record.type, key, { sequence, at: record.at, length: record.length });
    }
  }

  private enter(sequence: number): void {
    if (this.area.begin(sequence)) this.erases++;
    this.head = sequence;
    this.at = HEADER_BYTES;
  }
}

function pack(key: string, value: string): Uint8Array {
  const keyBytes = utf8Encode(key);
  const valueBytes = utf8Encode(value);
  const payload = new Uint8Array(1 + keyBytes.length + valueBytes.length);
  payload[0] = keyBytes.length;
  payload.set(keyBytes, 1);
  payload.set(valueBytes, 1 + keyBytes.length);
  return payload;
}

function keyOf(payload: Uint8Array): string {
  return utf8Decode(payload, 1, 1 + payload[0]!) ?? "";
}
