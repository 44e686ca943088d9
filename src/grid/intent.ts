import type { Ask } from "./event.js";

/** The one thing that is wanted of the charger now. `ask` is never price, reboot or override: those stand beside it. */
export interface Intent {
  readonly ask: Ask;
  /** Upstream id, "local", "owner", or "none" when nothing is in force. */
  readonly source: string;
  readonly eventId: string;
  readonly revision: number;
  /** A sentence that a customer understands. */
  readonly reason: string;
  /** UTC ms of begin and end of the present interval; undefined = unknown or open. */
  readonly beganUtcMs: number | undefined;
  readonly endsUtcMs: number | undefined;
  /** Monotonic end, ms, for durations; undefined = open. */
  readonly endsAtMs: number | undefined;
  readonly emergencyPermitted: boolean;
  /** The customer may not override it, at the appliance neither; absent = he may. */
  readonly binding?: true | undefined;
}

/** Price and guidance in force beside the intent, and the next event, for the appliance's display. */
export interface Outlook {
  readonly price:
    { readonly relative: number | undefined; readonly endsAtMs: number | undefined } | undefined;
  readonly nextPrice: { readonly relative: number | undefined } | undefined;
  readonly guidance: 0 | 1 | 2 | undefined;
  readonly next: { readonly ask: Ask; readonly atMs: number; readonly source: string } | undefined;
}
