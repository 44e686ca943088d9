/**
 * What the device shows to servers and whom it trusts: from `credentials` in `mc/config`, by the upstream's id, and `update`
 * for the update server. That is for development: a key in the image is in everybody's image. The identity that
 * provisioning puts into NVS, loaded by C so that no key passes through JavaScript, is not written yet.
 */
import Preference from "preference";
import type Tls from "ucm/tls";
import { toHex } from "../../src/base/hex.js";
import { sha256 } from "../../src/base/sha256.js";
import { utf8Encode } from "../../src/base/utf8.js";
import type { UcmConfig } from "../../src/setup/config.js";
import { UPDATE_CREDENTIALS } from "../../src/update/runner.js";
import type { PasswordKeeper } from "../../src/websocket/client.js";

/** PEM text, and the secrets that the configuration names files for elsewhere. */
export interface Stored {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Basic authentication of OCPP, until the platform sets another. */
  readonly password?: string;
  /** OAuth 2, OpenADR 3. */
  readonly clientSecret?: string;
  /** Of `update`: the root of trust, as the document that comes with the device. */
  readonly root?: string;
}
export type StoredSets = Readonly<Record<string, Stored | undefined>>;

/** The configuration with what its file names stand for. */
export function withStored(config: UcmConfig, stored: StoredSets): UcmConfig {
  const upstreams = config.upstreams.map((upstream) => {
    const { cert, clientSecret } = stored[upstream.id] ?? {};
    return {
      ...upstream,
      ...(cert === undefined ? {} : { cert: "mc/config" }),
      ...(clientSecret === undefined ? {} : { clientSecret }),
    };
  });
  const root = stored[UPDATE_CREDENTIALS]?.root;
  if (config.update === undefined || root === undefined) return { ...config, upstreams };
  return { ...config, upstreams, update: { ...config.update, rootText: root } };
}

/** A set that cannot be kept is missing when it is used, and that has its own reason then (docs/tls.md). */
export function setCredentials(tls: Tls, config: UcmConfig, stored: StoredSets): void {
  for (const { id, protocol } of config.upstreams) {
    const { ca, cert, key } = stored[id] ?? {};
    const profile = protocol === "openadr2b" ? "openadr-2.0b" : "modern";
    if (ca !== undefined) tls.setCredentials(id, { ca, cert, key, profile });
  }
  const ca = stored[UPDATE_CREDENTIALS]?.ca;
  if (config.update !== undefined && ca !== undefined) tls.setCredentials(UPDATE_CREDENTIALS, { ca });
}

const DOMAIN = "ucm-password";

/** Names in NVS have at most 15 characters. */
const nvsName = (credentials: string): string => toHex(sha256(utf8Encode(credentials))).slice(0, 15);

/** Passwords that a platform has set are kept in NVS, which is not encrypted unless the board's sdkconfig says so. */
export function passwordKeeper(stored: StoredSets): PasswordKeeper {
  return {
    get: (credentials) => {
      const kept = Preference.get(DOMAIN, nvsName(credentials));
      return typeof kept === "string" ? kept : stored[credentials]?.password;
    },
    keep: (credentials, password) => Preference.set(DOMAIN, nvsName(credentials), password),
  };
}
