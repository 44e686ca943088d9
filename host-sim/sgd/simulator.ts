/**
 * A simulated appliance (SGD) on a byte line: profile, appliance model, CTA-2045 session and link stack in
 * one, with misbehaviour on request. This folder guarantees: no platform in it (what reads files is in
 * `node/`); time only as a parameter; the firmware's own codecs and link on the appliance's side too.
 *
 * Drive it like a link: `onByteLine` for what the line says, `poll` at `nextMs()`; after `plug`, `override`,
 * `fault` … poll too, `nextMs()` says so.
 */
import { isFault } from "../../src/base/fault.js";
import type { LinkCounters } from "../../src/link/counters.js";
import { linkAnswer } from "../../src/link/link-answer.js";
import { LinkStack } from "../../src/link/stack.js";
import type { ByteLine, ByteLineEvent } from "../../src/ports/line.js";
import type { RandomPort } from "../../src/ports/time.js";
import { ACK_BYTE, FRAME_OVERHEAD, NAK_BYTE, parseFrame } from "../../src/wire/frame.js";
import { stateName } from "../../src/wire/basic-words.js";
import { decodeFrameText } from "../../src/wire/decode.js";
import { BasicOp } from "../../src/wire/message.js";
import { FaultLine } from "../line/fault-line.js";
import { isLineFault } from "../line/fault-names.js";
import { type Appliance, type ApplianceDetail, type ApplianceState, ChargerAppliance } from "./appliance.js";
import { AnswerFaults, isAnswerFault, isApplianceFault } from "./faults.js";
import { chargerConfigOf, eventOptionsOf, type Profile } from "./profile-model.js";
import { frameRefusal, linkRefusal } from "./refusals.js";
import { SgdSession } from "./session.js";
import { WaterHeater } from "./water-heater.js";

/** The state object of `openucm sgd --json`; `t` counts from power-up, ms. */
export type SgdState = { readonly event: "state"; readonly t: number } & ApplianceState;

/** The objects of `openucm sgd --json`. */
export type SgdEvent =
  | SgdState
  | { readonly event: "frame"; readonly dir: "rx" | "tx"; readonly hex: string; readonly text: string };

/** Everything there is to see of the appliance, for a page. */
export interface SgdView extends ApplianceState, ApplianceDetail {
  readonly opStateName: string;
  readonly profile: string;
  /** Names of the faults that are on, or "". */
  readonly fault: string;
}

export interface SgdSimulatorOptions {
  readonly profile: Profile;
  readonly line: ByteLine;
  readonly random: RandomPort;
  readonly emit: (event: SgdEvent) => void;
  /** True where the line's adapter gives our own bytes back. */
  readonly echo?: boolean;
  /** Bit n set: the line can run at bit-rate code n; default 1 = 19,200 bit/s alone. */
  readonly bitRates?: number;
}

/** The link stack sends no ACK before the line has been idle for so long. */
const STACK_MIN_ACK_MS = 25;
/** How often `poll` looks again for what it has caused itself. */
const ROUNDS = 8;

export class SgdSimulator {
  readonly appliance: Appliance;

  private readonly answerFaults = new AnswerFaults();
  private readonly faultLine: FaultLine;
  private readonly stack: LinkStack;
  private readonly session: SgdSession;
  private startMs = -1;
  private nowMs = 0;
  /** Something was done between two polls. */
  private isDue = true;
  private resetDue = false;
  private lastState = "";

  constructor(private readonly options: SgdSimulatorOptions) {
    const { profile, line, random } = options;
    const { answers } = profile;
    this.appliance =
      profile.kind === "evse"
        ? new ChargerAppliance(chargerConfigOf(profile))
        : new WaterHeater(profile.heater, eventOptionsOf(profile.events));
    this.faultLine = new FaultLine({
      line: {
        write: (bytes) => {
          this.trace(bytes);
          line.write(bytes);
        },
        setBitRate: (bitsPerSecond) => line.setBitRate(bitsPerSecond),
      },
      random,
      refuse: (frame) => frameRefusal(profile, this.answerFaults, frame),
      acknowledges: (frame) => this.acknowledges(frame),
      ...(answers.ackDelayMs < STACK_MIN_ACK_MS ? { earlyAckMs: answers.ackDelayMs } : {}),
      payloadReplyDeafMs: answers.payloadReplyDeafMs,
      onReset: () => {
        this.resetDue = true;
      },
    });
    this.stack = new LinkStack({
      line: this.faultLine,
      random,
      maxPayload: answers.maxPayloadBytes,
      echo: options.echo === true,
      bitRates: options.bitRates ?? 1,
      timing: { ackDelayMs: answers.ackDelayMs, replyDelayMs: answers.replyDelayMs },
      emit: (event) => this.session.onLink(event, this.nowMs),
      trace: ({ dir, bytes, fault }) => {
        // What leaves is traced where it leaves, with what the faults made of it.
        if (dir === "rx") this.frame("rx", bytes, fault);
      },
    });
    this.session = new SgdSession({
      profile,
      appliance: this.appliance,
      faults: this.answerFaults,
      random,
      refusesInLink: () => this.faultLine.has("nak-03") || this.faultLine.has("nak-07"),
      command: (command) => this.stack.command(command, this.nowMs),
    });
  }

  get profile(): Profile {
    return this.options.profile;
  }

