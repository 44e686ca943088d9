/**
 * The module's side of the dialogue with the appliance (the smart grid device, SGD). This folder guarantees:
 * it talks to its link by plain messages alone and has at most one request under way; whatever the appliance
 * does or leaves undone, the session goes on for ever; a load command counts as done only when the operational
 * state, and the power where it is reported, show it; and once anything but End Shed may have reached the
 * appliance, End Shed is owed until it has been seen to be done.
 *
 * The session is a router: what is awaited is a `Job` (job.ts), and each part (discovery.ts, load.ts,
 * inform.ts, poll.ts, override.ts) says which job it wants next and takes the answer. Order of rank: orders,
 * load, discovery, information, polls.
 */
import { isFault } from "../base/fault.js";
import { parsePosixTz } from "../base/posix-tz.js";
import type { LinkEvent, LinkResult } from "../link/messages.js";
import type { SgdStatus } from "../ports/sgd-status.js";
import { NEVER, type Now } from "../ports/time.js";
import { isOptedOut } from "../wire/basic.js";
import { ResponseCode, parseIntermediate } from "../wire/intermediate.js";
import { AppNakReason, BasicOp, MessageType } from "../wire/message.js";
import { answerBasic, answerIntermediate, type AnswerContext } from "./answer.js";
import { Discovery } from "./discovery.js";
import { Facts } from "./facts.js";
import { Inform } from "./inform.js";
import { answerTo, isOfTheMoment, requestFor, type Answer, type Job } from "./job.js";
import { Load } from "./load.js";
import type { Information, LoadWish, SgdOrder } from "./messages.js";
import type { SgdSessionEvent, SgdSessionOptions } from "./options.js";
import { Override } from "./override.js";
import { Poll } from "./poll.js";
import { readIdentity, readMeters } from "./readings.js";
import { DEFAULT_SGD_SETTINGS, type SgdSettings } from "./settings.js";

export type { SgdSessionEvent, SgdSessionOptions } from "./options.js";

interface UnderWay {
  readonly id: number;
  readonly job: Job;
  readonly sinceMs: number;
}

/** Orders beyond this many are refused: the appliance is not there to take them. */
const MAX_ORDERS = 8;

export class SgdSession {
  readonly #options: SgdSessionOptions;
  readonly #settings: SgdSettings;
  readonly #facts = new Facts();
  readonly #discovery: Discovery;
  readonly #load: Load;
  readonly #inform: Inform;
  readonly #poll: Poll;
  readonly #override = new Override();
  readonly #answering: Omit<AnswerContext, "sendPayload">;
  readonly #orders: (SgdOrder & { order: "reboot" | "override" })[] = [];
  #job: UnderWay | undefined;
  #id = 0;
  #started = false;
  #loadUp = false;
  #link: SgdStatus["link"] = "absent";
  /** Response after whose sending both sides start anew. */
  #resetAfterId = -1;

  constructor(options: SgdSessionOptions) {
    const { random } = options;
    const settings = { ...DEFAULT_SGD_SETTINGS, ...options.settings };
    this.#options = options;
    this.#settings = settings;
    const zone = parsePosixTz(settings.timeZone) ?? { standardOffsetS: 0, summer: undefined };
    this.#answering = { identity: settings.identity, zone };
    this.#discovery = new Discovery(this.#facts, settings, random);
    this.#inform = new Inform(this.#facts, settings, zone);
    this.#poll = new Poll(this.#facts, settings);
    this.#load = new Load(
      this.#facts,
      settings,
      {
        overridden: (nowMs) => {
          this.#override.notice(true, nowMs, settings.overrideMs);
          this.syncOverride(nowMs);
        },
        load: () => {
          if (this.#facts.load !== undefined) this.tell({ event: "load", load: this.#facts.load });
        },
        owed: (owed) => this.tell({ event: "owed", owed }),
        guided: () => this.#inform.guidance === 0,
      },
      (options.previousLoad ?? "unknown") !== "normal",
    );
  }

