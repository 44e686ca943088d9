/** Asking regularly: operational state and commodities, and what the discovery could not get. */
import { NEVER } from "../ports/time.js";
import { BasicOp } from "../wire/message.js";
import type { Facts } from "./facts.js";
import type { Job } from "./job.js";
import type { SgdSettings } from "./settings.js";

/** An appliance that sleeps is asked so much less often. */
const ASLEEP = 5;
/** GetInformation that was not answered in the discovery is asked again so often. */
const INFORMATION_MS = 300_000;

export class Poll {
  #stateDueMs = NEVER;
  #commodityDueMs = NEVER;
  #informationDueMs = NEVER;

  constructor(
    private readonly facts: Facts,
    private readonly settings: SgdSettings,
  ) {}

  /** The discovery, which has just read everything, is over. */
  up(nowMs: number): void {
    this.#stateDueMs = nowMs + this.paced(this.settings.statePollMs);
    this.#commodityDueMs = nowMs + this.paced(this.settings.commodityPollMs);
    this.#informationDueMs = nowMs + INFORMATION_MS;
  }

  down(): void {
    this.#stateDueMs = this.#commodityDueMs = this.#informationDueMs = NEVER;
  }

  /** Somebody has just got a state; no need to ask for some time. A change asks for the power that goes with it. */
  stateSeen(changed: boolean, nowMs: number): void {
    if (this.#stateDueMs === NEVER) return;
    this.#stateDueMs = nowMs + this.paced(this.settings.statePollMs);
    if (changed) this.#commodityDueMs = Math.min(this.#commodityDueMs, nowMs + this.settings.settleQueryMs);
  }

  /** Something was told to the appliance: unless somebody else asks, its state is of interest. */
  soon(nowMs: number): void {
    if (this.#stateDueMs === NEVER) return;
    this.#stateDueMs = Math.min(this.#stateDueMs, nowMs + this.settings.settleQueryMs);
  }

  metered(nowMs: number): void {
    if (this.#commodityDueMs !== NEVER) {
      this.#commodityDueMs = nowMs + this.paced(this.settings.commodityPollMs);
    }
  }

  next(nowMs: number): Job | undefined {
    if (nowMs >= this.#stateDueMs) {
      this.#stateDueMs = nowMs + this.paced(this.settings.statePollMs);
      if (!this.facts.refuses(BasicOp.QueryState)) return { awaits: "state", by: "poll" };
    }
    if (nowMs >= this.#commodityDueMs) {
      this.metered(nowMs);
      if (this.facts.metersPower) return { awaits: "commodity", by: "poll" };
    }
    if (nowMs >= this.#informationDueMs) {
      this.#informationDueMs = nowMs + INFORMATION_MS;
      if (this.facts.intermediate && this.facts.identity === undefined) return { awaits: "information" };
    }
    return undefined;
  }

  nextMs(): number {
    return Math.min(this.#stateDueMs, this.#commodityDueMs, this.#informationDueMs);
  }

  private paced(ms: number): number {
    return this.facts.asleep ? ms * ASLEEP : ms;
  }
}
