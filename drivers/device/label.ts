/**
 * What the factory has written of this one module: three texts of NVS, name space `ucm-label`, so that one build serves a whole
 * batch (`openucm provision` writes them, docs/how-to/provision-modules.md). A factory reset leaves them. Platform-free.
 */
import type { StoredSets } from "./kept.js";

export const LABEL_SPACE = "ucm-label";

export interface Label {
  readonly serial: string;
  /** As printed; "" = none, and no pages. */
  readonly secret: string;
  /** For the first certificate; "" = none. */
  readonly estSecret: string;
}

/** `get` reads a text of the name space; the build's own values stand in where production has written none. */
export function readLabel(
  get: (name: string) => unknown,
  build: { readonly serial?: unknown; readonly ownerSecret?: unknown },
): Label {
  const text = (value: unknown, otherwise: string): string =>
    typeof value === "string" && value !== "" ? value : otherwise;
  return {
    serial: text(get("serial"), text(build.serial, "openucm")),
    secret: text(get("secret"), text(build.ownerSecret, "")),
    estSecret: text(get("est"), ""),
  };
}

/** Of an upstream in the build's configuration, what may name the module. */
const NAMES = ["venName", "chargePointId"];

interface BuildUpstream {
  readonly id?: unknown;
  readonly est?: unknown;
  readonly [field: string]: unknown;
}

function upstreamsOf(ucm: unknown): readonly BuildUpstream[] {
  const all = (ucm as { readonly upstreams?: unknown } | undefined)?.upstreams;
  return Array.isArray(all) ? (all as BuildUpstream[]) : [];
}

/** The build's configuration with this module's number wherever a name says `{serial}`. */
export function withSerial(ucm: unknown, serial: string): unknown {
  const upstreams = upstreamsOf(ucm).map((upstream) => {
    const named: Record<string, unknown> = { ...upstream };
    for (const name of NAMES) {
      const value = named[name];
      if (typeof value === "string") named[name] = value.split("{serial}").join(serial);
    }
    return named;
  });
  return upstreams.length === 0 ? ucm : { ...(ucm as object), upstreams };
}

/** The build's credentials with this module's secret for each upstream of the build that has a certificate server. */
export function withEstSecret(credentials: StoredSets, ucm: unknown, { estSecret }: Label): StoredSets {
  const all = { ...credentials };
  for (const { id, est } of upstreamsOf(ucm))
    if (estSecret !== "" && est !== undefined && typeof id === "string") all[id] = { estSecret, ...all[id] };
  return all;
}
