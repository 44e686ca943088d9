/**
 * A repository of The Update Framework in a folder: `metadata/` and `targets/` with consistent snapshots, made so that
 * any static web server can hand it out. Every change is signed with the keys that are at hand; what lacks signatures
 * is completed later with keys from elsewhere, and is not published before.
 */
import { createHash, X509Certificate } from "node:crypto";
import type { MetadataKind } from "@tufjs/models";
import { Metadata, Signature, type Root, type Snapshot, type Targets, type Timestamp } from "@tufjs/models";
import { MAX_BYTES } from "../../src/update/cycle.js";
import { MOST_ROOT_BYTES } from "../../src/update/trust-roots.js";
import { BLOCK_HASH_BYTES, compareVersions } from "../../src/update/offer.js";
import type { Files } from "./files.js";
import type { PublicKey, SigningKey } from "./keys.js";

export const ROLES = ["root", "timestamp", "snapshot", "targets"] as const;
export type RoleName = (typeof ROLES)[number];

/** How long metadata are valid, days. */
export type Validity = Readonly<Record<RoleName, number>>;
/** A device that was off for years still follows old roots, whose expiry does not count. */
export const VALID_DAYS: Validity = { root: 1825, timestamp: 14, snapshot: 366, targets: 366 };

const SPEC = "1.0.31";
const DAY_MS = 86_400_000;

/** Wrong use: the message says what to do. */
export class ReleaseError extends Error {}

/** What a target's `custom` holds, and the module reads (src/update/offer.ts). */
export interface Custom {
  readonly board: string;
  readonly version: string;
  readonly minimumVersion?: string;
  readonly shareBp: number;
  readonly notDuringEvent?: boolean;
  /** So long it waits for the end of events at most; 168 where it is missing. */
  readonly longestWaitHours?: number;
  readonly securityVersion?: number;
  readonly blocks: { readonly bytes: number; readonly file: string };
}

/** Something that lacks signatures; a snapshot or timestamp is not made at all before. */
export interface Missing {
  readonly role: RoleName;
  readonly version: number;
  /** By which root's rule: that of the one before, too, must have signed a new root. */
  readonly have: number;
  readonly need: number;
}

interface RootJson {
  _type: "root";
  spec_version: string;
  version: number;
  expires: string;
  consistent_snapshot: true;
  keys: Record<string, PublicKey>;
  roles: Record<RoleName, { keyids: string[]; threshold: number }>;
}

