/**
 * What the rest of the module says to the session with the appliance: wishes, not commands. A wish is the
 * state that should hold; the session sends what is needed, verifies, falls back, re-sends after a re-plug
 * and re-asserts before a duration lapses. Plain and copyable, like everything that crosses a folder.
 */

/** How a step is known to have worked. Empty `states` = state is not looked at. */
export interface Verification {
  /** Operational states that show obedience. */
  readonly states: readonly number[];
  /**
   * States that show it only while nothing is consumed: no car, or none that charges. Power proves it where
   * the appliance reports power; where it does not, a state that itself says "idle" does.
   */
  readonly idleStates?: readonly number[];
  /** Power must be at or under this, watts, where the appliance reports power; undefined = not looked at. */
  readonly maxPowerW: number | undefined;
  /** Time the appliance has to get there after its ACK, ms. */
  readonly settleMs: number;
}

/** One Basic DR command that would serve the wish. */
export interface LoadStep {
  /** opcode1. */
  readonly op: number;
  /** opcode2 where it is no duration; undefined = encode the time left until the wish's `endsAtMs` (0 = unknown). */
  readonly arg: number | undefined;
  readonly verify: Verification;
  /** Acknowledged, yet not obeyed: `stay` (default) sends it again later, `next` goes on down the chain. */
  readonly onUnverified?: "stay" | "next";
  /** `next`: the customer may not override this; where the appliance lets him, the next step follows. */
  readonly onOverridden?: "stay" | "next";
  /** For a power level: what it aims at, so that it can be held against the measured power and corrected once. */
  readonly level?: PowerLevelAim;
}

/**
 * The aim of a Request for Power Level. The standard counts it from the rated power; chargers exist that count
 * from the installer's maximum. Seen too high, the level is lowered in proportion, once; seen too low though the
 * car drew more just before, `alternativeArg` is tried, once.
 */
export interface PowerLevelAim {
  readonly targetW: number;
  /** The level that would be right if the appliance counted from the installer's maximum; undefined = the same. */
  readonly alternativeArg: number | undefined;
  /** What such an appliance gives to the level as it stands, watts: the sign to know it by. */
  readonly otherwiseW?: number | undefined;
}

/** What the load should do now. */
export interface LoadWish {
  /** Names the wish: the same key means the same wish, nothing is sent again for it. */
  readonly key: string;
  /** First the wanted command, then its fallbacks in order. */
  readonly steps: readonly LoadStep[];
  /** Monotonic end, for durations; undefined = open. */
  readonly endsAtMs: number | undefined;
  /** Which event this serves, for logs. */
  readonly source: string;
}

/** Low-priority information for the appliance; each kind is sent on change and again after Wake or re-plug. */
export interface Information {
  /** Outside comm status: 0 lost, 1 good, 2 poor. Re-sent every 60 s by the session. */
  readonly outsideComm: 0 | 1 | 2;
  /** Price bytes (opcode 07, 08) and seconds left (09); undefined = not in force. */
  readonly presentPrice: number | undefined;
  readonly nextPrice: number | undefined;
  readonly priceEndsAtMs: number | undefined;
  /** 0 bad, 1 neutral, 2 good. */
  readonly guidance: 0 | 1 | 2 | undefined;
  /** The next event: when (monotonic) and which opcode1. */
  readonly pending: { readonly atMs: number; readonly op: number } | undefined;
}

/** One-off orders. */
export type SgdOrder =
  | { readonly order: "reboot"; readonly kind: 0 | 1 }
  | { readonly order: "override"; readonly on: boolean }
  | { readonly order: "rediscover" };
