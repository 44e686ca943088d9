/** Many modules at once: a folder each, a list for the utility without any secret, and a ledger so that none repeats. */
import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { appendFileSync, chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../cli/output.js";
import { fingerprint20b } from "../pki/certificates.js";
import { writeSynced } from "../runtime/write-whole.js";
import { filesOf, keyHash, makeRequest, privateFolder } from "./identity.js";
import { labelSvg } from "./label.js";
import { labelTexts, nvsCsv, nvsImage } from "./nvs.js";
import { newSecret } from "./secret.js";

export interface BatchWish {
  /** Gets a folder for each module. */
  readonly out: string;
  readonly count: number;
  readonly prefix: string;
  /** Names a module; `{serial}` is replaced. */
  readonly venName: string;
  /** Lines "serial sha256-of-secret": what was ever given out. */
  readonly ledger: string;
  /** Each module gets a secret for its first certificate by EST; they are listed in this file, for whoever signs. */
  readonly estCsv?: string;
}

/** What was ever given out. Of secrets it holds hashes alone. */
export class Ledger {
  readonly #serials = new Set<string>();
  readonly #hashes = new Set<string>();

  constructor(private readonly path: string) {
    if (!existsSync(path)) return;
    readFileSync(path, "utf8")
      .split("\n")
      .forEach((line, i) => {
        if (line === "") return;
        const match = /^(\S+) ([0-9a-f]{64})$/.exec(line);
        if (match === null)
          throw new UsageError(
            `ledger ${path}, line ${i + 1}: not "serial sha256"; mend it, or name another`,
          );
        this.#serials.add(match[1]!);
        this.#hashes.add(match[2]!);
      });
  }

  static hash(secret: string): string {
    return createHash("sha256").update(secret).digest("hex");
  }

  hasSerial(serial: string): boolean {
    return this.#serials.has(serial);
  }

  hasSecret(secret: string): boolean {
    return this.#hashes.has(Ledger.hash(secret));
  }

  /** On the disk before anything else of the module is: what might be out in the world is never given again. */
  add(serial: string, secret: string): void {
    this.#serials.add(serial);
    this.#hashes.add(Ledger.hash(secret));
    writeSynced(this.path, "a", `${serial} ${Ledger.hash(secret)}\n`, 0o600);
  }
}

export interface Provisioned {
  readonly serial: string;
  readonly venName: string;
  readonly dir: string;
}

/** Serial numbers and ven names go into certificates, file names and CSV. */
export function checkName(what: string, name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,40}$/.test(name))
    throw new UsageError(`${what} "${name}": letters, digits, dot, dash and underscore, 41 at most`);
}

/** Makes modules one after the other, and says each. `secret` stands in for chance in tests. */
export async function* provision(
  { out, count, prefix, venName, ledger: path, estCsv }: BatchWish,
  secret: () => string = newSecret,
): AsyncGenerator<Provisioned> {
  checkName("--prefix", `${prefix}0`);
  checkName("--ven-name", venName.replaceAll("{serial}", "x"));
  privateFolder(out);
  const ledger = new Ledger(path);
  let number = 0;
  for (let made = 0; made < count; made++) {
    let serial: string;
    do serial = `${prefix}${String(++number).padStart(6, "0")}`;
    while (ledger.hasSerial(serial) || existsSync(join(out, serial)));
    let mine = secret();
    for (let tries = 0; ledger.hasSecret(mine); tries++) {
      if (tries === 100) throw new Error("the random numbers repeat themselves");
      mine = secret();
    }
    ledger.add(serial, mine);
    const dir = join(out, serial);
    await makeRequest(dir, "device", serial);
    const name = venName.replaceAll("{serial}", serial);
    writeFileSync(join(dir, "secret.txt"), `${mine}\n`, { mode: 0o600, flag: "wx" });
    const estSecret = estCsv === undefined ? "" : randomBytes(16).toString("hex");
    const texts = labelTexts(serial, mine, estSecret);
    writeFileSync(join(dir, "label.nvs.csv"), nvsCsv(texts), { mode: 0o600, flag: "wx" });
    writeFileSync(join(dir, "label.nvs.bin"), nvsImage(texts), { mode: 0o600, flag: "wx" });
    if (estCsv !== undefined) appendSecret(estCsv, `${name},${estSecret}`);
    writeFileSync(join(dir, "label.svg"), labelSvg(serial, mine), { mode: 0o600, flag: "wx" });
    writeFileSync(join(dir, "device.json"), `${JSON.stringify({ serial, venName: name })}\n`, {
      mode: 0o600,
    });
    yield { serial, venName: name, dir };
  }
}

/** Adds a line to a private list; a new one begins with its head. */
function appendSecret(path: string, line: string): void {
  const head = existsSync(path) ? "" : "ven_name,est_secret\r\n";
  appendFileSync(path, `${head}${line}\r\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
}

/** The utility's list of every module in a folder: RFC 4180, with a head, without any secret. */
export function enrolmentCsv(out: string): string {
  const lines = ["serial,ven_name,fingerprint,key_sha256,certificate_until"];
  let folders: string[];
  try {
    folders = readdirSync(out).sort();
  } catch {
    throw new UsageError(`cannot read the folder ${out}`);
  }
  for (const folder of folders) {
    const dir = join(out, folder);
    if (!existsSync(join(dir, "device.json"))) continue;
    const { serial, venName } = JSON.parse(readFileSync(join(dir, "device.json"), "utf8")) as Provisioned;
    const { key, cert } = filesOf(dir, "device");
    const pem = existsSync(cert) ? readFileSync(cert, "utf8") : undefined;
    const until = pem === undefined ? "" : new Date(new X509Certificate(pem).validTo).toISOString();
    lines.push(
      [serial, venName, pem === undefined ? "" : fingerprint20b(pem), keyHash(key), until].join(","),
    );
  }
  return `${lines.join("\r\n")}\r\n`;
}