export interface Context {
  readonly keys: readonly SigningKey[];
  readonly utcMs: number;
  readonly validDays?: Partial<Validity>;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export function sha256Hex(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function expires(role: RoleName, { utcMs, validDays }: Context): string {
  const days = validDays?.[role] ?? VALID_DAYS[role];
  return `${new Date(utcMs + days * DAY_MS).toISOString().slice(0, 19)}Z`;
}

export class Repository {
  constructor(readonly files: Files) {}

  /** Key ceremony: root 1 names the keys of all roles, then empty targets. */
  static create(
    files: Files,
    keys: Readonly<Record<RoleName, readonly SigningKey[]>>,
    thresholds: Readonly<Record<RoleName, number>>,
    context: Context,
  ): Repository {
    const repository = new Repository(files);
    if (repository.versions("root").length > 0)
      throw new ReleaseError("There is a repository in this folder already.");
    const root: RootJson = {
      ...{ _type: "root", spec_version: SPEC, version: 1, expires: expires("root", context) },
      ...{ consistent_snapshot: true, keys: {}, roles: {} as RootJson["roles"] },
    };
    for (const role of ROLES) {
      if (thresholds[role] < 1 || thresholds[role] > keys[role].length)
        throw new ReleaseError(
          `The role ${role} has ${keys[role].length} keys: its threshold cannot be ${thresholds[role]}.`,
        );
      root.roles[role] = { keyids: keys[role].map(({ keyId }) => keyId), threshold: thresholds[role] };
      for (const { keyId, publicKey } of keys[role]) root.keys[keyId] = publicKey;
    }
    repository.#sign("root", root, context);
    repository.#sign("targets", empty("targets", context), context);
    repository.complete(context);
    return repository;
  }

  /** Versions of a role that are here, ascending. */
  versions(role: "root" | "snapshot" | "targets"): number[] {
    const pattern = new RegExp(`^metadata/(\\d+)\\.${role}\\.json$`);
    return this.files
      .list()
      .flatMap((path) => pattern.exec(path)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }

  /** The newest of a role, and of root any. */
  root(version = this.versions("root").at(-1)): Metadata<Root> {
    return this.#load("root", `metadata/${version ?? 0}.root.json`) as Metadata<Root>;
  }

  targets(): Metadata<Targets> {
    return this.#load(
      "targets",
      `metadata/${this.versions("targets").at(-1) ?? 0}.targets.json`,
    ) as Metadata<Targets>;
  }

  snapshot(): Metadata<Snapshot> | undefined {
    const version = this.versions("snapshot").at(-1);
    if (version === undefined) return undefined;
    return this.#load("snapshot", `metadata/${version}.snapshot.json`) as Metadata<Snapshot>;
  }

  timestamp(): Metadata<Timestamp> | undefined {
    if (this.files.read("metadata/timestamp.json") === undefined) return undefined;
    return this.#load("timestamp", "metadata/timestamp.json") as Metadata<Timestamp>;
  }

  #load(role: RoleName, path: string): Metadata<Root | Targets | Snapshot | Timestamp> {
    const bytes = this.files.read(path);
    if (bytes === undefined)
      throw new ReleaseError("There is no repository in this folder; begin one with: openucm release init");
    try {
      return Metadata.fromJSON(role as MetadataKind.Root, JSON.parse(bytes.toString()) as never) as never;
    } catch (error) {
      throw new ReleaseError(`${path} is damaged: ${(error as Error).message}`);
    }
  }

  /** Adds an image with its block hashes. */
  add(
    image: Buffer,
    name: string,
    custom: Omit<Custom, "blocks">,
    context: Context,
    blockBytes = 4096,
  ): Missing[] {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
      throw new ReleaseError(
        `"${name}" cannot name a target: use letters, digits, dot, dash and underscore.`,
      );
    if (Number.isNaN(compareVersions(custom.version, "0")))
      throw new ReleaseError(`"${custom.version}" is no version: write it as 1.4.0.`);
    if (image.length === 0) throw new ReleaseError("The image is empty.");
    const hashes: Buffer[] = [];
    for (let at = 0; at < image.length; at += blockBytes)
      hashes.push(
        createHash("sha256")
          .update(image.subarray(at, at + blockBytes))
          .digest()
          .subarray(0, BLOCK_HASH_BYTES),
      );
    const list = Buffer.concat(hashes);
    const listName = `${name}.blocks`;
    return this.#changeTargets(context, (targets) => {
      for (const [path, other] of Object.entries(targets)) {
        const { board, version } = (other.custom ?? {}) as Partial<Custom>;
        if (path !== name && board === custom.board && version === custom.version)
          throw new ReleaseError(
            `${path} is version ${version} for ${board} already; a version is given once.`,
          );
      }
      if (targets[name] !== undefined)
        throw new ReleaseError(
          `There is a target ${name} already; an image never changes: take another name.`,
        );
      this.files.write(targetPath(name, image), image);
      this.files.write(targetPath(listName, list), list);
      targets[name] = {
        ...fileOf(image),
        custom: { ...custom, blocks: { bytes: blockBytes, file: listName } },
      };
      targets[listName] = fileOf(list);
    });
  }

  /**
   * Adds a bundle of trust roots for a set of credentials, in the place of the one before. It is the whole list of what is
   * to be trusted: a module keeps its old roots beside it until a server has answered under the new ones.
   */
  addRoots(pem: string, credentials: string, version: number, context: Context): Missing[] {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/.test(credentials))
      throw new ReleaseError(`"${credentials}" names no credentials: it is an upstream's id, or update.`);
    const bundle = Buffer.from(rootsIn(pem));
    if (bundle.length > MOST_ROOT_BYTES)
      throw new ReleaseError(`The bundle has ${bundle.length} bytes; a module takes ${MOST_ROOT_BYTES}.`);
    const name = `${credentials}-roots-${version}.pem`;
    return this.#changeTargets(context, (targets) => {
      for (const [path, { custom }] of Object.entries(targets)) {
        const before = (custom as { trustRoots?: { credentials: string; version: number } } | undefined)
          ?.trustRoots;
        if (before?.credentials !== credentials) continue;
        if (before.version >= version)
          throw new ReleaseError(`There is version ${before.version} for ${credentials}; take a higher one.`);
        delete targets[path];
      }
      this.files.write(targetPath(name, bundle), bundle);
      targets[name] = { ...fileOf(bundle), custom: { trustRoots: { credentials, version } } };
    });
  }

  /** Raises (or lowers) the share of a staged rollout. */
  setShare(name: string, shareBp: number, context: Context): Missing[] {
    return this.#changeTargets(context, (targets) => {
      const target = targets[name];
      if (target?.custom === undefined) throw new ReleaseError(this.#unknown(name));
      target.custom = { ...target.custom, shareBp };
    });
  }

  /** Takes a target away: no module takes it any more. Modules that run it keep it until there is a newer one. */
  revoke(name: string, context: Context): Missing[] {
    return this.#changeTargets(context, (targets) => {
      const target = targets[name];
      if (target?.custom === undefined) throw new ReleaseError(this.#unknown(name));
      const { blocks } = target.custom as unknown as Partial<Custom>;
      delete targets[name];
      if (blocks !== undefined) delete targets[blocks.file];
    });
  }

  #unknown(name: string): string {
    const images = this.images().map((one) => one.path);
    return `There is no target ${name}; there is ${images.length === 0 ? "none yet" : images.join(", ")}.`;
  }

  /** The images on offer. */
  images(): { readonly path: string; readonly length: number; readonly custom: Custom }[] {
    return Object.values(this.targets().signed.targets).flatMap(({ path, length, custom }) =>
      "version" in custom ? [{ path, length, custom: custom as unknown as Custom }] : [],
    );
  }

  #changeTargets(
    context: Context,
    change: (targets: Record<string, TargetJson>) => void,
    newTimestamp = false,
  ): Missing[] {
    const { signed } = this.targets();
    if (!this.#canSign("targets", context))
      throw new ReleaseError("No key for targets is at hand: nothing was changed.");
    const document = signed.toJSON() as unknown as TargetsJson;
    change(document.targets);
    // A version that no snapshot has named yet is still being made.
    const named = this.#namedTargets() === signed.version;
    document.version = signed.version + (named ? 1 : 0);
    document.expires = expires("targets", context);
    this.#sign("targets", document, context);
    return this.complete(context, false, newTimestamp);
  }

  /** Replaces or adds keys and thresholds by a new root, which the keys of the old and of the new one must sign. */
  rotate(change: (roles: RootJson["roles"], keys: RootJson["keys"]) => void, context: Context): Missing[] {
    const { signed } = this.root();
    const document = signed.toJSON() as unknown as RootJson;
    change(document.roles, document.keys);
    for (const role of ROLES) {
      const { keyids, threshold } = document.roles[role];
      if (keyids.length < threshold)
        throw new ReleaseError(
          `The role ${role} would have ${keyids.length} keys and a threshold of ${threshold}.`,
        );
    }
    const used = ROLES.flatMap((role) => document.roles[role].keyids);
    for (const id of Object.keys(document.keys)) if (!used.includes(id)) delete document.keys[id];
    document.version++;
    document.expires = expires("root", context);
    this.#sign("root", document, context);
    // Everything that a changed key has signed is signed anew.
    const { targets } = { targets: this.targets() };
    if (this.#lacking("targets", targets, this.root()) !== undefined) {
      const next = targets.signed.toJSON() as unknown as TargetsJson;
      next.version++;
      next.expires = expires("targets", context);
      this.#sign("targets", next, context);
    }
    return this.complete(context, true);
  }

  /**
   * A new timestamp, and new snapshot and targets where theirs end within a third of their time. Targets that cannot be
   * signed here are left as they are: see {@link targetsEndSoon}.
   */
  refresh(context: Context): Missing[] {
    const { signed } = this.targets();
    if (this.targetsEndSoon(context) && this.#namedTargets() === signed.version)
      if (this.#canSign("targets", context)) return this.#changeTargets(context, () => undefined, true);
    const snapshot = this.snapshot();
    const stale = snapshot === undefined || this.#soon(snapshot.signed.expires, "snapshot", context);
    return this.complete(context, stale, true);
  }

  /** The targets end within a third of their time: their key is needed. */
  targetsEndSoon(context: Context): boolean {
    return this.#soon(this.targets().signed.expires, "targets", context);
  }

  #soon(end: string, role: RoleName, { utcMs, validDays }: Context): boolean {
    return Date.parse(end) - utcMs < ((validDays?.[role] ?? VALID_DAYS[role]) * DAY_MS) / 3;
  }

  /**
   * Adds signatures of the keys at hand to what lacks them, then goes on to what could not be made without. Targets that
   * wait for a signature hold nothing up but themselves: snapshot and timestamp go on over those before.
   */
  complete(context: Context, newSnapshot = false, newTimestamp = false): Missing[] {
    const missing = this.missing(context);
    if (missing.some(({ role }) => role === "root")) return missing;
    const root = this.root();
    const version = missing.length === 0 ? this.targets().signed.version : this.#namedTargets();
    if (version === undefined) return missing;
    const targetsPath = `metadata/${version}.targets.json`;
    // A root that has taken a key away leaves nothing to go on with.
    if (this.#lacking("targets", this.#load("targets", targetsPath), root) !== undefined) return missing;
    const lacks = (role: "snapshot" | "timestamp", next: number): Missing[] => [
      ...missing,
      { role, version: next, have: 0, need: 1 },
    ];
    const before = this.snapshot();
    const valid = before !== undefined && this.#lacking("snapshot", before, root) === undefined;
    if (newSnapshot || !valid || this.#namedTargets() !== version) {
      const next = (before?.signed.version ?? 0) + 1;
      if (!this.#canSign("snapshot", context)) return lacks("snapshot", next);
      const document = {
        ...empty("snapshot", context),
        version: next,
        meta: { "targets.json": this.#describe(targetsPath, version) },
      };
      this.#sign("snapshot", document, context);
    }
    const snapshot = this.snapshot()!;
    const timestamp = this.timestamp();
    const named = timestamp?.signed.snapshotMeta.version;
    const stale = timestamp === undefined || this.#lacking("timestamp", timestamp, root) !== undefined;
    if (newTimestamp || stale || named !== snapshot.signed.version) {
      const next = (timestamp?.signed.version ?? 0) + 1;
      if (!this.#canSign("timestamp", context)) return lacks("timestamp", next);
      const path = `metadata/${snapshot.signed.version}.snapshot.json`;
      const document = {
        ...empty("timestamp", context),
        version: next,
        meta: { "snapshot.json": this.#describe(path, snapshot.signed.version) },
      };
      this.#sign("timestamp", document, context);
    }
    return missing;
  }

  #canSign(role: RoleName, { keys }: Context): boolean {
    const ids = this.root().signed.roles[role]!.keyIDs;
    return keys.some(({ keyId }) => ids.includes(keyId));
  }

  /** What lacks signatures after all keys at hand have signed. */
  missing(context?: Context): Missing[] {
    const list: Missing[] = [];
    const root = this.root();
    if (context) this.#addSignatures("root", root, context);
    const { version } = root.signed;
    const own = this.#lacking("root", root, root);
    const before = version > 1 ? this.#lacking("root", root, this.root(version - 1)) : undefined;
    const lack = own ?? before;
    if (lack) list.push({ role: "root", version, ...lack });
    const targets = this.targets();
    // What a snapshot has named has its length and hash there: one more signature would break it.
    if (context && this.#namedTargets() !== targets.signed.version)
      this.#addSignatures("targets", targets, context);
    const lackTargets = this.#lacking("targets", targets, root);
    if (lackTargets) list.push({ role: "targets", version: targets.signed.version, ...lackTargets });
    return list;
  }

  #describe(path: string, version: number): Record<string, unknown> {
    const bytes = this.files.read(path)!;
    return { version, length: bytes.length, hashes: { sha256: sha256Hex(bytes) } };
  }

  /** The version of the targets that the newest snapshot names. */
  #namedTargets(): number | undefined {
    return this.snapshot()?.signed.meta["targets.json"]?.version;
  }

  #lacking(
    role: RoleName,
    metadata: Metadata<Root | Targets | Snapshot | Timestamp>,
    root: Metadata<Root>,
  ): { have: number; need: number } | undefined {
    try {
      root.verifyDelegate(role, metadata);
      return undefined;
    } catch {
      const { keyIDs, threshold } = root.signed.roles[role]!;
      const have = keyIDs.filter((id) => {
        try {
          root.signed.keys[id]!.verifySignature(metadata);
          return true;
        } catch {
          return false;
        }
      });
      return { have: have.length, need: threshold };
    }
  }

  #sign(role: RoleName, document: object, context: Context): void {
    const metadata = Metadata.fromJSON(
      role as MetadataKind.Root,
      { signed: document, signatures: [] } as never,
    );
    this.#addSignatures(role, metadata as never, context, true);
  }

  #addSignatures(
    role: RoleName,
    metadata: Metadata<Root | Targets | Snapshot | Timestamp>,
    { keys }: Context,
    write = false,
  ): void {
    const { version } = metadata.signed;
    const ids = this.#signers(role, metadata);
    let changed = write;
    for (const key of keys) {
      if (!ids.includes(key.keyId) || metadata.signatures[key.keyId] !== undefined) continue;
      metadata.sign((bytes) => new Signature({ keyID: key.keyId, sig: key.sign(bytes) }));
      changed = true;
    }
    if (!changed) return;
    if (Object.keys(metadata.signatures).length === 0 && (role === "snapshot" || role === "timestamp"))
      throw new ReleaseError(`No key for ${role} is at hand; it is needed for every change.`);
    const bytes = json(metadata.toJSON());
    if (bytes.length > MAX_BYTES[role])
      throw new ReleaseError(
        `${role}.json would have ${bytes.length} bytes; a module reads ${MAX_BYTES[role]}. Revoke old images first.`,
      );
    this.files.write(
      role === "timestamp" ? "metadata/timestamp.json" : `metadata/${version}.${role}.json`,
      bytes,
    );
  }

  /** Who may sign; of a root, also the keys of the one before. */
  #signers(role: RoleName, metadata: Metadata<Root | Targets | Snapshot | Timestamp>): readonly string[] {
    if (role !== "root") return this.root().signed.roles[role]!.keyIDs;
    const own = (metadata as Metadata<Root>).signed;
    const before = own.version > 1 ? this.root(own.version - 1).signed.roles["root"]!.keyIDs : [];
    return [...own.roles["root"]!.keyIDs, ...before];
  }
}

