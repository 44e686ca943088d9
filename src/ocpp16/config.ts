/**
 * OCPP 1.6J: the module makes a CTA-2045 charger a charge point with one connector. This folder guarantees: whatever
 * a platform sends, nothing throws; limits that were accepted hold while the connection is away and over a restart;
 * start, stop and meter values of a transaction are kept until the platform has them, in their order; and no more is
 * claimed than the charger shows (docs/ocpp16.md).
 */

/** What an OCPP charge point is told; see `readConfig` in src/setup for where it comes from. */
export interface Ocpp16Config {
  /** The upstream's id, which also names its credentials. */
  readonly id: string;
  /** The platform's address without the charge point's identity: `wss://…`. */
  readonly url: string;
  /** Identity, at most 48 characters; also the user of basic authentication. */
  readonly chargePointId: string;
  /** idTag of transactions that begin at the charger, at most 20 characters. Default: the identity, cut. */
  readonly localIdTag?: string | undefined;
  /**
   * `charging` (default): a car that charges begins a transaction. `platform`: without RemoteStartTransaction there
   * is no charging.
   */
  readonly startsBy?: "charging" | "platform" | undefined;
  /**
   * Whether commodity 6 (storage) tells that a car is plugged in. `auto` (default): from the moment on at which it
   * has told of one.
   */
  readonly evidence?: "auto" | "storage" | "none" | undefined;
  /** A limit of 0 may open the contactor where level 0 does not stop the charger. Default no. */
  readonly emergency?: boolean | undefined;
  readonly installerMaxA: number;
  readonly phases: 1 | 2 | 3;
  readonly voltage: number;
  /** Longest random delay of changes that a schedule makes, ms; 0 or undefined = none. */
  readonly delayMaxMs?: number | undefined;
  /** 2: basic authentication, 3: client certificate (OCPP security whitepaper). Default 2. */
  readonly securityProfile?: 2 | 3 | undefined;
}

/** Installer's maximum, phases and voltage: what turns watts into amperes. */
export type Mains = Pick<Ocpp16Config, "installerMaxA" | "phases" | "voltage" | "emergency">;

/** True where the address may be used: TLS, or this computer itself. */
export function isSafeUrl(url: string): boolean {
  if (url.startsWith("wss://")) return true;
  if (!url.startsWith("ws://")) return false;
  const rest = url.slice(5);
  const host = rest.slice(0, endOf(rest, "/?#"));
  const name = host.startsWith("[") ? host.slice(0, host.indexOf("]") + 1) : host.slice(0, endOf(host, ":"));
  return name === "localhost" || name === "[::1]" || isLoopback(name);
}

function isLoopback(name: string): boolean {
  const parts = name.split(".");
  return parts.length === 4 && parts[0] === "127" && parts.every((part) => isByte(part));
}

function isByte(text: string): boolean {
  const value = Number(text);
  return text !== "" && text.length <= 3 && Number.isInteger(value) && value >= 0 && value <= 255;
}

function endOf(text: string, stops: string): number {
  for (let i = 0; i < text.length; i++) if (stops.includes(text.charAt(i))) return i;
  return text.length;
}

/** The charge point's own address: the platform's, with the identity as its last segment (OCPP-J 1.6, 3.1.1). */
export function connectionUrl(config: Ocpp16Config): string {
  const base = config.url.endsWith("/") ? config.url.slice(0, -1) : config.url;
  return `${base}/${encodeURIComponent(config.chargePointId)}`;
}
