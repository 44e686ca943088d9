import { uniformInt } from "../base/random.js";
import type { Now, RandomPort } from "../ports/time.js";
import { DELAY_CAPABILITY_MS } from "./regions.js";

/** The random delay as it can be read from outside. */
export interface DelayStatus {
  readonly enabled: boolean;
  readonly maxMs: number;
  readonly running: boolean;
  /** What it delays: `change`, `plug-in`, `power-restored`; "" when none runs. */
  readonly cause: string;
  readonly totalMs: number;
  readonly remainingMs: number;
}

/** From outside: enable, disable and cancel (the running one only) as EVerest has them, and the greatest length. */
export type DelayOrder =
  | { readonly verb: "enable" }
  | { readonly verb: "disable" }
  | { readonly verb: "cancel" }
  | { readonly verb: "set-max"; readonly maxMs: number };

/**
 * The countdown before a change of load (UK Electric Vehicles (Smart Charge Points) Regulations 2021): uniform
 * over 0…max in whole seconds, drawn when the change is wanted.
 */
export class RandomDelay {
  enabled: boolean;
  maxMs: number;
  private startedMs = 0;
  private untilMs = 0;
  private why = "";

  constructor(enabled: boolean, maxMs: number) {
    this.enabled = enabled;
    this.maxMs = maxMs;
  }

  /** True where changes are to be delayed at all. */
  get active(): boolean {
    return this.enabled && this.maxMs >= 1000;
  }

  get running(): boolean {
    return this.why !== "";
  }

  get cause(): string {
    return this.why;
  }

  /** When the running one ends, monotonic ms. */
  get endsMs(): number {
    return this.untilMs;
  }

  begin(cause: string, random: RandomPort, now: Now): void {
    this.why = cause;
    this.startedMs = now.ms;
    this.untilMs = now.ms + 1000 * uniformInt(random, Math.floor(this.maxMs / 1000));
  }

  end(): void {
    this.why = "";
  }

  /** False where the order is out of range. The running countdown keeps its length under a new maximum. */
  order(order: DelayOrder): boolean {
    if (order.verb === "set-max") {
      if (!(order.maxMs >= 0 && order.maxMs <= DELAY_CAPABILITY_MS)) return false;
      this.maxMs = Math.round(order.maxMs / 1000) * 1000;
      return true;
    }
    if (order.verb === "enable") this.enabled = true;
    else this.end();
    if (order.verb === "disable") this.enabled = false;
    return true;
  }

  status(now: Now): DelayStatus {
    const { running } = this;
    return {
      enabled: this.enabled,
      maxMs: this.maxMs,
      running,
      cause: this.why,
      totalMs: running ? this.untilMs - this.startedMs : 0,
      remainingMs: running ? Math.max(0, this.untilMs - now.ms) : 0,
    };
  }
}
