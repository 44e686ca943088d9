/**
 * What a module keeps of its setup on this computer: the configuration that the owner's page gave, the secrets beside it,
 * and the secret of its label. All mode 0600, in the data folder.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { secretFileName, type Setup } from "../../src/setup/setup-form.js";
import { CommandError, UsageError } from "../cli/output.js";
import { newSecret } from "../provision/secret.js";

const configName = "module.json";
const secretName = "owner-secret.txt";

function write(path: string, text: string): void {
  const aside = `${path}.${randomBytes(4).toString("hex")}`;
  writeFileSync(aside, text, { mode: 0o600 });
  renameSync(aside, path);
}

/** Path of the configuration that the owner's page has given; undefined = the module is new. */
export function keptConfig(dataDir: string): string | undefined {
  const path = join(dataDir, configName);
  return existsSync(path) ? path : undefined;
}

/** The secret of the label: of a file that is named, else made at first start. Answers it and where it lies. */
export function ownerSecret(
  dataDir: string,
  file: string | undefined,
): { readonly secret: string; readonly path: string } {
  const path = file ?? join(dataDir, secretName);
  if (file === undefined && !existsSync(path)) write(path, `${newSecret()}\n`);
  try {
    const secret = readFileSync(path, "utf8").trim();
    if (secret === "") throw new UsageError(`--owner-secret-file: ${path} is empty`);
    return { secret, path };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `--owner-secret-file: cannot read ${path} (${(error as NodeJS.ErrnoException).code})`,
    );
  }
}

interface Document {
  readonly upstreams?: readonly Readonly<Record<string, unknown>>[];
  readonly [field: string]: unknown;
}

/** What stands of an upstream that keeps its id: files of this computer, which no page can name. */
const kept = ["ca", "cert", "key", "clientSecretFile", "passwordFile", "pollSeconds"] as const;

/** Keeps what the owner's page gave: into the present configuration, whose other upstreams and fields stay. */
export function keepSetup(dataDir: string, { document, secret }: Setup): void {
  const path = join(dataDir, configName);
  let present: Document = {};
  try {
    if (existsSync(path)) present = JSON.parse(readFileSync(path, "utf8")) as Document;
  } catch (error) {
    throw new CommandError(`${path} is not JSON: ${(error as Error).message}; mend or remove it`);
  }
  const upstreams = [...(present.upstreams ?? [])];
  for (const given of document.upstreams) {
    const at = upstreams.findIndex(({ id }) => id === given.id);
    const before = at < 0 ? undefined : upstreams[at];
    const files: Record<string, unknown> = {};
    if (before?.["protocol"] === given.protocol)
      for (const name of kept) if (before?.[name] !== undefined) files[name] = before[name];
    const merged = { ...files, ...given };
    // One utility was set up by this page, and is changed by it: the first gives way.
    if (at >= 0) upstreams[at] = merged;
    else if (upstreams.length > 0) upstreams[0] = merged;
    else upstreams.push(merged);
    if (secret !== "" && given.id !== undefined)
      write(join(dataDir, secretFileName(given.id)), `${secret}\n`);
  }
  const { region, timeZone } = document;
  write(path, `${JSON.stringify({ ...present, upstreams, region, timeZone }, undefined, 2)}\n`);
}
