import type { Json } from "./frames.js";
import { isObject } from "./frames.js";
import type { Keys } from "./keys.js";
import type { CallOutcome } from "./rpc-link.js";
import type { ChargeSession, Time } from "./session.js";
import type { TxMessage } from "./tx-store.js";

/** Sends the messages about transactions in their order, each until the platform has it or it is given up. */
export class TxSender {
  /** Not before this monotonic time. */
  dueMs = 0;

  constructor(
    private readonly session: ChargeSession,
    private readonly keys: Keys,
    private readonly warn: (text: string) => void,
  ) {}

  /** When the oldest message is to be sent; undefined where none waits. */
  nextMs(): number | undefined {
    return this.session.store.first === undefined ? undefined : this.dueMs;
  }

  /**
   * A transaction that has just begun or ended, which comes before the status that follows from it; a backlog does
   * not.
   */
  get isNews(): boolean {
    const { messages } = this.session.store;
    return messages.length <= 2 && messages[0]?.action !== "MeterValues";
  }

  /** The message to send now, and its payload with the platform's number of the transaction. */
  next(nowMs: number): { readonly message: TxMessage; readonly payload: Json } | undefined {
    const { store } = this.session;
    const message = store.first;
    if (message === undefined || nowMs < this.dueMs) return undefined;
    if (message.action === "StartTransaction") return { message, payload: message.payload };
    // −1 where the platform has never given a number: the message is true even so.
    return {
      message,
      payload: { ...message.payload, transactionId: store.numberOf(message.tx) ?? -1 },
    };
  }

  answered(message: TxMessage, outcome: CallOutcome, time: Time): void {
    if (outcome.is === "lost") return;
    if (outcome.is !== "result") {
      this.failed(message, time);
      return;
    }
    const { session } = this;
    if (message.action !== "StartTransaction") {
      session.store.done(message);
      return;
    }
    const { transactionId } = outcome.payload;
    if (typeof transactionId !== "number") {
      this.failed(message, time);
      return;
    }
    session.store.started(message, transactionId);
    session.changed = true;
    // The platform has a transaction with an idTag that it does not take (OCPP 1.6, 4.8).
    const status = idTagStatus(outcome.payload);
    if (status === undefined || status === "Accepted") return;
    if (session.store.transaction?.tx !== message.tx) return;
    if (this.keys.flag("StopTransactionOnInvalidId")) session.stop("DeAuthorized", time);
    else session.suspendInvalid(time.ms);
  }

  /** Tried again later, and given up after so many attempts as the platform has set (OCPP 1.6, 3.7.1). */
  private failed(message: TxMessage, time: Time): void {
    const { store } = this.session;
    store.failed(message);
    if (message.failures >= this.keys.number("TransactionMessageAttempts")) {
      this.warn(`${message.action} is given up: the platform does not take it.`);
      store.done(message);
      return;
    }
    this.dueMs = time.ms + this.keys.number("TransactionMessageRetryInterval") * 1000 * message.failures;
  }
}

/** The status of an answer's idTagInfo. */
export function idTagStatus({ idTagInfo }: Json): string | undefined {
  const status = isObject(idTagInfo) ? idTagInfo["status"] : undefined;
  return typeof status === "string" ? status : undefined;
}
