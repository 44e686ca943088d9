/**
 * The running transaction and the messages about transactions that the platform does not have yet, as they survive a
 * power cut at any point. Each message is a record; which of them count, in which order, and which transaction runs
 * stands in one more record, whose writing is the moment at which something has happened.
 */
import { openJson, sealJson } from "../base/json.js";
import type { StorePort } from "../ports/time.js";
import type { Json } from "./frames.js";

export type TxAction = "StartTransaction" | "MeterValues" | "StopTransaction";

/** A message about a transaction. `payload` lacks the transaction's number, which the platform gives. */
export interface TxMessage {
  readonly slot: number;
  readonly action: TxAction;
  /** The same at each attempt, so that the platform can know a repetition (OCPP-J 1.6, 4.1.4). */
  readonly messageId: string;
  /** Our own number of the transaction. */
  readonly tx: number;
  readonly payload: Json;
  /** Answered with an error, or not at all, so often. */
  failures: number;
}

export interface Transaction {
  /** Our own number. */
  readonly tx: number;
  readonly idTag: string;
  readonly startUtcMs: number;
  readonly startWh: number;
  /** Meter as last written down, Wh. */
  lastWh: number;
  /** Given by the platform. */
  transactionId: number | undefined;
}

/** All records together; of 130 to 350 characters each, they take 14 KB of the module's store. */
const SLOTS = 64;
/** So many are left to starts and stops. */
const MOST_METER_VALUES = 16;

type Head = readonly [
  2,
  readonly number[],
  readonly [number, string, number, number, number, number | null] | null,
  readonly (readonly [number, number])[],
  number,
];

export class TxStore {
  /** Waiting messages, oldest first. */
  readonly messages: TxMessage[] = [];
  transaction: Transaction | undefined;
  /** Meter values that found no room. */
  dropped = 0;
  /** The platform's numbers of transactions that have ended and of which messages still wait. */
  private readonly numbers: [number, number][] = [];
  private nextTx = 1;
  /** Slots that hold a record, as bits. */
  private readonly used = new Uint8Array(SLOTS);
  /** Kept in RAM alone while the platform listens: a meter value in flight is not worth a write to flash. */
  private readonly light: TxMessage[] = [];

  constructor(
    private readonly store: StorePort,
    private readonly prefix: string,
  ) {
    const head = openJson(store.get(this.prefix)) as Head | undefined;
    if (!Array.isArray(head) || head[0] !== 2) return;
    const [, order, running, numbers, nextTx] = head;
    this.nextTx = nextTx;
    for (const pair of numbers) this.numbers.push([pair[0], pair[1]]);
    if (running !== null) {
      const [tx, idTag, startUtcMs, startWh, lastWh, transactionId] = running;
      this.transaction = {
        ...{ tx, idTag, startUtcMs, startWh, lastWh },
        transactionId: transactionId ?? undefined,
      };
    }
    for (const slot of order) {
      const record = openJson(store.get(this.key(slot))) as
        [TxAction, string, number, Json, number] | undefined;
      if (!Array.isArray(record)) continue;
      const [action, messageId, txOf, payload, failures] = record;
      this.used[slot] = 1;
      this.messages.push({ slot, action, messageId, tx: txOf, payload, failures });
    }
  }

  get first(): TxMessage | undefined {
    return this.messages[0];
  }

  /** The platform's number of a transaction, or undefined while it has given none. */
  numberOf(tx: number): number | undefined {
    if (this.transaction?.tx === tx) return this.transaction.transactionId;
    return this.numbers.find((pair) => pair[0] === tx)?.[1];
  }

  /** False where there is no room for another transaction. */
  begin(idTag: string, startUtcMs: number, startWh: number, messageId: string, payload: Json): boolean {
    const slot = this.freeSlot();
    if (slot < 0) return false;
    const tx = this.nextTx++;
    const message: TxMessage = { slot, action: "StartTransaction", messageId, tx, payload, failures: 0 };
    this.write(message);
    this.messages.push(message);
    this.transaction = { tx, idTag, startUtcMs, startWh, lastWh: startWh, transactionId: undefined };
    this.commit();
    return true;
  }

