/**
 * The four top-level roles of The Update Framework (specification 1.0.x) as plain values. What is read here is
 * well-formed, of the right type and of a supported version of the specification; whether it may be believed is
 * decided in `cycle.ts`. Fields that we do not know are signed like the others and otherwise left alone.
 */
import { fault, isFault, type Fault } from "../base/fault.js";
import { parseDateTime } from "../base/iso8601.js";
import { canonicalJson, isPlain, parsePlain, type Plain } from "./canonical.js";

export type Role = "root" | "timestamp" | "snapshot" | "targets";

export interface Signature {
  readonly keyId: string;
  /** DER, hex. */
  readonly sig: string;
}

/** A file of metadata: what is signed, in the form in which it was signed. */
export interface Signed {
  readonly version: number;
  readonly expiresMs: number;
  readonly body: Plain;
  readonly canonical: string;
  readonly signatures: readonly Signature[];
}

/** Keys of a role, by number into {@link Keys.keys}. */
export interface RoleKeys {
  readonly threshold: number;
  readonly ids: readonly string[];
}

/** What root says about who may sign what. `keys`: key id → subject public key info, base64. */
export interface Keys {
  readonly version: number;
  readonly expiresMs: number;
  readonly consistent: boolean;
  readonly keys: Readonly<Record<string, string>>;
  readonly roles: Readonly<Record<Role, RoleKeys>>;
}

/** A file as another one describes it; `undefined` where it does not say. */
export interface FileMeta {
  readonly version: number;
  readonly length: number | undefined;
  readonly sha256: string | undefined;
}

/** A file of the folder of targets. */
export interface TargetFile {
  readonly path: string;
  readonly length: number;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly custom: Plain;
}

/** A P-256 key in subject public key info begins with these bytes, in base64 and without what the point decides. */
const P256_HEAD = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE";
const P256_LENGTH = 124;

function malformed(what: string, why: string): Fault {
  return fault("server", "tuf-malformed", `${what}: ${why}.`);
}

/** A whole number of at least `least`. */
function whole(value: unknown, least: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least;
}

/** Reads what all roles have. */
export function readSigned(text: string, role: Role): Signed | Fault {
  const what = `${role}.json`;
  const document = parsePlain(text, what);
  if (isFault(document)) return document;
  const { signed, signatures } = document;
  if (!isPlain(signed) || !Array.isArray(signatures)) return malformed(what, "nothing is signed");
  if (signed["_type"] !== role) return malformed(what, "it is of another role");
  const spec = signed["spec_version"];
  if (typeof spec !== "string" || spec.slice(0, 2) !== "1.")
    return malformed(what, "another version of the specification");
  const version = signed["version"];
  if (!whole(version, 1)) return malformed(what, "version is no number");
  const expires = signed["expires"];
  const expiresMs = typeof expires === "string" && expires.length === 20 ? parseDateTime(expires) : undefined;
  if (expiresMs === undefined) return malformed(what, "expires is no date");
  const canonical = canonicalJson(signed);
  if (canonical === undefined) return malformed(what, "it has no canonical form");
  const list: Signature[] = [];
  for (const one of signatures as unknown[]) {
    if (!isPlain(one) || typeof one["keyid"] !== "string" || typeof one["sig"] !== "string")
      return malformed(what, "a signature is none");
    const keyId = one["keyid"];
    if (list.some((other) => other.keyId === keyId)) return malformed(what, "a key has signed twice");
    list.push({ keyId, sig: one["sig"] });
  }
  return { version, expiresMs, body: signed, canonical, signatures: list };
}

