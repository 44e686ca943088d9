/**
 * One update cycle of The Update Framework, as section 5 of its specification (1.0.x) has it, a paragraph a step:
 * root by root, timestamp, snapshot, targets. Nothing is believed that is not signed by a threshold of the keys which
 * the root names for its role, is older than what was believed before, has expired at the time the cycle began, or is
 * not the file that the one above it describes. Each refusal has a code of its own, which the security log keeps.
 */
import { fault, isFault, type Fault } from "../base/fault.js";
import { sha256 } from "../base/sha256.js";
import { toHex } from "../base/hex.js";
import { utf8Encode, utf8Length } from "../base/utf8.js";
import { askFile, askSlot, type Steps } from "./asks.js";
import {
  readFileMeta,
  readKeys,
  readSigned,
  readTargets,
  type FileMeta,
  type Keys,
  type Role,
  type Signed,
  type TargetFile,
} from "./metadata.js";
import type { Trust } from "./trust.js";

/** Longest file of each role, bytes; `openucm release` keeps below. */
export const MAX_BYTES: Readonly<Record<Role, number>> = {
  root: 12_288,
  timestamp: 2048,
  snapshot: 4096,
  targets: 12_288,
};
/** Roots that are followed in one cycle; the next goes on from there. */
const MAX_ROOTS = 32;

export interface CycleInput {
  readonly trust: Trust;
  /** The root that the device was made with, JSON. */
  readonly bundledRoot: string;
  /** UTC at which the cycle began, ms. */
  readonly utcMs: number;
}

function refuse(code: string, text: string): Fault {
  return fault("server", `tuf-${code}`, text);
}

/** `timestamp.json` etc. as a person reads it. */
function fileOf(role: Role): string {
  return `${role}.json`;
}

/** The bundled root, checked as one that signs itself. */
function* bundled({ trust, bundledRoot }: CycleInput): Steps<Keys | Fault> {
  const signed = readSigned(bundledRoot, "root");
  const keys = isFault(signed) ? signed : readKeys(signed);
  const wrong = isFault(signed) || isFault(keys) ? keys : yield* signedBy(signed, "root", keys as Keys);
  if (isFault(wrong))
    return fault("configuration", "update-root", `The bundled root is not usable: ${wrong.text}`);
  trust.forgetTimes();
  if (!trust.setRoot(keys as Keys))
    return fault("storage", "update-store", "The root does not fit the store.");
  return keys;
}

/** Whether a threshold of the role's keys has signed, each counted once however often it is named. */
function* signedBy(signed: Signed, role: Role, keys: Keys): Steps<Fault | undefined> {
  const { ids, threshold } = keys.roles[role];
  const good: string[] = [];
  let foreign = false;
  for (const { keyId, sig } of signed.signatures) {
    const key = keys.keys[keyId];
    if (!ids.includes(keyId)) {
      foreign ||= key !== undefined;
      continue;
    }
    if (key === undefined || good.includes(key)) continue;
    const bad = yield* askSlot({ do: "verify", key, signature: sig, text: signed.canonical });
    if (!isFault(bad)) good.push(key);
    if (good.length >= threshold) return undefined;
  }
  const what = fileOf(role);
  const count = `${String(good.length)} of ${String(threshold)} signatures`;
  if (good.length > 0) return refuse("threshold", `${what} has ${count}.`);
  if (foreign) return refuse("wrong-role", `${what} is signed by a key of another role.`);
  return refuse("signature", `${what} has ${count}.`);
}

/** 5.3: follows the chain of roots. The expiry of those on the way is nothing; that of the last is checked. */
function* updateRoot(input: CycleInput): Steps<Keys | Fault> {
  const { trust } = input;
  let root = trust.root ?? (yield* bundled(input));
  for (let i = 0; i < MAX_ROOTS && !isFault(root); i++) {
    const before: Keys = root;
    const version = before.version + 1;
    const text: string | Fault = yield* askFile(`metadata/${String(version)}.root.json`, MAX_BYTES.root);
    if (isFault(text)) {
      if (text.fault === "absent") break;
      return text;
    }
    const signed: Signed | Fault = readSigned(text, "root");
    if (isFault(signed)) return signed;
    const next: Keys | Fault = readKeys(signed);
    if (isFault(next)) return next;
    const wrong = (yield* signedBy(signed, "root", before)) ?? (yield* signedBy(signed, "root", next));
    if (wrong) return wrong;
    if (next.version !== version)
      return refuse("rollback", `root ${String(next.version)} came where ${String(version)} was asked for.`);
    if (!sameKeys(before, next, "timestamp") || !sameKeys(before, next, "snapshot")) trust.forgetTimes();
    if (!trust.setRoot(next)) return fault("storage", "update-store", "The root does not fit the store.");
    root = next;
  }
  if (!isFault(root) && root.expiresMs <= input.utcMs) return expired("root");
  return root;
}

function sameKeys(a: Keys, b: Keys, role: Role): boolean {
  const words = (keys: Keys): string =>
    [keys.roles[role].threshold, ...keys.roles[role].ids.map((id) => keys.keys[id] ?? "").sort()].join(" ");
  return words(a) === words(b);
}

