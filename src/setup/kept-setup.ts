/** What a setup by the page means beside what is there already: one rule for the chip and for a computer. */
import type { Setup } from "./setup-form.js";

/** A configuration as it stands. */
export interface Document {
  readonly upstreams?: readonly Readonly<Record<string, unknown>>[];
  readonly [field: string]: unknown;
}

/** What stands of an upstream that keeps its id: files, which no page can name, and whose secret it is. */
const KEPT = ["ca", "cert", "key", "clientId", "clientSecretFile", "passwordFile", "pollSeconds"] as const;

/** The present configuration with what the owner's page gave; its other upstreams and fields stay. */
export function withSetup(
  present: Document,
  { upstreams: all, region, timeZone }: Setup["document"],
): Document {
  const upstreams = [...(present.upstreams ?? [])];
  for (const given of all) {
    const at = upstreams.findIndex(({ id }) => id === given.id);
    const before = at < 0 ? undefined : upstreams[at];
    const files: Record<string, unknown> = {};
    if (before?.["protocol"] === given.protocol)
      for (const name of KEPT) if (before?.[name] !== undefined) files[name] = before[name];
    const merged = { ...files, ...given };
    // One utility was set up by this page, and is changed by it: the first gives way.
    if (at >= 0) upstreams[at] = merged;
    else if (upstreams.length > 0) upstreams[0] = merged;
    else upstreams.push(merged);
  }
  return { ...present, upstreams, region, timeZone };
}

/** Name of the access point that a module opens for setup. */
export function setupNetwork(serial: string): string {
  return `UCM-${serial.slice(-12)}`;
}

/** Its WPA2 password: the label's secret without the dashes. */
export function setupPassphrase(secret: string): string {
  return secret.replaceAll("-", "");
}