/** The keys and roles of a root. Keys of other kinds than ECDSA P-256 are left out: nothing counts as signed by them. */
export function readKeys(root: Signed): Keys | Fault {
  const what = "root.json";
  const { body, version, expiresMs } = root;
  const { keys: rawKeys, roles: rawRoles } = body;
  if (!isPlain(rawKeys) || !isPlain(rawRoles)) return malformed(what, "keys or roles are missing");
  const roles: Partial<Record<Role, RoleKeys>> = {};
  const keys: Record<string, string> = {};
  for (const role of ["root", "timestamp", "snapshot", "targets"] as const) {
    const raw = rawRoles[role];
    if (!isPlain(raw)) return malformed(what, `the role ${role} is missing`);
    const { threshold, keyids } = raw;
    if (!whole(threshold, 1) || !Array.isArray(keyids)) return malformed(what, `the role ${role} is none`);
    const ids: string[] = [];
    for (const id of keyids as unknown[]) {
      if (typeof id !== "string" || ids.includes(id))
        return malformed(what, `a key of ${role} is named twice`);
      const known = rawKeys[id];
      if (!isPlain(known)) return malformed(what, `a key of ${role} is missing`);
      ids.push(id);
      const spki = p256Of(known);
      if (spki !== undefined) keys[id] = spki;
    }
    roles[role] = { threshold, ids };
  }
  const consistent = body["consistent_snapshot"] ?? false;
  if (typeof consistent !== "boolean") return malformed(what, "consistent_snapshot is no yes or no");
  return { version, expiresMs, consistent, keys, roles: roles as Record<Role, RoleKeys> };
}

/** The base64 of a P-256 key as PEM, whichever of the two names it goes by. */
function p256Of(key: Plain): string | undefined {
  const { keytype, scheme, keyval } = key;
  if (keytype !== "ecdsa" && keytype !== "ecdsa-sha2-nistp256") return undefined;
  if (scheme !== "ecdsa-sha2-nistp256" || !isPlain(keyval)) return undefined;
  const pem = keyval["public"];
  if (typeof pem !== "string") return undefined;
  const head = "-----BEGIN PUBLIC KEY-----";
  const end = pem.indexOf("-----END PUBLIC KEY-----");
  if (!pem.startsWith(head) || end < 0) return undefined;
  const spki = pem.slice(head.length, end).split("\n").join("").split("\r").join("").trim();
  return spki.length === P256_LENGTH && spki.startsWith(P256_HEAD) ? spki : undefined;
}

/** What a timestamp or a snapshot says about a file; a fault where it says nothing that can be used. */
export function readFileMeta(signed: Signed, name: string, what: string): FileMeta | Fault {
  const { meta } = signed.body;
  const raw = isPlain(meta) ? meta[name] : undefined;
  if (!isPlain(raw) || !whole(raw["version"], 1)) return malformed(what, `${name} is missing`);
  const length = raw["length"];
  if (length !== undefined && !whole(length, 1)) return malformed(what, `the length of ${name} is none`);
  const hashes = raw["hashes"];
  if (hashes !== undefined && !isPlain(hashes)) return malformed(what, `the hashes of ${name} are none`);
  const sha256 = hashes?.["sha256"];
  if (hashes !== undefined && typeof sha256 !== "string")
    return malformed(what, `${name} has no SHA-256, which is all that is read here`);
  return { version: raw["version"], length, sha256: sha256 as string | undefined };
}

/** The targets of a `targets.json`. Delegations are not followed: one party signs this firmware. */
export function readTargets(signed: Signed): readonly TargetFile[] | Fault {
  const { targets } = signed.body;
  if (!isPlain(targets)) return malformed("targets.json", "there are no targets");
  const list: TargetFile[] = [];
  for (const path of Object.keys(targets)) {
    const raw = targets[path];
    const hashes = isPlain(raw) ? raw["hashes"] : undefined;
    if (!isPlain(raw) || !isPlain(hashes) || !whole(raw["length"], 0))
      return malformed("targets.json", "a target is none");
    const sha256 = hashes["sha256"];
    const custom = raw["custom"] ?? {};
    if (!isPlain(custom)) return malformed("targets.json", "custom is no object");
    if (typeof sha256 !== "string" || sha256.length !== 64) continue;
    list.push({ path, length: raw["length"], sha256, custom });
  }
  return list;
}
