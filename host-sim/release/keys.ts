/**
 * The keys of a release: ECDSA P-256, each in a PKCS#8 file of its own with mode 0600, with a passphrase if wanted.
 * The name of a file says what the key is for (`root-1.pem`, `timestamp-1.pem`); what it may sign, root alone says.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { makeFolder } from "../runtime/make-folder.js";
import { writeSynced } from "../runtime/write-whole.js";
import { canonicalJson } from "../../src/update/canonical.js";

/** The public half as metadata carry it. */
export interface PublicKey {
  readonly keytype: "ecdsa";
  readonly scheme: "ecdsa-sha2-nistp256";
  readonly keyval: { readonly public: string };
}

export interface SigningKey {
  readonly name: string;
  readonly keyId: string;
  readonly publicKey: PublicKey;
  /** DER in hex. */
  sign(bytes: Buffer): string;
}

/** A key that cannot be used: the message says what to do. */
export class KeyError extends Error {}

function keyOf(name: string, key: KeyObject): SigningKey {
  const pem = createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
  const publicKey: PublicKey = { keytype: "ecdsa", scheme: "ecdsa-sha2-nistp256", keyval: { public: pem } };
  // Specification 4.2: the key id is the SHA-256 of the canonical form of the key.
  const keyId = createHash("sha256").update(canonicalJson(publicKey)!).digest("hex");
  return { name, keyId, publicKey, sign: (bytes) => sign("sha256", bytes, key).toString("hex") };
}

/** A new key in RAM. */
export function newKey(name: string): SigningKey & { readonly pem: (passphrase?: string) => string } {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const pem = (passphrase?: string): string =>
    privateKey
      .export({
        ...{ type: "pkcs8", format: "pem" },
        ...(passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase }),
      })
      .toString();
  return { ...keyOf(name, privateKey), pem };
}

/** Makes a key in a new file; an existing one is never overwritten. */
export function makeKeyFile(folder: string, name: string, passphrase?: string): SigningKey {
  makeFolder(folder, 0o700);
  const key = newKey(name);
  const path = join(folder, `${name}.pem`);
  try {
    // To the disk: devices will be made with a root that names it.
    writeSynced(path, "wx", key.pem(passphrase), 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST")
      throw new KeyError(`${path} is there already; a key is never overwritten: choose another folder.`);
    throw error;
  }
  return key;
}

/** All keys of a folder. Throws {@link KeyError} for one that cannot be opened. */
export function readKeyFolder(folder: string, passphrase?: string): SigningKey[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith(".pem"));
  } catch {
    throw new KeyError(`There is no folder ${folder} with keys; make them with: openucm release init`);
  }
  return names.sort().map((name) => readKeyFile(join(folder, name), passphrase));
}

export function readKeyFile(path: string, passphrase?: string): SigningKey {
  const text = readFileSync(path, "utf8");
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: text, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    const closed = text.includes("ENCRYPTED");
    throw new KeyError(
      closed
        ? `${path} needs its passphrase: give it with --passphrase-file${passphrase === undefined ? "" : "; the one given does not open it"}.`
        : `${path} is no private key in PKCS#8 (PEM).`,
    );
  }
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1")
    throw new KeyError(`${path} is not a P-256 key, which is all that the module can check.`);
  return keyOf(basename(path, ".pem"), key);
}
