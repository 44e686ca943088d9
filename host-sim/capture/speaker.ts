import { BasicOp } from "../../src/wire/message.js";
import type { Sender } from "./record.js";

/** Basic DR that only a module says, and that only an appliance says (cta2045 section 4). */
const ofModule: ReadonlySet<number> = new Set([
  BasicOp.Shed,
  BasicOp.EndShed,
  BasicOp.PowerLevel,
  BasicOp.PresentPrice,
  BasicOp.NextPrice,
  BasicOp.PriceTimeRemaining,
  BasicOp.CriticalPeak,
  BasicOp.GridEmergency,
  BasicOp.GridGuidance,
  BasicOp.OutsideComm,
  BasicOp.QueryState,
  BasicOp.TimeSync,
  BasicOp.LoadUp,
  BasicOp.PendingEventTime,
  BasicOp.PendingEventType,
]);
const ofCharger: ReadonlySet<number> = new Set([
  BasicOp.CustomerOverride,
  BasicOp.State,
  BasicOp.Sleep,
  BasicOp.Wake,
]);
/** Intermediate requests that only a module makes: information and commodity. */
const asksOfModule: ReadonlySet<number> = new Set([0x01, 0x06]);

/**
 * Says who spoke on a line where both are heard alike, from what was said: a Shed is a module's, a state an
 * appliance's, an answer comes from whom the frame before it did not. What both may say (type queries, data-link
 * requests) stays unknown, and so does its answer; nothing is guessed.
 */
export class SpeakerOf {
  /** Who sent the last whole frame, and who the last that wants a reply of the application. */
  #last: Sender = "unknown";
  #asker: Sender = "unknown";

  of(bytes: Uint8Array, isWhole: boolean): Sender {
    if (!isWhole) {
      // Whoever it was: what follows may answer it.
      this.#last = this.#asker = "unknown";
      return "unknown";
    }
    if (bytes.length === 2) {
      const answerer = other(this.#last);
      this.#last = "unknown";
      return answerer;
    }
    const sender = this.#frame(bytes);
    this.#last = sender;
    return sender;
  }

  #frame(bytes: Uint8Array): Sender {
    const [, type, , , op = -1, arg = 0] = bytes;
    if (bytes[0] !== 0x08 || bytes.length < 8) return this.#asks("unknown");
    if (type === 0x01) {
      if (op === BasicOp.AppAck || op === BasicOp.AppNak) return this.#replies();
      // A state answers a query, or is told unasked; either way the appliance says it, and a module acknowledges it.
      const sender = ofModule.has(op) ? "module" : ofCharger.has(op) ? "charger" : "unknown";
      return this.#asks(sender);
    }
    if (type === 0x02) {
      if ((arg & 0x80) !== 0) return this.#replies();
      return this.#asks(asksOfModule.has(op) ? "module" : "unknown");
    }
    return this.#asks("unknown");
  }

  #asks(sender: Sender): Sender {
    this.#asker = sender;
    return sender;
  }

  #replies(): Sender {
    const sender = other(this.#asker);
    this.#asker = "unknown";
    return sender;
  }
}

function other(sender: Sender): Sender {
  return sender === "module" ? "charger" : sender === "charger" ? "module" : "unknown";
}
