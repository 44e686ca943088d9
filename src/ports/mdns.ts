/**
 * Services on the local network (multicast DNS, DNS-SD). What is found was said by anybody on that network: it is an
 * address to try, never a reason to trust. On a computer host-sim/net/node-mdns.ts serves it; no driver on the chip yet.
 */
export interface MdnsPort {
  /** Begins to look for a service such as `_openadr3._tcp`; what is found comes as {@link MdnsEvent}. */
  browse(service: string): void;
  stop(service: string): void;
}

export interface MdnsEvent {
  readonly service: string;
  readonly instance: string;
  /** Host name of the SRV record, without the dot at its end, and its port. */
  readonly host: string;
  readonly port: number;
  /** The character strings of the TXT record, in order. */
  readonly txt: readonly string[];
}