  /** Something came from the link. */
  onLink(event: LinkEvent, now: Now): void {
    switch (event.ev) {
      case "result":
        this.result(event, now);
        break;
      case "message":
        this.#discovery.heard(now.ms);
        this.message(event.type, event.payload, now);
        break;
      case "asked":
        this.#discovery.heard(now.ms);
        break;
      case "limits":
        this.#facts.sendPayload = event.sendPayload;
        break;
      case "peer":
        if (event.state === "heard") this.#discovery.heard(now.ms);
        else this.gone(now.ms, now.ms + (event.state === "unplugged" ? 5_000 : 1_000));
    }
    this.pump(now);
  }

  /** What the load should do from now on. */
  wish(wish: LoadWish, now: Now): void {
    const another = this.#load.wish(wish, now.ms);
    // What is repeated on a bad line for the older wish must neither contradict the new one nor keep it waiting.
    if (another && this.#job !== undefined && isOfTheMoment(this.#job.job))
      this.#options.emit({ cmd: "drop", id: this.#job.id });
    this.pump(now);
  }

  /** What the appliance should know from now on. */
  information(information: Information, now: Now): void {
    this.#inform.information(information, now.ms);
    this.pump(now);
  }

  /** A one-off order; with an appliance that is not there it waits, up to eight of them. */
  order(order: SgdOrder, now: Now): void {
    if (order.order === "rediscover") this.rediscover(now.ms);
    else if (this.#orders.length < MAX_ORDERS) this.#orders.push(order);
    else this.tell({ event: "order-failed", order: order.order, why: "cancelled" });
    this.pump(now);
  }

  /** Does what is due. */
  poll(now: Now): void {
    this.pump(now);
  }

  /** When `poll` wants to be called next, monotonic ms; a time in the past means at once. */
  nextMs(): number {
    if (!this.#started) return 0;
    const override = this.#override.nextMs();
    if (this.#job !== undefined) {
      return Math.min(override, this.#job.sinceMs + this.#settings.requestGuardMs);
    }
    const calm = this.online ? Math.min(this.#inform.nextMs(), this.#poll.nextMs()) : NEVER;
    const orders = this.#orders.length > 0 && this.#loadUp ? 0 : NEVER;
    return Math.min(override, orders, calm, this.#load.nextMs(), this.#discovery.nextMs());
  }

  status(): SgdStatus {
    return this.#facts.snapshot();
  }

  /** True while End Shed is owed: for `previousLoad` after a restart. */
  get endShedOwed(): boolean {
    return this.#load.owed;
  }

  /** Basic opcodes that the appliance has refused; for translation. */
  get refusedOps(): readonly number[] {
    return this.#facts.refusedOps;
  }

  private get online(): boolean {
    return this.#facts.link === "online";
  }

  /** Starts the next job where none is under way, and lets the status out where it changed. */
  private pump(now: Now): void {
    if (!this.#started) {
      this.#started = true;
      const { Basic, Intermediate, DataLink } = MessageType;
      this.#options.emit({ cmd: "support", types: [Basic, Intermediate, DataLink] });
    }
    this.#override.poll(now.ms);
    this.syncOverride(now.ms);
    const late = this.#job;
    if (late !== undefined && now.ms - late.sinceMs >= this.#settings.requestGuardMs) {
      this.#job = undefined;
      this.finish(late.job, { is: "silent" }, now);
    }
    if (this.#job === undefined) {
      this.progress(now.ms);
      const job = this.next(now);
      if (job !== undefined) {
        const id = ++this.#id;
        this.#job = { id, job, sinceMs: now.ms };
        this.#options.emit(requestFor(job, id));
      }
    }
    this.publish();
  }

  private publish(): void {
    const { link } = this.#facts;
    if (link !== this.#link) {
      this.#link = link;
      this.tell({ event: "link", link });
    }
    if (!this.#facts.changed) return;
    this.#facts.changed = false;
    this.#options.onStatus(this.#facts.snapshot());
  }

  private next(now: Now): Job | undefined {
    return (
      this.orderJob() ??
      this.#load.next(now.ms) ??
      this.#discovery.next(now.ms) ??
      (this.online ? (this.#inform.next(now) ?? this.#poll.next(now.ms)) : undefined)
    );
  }

  private orderJob(): Job | undefined {
    if (!this.#loadUp) return undefined;
    const order = this.#orders.shift();
    if (order === undefined) return undefined;
    return order.order === "reboot"
      ? { awaits: "reboot-answer", kind: order.kind }
      : { awaits: "override-answer", on: order.on };
  }

  /** The end of the discovery, seen after every answer. */
  private progress(nowMs: number): void {
    if (!this.#loadUp && this.#discovery.loadMayGo(nowMs)) {
      this.#loadUp = true;
      this.#load.up(nowMs);
    }
    if (this.#discovery.done && !this.online) {
      this.#facts.link = "online";
      this.#facts.changed = true;
      this.#inform.refresh();
      this.#poll.up(nowMs);
    }
  }

  private result(result: LinkResult, now: Now): void {
    if (result.id === this.#resetAfterId) {
      this.#resetAfterId = -1;
      this.#options.emit({ cmd: "reset" });
    }
    const underWay = this.#job;
    if (underWay?.id !== result.id) return;
    this.#job = undefined;
    this.finish(underWay.job, answerTo(underWay.job, result), now);
  }

  private finish(job: Job, answer: Answer, now: Now): void {
    const nowMs = now.ms;
    switch (job.awaits) {
      case "type-answer":
      case "max-payload":
        this.#discovery.answered(answer, nowMs);
        break;
      case "information":
        if (answer.is === "ok") readIdentity(answer.reply!, this.#facts);
        this.#discovery.answered(answer, nowMs);
        break;
      case "state":
        this.stateAnswer(job.by, answer, nowMs);
        break;
      case "commodity":
        this.commodityAnswer(job.by, answer, nowMs);
        break;
      case "load-answer":
        this.#load.answered(answer, nowMs);
        this.#poll.soon(nowMs);
        break;
      case "inform-answer":
        this.#inform.answered(answer, nowMs);
        break;
      case "reboot-answer":
        if (answer.is === "ok") {
          this.#options.emit({ cmd: "reset" });
          this.rebooted("module", job.kind, nowMs);
        } else this.tell({ event: "order-failed", order: "reboot", why: answer.is });
        break;
      case "override-answer":
        if (answer.is !== "ok") this.tell({ event: "order-failed", order: "override", why: answer.is });
    }
  }

  private stateAnswer(by: "discovery" | "poll" | "load", answer: Answer, nowMs: number): void {
    if (answer.is === "ok") this.stateSeen(answer.reply![1]!, false, nowMs);
    else {
      const unsupported = answer.is === "app-nak" && answer.reason === AppNakReason.Opcode1Unsupported;
      if (answer.is === "refused" || unsupported) this.#facts.learnRefused(BasicOp.QueryState);
      if (by === "load") this.#load.lookFailed(nowMs);
    }
    if (by === "discovery") this.#discovery.answered(answer, nowMs);
  }

  private commodityAnswer(by: "discovery" | "poll" | "load", answer: Answer, nowMs: number): void {
    const code = answer.is === "ok" ? readMeters(answer.reply!, this.#facts, nowMs) : undefined;
    if (answer.is === "refused" || code === ResponseCode.NotImplemented || code === ResponseCode.BadValue) {
      this.#facts.noCommodity = true;
    }
    if (code === ResponseCode.Success) {
      this.#poll.metered(nowMs);
      this.#load.powerSeen(by === "load", nowMs);
    } else if (by === "load") this.#load.lookFailed(nowMs);
    if (by === "discovery") this.#discovery.answered(answer, nowMs);
  }

  private stateSeen(state: number, unasked: boolean, nowMs: number): void {
    const changed = this.#facts.opState !== state;
    this.#facts.opState = state;
    this.#facts.opStateAtMs = nowMs;
    this.#facts.changed = true;
    // Under a Grid Emergency an appliance in an event may be overridden all the same.
    if (!this.#load.emergency || isOptedOut(state)) {
      this.#override.state(state, unasked, nowMs, this.#settings.overrideMs);
      this.syncOverride(nowMs);
    }
    this.#poll.stateSeen(changed, nowMs);
    this.#load.stateSeen(state, nowMs);
  }

  /** The appliance says something on its own. */
  private message(type: number, payload: Uint8Array, now: Now): void {
    if (type === MessageType.Basic) this.basicMessage(payload, now.ms);
    else if (type === MessageType.Intermediate) {
      const message = parseIntermediate(payload);
      const context = { ...this.#answering, sendPayload: this.#facts.sendPayload };
      const answer = answerIntermediate(payload, message, context, now);
      if (answer !== undefined) this.respond(type, answer);
      if (!isFault(message) && message.name === "SetCommodity") {
        readMeters(new Uint8Array([6, 0x80, 0, ...payload.subarray(2)]), this.#facts, now.ms);
        this.#load.powerSeen(false, now.ms);
      }
    }
  }

  private basicMessage(payload: Uint8Array, nowMs: number): void {
    const answer = answerBasic(payload);
    if (answer === undefined) return;
    const id = this.respond(MessageType.Basic, answer);
    if (answer[0] !== BasicOp.AppAck) return;
    const arg = payload[1]!;
    switch (payload[0]) {
      case BasicOp.State:
        this.stateSeen(arg, true, nowMs);
        break;
      case BasicOp.CustomerOverride:
        this.#override.notice(arg === 1, nowMs, this.#settings.overrideMs);
        this.syncOverride(nowMs);
        break;
      case BasicOp.Sleep:
        this.#facts.asleep = true;
        this.tell({ event: "sleep" });
        break;
      case BasicOp.Wake:
        this.#facts.asleep = false;
        this.#inform.refresh();
        this.#load.refresh(nowMs);
        if (this.online) this.#poll.up(nowMs);
        this.tell({ event: "wake" });
        break;
      case BasicOp.Reboot:
        this.#resetAfterId = id;
        this.rebooted("appliance", arg, nowMs);
    }
  }

  private respond(type: number, payload: Uint8Array): number {
    const id = ++this.#id;
    this.#options.emit({ cmd: "respond", id, type, payload });
    return id;
  }

  private syncOverride(nowMs: number): void {
    const { on } = this.#override;
    if (this.#facts.override === on) return;
    this.#facts.override = on;
    this.#facts.changed = true;
    this.tell({ event: "override", on });
    this.#load.overrideChanged(on, nowMs);
  }

  private rebooted(by: "module" | "appliance", kind: number, nowMs: number): void {
    this.tell({ event: "reboot", by, kind });
    this.gone(nowMs, nowMs + this.#settings.rebootMs);
  }

  /** The appliance is gone, or will not be the same when it comes back. */
  private gone(nowMs: number, againMs: number): void {
    this.#facts.link = "absent";
    this.#facts.sendPayload = 2;
    this.#facts.forget();
    this.#override.on = false;
    this.rest(nowMs, againMs);
  }

  private rediscover(nowMs: number): void {
    if (this.#facts.link === "online") this.#facts.link = "discovering";
    this.rest(nowMs, nowMs);
  }

  /** Nothing but the discovery goes on, from `againMs`. */
  private rest(nowMs: number, againMs: number): void {
    this.#loadUp = false;
    this.#load.down(true, nowMs);
    this.#poll.down();
    this.#discovery.start(againMs);
  }

  private tell(event: SgdSessionEvent): void {
    this.#options.onEvent?.(event);
  }
}
