/**
 * Finds secrets in bytes: as they are, without their dashes, URL-encoded, as hex, and as base 64 wherever they begin in it,
 * also with line ends in between. A search that finds nothing proves something only beside one that does.
 */
import { createPrivateKey } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface Secret {
  readonly name: string;
  readonly bytes: Buffer;
}

export const secretText = (name: string, text: string): Secret => {
  // A short one is found anywhere by chance.
  if (text.length < 8) throw new Error(`${name} is too short to be searched for`);
  return { name, bytes: Buffer.from(text) };
};

/** The private number of a P-256 key: no encoding of the key can do without it. */
export function secretKey(name: string, pem: string, passphrase?: string): Secret {
  const key = createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
  return { name, bytes: Buffer.from(key.export({ format: "jwk" }).d!, "base64url") };
}

/** What of base 64 is the secret's alone, if `before` bytes stand before it in its group of three. */
function base64(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes])
    .toString("base64")
    .replace(/=+$/, "");
  const whole = Math.floor((8 * (before + bytes.length)) / 6);
  return text.slice(Math.ceil((8 * before) / 6), whole);
}

function formsOf({ bytes }: Secret): ReadonlySet<string> {
  const plain = bytes.toString("latin1");
  const text = bytes.toString("utf8");
  const forms = [
    plain,
    plain.replaceAll("-", ""),
    text.replaceAll(" ", "+"),
    JSON.stringify(text).slice(1, -1),
  ];
  forms.push(encodeURIComponent(text), bytes.toString("hex"), bytes.toString("hex").toUpperCase());
  forms.push(bytes.toString("hex").replace(/..(?=.)/g, "$& "));
  for (const before of [0, 1, 2]) {
    const one = base64(bytes, before);
    forms.push(one, one.replaceAll("+", "-").replaceAll("/", "_"), encodeURIComponent(one));
  }
  return new Set(forms);
}

/** Names of the secrets that stand in the bytes. */
export function secretsIn(bytes: Buffer | string, secrets: readonly Secret[]): string[] {
  const raw = typeof bytes === "string" ? Buffer.from(bytes).toString("latin1") : bytes.toString("latin1");
  // PEM and JSON of PEM break their lines.
  const joined = raw.replace(/\\[rn]|[\r\n]/g, "");
  return secrets
    .filter((secret) => [...formsOf(secret)].some((form) => raw.includes(form) || joined.includes(form)))
    .map(({ name }) => name);
}

export interface FoundFile {
  readonly path: string;
  readonly secrets: readonly string[];
  /** Bits of the file and of its folder. */
  readonly mode: number;
  readonly folderMode: number;
}

/** The files below a folder that hold a secret. */
export function filesWithSecrets(folder: string, secrets: readonly Secret[]): FoundFile[] {
  const found: FoundFile[] = [];
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    const whole = join(folder, path);
    const { mode } = statSync(whole);
    if (!statSync(whole).isFile()) continue;
    const names = secretsIn(readFileSync(whole), secrets);
    const folderMode = statSync(join(whole, "..")).mode & 0o777;
    if (names.length > 0) found.push({ path, secrets: names, mode: mode & 0o777, folderMode });
  }
  return found;
}
