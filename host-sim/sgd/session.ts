/**
 * The appliance's side of a CTA-2045 session, over any link: answers what the module asks, carries its
 * commands out, and says on its own what an appliance says (discovery, changed state, override, Sleep and
 * Wake). It knows the link by plain messages only, like the module's session in src/sgd.
 */
import { isFault } from "../../src/base/fault.js";
import { uniformInt } from "../../src/base/random.js";
import type { LinkCommand, LinkEvent, LinkResult } from "../../src/link/messages.js";
import { DEFAULT_PAYLOAD, DEFAULT_TIMING } from "../../src/link/timing.js";
import { NEVER, type RandomPort } from "../../src/ports/time.js";
import { AppNakReason, BasicOp, MessageType, type WireMessage } from "../../src/wire/message.js";
import { parseMessage, payloadOf } from "../../src/wire/payload.js";
import type { Appliance } from "./appliance.js";
import { answerBasic, type BasicAnswer } from "./basic-answers.js";
import { Discovery } from "./discovery.js";
import type { AnswerFaults } from "./faults.js";
import { answerIntermediate, type Told } from "./intermediate-answers.js";
import type { Profile } from "./profile-model.js";
import { linkRefusal } from "./refusals.js";

export interface SessionOptions {
  readonly profile: Profile;
  readonly appliance: Appliance;
  readonly faults: AnswerFaults;
  readonly random: RandomPort;
  /** True while a fault answers every frame with a link NAK: nothing is acted upon. */
  readonly refusesInLink: () => boolean;
  /** To the link. */
  readonly command: (command: LinkCommand) => void;
}

/** A change of state is told so late that a module which asks by itself gets there first. */
const REPORT_AFTER_MS = 500;
const LATE_REPLY_MS = 5000;

/** How long App ACK of a spontaneous state is awaited; a module may leave it out. */
const STATE_ACK_MS = 3200;

/** Longest reply that the link sends to a module that has not told its payload limit. */
const UNTOLD_REPLY_BYTES = DEFAULT_TIMING.unnegotiatedReplyBytes;

/** A request of ours, not yet given to the link or under way there. */
interface Request {
  readonly id: number;
  readonly command: LinkCommand;
  /** A spontaneous state: the link is done with its ACK, we are with the App ACK. */
  readonly isState: boolean;
  appAckByMs: number;
}

/** What follows when the link has finished with a message of ours. */
type After = "say-override" | "say-state" | "reboot" | "factory-reset";

export class SgdSession {
  private readonly discovery: Discovery;
  private nextId = 1;
  /** One at a time: nothing of ours goes out while the module still owes an answer. */
  private requests: Request[] = [];
  private maxReply = UNTOLD_REPLY_BYTES;
  private current: Request | undefined;
  private told: Told = { time: undefined };
  private readonly afterwards = new Map<number, After>();
  /** Replies held back by a profile or a fault. */
  private later: {
    readonly atMs: number;
    readonly message: WireMessage;
    readonly then: After | undefined;
  }[] = [];
  /** The operational state that the module knows; −1 none. */
  private reportedState = -1;
  private changedMs = NEVER;
  private stateAgainMs = NEVER;
  private reportedOverride: boolean;
  private idleSinceMs = NEVER;
  private asleep = false;
  private frozenState: number | undefined;

  constructor(private readonly options: SessionOptions) {
    this.discovery = new Discovery(options.profile, options.random, (make) => this.request(make));
    this.reportedOverride = false;
  }

  /** Power-up, reboot, or another module was put in. */
  begin(nowMs: number): void {
    const { profile, command } = this.options;
    command({ cmd: "support", types: profile.answers.types.map((digits) => Number.parseInt(digits, 16)) });
    this.requests = [];
    this.current = undefined;
    this.afterwards.clear();
    this.later = [];
    this.reportedState = -1;
    this.changedMs = NEVER;
    this.reportedOverride = false;
    this.asleep = false;
    this.idleSinceMs = NEVER;
    const { stateEverySeconds } = profile.dialogue;
    this.stateAgainMs = stateEverySeconds === 0 ? NEVER : nowMs + stateEverySeconds * 1000;
    this.discovery.begin(nowMs);
  }

  /** The state that is told: the appliance's own, or a lie of a fault. */
  get opState(): number {
    const { appliance, faults } = this.options;
    const { opState } = appliance.state();
    if (!faults.has("stuck-state")) this.frozenState = undefined;
    else this.frozenState ??= this.reportedState < 0 ? opState : this.reportedState;
    return this.frozenState ?? opState;
  }

