/** The OpenADR 3 upstream as configured. */
export interface OpenAdr3Config {
  /** Name of the upstream: source of its events, credentials of its connection. */
  readonly id: string;
  /**
   * Base URL with everything before `/programs`, e.g. `https://vtn.example/openadr3/3.1.0`; or {@link DISCOVER}: a
   * server on the local network, found by multicast DNS.
   */
  readonly url: string;
  readonly venName: string;
  /** Name of the charger at the server; default `venName`. */
  readonly resourceName?: string | undefined;
  /** OAuth 2 client credentials; without a client id the server is used as a public one. */
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  /** The connection has a client certificate by which the server knows this module without a token. */
  readonly certificate?: boolean | undefined;
  readonly pollSeconds?: number | undefined;
  /** Programmes to take part in, by name; empty = all. */
  readonly programs?: readonly string[] | undefined;
  /** The programme permits Grid Emergency. */
  readonly emergency?: boolean | undefined;
  /** Unit of CONTROL_SETPOINT and DISPATCH_SETPOINT where the event names none; "" = refuse. */
  readonly setpointUnit?: "W" | "A" | "fraction" | "" | undefined;
  /** Usual price per kWh in the currency of the prices. */
  readonly normalPrice?: number | undefined;
  /** The customer has consented to CTA2045_REBOOT, and to CTA2045_SET_OVERRIDE_STATUS. */
  readonly remoteReboot?: boolean | undefined;
  readonly remoteOverride?: boolean | undefined;
  /** Tell the customer's override also where an event asks for no OPERATING_STATE report. Default true. */
  readonly optOutReports?: boolean | undefined;
  /** Where the server can call this program (webhooks), and the token that it has to show; none on the device. */
  readonly callbackUrl?: string | undefined;
  readonly callbackToken?: string | undefined;
  /** What the installer set and what the charger could do, W. */
  readonly installerW?: number | undefined;
  readonly ratedW?: number | undefined;
}

/** In the place of an address: look for the service on the local network. */
export const DISCOVER = "mdns:_openadr3._tcp";

/** The base URL without slashes at its end. */
export function baseOf(url: string): string {
  return url.replace(/\/+$/, "");
}

/** True where nobody on the way can read along: TLS, or a server on this very machine. */
export function isPrivate(url: string): boolean {
  return url.startsWith("https://") || /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(\/|$)/.test(url);
}
