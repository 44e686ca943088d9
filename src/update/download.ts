import { fault, isFault, type Fault } from "../base/fault.js";
import { toHex } from "../base/hex.js";
import type { SlotState } from "../ports/update.js";
import { askBytes, askSlot, type Ask, type Steps } from "./asks.js";
import { BLOCK_HASH_BYTES, listAt, type Offer } from "./offer.js";

/** The unit of erasing, and the most that is asked of the server at once: nothing else bounds the RAM. */
export const SECTOR_BYTES = 4096;
/** Bytes come in any size and are written in this, the unit of programming; encrypted flash wants multiples of 16. */
export const PAGE_BYTES = 256;
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
  private at: number;

  constructor(
    at: number,
    /** Bytes of the sector that are in place; whole pages. */
    public got: number,
    private readonly host: DownloadHost,
  ) {
    this.at = at + got;
  }

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

/** How many of a sector's bytes were written before power went away: up to the last page that has anything at its end. */
function* writtenOf(at: number, count: number): Steps<number | Fault> {
  for (let page = Math.floor((count - 1) / PAGE_BYTES); page >= 0; page--) {
    const end = Math.min(Math.ceil(count / 16) * 16, (page + 1) * PAGE_BYTES);
    const tail = yield* askBytes({ do: "read", at: at + end - 16, length: 16, raw: true });
    if (isFault(tail)) return tail;
    if (tail.every((byte) => byte === 0xff)) continue;
    return Math.min(end, count);
  }
  return 0;
}

/**
 * One sector: erased on a quiet line, then filled with `count` bytes of a file as they come. With `keep`, what is
 * written there already is taken for the beginning of it; whoever asks judges by the hash.
 */
function* fetchSector(
  host: DownloadHost,
  path: string,
  from: number,
  count: number,
  at: number,
  keep: boolean,
): Steps<Fault | undefined> {
  const written = keep ? yield* writtenOf(at, count) : 0;
  if (isFault(written) || written === count) return isFault(written) ? written : undefined;
  yield { ask: "quiet" };
  if (written === 0) {
    const wrong = yield* askSlot({ do: "erase", at });
    if (wrong) return wrong;
  }
  const pages = new Pages(at, Math.max(0, written - PAGE_BYTES), host);
  if (written > 0) {
    // The last page is written once more with what it holds: power may have left its bits weak.
    const last = yield* askBytes({ do: "read", at: at + pages.got, length: PAGE_BYTES });
    if (isFault(last)) return last;
    pages.take(last);
  }
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
export function urlOf(path: string, hash: string, consistent: boolean): string {
  const cut = path.lastIndexOf("/") + 1;
  return consistent ? `targets/${path.slice(0, cut)}${hash}.${path.slice(cut)}` : `targets/${path}`;
}

/** A part of a file into its place, sector by sector. */
function* fetchPart(
  host: DownloadHost,
  path: string,
  from: number,
  count: number,
  at: number,
  keep: boolean,
): Steps<Fault | undefined> {
  for (let i = 0; i < count; i += SECTOR_BYTES) {
    const wrong = yield* fetchSector(host, path, from + i, Math.min(SECTOR_BYTES, count - i), at + i, keep);
    if (wrong) return wrong;
  }
  return undefined;
}

/**
 * Brings an image into the other slot. What is there already is not fetched: each block is judged by its hash in the
 * signed list, before and after. So a download that was cut short anywhere, even by a power cut, goes on at the page
 * where it was, and blocks that have not changed since the image before the last cost nothing.
 */
export function* download(host: DownloadHost, offer: Offer, consistent: boolean): Steps<Fault | undefined> {
  const { list, length, blockBytes } = offer;
  const at = listAt(offer, host.slots);
  const listUrl = urlOf(list.path, list.sha256, consistent);
  // What is not right at first may be what power has cut short; that costs no try.
  for (let tries = -1; ; tries++) {
    const hash = yield* hashOf(at, list.length);
    if (isFault(hash)) return hash;
    if (hash === list.sha256) break;
    if (tries > 0)
      return fault("server", "update-list", `The block hashes of ${offer.version} are not what was signed.`);
    const wrong = yield* fetchPart(host, listUrl, 0, list.length, at, tries < 0);
    if (wrong) return wrong;
  }
  const url = urlOf(offer.path, offer.sha256, consistent);
  let cutShort = true;
  for (let from = 0; from < length; from += blockBytes) {
    const count = Math.min(blockBytes, length - from);
    const place = at + (from / blockBytes) * BLOCK_HASH_BYTES;
    const wanted = yield* askBytes({ do: "read", at: place, length: BLOCK_HASH_BYTES });
    if (isFault(wanted)) return wanted;
    const right = toHex(wanted).toLowerCase();
    for (let tries = cutShort ? -1 : 0; ; tries++) {
      const hash = yield* hashOf(from, count);
      if (isFault(hash)) return hash;
      if (hash.startsWith(right)) break;
      if (tries === BLOCK_TRIES)
        return fault(
          "server",
          "update-block",
          `Block ${String(from / blockBytes)} of ${offer.version} is wrong.`,
        );
      // Only one block can have been cut short: the first that is not right.
      cutShort = false;
      const wrong = yield* fetchPart(host, url, from, count, from, tries < 0);
      if (wrong) return wrong;
    }
    host.progress(from + count);
  }
  const whole = yield* hashOf(0, length);
  if (isFault(whole)) return whole;
  return whole === offer.sha256
    ? undefined
    : fault("server", "update-image", `The image ${offer.version} is not what was signed.`);
}