  onLink(event: LinkEvent, nowMs: number): void {
    switch (event.ev) {
      case "message":
        this.discovery.spokenTo(nowMs);
        this.onMessage(event.type, event.payload, nowMs);
        break;
      case "asked":
        this.discovery.spokenTo(nowMs);
        break;
      case "result":
        this.onResult(event, nowMs);
        break;
      case "peer":
        if (event.state === "lost" || event.state === "plugged") this.begin(nowMs);
        break;
      case "limits":
        // Before the module has told its limit the link takes longer replies than requests.
        this.maxReply = event.sendPayload > DEFAULT_PAYLOAD ? event.sendPayload : UNTOLD_REPLY_BYTES;
        break;
    }
  }

  poll(nowMs: number): void {
    const due = this.later.filter((item) => item.atMs <= nowMs);
    if (due.length > 0) this.later = this.later.filter((item) => item.atMs > nowMs);
    for (const item of due) this.respond(item.message, item.then);
    const { current } = this;
    if (current !== undefined && nowMs >= current.appAckByMs) this.finish(current.id, nowMs);
    this.discovery.poll(nowMs);
    this.watchState(nowMs);
    this.watchSleep(nowMs);
  }

  nextMs(): number {
    const replies = this.later.reduce((next, item) => Math.min(next, item.atMs), NEVER);
    const { sleepAfterSeconds } = this.options.profile.dialogue;
    const drowsy = sleepAfterSeconds > 0 && !this.asleep && this.discovery.heard;
    const sleep = drowsy ? this.idleSinceMs + sleepAfterSeconds * 1000 : NEVER;
    const known = this.discovery.heard && !this.discovery.isRunning;
    const state = known ? Math.min(this.changedMs, this.stateAgainMs) : NEVER;
    const appAck = this.current?.appAckByMs ?? NEVER;
    return Math.min(replies, appAck, this.discovery.nextMs(), sleep, state);
  }

  /** Says Sleep or Wake now. */
  say(op: typeof BasicOp.Sleep | typeof BasicOp.Wake): void {
    this.asleep = op === BasicOp.Sleep;
    this.basic(op, 0);
  }

  private onMessage(type: number, payload: Uint8Array, nowMs: number): void {
    const { profile, faults, appliance, refusesInLink } = this.options;
    if (refusesInLink() || linkRefusal(profile, faults, type, payload) !== undefined) return;
    const message = parseMessage(type, payload);
    if (isFault(message)) {
      if (type === MessageType.Basic) this.reply(nak(AppNakReason.LengthInvalid), undefined, nowMs);
      return;
    }
    appliance.step(nowMs);
    if (message.family === "basic") {
      const { current } = this;
      const isStateAck = message.op === BasicOp.AppAck && message.arg === BasicOp.State;
      if (isStateAck && current?.isState === true) this.finish(current.id, nowMs);
      const { opState } = this;
      const answer = answerBasic(message, { profile, appliance, faults, opState, nowMs });
      this.afterBasic(message.op, answer, nowMs);
    } else if (message.family === "intermediate") {
      const reply = answerIntermediate(message, profile, appliance, this.told, this.maxReply, nowMs);
      if (reply !== undefined) this.reply(reply, undefined, nowMs);
      else if ((payload[1]! & 0x80) === 0) {
        const rest = new Uint8Array([1]);
        const [opcode1, opcode2] = [payload[0]!, payload[1]! | 0x80];
        this.reply({ family: "intermediate", name: "Other", opcode1, opcode2, rest }, undefined, nowMs);
      }
    }
  }

  private afterBasic(op: number, { reply, then }: BasicAnswer, nowMs: number): void {
    if (op === BasicOp.CustomerOverride) this.reportedOverride = this.options.appliance.events.override;
    if (reply === undefined) return;
    if (reply.op === BasicOp.State) {
      this.reportedState = reply.arg;
      this.reply(reply, this.options.faults.hits("duplicate-state") ? "say-state" : undefined, nowMs);
    } else {
      this.reply(reply, then, nowMs);
    }
  }

  /** Replies, as late and as wrong as profile and faults want it. */
  private reply(message: WireMessage, then: After | undefined, nowMs: number): void {
    const { profile, faults, random } = this.options;
    if (faults.hits("never-replies")) return;
    const said = faults.hits("wrong-reply") ? twisted(message) : message;
    const { replyDelayMs, replyDelayMaxMs } = profile.answers;
    // The link itself waits `replyDelayMs`.
    const more = faults.hits("late-reply")
      ? LATE_REPLY_MS
      : uniformInt(random, replyDelayMaxMs - replyDelayMs);
    if (more > 0) this.later.push({ atMs: nowMs + more, message: said, then });
    else this.respond(said, then);
  }

