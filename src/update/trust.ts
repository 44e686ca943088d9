import { openJson, sealJson } from "../base/json.js";
import type { StorePort } from "../ports/time.js";
import type { Keys, Role } from "./metadata.js";

/** A timestamp that was believed, and what it said. */
export interface TrustedTimestamp {
  readonly version: number;
  readonly expiresMs: number;
  /** Of the snapshot that it named. */
  readonly snapshot: number;
  readonly length?: number;
  readonly sha256?: string;
}

/** A snapshot that was believed, and the version of the targets that it named. */
export interface TrustedSnapshot {
  readonly version: number;
  readonly expiresMs: number;
  readonly targets: number;
}

const rootKey = "update.root";
const timestampKey = "update.timestamp";
const snapshotKey = "update.snapshot";

/** As it is kept: keys in a list, roles as numbers into it, so that a root of ten keys takes 2.5 KB. */
interface StoredRoot {
  /** Which bundled root it grew from. */
  readonly from: string;
  readonly v: number;
  readonly e: number;
  readonly c: boolean;
  /** Key id and subject public key info in turns. */
  readonly k: readonly string[];
  readonly r: readonly (readonly number[])[];
}

const ROLES: readonly Role[] = ["root", "timestamp", "snapshot", "targets"];

/**
 * What the module believes from one start to the next, in the record store: root, timestamp and snapshot, each a
 * sealed record of bounded size. A record whose seal is broken counts as absent: root then starts anew from the one
 * that the device was made with, which loses no safety that the one-way counter and the version floor do not keep.
 */
export class Trust {
  constructor(
    private readonly store: StorePort,
    /** Names the bundled root: with another one, everything is believed anew. */
    private readonly bundle: string,
  ) {}

  get root(): Keys | undefined {
    const raw = openJson(this.store.get(rootKey)) as StoredRoot | undefined;
    if (raw?.from !== this.bundle) return undefined;
    const keys: Record<string, string> = {};
    for (let i = 0; i + 1 < raw.k.length; i += 2) if (raw.k[i + 1] !== "") keys[raw.k[i]!] = raw.k[i + 1]!;
    const role = (i: number): Keys["roles"]["root"] => ({
      threshold: raw.r[i]![0]!,
      ids: raw.r[i]!.slice(1).map((n) => raw.k[2 * n]!),
    });
    const roles = { root: role(0), timestamp: role(1), snapshot: role(2), targets: role(3) };
    return { version: raw.v, expiresMs: raw.e, consistent: raw.c, keys, roles };
  }

  /** False where it does not fit the store. */
  setRoot(root: Keys): boolean {
    const ids: string[] = [];
    for (const role of ROLES) for (const id of root.roles[role].ids) if (!ids.includes(id)) ids.push(id);
    const stored: StoredRoot = {
      from: this.bundle,
      v: root.version,
      e: root.expiresMs,
      c: root.consistent,
      k: ids.flatMap((id) => [id, root.keys[id] ?? ""]),
      r: ROLES.map((role) => {
        const { threshold, ids: own } = root.roles[role];
        return [threshold, ...own.map((id) => ids.indexOf(id))];
      }),
    };
    return this.keep(rootKey, stored);
  }

  get timestamp(): TrustedTimestamp | undefined {
    return openJson(this.store.get(timestampKey)) as TrustedTimestamp | undefined;
  }

  get snapshot(): TrustedSnapshot | undefined {
    return openJson(this.store.get(snapshotKey)) as TrustedSnapshot | undefined;
  }

  setTimestamp(timestamp: TrustedTimestamp): void {
    this.keep(timestampKey, timestamp);
  }

  setSnapshot(snapshot: TrustedSnapshot): void {
    this.keep(snapshotKey, snapshot);
  }

  /** Timestamp and snapshot count no longer: their keys were changed (specification 5.3.11). */
  forgetTimes(): void {
    this.store.delete(timestampKey);
    this.store.delete(snapshotKey);
  }

  /** Writes only what has changed; a value is read back because a store may be full. */
  private keep(key: string, value: unknown): boolean {
    const sealed = sealJson(value);
    if (this.store.get(key) !== sealed) this.store.set(key, sealed);
    return this.store.get(key) === sealed;
  }
}
