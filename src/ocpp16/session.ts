/**
 * Charging as OCPP sees it: when a transaction begins and ends, what is metered, and what keeps the car from
 * charging. The rules, and where they are guesses, stand in docs/ocpp16.md.
 */
import { openJson, sealJson } from "../base/json.js";
import { DAY_MS } from "../base/iso8601.js";
import type { SgdStatus } from "../ports/sgd-status.js";
import { NEVER, type StorePort } from "../ports/time.js";
import type { Ocpp16Config } from "./config.js";
import { Connector, type Told } from "./connector.js";
import type { Json } from "./frames.js";
import { formatInstant } from "./instant.js";
import type { Keys } from "./keys.js";
import { Meter, meterValue, type Reading, type SampleContext } from "./meter.js";
import { TxStore } from "./tx-store.js";

/** Time with the platform's clock in it; `utcMs` undefined while neither clock is known. */
export interface Time {
  readonly ms: number;
  readonly utcMs: number | undefined;
}

export type StopReason = "EVDisconnected" | "Remote" | "SoftReset" | "HardReset" | "DeAuthorized" | "Other";

/** Why nothing may be charged although nobody limits it. */
export type Hold = "" | "remote-stop" | "invalid-id";

/** Without evidence of the cable, a transaction ends after so long without charging, ms. */
const IDLE_MS = 30 * 60_000;
/** A car that the customer's override has charge against a hold for so long begins anew; a charger that does not stop does not. */
const DEFIANT_MS = 60_000;
/** Without evidence of the cable, a hold is not kept for ever: another car may have come. */
const HOLD_MS = 12 * 3_600_000;
/** What a stop waits for: that the charger has stopped, and its last reading. */
const LAST_READING_MS = 15_000;

/** Characters of transactionData: a stop must fit a record of the module's store, a sector of flash. */
const MOST_STOP_TEXT = 2400;

export class ChargeSession {
  readonly connector: Connector;
  readonly meter = new Meter();
  readonly store: TxStore;
  operative = true;
  hold: Hold = "";
  /** A remote start waits for its car. */
  starting: { readonly idTag: string; readonly untilMs: number } | undefined;
  /** Becomes inoperative when the transaction ends. */
  inoperativeNext = false;
  /** Random delay of changes that a schedule makes, ms. */
  drawMs = 0;
  /** Something has changed that the limits depend on. */
  changed = true;
  private stopping: { readonly reason: StopReason; readonly sinceMs: number; fresh: boolean } | undefined;
  private finishing = false;
  private activeMs: number | undefined;
  private heldSinceMs: number | undefined;
  private sampleDueMs = NEVER;
  private alignedDueUtcMs: number | undefined;
  /** Values for the stop: of the begin, then clock-aligned ones. In RAM: a power cut costs those before it. */
  private stopValues: Json[] = [];
  private lastSgd: SgdStatus | undefined;

  constructor(
    private readonly flash: StorePort,
    private readonly prefix: string,
    private readonly keys: Keys,
    private readonly config: Ocpp16Config,
    private readonly newId: () => string,
    /** What the limit in force offers. */
    private readonly offered: () => { readonly A: number; readonly W: number },
  ) {
    this.connector = new Connector(config.evidence ?? "auto");
    this.store = new TxStore(flash, `${prefix}.t`);
    const flags = openJson(flash.get(`${prefix}.f`)) as [number, boolean, Hold, number] | undefined;
    if (Array.isArray(flags) && flags[0] === 1) [, this.operative, this.hold, this.drawMs] = flags;
    const { transaction } = this.store;
    if (transaction !== undefined) this.meter.resume(transaction.lastWh);
  }

  get inTransaction(): boolean {
    return this.store.transaction !== undefined;
  }

  /** Nothing may be charged. */
  get held(): boolean {
    if (!this.operative || this.hold !== "") return true;
    return this.config.startsBy === "platform" && !this.inTransaction && this.starting === undefined;
  }

  /** The car charges because the customer has overridden what we hold. */
  private get defiant(): boolean {
    return this.connector.charging && this.lastSgd?.override === true;
  }

  status(nowMs: number): Told {
    return this.connector.tell(
      {
        operative: this.operative,
        inTransaction: this.inTransaction && this.stopping === undefined,
        starting: this.starting !== undefined,
        finishing: this.finishing || this.stopping !== undefined,
        held: this.held,
      },
      nowMs,
    );
  }

  onSgd(status: SgdStatus, time: Time): void {
    const before = this.lastSgd?.meteredAtMs;
    this.lastSgd = status;
    this.connector.onSgd(status, time.ms);
    this.meter.onSgd(status, time.ms);
    if (this.stopping !== undefined && !this.connector.charging && status.meteredAtMs !== before) {
      this.stopping.fresh = true;
    }
    this.poll(time);
  }

