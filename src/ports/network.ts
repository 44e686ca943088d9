/**
 * The module's way into the network: a Wi-Fi station, UDP for time servers, and the clock that they set. The
 * driver does association, DHCP and DNS and keeps the passphrase; when to try, when to give up and what time to
 * believe is decided in src/network.
 */

/** Why there is no connection. `driver`: the radio itself failed. */
export type NetworkLoss = "no-access-point" | "refused" | "no-address" | "beacon" | "asked" | "driver";

export type NetworkEvent =
  /** An address is there: packets can leave. `rssiDbm` as last heard. */
  | { readonly ev: "up"; readonly rssiDbm: number }
  /** No connection any more, or a try came to nothing. `heard`: access points of anybody in the last scan. */
  | { readonly ev: "down"; readonly why: NetworkLoss; readonly heard: number }
  /** How the access point is heard now; told from time to time while connected. */
  | { readonly ev: "signal"; readonly rssiDbm: number }
  /** A datagram from a time server, in answer to the `askTime` with this number. */
  | { readonly ev: "time"; readonly id: number; readonly bytes: Uint8Array };

export interface NetworkPort {
  /** Begins one try to reach the configured access point; ends in one `up` or `down`. */
  connect(): void;
  /** Leaves the access point; lease and DNS answers are forgotten. No `down` follows. */
  disconnect(): void;
  /** Radio off, driver torn down and started anew. No `down` follows. */
  reinit(): void;
  /** Sends 48 bytes to a time server, UDP port 123. What is lost is never told. */
  askTime(id: number, server: string, bytes: Uint8Array): void;
  /** Sets the module's clock, and with it {@link Now.utcMs}. */
  setClock(utcMs: number): void;
}
