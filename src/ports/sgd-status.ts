/**
 * What is known of the appliance (the smart grid device, SGD): the plain data that goes up from the session
 * to reports, opt-outs, the panel and the journal. A snapshot; whoever wants changes compares two.
 */

/** How far the load command in force has got. `verified` alone means that the appliance was seen to obey. */
export type LoadResult =
  /** Not yet sent, or no link. */
  | "waiting"
  /** Sent; the application has acknowledged. No proof of anything (CTA-2045 Basic DR, App ACK). */
  | "acknowledged"
  /** The operational state, and the power where reported, show it. */
  | "verified"
  /** Acknowledged, yet state or power contradict after the settling time. */
  | "unverified"
  /** Every command of the chain was refused. */
  | "refused"
  /** The customer has opted out at the appliance. */
  | "overridden"
  /** No answer from the appliance. */
  | "failed";

export interface SgdIdentity {
  /** CTA-2045 device type, e.g. 0x1102 = EVSE Level 2. */
  readonly deviceType: number;
  readonly vendorId: number;
  readonly revision: number;
  /** 32-bit capability bitmap, cta2045 section 5.3. */
  readonly capabilities: number;
  /** "A", "B" … as the appliance gives it. */
  readonly version: string;
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
}

export interface LoadStatus {
  /** Name of the command last tried: `Shed`, `CriticalPeak`, `EndShed`, `PowerLevel`, `LoadUp`, `GridEmergency`. */
  readonly command: string;
  /** Its opcode2. */
  readonly arg: number;
  readonly result: LoadResult;
  /** 0 = the wanted command, 1 … = that fallback. */
  readonly step: number;
  /** The wish it serves, as the asker named it. */
  readonly wish: string;
  readonly sinceMs: number;
  /** For a refusal: NAK or application reason, in words. */
  readonly text: string;
}

export interface SgdStatus {
  /** `absent`: nothing ever answered or 15 min of silence; `discovering`; `online`. */
  readonly link: "absent" | "discovering" | "online";
  readonly identity: SgdIdentity | undefined;
  /** Operational state code 0–14 or manufacturer's 126–255; undefined until reported. */
  readonly opState: number | undefined;
  readonly opStateAtMs: number;
  /** The customer has opted out at the appliance (opcode 11, NAK reason 5 or state 11/12). */
  readonly override: boolean;
  /**
   * For upstreams: where `override` is the owner's order at the module alone (override, or a pause of this upstream), its
   * monotonic end, ms. What the owner may not override stands against it.
   */
  readonly overrideEndsMs?: number | undefined;
  /** Electric power now, watts, and energy ever consumed, watt hours: commodity 0. */
  readonly powerW: number | undefined;
  readonly energyWh: number | undefined;
  readonly meteredAtMs: number;
  /** True where the appliance says that the figure is measured, not estimated. */
  readonly measured: boolean;
  /** Commodity 8, watts. */
  readonly ratedW: number | undefined;
  /** Commodity 6 and 7, watt hours: total and present room for energy. */
  readonly storageTotalWh: number | undefined;
  readonly storagePresentWh: number | undefined;
  readonly load: LoadStatus | undefined;
}