  /** Begins, samples and ends what is due. Light meter values stay in RAM while `online`. */
  poll(time: Time, online = false): void {
    const { ms } = time;
    const { connector, store } = this;
    if (connector.charging || this.status(ms).status === "SuspendedEVSE") this.activeMs = ms;
    this.activeMs ??= ms;
    this.watchHold(ms);
    if (this.starting !== undefined && ms >= this.starting.untilMs) {
      this.starting = undefined;
      this.changed = true;
    }
    if (connector.plugged === false) this.finishing = false;
    if (store.transaction === undefined) this.maybeBegin(time);
    else this.maybeEnd(time);
    this.sample(time, online);
  }

  /** When to poll next; what is past has been done, or waits for something else. */
  nextMs(nowMs: number): number {
    const { connector, stopping, heldSinceMs } = this;
    let next = NEVER;
    const at = (ms: number | undefined): void => {
      if (ms !== undefined && ms > nowMs && ms < next) next = ms;
    };
    at(connector.dueMs(nowMs));
    at(this.starting?.untilMs);
    if (stopping !== undefined) at(stopping.sinceMs + LAST_READING_MS);
    if (heldSinceMs !== undefined) at(heldSinceMs + (this.defiant ? DEFIANT_MS : HOLD_MS));
    if (this.inTransaction) {
      at(this.sampleDueMs);
      if (connector.plugged === undefined && this.activeMs !== undefined) at(this.activeMs + IDLE_MS);
    }
    return next;
  }

  /** When clock-aligned values are due, UTC ms. */
  get alignedUtcMs(): number | undefined {
    return this.alignedDueUtcMs;
  }

  /** A start from afar: true where it is taken. */
  remoteStart(idTag: string, time: Time): boolean {
    if (!this.operative || this.inTransaction || this.starting !== undefined) return false;
    this.starting = { idTag, untilMs: time.ms + Math.max(1, this.keys.number("ConnectionTimeOut")) * 1000 };
    this.setHold("", time.ms);
    this.finishing = false;
    this.changed = true;
    return true;
  }

  /** The idTag of a start from afar was refused. */
  cancelStart(): void {
    this.starting = undefined;
    this.changed = true;
  }

  /**
   * Ends the running transaction. Its stop is told when the charger has stopped and its meter was read once more, at
   * the latest after 15 s; a reset does not wait.
   */
  stop(reason: StopReason, time: Time): void {
    if (!this.inTransaction || this.stopping !== undefined) return;
    if (reason === "Remote") this.setHold("remote-stop", time.ms);
    if (reason === "DeAuthorized") this.setHold("invalid-id", time.ms);
    this.stopping = { reason, sinceMs: time.ms, fresh: reason === "SoftReset" || reason === "HardReset" };
    this.changed = true;
    this.maybeEnd(time);
  }

  /** The platform does not know this idTag, and transactions with it are to go on without energy. */
  suspendInvalid(nowMs: number): void {
    this.setHold("invalid-id", nowMs);
  }

  setOperative(operative: boolean): void {
    this.inoperativeNext = false;
    if (this.operative === operative) return;
    this.operative = operative;
    this.saveFlags();
  }

  setDraw(drawMs: number): void {
    if (this.drawMs === drawMs) return;
    this.drawMs = drawMs;
    this.saveFlags();
  }

  /** A sample outside of the schedule; undefined where the charger tells nothing. */
  sampleNow(context: SampleContext, key: string, utcMs: number): Json | undefined {
    return meterValue(this.keys.measurands(key), context, this.reading(), utcMs);
  }

  /** Intervals have been changed. */
  reschedule(nowMs: number): void {
    const everyS = this.keys.number("MeterValueSampleInterval");
    this.sampleDueMs = this.inTransaction && everyS > 0 ? nowMs + everyS * 1000 : NEVER;
    this.alignedDueUtcMs = undefined;
  }

  private reading(): Reading {
    const { A, W } = this.offered();
    const { meter } = this;
    return { wh: meter.known ? meter.wh : undefined, powerW: meter.powerW, offeredA: A, offeredW: W };
  }

  private setHold(hold: Hold, nowMs: number): void {
    this.heldSinceMs = hold === "" ? undefined : nowMs;
    if (this.hold === hold) return;
    this.hold = hold;
    this.saveFlags();
  }

  private saveFlags(): void {
    this.changed = true;
    this.flash.set(`${this.prefix}.f`, sealJson([1, this.operative, this.hold, this.drawMs]));
  }

  private watchHold(ms: number): void {
    if (this.hold === "") return;
    this.heldSinceMs ??= ms;
    const { plugged } = this.connector;
    const gone = plugged === false || (plugged === undefined && ms - this.heldSinceMs >= HOLD_MS);
    if (gone && !this.inTransaction) this.setHold("", ms);
  }