  /** Counters of its link. */
  get counters(): LinkCounters {
    return this.stack.counters;
  }

  onByteLine(event: ByteLineEvent, nowMs = event.atMs): void {
    this.start(nowMs);
    this.faultLine.receive(event);
    this.poll(nowMs);
  }

  /** Lets time pass; the first call is power-up. */
  poll(nowMs: number): void {
    this.start(nowMs);
    this.nowMs = nowMs;
    this.isDue = false;
    for (let round = 0; round < ROUNDS; round++) {
      this.appliance.step(nowMs);
      this.faultLine.poll(nowMs);
      for (let event = this.faultLine.take(); event !== undefined; event = this.faultLine.take()) {
        this.stack.onByteLine(event, nowMs);
      }
      if (this.resetDue) {
        this.resetDue = false;
        this.session.reboot("reboot", nowMs);
      }
      this.stack.poll(nowMs);
      this.session.poll(nowMs);
      if (this.nextMs() > nowMs) break;
    }
    this.appliance.step(nowMs);
    this.tellState();
  }

  /** When to poll next; a time that has passed means now. */
  nextMs(): number {
    if (this.isDue || this.resetDue) return this.nowMs;
    return Math.min(
      this.appliance.nextMs(),
      this.faultLine.nextMs(),
      this.stack.nextMs(),
      this.session.nextMs(),
    );
  }

  /** Puts the car on the cable. */
  plug(): void {
    this.appliance.plug();
    this.isDue = true;
  }

  unplug(): void {
    this.appliance.unplug();
    this.isDue = true;
  }

  /** The customer's button: opt out for the profile's hours, or in again. */
  override(on: boolean): void {
    this.appliance.events.setOverride(on, this.nowMs);
    this.isDue = true;
  }

  /** Plays a fault of the table in faults.ts, `NAME` or `NAME:TIMES`; false where there is none of that name. */
  fault(wanted: string): boolean {
    const [name = "", times] = wanted.split(":");
    const count = times === undefined ? Number.POSITIVE_INFINITY : Number(times);
    if (!(count >= 1)) return false;
    this.isDue = true;
    if (isLineFault(name)) this.faultLine.start(name, count);
    else if (isAnswerFault(name)) this.answerFaults.start(name, count);
    else if (isApplianceFault(name)) this.appliance.fault(name);
    else return this.act(name);
    return true;
  }

  /** What the `state` object says, now. */
  state(): SgdState {
    const state = this.appliance.state();
    return { event: "state", t: Math.max(0, this.nowMs - Math.max(0, this.startMs)), ...state };
  }

  /** The same and more, for people. */
  view(): SgdView {
    const state = this.appliance.state();
    return {
      ...state,
      ...this.appliance.detail(),
      opStateName: stateName(state.opState),
      profile: this.options.profile.name,
      fault: [...this.faultLine.faults, ...this.answerFaults.names, ...this.appliance.faults].join(", "),
    };
  }

  private act(name: string): boolean {
    switch (name) {
      case "none":
        this.faultLine.clear();
        this.answerFaults.clear();
        this.appliance.clearFaults();
        return true;
      case "reboot":
        this.resetDue = true;
        return true;
      case "sleep":
        this.session.say(BasicOp.Sleep);
        return true;
      case "wake":
        this.session.say(BasicOp.Wake);
        return true;
      default:
        this.isDue = false;
        return false;
    }
  }

  private start(nowMs: number): void {
    if (this.startMs >= 0) {
      this.nowMs = Math.max(this.nowMs, nowMs);
      return;
    }
    this.startMs = nowMs;
    this.nowMs = nowMs;
    if (this.options.profile.events.overriddenAtStart) this.appliance.events.setOverride(true, nowMs);
    this.session.begin(nowMs);
  }

  private tellState(): void {
    const state = this.appliance.state();
    const told = JSON.stringify(state);
    if (told === this.lastState) return;
    this.lastState = told;
    this.options.emit({ event: "state", t: this.nowMs - this.startMs, ...state });
  }

  private acknowledges(frame: Uint8Array): boolean {
    const { profile, bitRates = 1 } = this.options;
    const { answers } = profile;
    const parsed = parseFrame(frame);
    if (isFault(parsed) || parsed.payload.length > answers.maxPayloadBytes) return false;
    const types = answers.types.map((digits) => Number.parseInt(digits, 16));
    const settings = { types, maxPayload: answers.maxPayloadBytes, bitsPerSecond: 19_200, bitRates };
    if (linkAnswer(settings, parsed.type, parsed.payload) >= 0) return false;
    return linkRefusal(this.options.profile, this.answerFaults, parsed.type, parsed.payload) === undefined;
  }

  /** What leaves: a link answer and a frame in one burst are two. */
  private trace(bytes: Uint8Array): void {
    const isBurst = (bytes[0] === ACK_BYTE || bytes[0] === NAK_BYTE) && bytes.length >= 2 + FRAME_OVERHEAD;
    if (isBurst) {
      this.frame("tx", bytes.subarray(0, 2), "");
      this.frame("tx", bytes.subarray(2), "");
    } else {
      this.frame("tx", bytes, "");
    }
  }

  private frame(dir: "rx" | "tx", bytes: Uint8Array, fault: string): void {
    const { hex, text } = decodeFrameText(bytes);
    this.options.emit({ event: "frame", dir, hex, text: fault === "" ? text : `${fault}: ${text}` });
  }
}
