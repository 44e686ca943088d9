import type { CsmsCore } from "./core.js";
import type { LimitWish, Order } from "./requests.js";

export type Json = Readonly<Record<string, unknown>>;

/** The charging platform, running. */
export interface Csms {
  /** For `url` of the module's configuration; the identity is added by the charge point. */
  readonly url: string;
  readonly api: string;
  /** Paths of generated files. */
  readonly ca: string;
  readonly passwordFile: string;
  readonly clientCert: string;
  readonly clientKey: string;
  readonly core: CsmsCore;
  /** Messages that broke the schemas, and frames that broke OCPP-J. */
  readonly faults: readonly string[];
  /** Charge points that are connected. */
  connected(): readonly string[];
  /** Asks a charge point; a CALLERROR or no answer rejects. Without `id`: the only one there is. */
  ask(order: Order, id?: string): Promise<Json>;
  setLimit(wish: LimitWish, id?: string): Promise<Json>;
  clearLimits(purpose?: string, id?: string): Promise<Json>;
  /** Serial number of the client certificate that a charge point showed; undefined where it showed none. */
  certificateOf(id: string): string | undefined;
  /** From now on this password counts. */
  setPassword(password: string): void;
  /** Ends all connections; charge points come back by themselves. */
  dropAll(): void;
  close(): Promise<void>;
}