  private maybeBegin(time: Time): void {
    const { connector, starting, config } = this;
    if (!this.operative || time.utcMs === undefined) return;
    const { charging, plugged } = connector;
    if (starting !== undefined) {
      if (charging || plugged === true) this.begin(starting.idTag, time.utcMs, time.ms);
      return;
    }
    if (!charging || config.startsBy === "platform") return;
    if (this.hold !== "") {
      if (!this.defiant || time.ms - (this.heldSinceMs ?? time.ms) < DEFIANT_MS) return;
    }
    this.begin(config.localIdTag ?? config.chargePointId.slice(0, 20), time.utcMs, time.ms);
  }

  private begin(idTag: string, utcMs: number, ms: number): void {
    const { meter, store } = this;
    const startWh = meter.wh;
    const payload = { connectorId: 1, idTag, meterStart: startWh, timestamp: formatInstant(utcMs) };
    if (!store.begin(idTag, utcMs, startWh, this.newId(), payload)) return;
    this.setHold("", ms);
    this.starting = undefined;
    this.finishing = false;
    this.activeMs = ms;
    this.stopValues = [];
    this.keepForStop("Transaction.Begin", "StopTxnSampledData", utcMs);
    this.reschedule(ms);
    this.changed = true;
  }

  private maybeEnd(time: Time): void {
    const { connector, stopping } = this;
    const { ms } = time;
    if (connector.plugged === false) {
      this.end(stopping?.reason ?? "EVDisconnected", time);
      return;
    }
    if (stopping !== undefined) {
      if (stopping.fresh || ms - stopping.sinceMs >= LAST_READING_MS) this.end(stopping.reason, time);
      return;
    }
    // A stop that a power cut has interrupted.
    if (this.hold === "remote-stop") this.stop("Remote", time);
    else if (connector.plugged === undefined && ms - (this.activeMs ?? ms) >= IDLE_MS)
      this.end("Other", time);
  }

  private end(reason: StopReason, time: Time): void {
    const { transaction } = this.store;
    if (transaction === undefined) return;
    // Without any clock the begin is the best that is known.
    const utcMs = Math.max(transaction.startUtcMs, time.utcMs ?? 0);
    this.keepForStop("Transaction.End", "StopTxnSampledData", utcMs);
    const transactionData = this.stopValues;
    this.stopValues = [];
    this.store.end(this.newId(), {
      idTag: transaction.idTag,
      meterStop: Math.max(transaction.startWh, this.meter.wh),
      timestamp: formatInstant(utcMs),
      reason,
      ...(transactionData.length === 0 ? {} : { transactionData }),
    });
    this.stopping = undefined;
    this.finishing = this.connector.plugged === true;
    this.sampleDueMs = NEVER;
    if (this.inoperativeNext) this.setOperative(false);
    this.changed = true;
  }

  private sample(time: Time, online: boolean): void {
    const { utcMs, ms } = time;
    if (utcMs === undefined) return;
    if (this.inTransaction && this.sampleDueMs === NEVER) this.reschedule(ms);
    if (this.inTransaction && ms >= this.sampleDueMs) {
      this.reschedule(ms);
      this.queueMeter("Sample.Periodic", "MeterValuesSampledData", utcMs, online);
    }
    const alignedMs = this.keys.number("ClockAlignedDataInterval") * 1000;
    if (alignedMs === 0) {
      this.alignedDueUtcMs = undefined;
      return;
    }
    const midnight = Math.floor(utcMs / DAY_MS) * DAY_MS;
    const due = this.alignedDueUtcMs;
    this.alignedDueUtcMs = midnight + (Math.floor((utcMs - midnight) / alignedMs) + 1) * alignedMs;
    if (due !== undefined && utcMs >= due && this.inTransaction) {
      this.queueMeter("Sample.Clock", "MeterValuesAlignedData", due, online);
      this.keepForStop("Sample.Clock", "StopTxnAlignedData", due);
    }
  }

  /** A value for transactionData. Where they grow too many for a record, every second but the first goes. */
  private keepForStop(context: SampleContext, key: string, utcMs: number): void {
    const value = this.sampleNow(context, key, utcMs);
    if (value === undefined) return;
    this.stopValues.push(value);
    while (this.stopValues.length > 2 && JSON.stringify(this.stopValues).length > MOST_STOP_TEXT)
      this.stopValues = this.stopValues.filter(
        (_, i) => i === 0 || i % 2 === (this.stopValues.length - 1) % 2,
      );
  }

  private queueMeter(context: SampleContext, key: string, utcMs: number, online: boolean): void {
    const value = this.sampleNow(context, key, utcMs);
    if (value === undefined) return;
    this.store.meter(this.newId(), { connectorId: 1, meterValue: [value] }, this.meter.wh, online);
  }
}
