/**
 * The customer's override, seen in three ways: opcode 11 from the appliance, application NAK reason 5, and the
 * opted-out states 11 and 12. It ends by `11 00`, by a state that is not opted out, or after 12 h.
 *
 * "A state that is not opted out" needs care: some appliances keep answering 0 or 1 while they are overridden
 * and never use 11 or 12 (cta2045 4.5). So a state ends the override where it shows the appliance in an event,
 * where the appliance has been seen to use 11 or 12, or where the appliance reports the change unasked.
 */
import { NEVER } from "../ports/time.js";
import { isOptedOut } from "../wire/basic.js";
import { isInEvent } from "./codes.js";

export class Override {
  on = false;
  #endsMs = NEVER;
  #sinceMs = 0;
  #usesStates = false;

  /** Opcode 11, or NAK reason 5. */
  notice(on: boolean, nowMs: number, lastsMs: number): void {
    if (on) {
      if (!this.on) {
        this.#sinceMs = nowMs;
        this.#usesStates = false;
      }
      this.#endsMs = nowMs + lastsMs;
    }
    this.on = on;
  }

  /** A state was reported; `unasked` where the appliance did so on its own. */
  state(state: number, unasked: boolean, nowMs: number, lastsMs: number): void {
    if (isOptedOut(state)) {
      if (!this.on) this.notice(true, nowMs, lastsMs);
      this.#usesStates = true;
    } else if (this.on) {
      const meant = unasked && nowMs - this.#sinceMs > 2_000;
      if (this.#usesStates || isInEvent(state) || meant) this.on = false;
    }
  }

  /** Ends an override that nothing else has ended. */
  poll(nowMs: number): void {
    if (this.on && nowMs >= this.#endsMs) this.on = false;
  }

  nextMs(): number {
    return this.on ? this.#endsMs : NEVER;
  }
}
