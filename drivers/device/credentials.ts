/**
 * What the device is told about its servers: from `credentials` in `mc/config`, by the upstream's id, and `update` for the
 * update server. Roots there count until a signed bundle has come. No private key is there: drivers/identity makes it on
 * the chip, and this file refuses a build that brings one. Never run on hardware.
 */
import Preference from "preference";
import { toHex } from "../../src/base/hex.js";
import { sha256 } from "../../src/base/sha256.js";
import { utf8Encode } from "../../src/base/utf8.js";
import type { UcmConfig, UpstreamConfig } from "../../src/setup/config.js";
import { UPDATE_CREDENTIALS } from "../../src/update/runner.js";
import type { PasswordKeeper } from "../../src/websocket/client.js";
import type { IdentitySet } from "../identity/identity-port.js";
import type { StoredSets } from "./kept.js";

/** The configuration with what its file names stand for. */
export function withStored(config: UcmConfig, stored: StoredSets): UcmConfig {
  const upstreams = config.upstreams.map((upstream) => {
    const { clientSecret, estSecret } = stored[upstream.id] ?? {};
    return {
      ...upstream,
      ...(hasPair(upstream, stored) ? { cert: "identity" } : {}),
      ...(clientSecret === undefined ? {} : { clientSecret }),
      ...(estSecret === undefined ? {} : { estSecret }),
    };
  });
  const root = stored[UPDATE_CREDENTIALS]?.root;
  if (config.update === undefined || root === undefined) return { ...config, upstreams };
  return { ...config, upstreams, update: { ...config.update, rootText: root } };
}

function hasPair({ id, protocol }: UpstreamConfig, stored: StoredSets): boolean {
  return stored[id]?.certificate ?? protocol === "openadr2b";
}

/** Roots for a utility that the owner has named and the build does not know; a build without them trusts nobody there. */
const ANY = "default";

/** The sets that drivers/identity keeps. A set that cannot be used has its own reason when it is used (docs/tls.md). */
export function identitySets(config: UcmConfig, stored: StoredSets): IdentitySet[] {
  for (const each of Object.values(stored))
    if (each !== undefined && "key" in each)
      throw new Error("credentials hold a private key; it is made on the chip (docs/tls.md)");
  const sets = config.upstreams.map((upstream): IdentitySet => ({
    ...{
      name: upstream.id,
      ca: stored[upstream.id]?.ca ?? stored[ANY]?.ca ?? "",
      hasPair: hasPair(upstream, stored),
    },
    profile: upstream.protocol === "openadr2b" ? "openadr-2.0b" : "modern",
  }));
  const ca = stored[UPDATE_CREDENTIALS]?.ca ?? "";
  return config.update === undefined
    ? sets
    : [...sets, { name: UPDATE_CREDENTIALS, ca, profile: "modern", hasPair: false }];
}

const DOMAIN = "ucm-password";

/** Names in NVS have at most 15 characters. */
const passwordName = (credentials: string): string => toHex(sha256(utf8Encode(credentials))).slice(0, 15);

/** Passwords that a platform has set are kept in NVS, which is not encrypted unless the board's sdkconfig says so. */
export function passwordKeeper(stored: StoredSets): PasswordKeeper {
  return {
    get: (credentials) => {
      const kept = Preference.get(DOMAIN, passwordName(credentials));
      return typeof kept === "string" ? kept : stored[credentials]?.password;
    },
    keep: (credentials, password) => Preference.set(DOMAIN, passwordName(credentials), password),
  };
}

/** Of one upstream, or of all: another platform is not to see it, nor the next owner. */
export function forgetPasswords(upstream?: string): void {
  const names = upstream === undefined ? Preference.keys(DOMAIN) : [passwordName(upstream)];
  for (const name of names) if (Preference.get(DOMAIN, name) !== undefined) Preference.delete(DOMAIN, name);
}