/** The roots of a text as PEM without anything around it; every one must be a CA that has signed itself. */
function rootsIn(text: string): string {
  const all = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (all.length === 0 || all.length > 8)
    throw new ReleaseError(`A bundle has 1 to 8 certificates (PEM); there are ${all.length}.`);
  for (const pem of all) {
    let root: X509Certificate;
    try {
      root = new X509Certificate(pem);
    } catch {
      throw new ReleaseError("There is a certificate in the bundle that cannot be read.");
    }
    if (!root.ca || !root.verify(root.publicKey))
      throw new ReleaseError(
        `${root.subject.replace(/\n/g, ", ")} is no root: it is no CA, or has not signed itself.`,
      );
  }
  return `${all.join("\n")}\n`;
}

interface TargetJson {
  length: number;
  hashes: Record<string, string>;
  custom?: object & Partial<Record<string, unknown>>;
}

interface TargetsJson {
  version: number;
  expires: string;
  targets: Record<string, TargetJson>;
}

function empty(role: "timestamp" | "snapshot" | "targets", context: Context): object {
  const head = { _type: role, spec_version: SPEC, version: 1, expires: expires(role, context) };
  return role === "targets" ? { ...head, targets: {} } : { ...head, meta: {} };
}

function fileOf(bytes: Buffer): TargetJson {
  return { length: bytes.length, hashes: { sha256: sha256Hex(bytes) } };
}

/** Where a target lies: with its hash before its name, so that no cache mixes two. */
export function targetPath(name: string, bytes: Buffer): string {
  return `targets/${sha256Hex(bytes)}.${name}`;
}
