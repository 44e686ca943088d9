/**
 * What a module keeps of its setup on this computer: the configuration that the owner's page gave, the secrets beside it,
 * and the secret of its label. All mode 0600, in the data folder.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { readConfig } from "../../src/setup/config.js";
import { type Document, withSetup } from "../../src/setup/kept-setup.js";
import { secretFileName, type Setup } from "../../src/setup/setup-form.js";
import { CommandError, UsageError, whyNotJson } from "../cli/output.js";
import { PasswordFile } from "../net/passwords.js";
import { newSecret } from "../provision/secret.js";
import { writeWhole } from "./write-whole.js";

const configName = "module.json";
const secretName = "owner-secret.txt";
/** Passwords that charging platforms have set. */
export const passwordsName = "passwords.json";

const write = (path: string, text: string): void => writeWhole(path, text, 0o600);

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

/** Keeps what the owner's page gave: into the present configuration, whose other upstreams and fields stay. */
export function keepSetup(dataDir: string, { document, secret }: Setup): void {
  const path = join(dataDir, configName);
  let present: Document = {};
  try {
    if (existsSync(path)) present = JSON.parse(readFileSync(path, "utf8")) as Document;
  } catch (error) {
    throw new CommandError(`${path} is not JSON: ${whyNotJson(error)}; mend or remove it`);
  }
  const whole = withSetup(present, document);
  // What cannot be read at the next start is not written: the module would never start again.
  const read = readConfig(whole);
  if (!("upstreams" in read))
    throw new CommandError(`the setup does not fit ${path}: ${read.map(({ text }) => text).join("; ")}`);
  const passwords = new PasswordFile(join(dataDir, passwordsName));
  for (const { id, url } of document.upstreams) {
    if (id === undefined) continue;
    // What one platform has set is neither another's to see nor to count before what the owner typed now.
    const same = present.upstreams?.some((one) => one["id"] === id && one["url"] === url) ?? false;
    if (secret !== "" || !same) passwords.forget(id);
    if (secret !== "") write(join(dataDir, secretFileName(id)), `${secret}\n`);
  }
  write(path, `${JSON.stringify(whole, undefined, 2)}\n`);
}

/** Factory reset: what the owner's page gave goes, with the secrets of his utilities; the label's, at `label`, stays. */
export function forgetSetup(dataDir: string, label: string): void {
  const isSecret = (name: string): boolean =>
    name.endsWith(secretFileName("")) && resolve(dataDir, name) !== resolve(label);
  // What was half written as the power was cut goes too.
  const there = readdirSync(dataDir).filter((name) => isSecret(name.replace(/\.new$/, "")));
  for (const name of [configName, passwordsName].flatMap((one) => [one, `${one}.new`]).concat(there))
    rmSync(join(dataDir, name), { force: true });
}