function expired(role: Role): Fault {
  return refuse("expired", `${fileOf(role)} has expired.`);
}

function older(role: Role, version: number, trusted: number): Fault {
  return refuse("rollback", `${fileOf(role)} names ${String(version)}, ${String(trusted)} was seen.`);
}

/** 5.4: which snapshot is current. */
function* updateTimestamp({ trust, utcMs }: CycleInput, root: Keys): Steps<FileMeta | Fault> {
  const text = yield* askFile("metadata/timestamp.json", MAX_BYTES.timestamp);
  if (isFault(text)) return text;
  const signed = readSigned(text, "timestamp");
  if (isFault(signed)) return signed;
  const wrong = yield* signedBy(signed, "timestamp", root);
  if (wrong) return wrong;
  let meta = readFileMeta(signed, "snapshot.json", "timestamp.json");
  if (isFault(meta)) return meta;
  let { expiresMs } = signed;
  const before = trust.timestamp;
  if (before) {
    if (signed.version < before.version) return older("timestamp", signed.version, before.version);
    if (signed.version > before.version && meta.version < before.snapshot)
      return older("snapshot", meta.version, before.snapshot);
    // 5.4.3.1: with an equal version the one that is trusted stays, and is judged once more.
    if (signed.version === before.version) {
      meta = { version: before.snapshot, length: before.length, sha256: before.sha256 };
      expiresMs = before.expiresMs;
    }
  }
  if (signed.version !== before?.version) {
    const { length, sha256: hash } = meta;
    trust.setTimestamp({
      ...{ version: signed.version, expiresMs, snapshot: meta.version },
      ...(length === undefined ? {} : { length }),
      ...(hash === undefined ? {} : { sha256: hash }),
    });
  }
  return expiresMs <= utcMs ? expired("timestamp") : meta;
}

/** Fetches a file that another one describes; anything else than that file is a mix of two states of the server. */
function* described(role: "snapshot" | "targets", meta: FileMeta, root: Keys): Steps<Signed | Fault> {
  const most = Math.min(meta.length ?? MAX_BYTES[role], MAX_BYTES[role]);
  if (meta.length !== undefined && meta.length > most)
    return refuse("too-large", `${fileOf(role)} has ${String(meta.length)} bytes.`);
  const prefix = root.consistent ? `${String(meta.version)}.` : "";
  const text = yield* askFile(`metadata/${prefix}${fileOf(role)}`, most);
  if (isFault(text)) return text;
  if (meta.length !== undefined && utf8Length(text) !== meta.length)
    return refuse("mix", `${fileOf(role)} is not as long as it should be.`);
  if (meta.sha256 !== undefined && toHex(sha256(utf8Encode(text))).toLowerCase() !== meta.sha256)
    return refuse("mix", `${fileOf(role)} is not the one that was meant.`);
  const signed = readSigned(text, role);
  if (isFault(signed)) return signed;
  const wrong = yield* signedBy(signed, role, root);
  if (wrong) return wrong;
  if (signed.version !== meta.version)
    return refuse("mix", `${fileOf(role)} is ${String(signed.version)}, not ${String(meta.version)}.`);
  return signed;
}

/** 5.5: which targets belong together. */
function* updateSnapshot({ trust, utcMs }: CycleInput, root: Keys, meta: FileMeta): Steps<FileMeta | Fault> {
  const signed = yield* described("snapshot", meta, root);
  if (isFault(signed)) return signed;
  const targets = readFileMeta(signed, "targets.json", "snapshot.json");
  if (isFault(targets)) return targets;
  const before = trust.snapshot;
  if (before && targets.version < before.targets) return older("targets", targets.version, before.targets);
  trust.setSnapshot({ version: signed.version, expiresMs: signed.expiresMs, targets: targets.version });
  return signed.expiresMs <= utcMs ? expired("snapshot") : targets;
}

/** Root and timestamp alone: the proof that the update server is reached and is the right one. */
export function* checkServer(input: CycleInput): Steps<Fault | undefined> {
  const root = yield* updateRoot(input);
  if (isFault(root)) return root;
  const meta = yield* updateTimestamp(input, root);
  return isFault(meta) ? meta : undefined;
}

/** The whole cycle: the targets on offer, all of them verified, or why nothing is believed. */
export function* runCycle(input: CycleInput): Steps<readonly TargetFile[] | Fault> {
  const root = yield* updateRoot(input);
  if (isFault(root)) return root;
  const snapshotMeta = yield* updateTimestamp(input, root);
  if (isFault(snapshotMeta)) return snapshotMeta;
  const targetsMeta = yield* updateSnapshot(input, root, snapshotMeta);
  if (isFault(targetsMeta)) return targetsMeta;
  const targets = yield* described("targets", targetsMeta, root);
  if (isFault(targets)) return targets;
  return targets.expiresMs <= input.utcMs ? expired("targets") : readTargets(targets);
}
