/**
 * Protocol-neutral demand response. This folder guarantees: at any moment there is exactly one intent in
 * force, it has a source and a reason in words, and the stored schedule that it follows from survives a
 * restart. It knows no upstream protocol and no CTA-2045.
 */

/** What an event asks for while an interval of it runs. */
export type Ask =
  | { readonly ask: "normal" }
  | { readonly ask: "shed" }
  | { readonly ask: "critical-peak" }
  /** Everything off; only where the programme permits it, else translated as critical peak. */
  | { readonly ask: "emergency" }
  | {
      readonly ask: "limit";
      /**
       * Fraction 0…1 of `reference`, or watts, or amperes; `change-W`: watts more (> 0) or less (< 0) than the mean of
       * the 5 min before.
       */
      readonly unit: "fraction" | "W" | "A" | "change-W";
      readonly value: number;
      /** For fractions: of the device's rated power, of the installer's maximum, or of the mean of the 5 min before. */
      readonly reference: "rated" | "installer" | "dynamic";
      /** Phases that a limit in watts or amperes is meant for; undefined = as configured. */
      readonly phases?: 1 | 2 | 3;
    }
  | { readonly ask: "load-up" }
  | {
      readonly ask: "price";
      /** Relative to the normal price (1.0), or undefined where only the absolute price is known. */
      readonly relative: number | undefined;
      readonly absolute: number | undefined;
      /** ISO 4217, e.g. "USD", or "". */
      readonly currency: string;
    }
  | { readonly ask: "guidance"; readonly level: 0 | 1 | 2 }
  | { readonly ask: "reboot"; readonly kind: 0 | 1 }
  | { readonly ask: "override"; readonly on: boolean };

export interface GridInterval {
  /** Milliseconds from the event's start. */
  readonly offsetMs: number;
  /** Infinity = open. */
  readonly durationMs: number;
  readonly ask: Ask;
}

/** The random delay that the source asks for: 0…w or −w…+w, uniform, drawn once per event and revision. */
export interface Randomisation {
  readonly windowMs: number;
  readonly law: "after" | "around";
}

export interface GridEvent {
  /** Unique within its source. */
  readonly id: string;
  /** Grows with every change: modificationNumber, or the modification time. */
  readonly revision: number;
  /** The upstream's id, or "local", "owner". */
  readonly source: string;
  /** Market context or programme name; "" where the protocol has none. */
  readonly programme: string;
  /** One internal scale: 0 = lowest … 1,000,000 = highest. Upstream folders convert to it. */
  readonly rank: number;
  readonly test: boolean;
  /** UTC ms, or "now" for an event that starts when it is received, whatever the clock says. */
  readonly start: number | "now";
  /** In order, not overlapping. */
  readonly intervals: readonly GridInterval[];
  /**
   * The event's own duration where it is not the sum of its intervals, ms: shorter cuts them off, longer
   * repeats them (OpenADR 3 User Guide 7.3). Infinity = repeats until cancelled. Undefined = the sum.
   */
  readonly totalMs?: number;
  readonly randomise: Randomisation | undefined;
  /** Ramp before (> 0) or after (< 0) the start, and how long before the start it was to be known; ms. */
  readonly rampUpMs: number;
  readonly notificationMs: number;
  /** Whether the programme permits Grid Emergency (contactor open, no override by the customer). */
  readonly emergencyPermitted: boolean;
  /** When the source made it, UTC ms; decides between equals ("later wins"). */
  readonly createdUtcMs: number;
  /** The source cancelled it; it is stored until its end has been carried out. */
  readonly cancelled: boolean;
  /** The source has applied its own random delay already. */
  readonly delayApplied: boolean;
}

/** What the core did with an event of a snapshot: the upstream answers its server with it. */
export interface EventVerdict {
  readonly id: string;
  readonly revision: number;
  readonly verdict: "new" | "changed" | "unchanged" | "stale" | "cancelled" | "refused";
  /** Stable code for `refused`: `too-many-events`, `too-many-intervals`, `bad-interval` …; "" otherwise. */
  readonly why: string;
  /** The owner may not override it. */
  readonly binding?: true;
}
