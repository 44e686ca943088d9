import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isFault } from "../../src/base/fault.js";
import { readConfig, type UcmConfig, type UpstreamConfig } from "../../src/setup/config.js";
import { readKeys, readSigned } from "../../src/update/metadata.js";
import { webhookToken, type Webhook } from "../net/webhook-server.js";
import { fingerprint20b } from "../pki/certificates.js";
import { UsageError, whyNotJson } from "./output.js";

/** What the network port needs of one upstream: PEM texts. */
export interface Credentials {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Of HTTP basic authentication. */
  readonly password?: string;
}

export interface LoadedConfig {
  readonly config: UcmConfig;
  readonly credentials: ReadonlyMap<string, Credentials>;
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new UsageError(
      `${what}: cannot read ${path} (${code === "ENOENT" ? "no such file" : (code ?? "unknown error")})`,
    );
  }
}

/** Reads and checks a configuration file; paths in it are relative to it. Throws {@link UsageError} with every fault. */
export function loadConfig(path: string): LoadedConfig {
  const text = readText(path, "configuration");
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`configuration ${path}: not JSON: ${whyNotJson(error)}`);
  }
  const config = readConfig(document);
  if (!("upstreams" in config)) {
    const lines = config.filter(isFault).map((one) => `  ${one.text}`);
    throw new UsageError(`configuration ${path}:\n${lines.join("\n")}\n  (schema: docs/config.schema.json)`);
  }
  const base = dirname(resolve(path));
  const credentials = new Map<string, Credentials>();
  config.upstreams.forEach((upstream, i) => {
    const file = (name: "ca" | "cert" | "key"): Credentials => {
      const value = upstream[name];
      return value === undefined ? {} : { [name]: readText(resolve(base, value), `upstreams[${i}].${name}`) };
    };
    const { passwordFile } = upstream;
    const what = `upstreams[${i}].passwordFile`;
    const password =
      passwordFile === undefined ? {} : { password: readText(resolve(base, passwordFile), what).trim() };
    const files = { ...file("ca"), ...file("cert"), ...file("key") };
    checkFiles(files, `upstreams[${i}]`);
    credentials.set(upstream.id, { ...files, ...password });
  });
  const upstreams = config.upstreams.map((upstream, i): UpstreamConfig => {
    const { clientSecretFile, callbackUrl, estSecretFile } = upstream;
    const { cert } = credentials.get(upstream.id) ?? {};
    const found = {
      ...upstream,
      ...(cert === undefined ? {} : { fingerprint: fingerprintOf(cert, `upstreams[${i}].cert`) }),
      ...(estSecretFile === undefined
        ? {}
        : { estSecret: readText(resolve(base, estSecretFile), `upstreams[${i}].estSecretFile`).trim() }),
      ...(callbackUrl === undefined ? {} : { callbackToken: webhookToken() }),
    };
    if (clientSecretFile === undefined) return found;
    const what = `upstreams[${i}].clientSecretFile`;
    const clientSecret = readText(resolve(base, clientSecretFile), what).trim();
    if (clientSecret === "") throw new UsageError(`${what}: the file ${clientSecretFile} is empty`);
    return { ...found, clientSecret };
  });
  const { update } = config;
  if (update === undefined) return { config: { ...config, upstreams }, credentials };
  const { root, ca } = update;
  const files = ca === undefined ? {} : { ca: readText(resolve(base, ca), "update.ca") };
  checkFiles(files, "update");
  credentials.set("update", files);
  const rootText = readText(resolve(base, root), "update.root");
  const signed = readSigned(rootText, "root");
  const keys = isFault(signed) ? signed : readKeys(signed);
  if (isFault(keys))
    throw new UsageError(
      `update.root: ${root} is no root of a repository (${keys.text.replace(/\.$/, "")}); it is metadata/1.root.json there`,
    );
  return { config: { ...config, upstreams, update: { ...update, rootText } }, credentials };
}

/** A wrong file is told at the start: later it would be a server that cannot be reached, for a reason that names no file. */
function checkFiles({ ca, cert, key }: Credentials, where: string): void {
  const certificateOf = (pem: string | undefined, name: string): X509Certificate | undefined => {
    try {
      return pem === undefined ? undefined : new X509Certificate(pem);
    } catch {
      throw new UsageError(`${where}.${name}: the file holds no certificate (PEM)`);
    }
  };
  certificateOf(ca, "ca");
  const own = certificateOf(cert, "cert");
  if (own === undefined || key === undefined) return;
  let secret: KeyObject;
  try {
    secret = createPrivateKey(key);
  } catch {
    throw new UsageError(
      `${where}.key: the file holds no private key that can be read (PEM, without a passphrase: a module has nobody to ask)`,
    );
  }
  if (!own.checkPrivateKey(secret)) throw new UsageError(`${where}.key: it is not the key of ${where}.cert`);
}

function fingerprintOf(pem: string, what: string): string {
  try {
    return fingerprint20b(pem);
  } catch {
    throw new UsageError(`${what}: the file holds no certificate (PEM)`);
  }
}

/** The webhooks of a configuration, and the port at which they are to be received; undefined where there are none. */
export function webhooksOf(
  config: UcmConfig,
  port: number | undefined,
): { readonly port: number; readonly hooks: readonly Webhook[] } | undefined {
  const hooks: Webhook[] = [];
  let own = port;
  for (const { id, callbackUrl, callbackToken } of config.upstreams) {
    if (callbackUrl === undefined || callbackToken === undefined) continue;
    const url = new URL(callbackUrl);
    if (["127.0.0.1", "localhost"].includes(url.hostname) && url.port !== "") own ??= Number(url.port);
    hooks.push({ upstream: id, path: url.pathname, token: callbackToken });
  }
  if (hooks.length === 0) return undefined;
  if (own === undefined)
    throw new UsageError(
      "--webhook-port is missing: say at which port of this computer the proxy of callbackUrl ends",
    );
  return { port: own, hooks };
}
