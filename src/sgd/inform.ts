/**
 * Low-priority information for the appliance: outside comm status, time, prices, guidance, the pending event.
 * Each is sent when it changes and again after a re-plug or a Wake; the comm status also every minute, because
 * appliances end an event when it stays away. What the appliance refuses is not offered again.
 */
import { localTime, type PosixZone } from "../base/posix-tz.js";
import type { Now } from "../ports/time.js";
import { encodeDuration, encodeTimeSync } from "../wire/basic.js";
import { AppNakReason, BasicOp } from "../wire/message.js";
import type { Facts } from "./facts.js";
import type { Answer, Job } from "./job.js";
import type { Information } from "./messages.js";
import type { SgdSettings } from "./settings.js";

const HOUR_MS = 3_600_000;
/** The time sync means "now is the full hour": so long after it that is near enough. */
const ON_THE_HOUR_MS = 120_000;
/** An end that moves by less is the clock being disciplined, not news. */
const SAME_MS = 5_000;
/** After silence nothing is offered for so long. */
const PAUSE_MS = 5_000;

/** In the order in which they are sent. */
const ITEMS: readonly number[] = [
  BasicOp.OutsideComm,
  BasicOp.TimeSync,
  BasicOp.PresentPrice,
  BasicOp.NextPrice,
  BasicOp.PriceTimeRemaining,
  BasicOp.GridGuidance,
  BasicOp.PendingEventTime,
  BasicOp.PendingEventType,
];

/** What stands for "nothing to say" in the lists below. */
const NOTHING = "";

