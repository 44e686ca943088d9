/**
 * Services on the local network (multicast DNS, DNS-SD). No driver serves this port yet: it is the place for one.
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