  /** Adds meter values of the running transaction. `light`: in RAM until the connection is lost. */
  meter(messageId: string, payload: Json, lastWh: number, light: boolean): void {
    const { transaction } = this;
    if (transaction === undefined) return;
    if (this.messages.reduce((n, one) => n + Number(one.action === "MeterValues"), 0) >= MOST_METER_VALUES) {
      this.dropped++;
      return;
    }
    const slot = this.freeSlot();
    if (slot < 0) {
      this.dropped++;
      return;
    }
    const { tx } = transaction;
    const message: TxMessage = { slot, action: "MeterValues", messageId, tx, payload, failures: 0 };
    this.messages.push(message);
    transaction.lastWh = lastWh;
    if (light) {
      this.used[slot] = 1;
      this.light.push(message);
      return;
    }
    this.write(message);
    this.commit();
  }

  /** The running transaction ends; what waits in RAM alone is written down with it. */
  end(messageId: string, payload: Json): void {
    const { transaction } = this;
    if (transaction === undefined) return;
    const { tx, transactionId } = transaction;
    let slot = this.freeSlot();
    if (slot < 0) {
      // A stop is worth more than any meter value.
      const meter = this.messages.findIndex((one) => one.action === "MeterValues");
      if (meter < 0) return;
      slot = this.messages[meter]!.slot;
      this.done(this.messages[meter]!);
      this.dropped++;
    }
    this.keepAll();
    const message: TxMessage = { slot, action: "StopTransaction", messageId, tx, payload, failures: 0 };
    this.write(message);
    this.messages.push(message);
    if (transactionId !== undefined) this.numbers.push([tx, transactionId]);
    this.transaction = undefined;
    this.commit();
  }

  /** The platform has taken the start of a transaction and given it a number. */
  started(message: TxMessage, transactionId: number): void {
    const { transaction } = this;
    if (transaction?.tx === message.tx) transaction.transactionId = transactionId;
    else this.numbers.push([message.tx, transactionId]);
    this.done(message);
  }

  /** The platform has a message, or it is given up. */
  done(message: TxMessage): void {
    const at = this.messages.indexOf(message);
    if (at < 0) return;
    this.messages.splice(at, 1);
    const light = this.light.indexOf(message);
    if (light >= 0) {
      this.light.splice(light, 1);
      this.used[message.slot] = 0;
      return;
    }
    if (message.action === "StopTransaction") this.forgetNumber(message.tx);
    this.commit();
    this.used[message.slot] = 0;
    this.store.delete(this.key(message.slot));
  }

  /** A failed attempt is remembered, so that a restart does not try for ever. */
  failed(message: TxMessage): void {
    message.failures++;
    if (!this.light.includes(message)) this.write(message);
  }

  /** The connection is lost: from now on everything that waits is on record. */
  keepAll(): void {
    if (this.light.length === 0) return;
    for (const message of this.light) this.write(message);
    this.light.length = 0;
    this.commit();
  }

  private forgetNumber(tx: number): void {
    const at = this.numbers.findIndex((pair) => pair[0] === tx);
    if (at >= 0) this.numbers.splice(at, 1);
  }

  private commit(): void {
    const { transaction: t } = this;
    const running =
      t === undefined
        ? null
        : ([t.tx, t.idTag, t.startUtcMs, t.startWh, t.lastWh, t.transactionId ?? null] as const);
    const order: number[] = [];
    for (const message of this.messages) if (!this.light.includes(message)) order.push(message.slot);
    const head: Head = [2, order, running, this.numbers, this.nextTx];
    this.store.set(this.prefix, sealJson(head));
  }

  private write({ slot, action, messageId, tx, payload, failures }: TxMessage): void {
    this.used[slot] = 1;
    this.store.set(this.key(slot), sealJson([action, messageId, tx, payload, failures]));
  }

  private freeSlot(): number {
    return this.used.indexOf(0);
  }

  private key(slot: number): string {
    return `${this.prefix}${String(slot)}`;
  }
}
