import type { Programme } from "./signals.js";

/** The OpenADR 2.0b upstream as configured. */
export interface OpenAdr2Config {
  /** Name of the upstream: source of its events, credentials of its connection. */
  readonly id: string;
  /** `https://host[:port][/prefix]`, with or without `/OpenADR2/Simple/2.0b` at the end. */
  readonly url: string;
  readonly venName: string;
  /** Where the utility gives the venID beforehand; else the server assigns it. */
  readonly venId?: string | undefined;
  /** Poll no more often than this; what the server asks for is never undercut. */
  readonly pollSeconds?: number | undefined;
  /** Market contexts to take part in; empty = all. Others are answered 462. */
  readonly marketContexts?: readonly string[] | undefined;
  /** `resourceID:…`, `groupID:…`, `groupName:…`, `partyID:…` that name this module in event targets. */
  readonly targets?: readonly string[] | undefined;
  /** The programme permits Grid Emergency for SIMPLE 3: always, never, or in these market contexts. */
  readonly emergency?: boolean | readonly string[] | undefined;
  /** What fractions refer to; default the rated power, under `as4755` the installer's maximum. */
  readonly capacityReference?: Programme["capacityReference"] | undefined;
  /** How the utility's signals are meant: as everywhere, or as demand response modes of AS/NZS 4755. */
  readonly programme?: "as4755" | undefined;
  readonly setpointUnit?: Programme["setpointUnit"] | undefined;
  /** Usual price per kWh in the currency of the price signals. */
  readonly normalPrice?: number | undefined;
  readonly deviceClasses?: readonly string[] | undefined;
  /** How a change of mind is told: by EiOpt, by a second oadrCreatedEvent, or not. */
  readonly opt?: "createOpt" | "createdEvent" | "off" | undefined;
  /** `high` (XML signatures) is refused: only TLS with client certificate is built. */
  readonly security?: "standard" | "high" | undefined;
  /** Shown to the installer where the server does not know us: last 10 bytes of SHA-256 of the certificate. */
  readonly fingerprint?: string | undefined;
  /** Mains voltage told in report metadata, V. */
  readonly voltage?: number | undefined;
}

export const SIMPLE_PATH = "/OpenADR2/Simple/2.0b";

/** The address without a service: both ways of writing it are common. */
export function serviceBase(url: string): string {
  const bare = url.replace(/\/+$/, "");
  return bare.endsWith(SIMPLE_PATH) ? bare : bare + SIMPLE_PATH;
}

export function programmeOf(config: OpenAdr2Config): Programme {
  return {
    source: config.id,
    emergency: config.emergency ?? false,
    capacityReference: config.capacityReference ?? (config.programme === "as4755" ? "installer" : "rated"),
    drm: config.programme === "as4755",
    setpointUnit: config.setpointUnit ?? "",
    normalPrice: config.normalPrice,
    deviceClasses: (config.deviceClasses ?? ["EVSE", "Electric_Vehicle"]).map((name) =>
      name.toLowerCase().replace(/[^a-z0-9]/g, ""),
    ),
  };
}