  private respond(message: WireMessage, then: After | undefined): void {
    const { type, payload } = payloadOf(message);
    const id = this.nextId++;
    if (then !== undefined) this.afterwards.set(id, then);
    this.options.command({ cmd: "respond", id, type, payload });
  }

  private onResult(result: LinkResult, nowMs: number): void {
    const { current } = this;
    if (current?.id === result.id && current.isState && result.outcome === "ok") {
      current.appAckByMs = nowMs + STATE_ACK_MS;
      return;
    }
    this.discovery.onResult(result, nowMs);
    this.finish(result.id, nowMs);
  }

  /** The message with this id is done with: what was to follow, then the next one. */
  private finish(id: number, nowMs: number): void {
    if (this.current?.id === id) this.current = undefined;
    const after = this.afterwards.get(id);
    this.afterwards.delete(id);
    switch (after) {
      case "say-override":
        this.reportedOverride = true;
        this.basic(BasicOp.CustomerOverride, 1);
        break;
      case "say-state":
        this.basic(BasicOp.State, this.reportedState);
        break;
      case "reboot":
      case "factory-reset":
        this.reboot(after, nowMs);
        break;
      case undefined:
        break;
    }
    this.pump();
  }

  /** After `Reboot`: both sides return to start-up; a factory reset forgets the customer's override too. */
  reboot(kind: "reboot" | "factory-reset", nowMs: number): void {
    const { events } = this.options.appliance;
    events.end();
    events.guidance = 1;
    if (kind === "factory-reset") events.clear();
    this.told = { time: undefined };
    this.options.command({ cmd: "reset" });
    this.begin(nowMs);
  }

  private watchState(nowMs: number): void {
    const { appliance, profile } = this.options;
    const { reportsState, sendsStateTwice, stateEverySeconds } = profile.dialogue;
    const state = this.opState;
    if (state === this.reportedState) this.changedMs = NEVER;
    else if (this.changedMs === NEVER && reportsState) this.changedMs = nowMs + REPORT_AFTER_MS;
    if (!this.discovery.heard || this.discovery.isRunning) return;
    const { override } = appliance.events;
    if (override !== this.reportedOverride) {
      this.reportedOverride = override;
      this.basic(BasicOp.CustomerOverride, override ? 1 : 0);
    }
    if (nowMs < this.changedMs && nowMs < this.stateAgainMs) return;
    if (nowMs >= this.stateAgainMs) this.stateAgainMs = nowMs + stateEverySeconds * 1000;
    this.changedMs = NEVER;
    this.reportedState = state;
    const twice = sendsStateTwice || this.options.faults.hits("duplicate-state");
    const id = this.basic(BasicOp.State, state);
    if (twice) this.afterwards.set(id, "say-state");
  }

  private watchSleep(nowMs: number): void {
    const { sleepAfterSeconds } = this.options.profile.dialogue;
    if (sleepAfterSeconds === 0) return;
    const idle = this.opState === 0;
    if (!idle) this.idleSinceMs = NEVER;
    else if (this.idleSinceMs === NEVER) this.idleSinceMs = nowMs;
    if (!this.discovery.heard) return;
    if (this.asleep && !idle) this.say(BasicOp.Wake);
    else if (!this.asleep && idle && nowMs >= this.idleSinceMs + sleepAfterSeconds * 1000) {
      this.say(BasicOp.Sleep);
    }
  }

  /** Requests a Basic message; gives its id. */
  private basic(op: number, arg: number): number {
    const { type, payload } = payloadOf({ family: "basic", op, arg });
    return this.request((id) => ({ cmd: "request", id, type, payload }), op === BasicOp.State);
  }

  private request(make: (id: number) => LinkCommand, isState = false): number {
    const id = this.nextId++;
    this.requests.push({ id, command: make(id), isState, appAckByMs: NEVER });
    this.pump();
    return id;
  }

  private pump(): void {
    if (this.current !== undefined) return;
    this.current = this.requests.shift();
    if (this.current !== undefined) this.options.command(this.current.command);
  }
}

function nak(reason: number): WireMessage {
  return { family: "basic", op: BasicOp.AppNak, arg: reason };
}

/** A reply that belongs to another request. */
function twisted(message: WireMessage): WireMessage {
  if (message.family === "basic") return { family: "basic", op: BasicOp.AppAck, arg: 0x07 };
  return { family: "intermediate", name: "Other", opcode1: 0x03, opcode2: 0x84, rest: new Uint8Array([0]) };
}