export class Inform {
  /** Until told otherwise the outside is taken for good, as at a start-up of EPRI-SIM (cta2045 2.6). */
  #info: Information = {
    outsideComm: 1,
    presentPrice: undefined,
    nextPrice: undefined,
    priceEndsAtMs: undefined,
    guidance: undefined,
    pending: undefined,
  };
  /** By index in ITEMS: what is to be said, and what has been said; equal = nothing to do. */
  readonly #wanted: string[] = ITEMS.map(() => NOTHING);
  readonly #said: string[] = ITEMS.map(() => NOTHING);
  #commDueMs = 0;
  #hourDueMs = 0;
  #timeAtOnce = true;
  #pausedUntilMs = 0;
  #underWay = -1;

  constructor(
    private readonly facts: Facts,
    private readonly settings: SgdSettings,
    private readonly zone: PosixZone,
  ) {
    this.compare();
  }

  information(next: Information, nowMs: number): void {
    const before = this.#info;
    if (before.pending !== undefined && before.pending.atMs <= nowMs + SAME_MS) {
      // It has come: nothing to take back.
      this.#said[ITEMS.indexOf(BasicOp.PendingEventTime)] = NOTHING;
      this.#said[ITEMS.indexOf(BasicOp.PendingEventType)] = NOTHING;
    }
    const { pending } = next;
    const samePending =
      pending !== undefined &&
      before.pending?.op === pending.op &&
      Math.abs(before.pending.atMs - pending.atMs) < SAME_MS;
    this.#info = {
      ...next,
      priceEndsAtMs: near(before.priceEndsAtMs, next.priceEndsAtMs),
      pending: samePending ? before.pending : pending,
    };
    this.compare();
  }

  /** Everything that is valid is said again: the appliance woke up, or is new. */
  refresh(): void {
    this.#said.fill(NOTHING);
    this.#timeAtOnce = true;
    this.#hourDueMs = 0;
    this.#pausedUntilMs = 0;
    this.compare();
  }

  get guidance(): 0 | 1 | 2 | undefined {
    return this.#info.guidance;
  }

  next(now: Now): Job | undefined {
    if (now.ms < this.#pausedUntilMs) return undefined;
    if (now.ms >= this.#commDueMs) this.#said[0] = NOTHING;
    if (now.ms >= this.#hourDueMs) this.timeSync(now);
    for (let i = 0; i < ITEMS.length; i++) {
      const op = ITEMS[i]!;
      const wanted = this.#wanted[i]!;
      if (wanted === NOTHING || wanted === this.#said[i] || this.facts.refuses(op)) continue;
      this.#underWay = i;
      this.#said[i] = wanted;
      if (i === 0) this.#commDueMs = now.ms + this.settings.commStatusMs;
      return { awaits: "inform-answer", op, arg: this.arg(op, now) };
    }
    return undefined;
  }

  answered(answer: Answer, nowMs: number): void {
    const i = this.#underWay;
    this.#underWay = -1;
    if (i < 0) return;
    const op = ITEMS[i]!;
    if (answer.is === "refused") this.facts.learnRefused(op);
    else if (answer.is === "app-nak") {
      if (answer.reason === AppNakReason.Opcode1Unsupported) this.facts.learnRefused(op);
      else if (answer.reason === AppNakReason.Busy) this.later(i, nowMs);
    } else if (answer.is !== "ok") this.later(i, nowMs);
  }

  nextMs(): number {
    let due = Math.min(this.#commDueMs, this.#hourDueMs);
    for (let i = 0; i < ITEMS.length; i++) {
      const wanted = this.#wanted[i]!;
      if (wanted !== NOTHING && wanted !== this.#said[i] && !this.facts.refuses(ITEMS[i]!)) due = 0;
    }
    if (this.facts.refuses(BasicOp.OutsideComm) && due === this.#commDueMs) due = this.#hourDueMs;
    return Math.max(due, this.#pausedUntilMs);
  }

  private later(i: number, nowMs: number): void {
    this.#said[i] = NOTHING;
    this.#pausedUntilMs = nowMs + PAUSE_MS;
  }

  /** Works out what is to be said from the information in force. */
  private compare(): void {
    const { outsideComm, presentPrice, nextPrice, priceEndsAtMs, guidance, pending } = this.#info;
    const ends = String(priceEndsAtMs ?? "");
    this.want(BasicOp.OutsideComm, String(outsideComm));
    // A price that has been told and is no longer in force becomes "unknown".
    this.want(BasicOp.PresentPrice, said(presentPrice, ends), "0");
    this.want(BasicOp.NextPrice, said(nextPrice, ends), "0");
    this.want(BasicOp.PriceTimeRemaining, priceEndsAtMs === undefined ? NOTHING : said(presentPrice, ends));
    this.want(BasicOp.GridGuidance, said(guidance, ""), said(1, ""));
    const event = pending === undefined ? NOTHING : `${pending.op}@${pending.atMs}`;
    this.want(BasicOp.PendingEventTime, event, "none");
    this.want(BasicOp.PendingEventType, event, "none");
  }

  /** `instead` is what is said once something that had been said is no longer so. */
  private want(op: number, what: string, instead: string = NOTHING): void {
    const i = ITEMS.indexOf(op);
    const withdrawn = what === NOTHING && this.#said[i] !== NOTHING;
    this.#wanted[i] = withdrawn ? instead : what;
  }

  private arg(op: number, now: Now): number {
    const { outsideComm, presentPrice, nextPrice, priceEndsAtMs, guidance, pending } = this.#info;
    switch (op) {
      case BasicOp.OutsideComm:
        return outsideComm;
      case BasicOp.TimeSync:
        return this.timeArg(now);
      case BasicOp.PresentPrice:
        return presentPrice ?? 0;
      case BasicOp.NextPrice:
        return nextPrice ?? 0;
      case BasicOp.PriceTimeRemaining:
        return left(priceEndsAtMs, now.ms);
      case BasicOp.GridGuidance:
        return guidance ?? 1;
      case BasicOp.PendingEventTime:
        return left(pending?.atMs, now.ms);
      default:
        // An event that is no longer to come: "run normal" is next.
        return pending?.op ?? BasicOp.EndShed;
    }
  }

  private timeArg(now: Now): number {
    const local = localTime(this.zone, now.utcMs ?? 0);
    return encodeTimeSync(local.weekday, local.hour);
  }

  /** The time is told on the local hour, and whatever the minute to an appliance that asks for everything. */
  private timeSync(now: Now): void {
    if (now.utcMs === undefined) {
      this.#hourDueMs = now.ms + 60_000;
      return;
    }
    const offsetMs = localTime(this.zone, now.utcMs).offsetS * 1000;
    const localMs = now.utcMs + offsetMs;
    const intoHourMs = ((localMs % HOUR_MS) + HOUR_MS) % HOUR_MS;
    // The clock may be stepped while we wait: look again within the minute.
    this.#hourDueMs = now.ms + Math.min(60_000, HOUR_MS - intoHourMs);
    const i = ITEMS.indexOf(BasicOp.TimeSync);
    // With its offset: in autumn the same local hour comes twice.
    const hour = `${Math.floor(localMs / HOUR_MS)}/${offsetMs}`;
    if (this.#timeAtOnce || (intoHourMs < ON_THE_HOUR_MS && hour !== this.#said[i])) {
      this.#timeAtOnce = false;
      this.#wanted[i] = hour;
    }
  }
}

function said(value: number | undefined, ends: string): string {
  return value === undefined ? NOTHING : `${value}/${ends}`;
}

/** The old end where the new one is as good as the same. */
function near(before: number | undefined, next: number | undefined): number | undefined {
  if (before === undefined || next === undefined) return next;
  return Math.abs(before - next) < SAME_MS ? before : next;
}

function left(atMs: number | undefined, nowMs: number): number {
  return atMs === undefined ? 0 : encodeDuration(Math.max(0, atMs - nowMs) / 1000);
}
