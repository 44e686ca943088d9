import { fault, type Fault } from "../base/fault.js";
import { sha256 } from "../base/sha256.js";
import { utf8Encode } from "../base/utf8.js";
import type { SlotState } from "../ports/update.js";
import { isPlain } from "./canonical.js";
import type { TargetFile } from "./metadata.js";

/** An image on offer for this board, with what its signed `custom` says (docs/how-to/release-firmware.md). */
export interface Offer {
  readonly path: string;
  readonly length: number;
  readonly sha256: string;
  readonly board: string;
  readonly version: string;
  /** The image must run on at least this version to take this step; "" = any. */
  readonly minimumVersion: string;
  /** How many of ten thousand modules take it. */
  readonly shareBp: number;
  /** Neither fetched nor booted while a grid event is in force, for this long at most. */
  readonly notDuringEvent: boolean;
  readonly longestWaitMs: number;
  readonly securityVersion: number;
  /** Bytes of a block, a multiple of 4096, and the file with the hashes of all blocks. */
  readonly blockBytes: number;
  readonly list: TargetFile;
}

/** An image waits so long for the end of grid events where its maker says nothing (or nonsense), and at most, hours. */
export const LONGEST_WAIT_HOURS = 168;
export const MOST_WAIT_HOURS = 720;

/** Of each block's SHA-256 the first 16 bytes: the list stays below 0.4 % of the image, and the whole is hashed in full. */
export const BLOCK_HASH_BYTES = 16;

/** What came of an image that was left: how often, and when it may be tried again (UTC ms). */
export interface Failure {
  readonly sha256: string;
  readonly times: number;
  readonly retryUtcMs: number;
}

export interface OfferInput {
  readonly slots: SlotState;
  /** The highest version that was ever confirmed here. */
  readonly floor: string;
  readonly failures: readonly Failure[];
  readonly deviceId: string;
  readonly utcMs: number;
}

/** Compares `1.4.0` with `1.12`: below 0 where `a` is older. NaN where one of them is no version. */
export function compareVersions(a: string, b: string): number {
  const parts = (text: string): number[] => text.split(".").map((part) => digits(part));
  const [x, y] = [parts(a), parts(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return x.length > 3 || y.length > 3 ? Number.NaN : 0;
}

function digits(text: string): number {
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return text === "" || text.length > 9 ? Number.NaN : value;
}

/** The draw of a device for an image, 0…9999: always the same, and another one for another image. */
export function drawOf(deviceId: string, imageSha256: string): number {
  const hash = sha256(utf8Encode(`${deviceId} ${imageSha256}`));
  const value = hash[0]! * 0x100_0000 + hash[1]! * 0x1_0000 + hash[2]! * 0x100 + hash[3]!;
  return Math.floor((value / 0x1_0000_0000) * 10_000);
}

function offerOf(target: TargetFile, all: readonly TargetFile[]): Offer | undefined {
  const { board, version, minimumVersion, shareBp, notDuringEvent, securityVersion, blocks } = target.custom;
  const { longestWaitHours: hours } = target.custom;
  const waits = typeof hours === "number" && hours >= 0 && hours <= MOST_WAIT_HOURS;
  if (typeof board !== "string" || typeof version !== "string" || !isPlain(blocks)) return undefined;
  if (Number.isNaN(compareVersions(version, "0"))) return undefined;
  const { bytes, file } = blocks;
  const list = all.find(({ path }) => path === file);
  if (typeof bytes !== "number" || bytes < 4096 || bytes % 4096 !== 0 || list === undefined) return undefined;
  if (target.length === 0 || list.length !== BLOCK_HASH_BYTES * Math.ceil(target.length / bytes))
    return undefined;
  return {
    ...{ path: target.path, length: target.length, sha256: target.sha256, board, version, list },
    // What is there and cannot be read holds back: nobody has a share, no version is high enough.
    minimumVersion:
      minimumVersion === undefined ? "" : typeof minimumVersion === "string" ? minimumVersion : "?",
    shareBp: shareBp === undefined ? 10_000 : typeof shareBp === "number" ? shareBp : 0,
    notDuringEvent: notDuringEvent !== undefined && notDuringEvent !== false,
    longestWaitMs: (waits ? hours : LONGEST_WAIT_HOURS) * 3_600_000,
    securityVersion: typeof securityVersion === "number" ? securityVersion : 0,
    blockBytes: bytes,
  };
}

/**
 * The newest image that this module is to take: undefined where there is none, a fault where there is one that it must
 * not take. Never one that is older than what was confirmed here before (the floor), whatever is signed.
 */
export function chooseOffer(targets: readonly TargetFile[], input: OfferInput): Offer | Fault | undefined {
  const { slots, floor, failures, deviceId, utcMs } = input;
  let best: Offer | undefined;
  for (const target of targets) {
    const offer = offerOf(target, targets);
    if (offer?.board !== slots.board) continue;
    const { version, minimumVersion } = offer;
    if (!(compareVersions(version, slots.version) > 0 && compareVersions(version, floor) >= 0)) continue;
    if (minimumVersion !== "" && !(compareVersions(slots.version, minimumVersion) >= 0)) continue;
    if (!(drawOf(deviceId, offer.sha256) < offer.shareBp)) continue;
    const failed = failures.find(({ sha256: hash }) => hash === offer.sha256);
    if (failed && utcMs < failed.retryUtcMs) continue;
    if (best === undefined || compareVersions(version, best.version) > 0) best = offer;
  }
  if (best === undefined) return undefined;
  if (best.securityVersion < slots.securityVersion)
    return fault("server", "update-security-version", `${best.version} is below the counter in the fuses.`);
  if (listAt(best, slots) < Math.ceil(best.length / 4096) * 4096)
    return fault("server", "update-too-large", `${best.version} does not fit the slot.`);
  return best;
}

/** Where the hash list lies while an image is fetched: at the slot's end, behind the image. */
export function listAt(offer: Offer, slots: SlotState): number {
  return Math.floor((slots.slotBytes - offer.list.length) / 4096) * 4096;
}
