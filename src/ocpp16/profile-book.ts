import { openJson, sealJson } from "../base/json.js";
import type { StorePort } from "../ports/time.js";
import { type ChargingProfile, MAX_PROFILES, packProfile, type Purpose, unpackProfile } from "./profile.js";

/** What ClearChargingProfile selects; undefined = any. */
export interface ProfileFilter {
  readonly id: number | undefined;
  readonly connector: number | undefined;
  readonly purpose: Purpose | undefined;
  readonly stackLevel: number | undefined;
}

/** The installed charging profiles. Each is kept in a record of its own, so that it fits a sector of flash. */
export class ProfileBook {
  /** In the order of their slots. */
  readonly profiles: ChargingProfile[] = [];
  private readonly slots: number[] = [];

  constructor(
    private readonly store: StorePort,
    /** Prefix of the keys. */
    private readonly prefix: string,
  ) {
    for (let slot = 0; slot < MAX_PROFILES; slot++) {
      const packed = openJson(store.get(this.key(slot)));
      const profile = Array.isArray(packed) ? unpackProfile(packed) : undefined;
      if (profile === undefined) continue;
      this.profiles.push(profile);
      this.slots.push(slot);
    }
  }

  /**
   * Installs a profile. One with the same id, or with the same purpose, stack level and connector, is replaced
   * (OCPP 1.6, 5.16.4). False where there is no room.
   */
  install(profile: ChargingProfile): boolean {
    let free = this.freeSlot();
    const same = (one: ChargingProfile): boolean =>
      one.id === profile.id ||
      (one.purpose === profile.purpose &&
        one.stackLevel === profile.stackLevel &&
        one.connector === profile.connector);
    const first = this.profiles.findIndex(same);
    if (first >= 0) free = this.slots[first]!;
    if (free < 0) return false;
    this.store.set(this.key(free), sealJson(packProfile(profile)));
    for (let i = this.profiles.length - 1; i >= 0; i--) {
      if (!same(this.profiles[i]!)) continue;
      if (this.slots[i] !== free) this.store.delete(this.key(this.slots[i]!));
      this.profiles.splice(i, 1);
      this.slots.splice(i, 1);
    }
    this.profiles.push(profile);
    this.slots.push(free);
    return true;
  }

  /** Removes what the filter selects; the number removed. */
  clear(filter: ProfileFilter): number {
    return this.remove((profile) => {
      if (filter.id !== undefined) return profile.id === filter.id;
      return (
        (filter.connector === undefined || profile.connector === filter.connector) &&
        (filter.purpose === undefined || profile.purpose === filter.purpose) &&
        (filter.stackLevel === undefined || profile.stackLevel === filter.stackLevel)
      );
    });
  }

  /** A transaction is over, and its profiles with it. */
  endTransaction(): number {
    return this.remove((profile) => profile.purpose === "TxProfile");
  }

  /** Removes what will never say anything again. */
  expire(utcMs: number): number {
    return this.remove((profile) => profile.validToMs !== undefined && profile.validToMs <= utcMs);
  }

  private remove(which: (profile: ChargingProfile) => boolean): number {
    let count = 0;
    for (let i = this.profiles.length - 1; i >= 0; i--) {
      if (!which(this.profiles[i]!)) continue;
      this.store.delete(this.key(this.slots[i]!));
      this.profiles.splice(i, 1);
      this.slots.splice(i, 1);
      count++;
    }
    return count;
  }

  private freeSlot(): number {
    for (let slot = 0; slot < MAX_PROFILES; slot++) if (!this.slots.includes(slot)) return slot;
    return -1;
  }

  private key(slot: number): string {
    return `${this.prefix}.p${String(slot)}`;
  }
}
