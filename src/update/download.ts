import { fault, isFault, type Fault } from "../base/fault.js";
import { toHex } from "../base/hex.js";
import type { SlotState } from "../ports/update.js";
import { askBytes, askSlot, type Ask, type Steps } from "./asks.js";
import { BLOCK_HASH_BYTES, listAt, type Offer } from "./offer.js";

/** The unit of erasing, and the most that is asked of the server at once: nothing else bounds the RAM. */
export const SECTOR_BYTES = 4096;
/** Bytes come in any size and are written in this; encrypted flash wants multiples of 16. */
const PAGE_BYTES = 512;
/** A block that is wrong is fetched again so often. */
const BLOCK_TRIES = 3;
/** Waits after a connection that broke, ms, while nothing comes: half an hour in all, then the look begins anew. */
const WAITS_MS: readonly number[] = [100, 2000, 10_000, 60_000, 240_000, 480_000, 960_000];

export interface DownloadHost {
  readonly slots: SlotState;
  /** Has bytes written; the world keeps the order, and what went wrong is seen by the hash. */
  write(at: number, bytes: Uint8Array): void;
  /** A block is in place. */
  progress(doneBytes: number): void;
}

/** Gathers what comes into pages, and has each written as soon as it is full. */
class Pages {
  private readonly page = new Uint8Array(PAGE_BYTES);
  private fill = 0;
  /** Bytes taken. */
  got = 0;

  constructor(
    private at: number,
    private readonly host: DownloadHost,
  ) {}

  take(bytes: Uint8Array): void {
    this.got += bytes.length;
    for (let from = 0; from < bytes.length;) {
      const count = Math.min(bytes.length - from, PAGE_BYTES - this.fill);
      this.page.set(bytes.subarray(from, from + count), this.fill);
      this.fill += count;
      from += count;
      if (this.fill === PAGE_BYTES) this.flush();
    }
  }

  /** The last bytes, filled up to a multiple of 16 with what erased flash holds. */
  flush(): void {
    if (this.fill === 0) return;
    const whole = Math.ceil(this.fill / 16) * 16;
    this.page.fill(0xff, this.fill, whole);
    this.host.write(this.at, this.page.slice(0, whole));
    this.at += whole;
    this.fill = 0;
  }
}

/** One sector: erased on a quiet line, then filled with `count` bytes of a file as they come. */
function* fetchSector(
  host: DownloadHost,
  path: string,
  from: number,
  count: number,
  at: number,
): Steps<Fault | undefined> {
  yield { ask: "quiet" };
  const wrong = yield* askSlot({ do: "erase", at });
  if (wrong) return wrong;
  const pages = new Pages(at, host);
  for (let tries = 0; pages.got < count;) {
    const before = pages.got;
    const ask: Ask = {
      ...{ ask: "range", path, from: from + before, count: count - before },
      take: (bytes) => pages.take(bytes),
    };
    const failed = yield ask;
    if (!isFault(failed)) continue;
    if (failed.blame !== "network" && failed.fault !== "closed" && failed.fault !== "refused") return failed;
    if (pages.got > before) tries = 0;
    const waitMs = WAITS_MS[tries++];
    if (waitMs === undefined) return failed;
    yield { ask: "pause", ms: waitMs };
  }
  pages.flush();
  return undefined;
}

function* hashOf(at: number, length: number): Steps<string | Fault> {
  const bytes = yield* askBytes({ do: "hash", at, length });
  return isFault(bytes) ? bytes : toHex(bytes).toLowerCase();
}

/** Where a target is on the server: its hash before its name (consistent snapshots), so that no cache mixes two. */
function urlOf(path: string, hash: string, consistent: boolean): string {
  const cut = path.lastIndexOf("/") + 1;
  return consistent ? `targets/${path.slice(0, cut)}${hash}.${path.slice(cut)}` : `targets/${path}`;
}

function sectorsOf(length: number): number {
  return Math.ceil(length / SECTOR_BYTES);
}

/**
 * Brings an image into the other slot. What is there already is not fetched: each block is judged by its hash in the
 * signed list, before and after. So a download that was cut short anywhere, even by a power cut, goes on in the block
 * where it was, and blocks that have not changed since the image before the last cost nothing.
 */
export function* download(host: DownloadHost, offer: Offer, consistent: boolean): Steps<Fault | undefined> {
  const { list, length, blockBytes } = offer;
  const at = listAt(offer, host.slots);
  const listUrl = urlOf(list.path, list.sha256, consistent);
  for (let tries = 0; ; tries++) {
    const hash = yield* hashOf(at, list.length);
    if (isFault(hash)) return hash;
    if (hash === list.sha256) break;
    if (tries > 0)
      return fault("server", "update-list", `The block hashes of ${offer.version} are not what was signed.`);
    for (let i = 0; i < sectorsOf(list.length); i++) {
      const from = i * SECTOR_BYTES;
      const count = Math.min(SECTOR_BYTES, list.length - from);
      const wrong = yield* fetchSector(host, listUrl, from, count, at + from);
      if (wrong) return wrong;
    }
  }
  const url = urlOf(offer.path, offer.sha256, consistent);
  for (let from = 0; from < length; from += blockBytes) {
    const count = Math.min(blockBytes, length - from);
    const place = at + (from / blockBytes) * BLOCK_HASH_BYTES;
    const wanted = yield* askBytes({ do: "read", at: place, length: BLOCK_HASH_BYTES });
    if (isFault(wanted)) return wanted;
    const right = toHex(wanted).toLowerCase();
    for (let tries = 0; ; tries++) {
      const hash = yield* hashOf(from, count);
      if (isFault(hash)) return hash;
      if (hash.startsWith(right)) break;
      if (tries === BLOCK_TRIES)
        return fault(
          "server",
          "update-block",
          `Block ${String(from / blockBytes)} of ${offer.version} is wrong.`,
        );
      for (let i = 0; i < sectorsOf(count); i++) {
        const start = from + i * SECTOR_BYTES;
        const part = Math.min(SECTOR_BYTES, from + count - start);
        const wrong = yield* fetchSector(host, url, start, part, start);
        if (wrong) return wrong;
      }
    }
    host.progress(from + count);
  }
  const whole = yield* hashOf(0, length);
  if (isFault(whole)) return whole;
  return whole === offer.sha256
    ? undefined
    : fault("server", "update-image", `The image ${offer.version} is not what was signed.`);
}
