import type { LinkCommand } from "../link/messages.js";
import type { LoadStatus, SgdStatus } from "../ports/sgd-status.js";
import type { RandomPort } from "../ports/time.js";
import type { Answer } from "./job.js";
import type { SgdOrder } from "./messages.js";
import type { SgdSettings } from "./settings.js";

/** What happened, for logs and the journal; the state of things is in {@link SgdStatus}. */
export type SgdSessionEvent =
  /** The load command in force got further. */
  | { readonly event: "load"; readonly load: LoadStatus }
  /** End Shed is owed, or no longer: keep it over a restart (`previousLoad`). */
  | { readonly event: "owed"; readonly owed: boolean }
  | { readonly event: "link"; readonly link: SgdStatus["link"] }
  | { readonly event: "override"; readonly on: boolean }
  | { readonly event: "sleep" | "wake" }
  /** After a reboot both sides are back at start-up. */
  | { readonly event: "reboot"; readonly by: "module" | "appliance"; readonly kind: number }
  /** An order that the appliance did not take. */
  | { readonly event: "order-failed"; readonly order: SgdOrder["order"]; readonly why: Answer["is"] };

export interface SgdSessionOptions {
  readonly emit: (command: LinkCommand) => void;
  /** What is not given is as in `DEFAULT_SGD_SETTINGS`. */
  readonly settings: Partial<SgdSettings>;
  readonly random: RandomPort;
  readonly onStatus: (status: SgdStatus) => void;
  readonly onEvent?: (event: SgdSessionEvent) => void;
  /**
   * What the appliance was last told before this start: `normal` = End Shed, and it was seen to be done;
   * `other` or `unknown` (default) = End Shed is owed if the wish is normal.
   */
  readonly previousLoad?: "normal" | "other" | "unknown";
}
