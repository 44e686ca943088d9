/**
 * The load command: from a wish to proof. A step is sent, its application answer awaited, then the operational
 * state (and power, where there is any) asked until it shows obedience or the settling time is over. Refusals
 * go down the chain, silence is tried again, and what is in force is watched: an appliance that forgets it is
 * told again. End Shed is an obligation: once anything else may have reached the appliance, it is owed until it
 * is seen to be done, and it is never sent while something else is wanted.
 */
import { NEVER } from "../ports/time.js";
import type { LoadResult } from "../ports/sgd-status.js";
import { encodeDuration, hasDuration, OpState } from "../wire/basic.js";
import { AppNakReason, BasicOp } from "../wire/message.js";
import { appNakText, durationByteMs, loadCommandName, nakText } from "./codes.js";
import type { Facts } from "./facts.js";
import type { Answer, Job } from "./job.js";
import type { LoadStep, LoadWish } from "./messages.js";
import type { SgdSettings } from "./settings.js";
import { loweredLevel, sightOf, type Sight } from "./verify.js";

/** How long an appliance that did not answer, or seems to have forgotten, is looked at before it is told again. */
const DOUBT_MS = 3_000;
/** A duration is renewed so long before it lapses. */
const RENEW_MS = 5_000;
/** A power reading older than this says nothing about "just before". */
const BASELINE_MS = 90_000;
/** Below this part of what a level should give, while the car could take more, the level is too low. */
const TOO_LOW = 0.85;

/** What was sent, and how. */
interface Sent {
  readonly step: number;
  readonly arg: number;
  /** When it went out, ms. */
  readonly atMs: number;
  /** A renewal: the status keeps saying what it said until the outcome differs. */
  readonly quiet: boolean;
}

type Phase =
  /** No wish, or the wish holds and needs no watch. */
  | { readonly awaits: "wish" }
  /** The appliance is not there. */
  | { readonly awaits: "link" }
  | {
      readonly awaits: "turn";
      readonly step: number;
      readonly dueMs: number;
      readonly quiet: boolean;
      readonly busy: number;
    }
  | { readonly awaits: "answer"; readonly sent: Sent; readonly busy: number }
  | {
      readonly awaits: "proof";
      readonly sent: Sent;
      readonly untilMs: number;
      /**
       * Not obeyed by then: told again at once (an answer got lost, or it forgot), judged, or, where only the
       * power is too high, given the settling time and judged then.
       */
      readonly then: "resend" | "judge" | "settle";
      askAtMs: number;
      ask: "state" | "power" | "asked";
      /** When the last state came, and what it and the power said. */
      stateAtMs: number;
      sight: Sight | undefined;
    }
  /** In force and seen to be; watched. */
  | { readonly awaits: "lapse"; readonly sent: Sent; readonly lapseMs: number; trimMs: number }
  /** Overridden, not obeyed or not heard: again later, or sooner when the appliance shows a change. */
  | { readonly awaits: "retry"; readonly dueMs: number; readonly sent: Sent | undefined }
  /** Refused for good: until another wish or another discovery. */
  | { readonly awaits: "change" };

type Proof = Phase & { readonly awaits: "proof" };

export interface LoadHooks {
  /** NAK reason 5 was seen. */
  overridden(nowMs: number): void;
  /** The status of the load changed. */
  load(): void;
  /** Whether End Shed is owed has changed: to be kept over a restart. */
  owed(owed: boolean): void;
  /** True while bad grid guidance is in force, by which an appliance may curtail itself. */
  guided(): boolean;
}

export class Load {
  #phase: Phase = { awaits: "wish" };
  #wish: LoadWish | undefined;
  #up = false;
  #wasUp = false;
  #owed: boolean;
  #retries = 0;
  #mutes = 0;
  /** Corrected power level, and whether the one correction has been used. */
  #level: number | undefined;
  #corrected = false;
  #baselineW: number | undefined;
  #refusal = "";
  #refusedForGood = true;

  constructor(
    private readonly facts: Facts,
    private readonly settings: SgdSettings,
    private readonly hooks: LoadHooks,
    owed: boolean,
  ) {
    this.#owed = owed;
  }

  wish(wish: LoadWish, nowMs: number): void {
    const before = this.#wish;
    this.#wish = wish;
    if (before?.key === wish.key) {
      this.#newEnd(before, wish, nowMs);
      return;
    }
    this.#retries = 0;
    this.#mutes = 0;
    this.#level = undefined;
    this.#corrected = false;
    this.#baselineW = nowMs - this.facts.meteredAtMs < BASELINE_MS ? this.facts.powerW : undefined;
    if (this.#wantsNormal && !this.#owed) this.#phase = { awaits: "wish" };
    else this.#again(nowMs);
  }

  /** The appliance is there (again): whatever it was told before, it is told now. */
  up(nowMs: number): void {
    this.#up = true;
    this.#wasUp = true;
    this.#retries = 0;
    if (this.#wish !== undefined && (this.#owed || !this.#wantsNormal)) this.#again(nowMs);
  }

  /** The appliance is gone; `forgets` where what comes back may be another one, or a rebooted one. */
  down(forgets: boolean, nowMs: number): void {
    if (forgets && this.#wasUp) this.#setOwed(true);
    this.#up = false;
    if (this.#wish === undefined || this.#phase.awaits === "wish") return;
    this.#phase = { awaits: "link" };
    this.#report("waiting", 0, "the appliance does not answer", nowMs);
  }

  /** Sends what is in force once more: the appliance woke up and asks. */
  refresh(nowMs: number): void {
    const phase = this.#phase;
    if (phase.awaits === "lapse") this.#turn(phase.sent.step, nowMs, true);
    else if (phase.awaits === "retry") this.#turn(0, nowMs, true);
  }

  next(nowMs: number): Job | undefined {
    const phase = this.#phase;
    switch (phase.awaits) {
      case "turn":
        return nowMs >= phase.dueMs && this.#up ? this.#send(phase, nowMs) : undefined;
      case "proof":
        return this.#look(phase, nowMs);
      case "lapse":
        if (nowMs >= phase.lapseMs) {
          this.#turn(phase.sent.step, nowMs, true);
          return this.next(nowMs);
        }
        if (nowMs < phase.trimMs) return undefined;
        phase.trimMs = NEVER;
        return { awaits: "commodity", by: "load" };
      case "retry":
        if (nowMs < phase.dueMs) return undefined;
        this.#turn(0, nowMs, true);
        return this.next(nowMs);
      default:
        return undefined;
    }
  }

  nextMs(): number {
    const phase = this.#phase;
    switch (phase.awaits) {
      case "turn":
        return this.#up ? phase.dueMs : NEVER;
      case "proof":
        return phase.ask === "asked" ? phase.untilMs : Math.min(phase.askAtMs, phase.untilMs);
      case "lapse":
        return Math.min(phase.lapseMs, phase.trimMs);
      case "retry":
        return phase.dueMs;
      default:
        return NEVER;
    }
  }

  /** The answer to a load command; of no interest where another wish has come meanwhile. */
  answered(answer: Answer, nowMs: number): void {
    const phase = this.#phase;
    if (phase.awaits !== "answer") return;
    const { sent } = phase;
    const step = this.#step(sent.step);
    switch (answer.is) {
      case "ok":
        this.#mutes = 0;
        if (!sent.quiet) this.#report("acknowledged", sent.step, "", nowMs, sent.arg);
        this.#prove(sent, nowMs, step.verify.settleMs, "judge");
        break;
      case "mute":
        // It may have been taken: the state tells. If not, it is told again.
        if (++this.#mutes > 3) this.#failed("the appliance acknowledges but does not answer", nowMs);
        else this.#prove(sent, nowMs, DOUBT_MS, "resend");
        break;
      case "silent":
        this.#failed("the appliance does not answer", nowMs);
        break;
      case "cancelled":
        this.#phase = { awaits: "turn", step: sent.step, dueMs: nowMs + 1_000, quiet: sent.quiet, busy: 0 };
        break;
      case "refused":
        this.facts.learnRefused(step.op);
        this.#refused(sent, nakText(answer.nak), true, nowMs);
        break;
      case "app-nak":
        this.#appNak(phase.sent, phase.busy, answer.reason, nowMs);
    }
  }

  /** A state was reported, whoever asked. */
  stateSeen(state: number, nowMs: number): void {
    const phase = this.#phase;
    switch (phase.awaits) {
      case "proof":
        phase.stateAtMs = nowMs;
        this.#judgeLook(phase, nowMs);
        break;
      case "lapse": {
        // The last power reading is good enough to notice something by.
        const sight = this.#sight(phase.sent.step, state, phase.sent.atMs);
        if (sight === "opted-out") this.#overridden(phase.sent, nowMs);
        else if (sight === "contradicts") this.#prove(quietly(phase.sent), nowMs, DOUBT_MS, "resend");
        break;
      }
      case "retry": {
        if (phase.sent === undefined) return;
        const sight = this.#sight(phase.sent.step, state, nowMs);
        if (sight === "obeys" || sight === "needs-power") {
          const { settleMs } = this.#step(phase.sent.step).verify;
          this.#prove(quietly(phase.sent), nowMs, settleMs, "judge", nowMs);
        }
      }
    }
  }

  /** Power was read, whoever asked. */
  powerSeen(asked: boolean, nowMs: number): void {
    const phase = this.#phase;
    if (phase.awaits === "proof") this.#judgeLook(phase, nowMs);
    else if (phase.awaits === "lapse") {
      const { maxPowerW } = this.#step(phase.sent.step).verify;
      const { powerW } = this.facts;
      if (powerW === undefined) return;
      if (maxPowerW !== undefined && powerW > maxPowerW) {
        this.#prove(quietly(phase.sent), nowMs, DOUBT_MS, "settle");
      } else if (asked) this.#trim(phase.sent, powerW, nowMs);
    }
  }

  /** A state or commodity query of ours brought nothing. */
  lookFailed(nowMs: number): void {
    const phase = this.#phase;
    if (phase.awaits !== "proof") return;
    phase.ask = "state";
    phase.askAtMs = nowMs + this.settings.settleQueryMs;
  }

  /** The customer's override began or ended. */
  overrideChanged(on: boolean, nowMs: number): void {
    const phase = this.#phase;
    if (on && phase.awaits === "lapse") this.#prove(quietly(phase.sent), nowMs, DOUBT_MS, "judge");
    else if (!on && phase.awaits === "retry" && this.facts.load?.result === "overridden") this.#again(nowMs);
  }

  /** True where End Shed is owed: something else may be in force at the appliance. */
  get owed(): boolean {
    return this.#owed;
  }

  get #wantsNormal(): boolean {
    return this.#wish?.steps[0]?.op === BasicOp.EndShed;
  }

  #step(index: number): LoadStep {
    return this.#wish!.steps[index]!;
  }

  #sight(index: number, state: number, sinceMs: number): Sight {
    return sightOf(this.#step(index), state, this.facts, sinceMs, this.settings.idleW);
  }

  /** From the first step, as soon as the appliance is there. */
  #again(nowMs: number): void {
    if (this.#up) this.#turn(0, nowMs, false);
    else {
      this.#phase = { awaits: "link" };
      this.#report("waiting", 0, "the appliance does not answer", nowMs);
    }
  }

  /** Lines up the first step from `from` on that the appliance has not refused before. */
  #turn(from: number, nowMs: number, quiet: boolean): void {
    const steps = this.#wish!.steps;
    let step = from;
    while (step < steps.length && this.#isRefused(steps[step]!.op)) {
      if (this.#refusal === "") this.#refusal = `${loadCommandName(steps[step]!.op)} was refused before`;
      step++;
    }
    if (step >= steps.length) {
      this.#refusedAll(nowMs);
      return;
    }
    this.#phase = { awaits: "turn", step, dueMs: nowMs, quiet, busy: 0 };
    if (!quiet) this.#report("waiting", step, "", nowMs);
  }

  /** End Shed is mandatory and owed: a refusal of it is never believed for good. */
  #isRefused(op: number): boolean {
    return op !== BasicOp.EndShed && this.facts.refuses(op);
  }

  #send(phase: Phase & { awaits: "turn" }, nowMs: number): Job {
    const step = this.#step(phase.step);
    const arg = this.#argOf(step, nowMs);
    // Owed from the moment of sending: the appliance may have taken it even if no answer comes.
    if (step.op !== BasicOp.EndShed) this.#setOwed(true);
    const sent = { step: phase.step, arg, atMs: nowMs, quiet: phase.quiet };
    this.#phase = { awaits: "answer", sent, busy: phase.busy };
    return { awaits: "load-answer", op: step.op, arg };
  }

  #argOf(step: LoadStep, nowMs: number): number {
    if (step.level !== undefined) {
      if (this.#level !== undefined) return this.#level;
      if (this.facts.alternativeLevels) return step.level.alternativeArg ?? step.arg ?? 0;
    }
    if (step.arg !== undefined) return step.arg;
    const { endsAtMs } = this.#wish!;
    if (this.facts.noDurations || endsAtMs === undefined || endsAtMs <= nowMs) return 0;
    return encodeDuration((endsAtMs - nowMs) / 1000);
  }

  /** The same wish with another end: the appliance is told the new duration. */
  #newEnd(before: LoadWish, wish: LoadWish, nowMs: number): void {
    if (before.endsAtMs === wish.endsAtMs || this.#phase.awaits !== "lapse") return;
    const step = this.#step(this.#phase.sent.step);
    if (!hasDuration(step.op) || step.arg !== undefined || this.facts.noDurations) return;
    const leftMs = (wish.endsAtMs ?? nowMs) - nowMs;
    const shiftMs = Math.abs((wish.endsAtMs ?? 0) - (before.endsAtMs ?? 0));
    // A clock that is being disciplined moves every end a little; that is no news.
    if (shiftMs > Math.max(5_000, leftMs / 50)) this.#turn(this.#phase.sent.step, nowMs, true);
  }

  #appNak(sent: Sent, busy: number, reason: number, nowMs: number): void {
    const step = this.#step(sent.step);
    const { busyMs, busyTries } = this.settings;
    if (reason === AppNakReason.CustomerOverride) {
      this.hooks.overridden(nowMs);
      this.#overridden(sent, nowMs);
    } else if (reason === AppNakReason.Busy && busy < busyTries) {
      const dueMs = nowMs + busyMs * 2 ** busy;
      this.#phase = { awaits: "turn", step: sent.step, dueMs, quiet: sent.quiet, busy: busy + 1 };
    } else if (reason === AppNakReason.Opcode2Invalid && step.arg === undefined && sent.arg !== 0) {
      this.facts.noDurations = true;
      this.#turn(sent.step, nowMs, sent.quiet);
    } else {
      const forGood = reason === AppNakReason.Opcode1Unsupported;
      if (forGood) this.facts.learnRefused(step.op);
      this.#refused(sent, appNakText(reason), forGood, nowMs);
    }
  }

  #refused(sent: Sent, text: string, forGood: boolean, nowMs: number): void {
    this.#refusal = `${loadCommandName(this.#step(sent.step).op)}: ${text}`;
    this.#refusedForGood &&= forGood;
    this.#turn(sent.step + 1, nowMs, false);
  }

  /** Nothing of the chain is left. */
  #refusedAll(nowMs: number): void {
    const steps = this.#wish!.steps;
    this.#report("refused", steps.length - 1, this.#refusal, nowMs);
    const worthAnotherTry = !this.#refusedForGood || this.#wantsNormal;
    this.#phase = worthAnotherTry
      ? { awaits: "retry", dueMs: nowMs + this.settings.retryMaxMs, sent: undefined }
      : { awaits: "change" };
    this.#refusal = "";
    this.#refusedForGood = true;
  }

  #failed(text: string, nowMs: number): void {
    const { sent } = this.#phase as Phase & { awaits: "answer" };
    this.#mutes = 0;
    this.#report("failed", sent.step, text, nowMs, sent.arg);
    this.#retry(sent, nowMs, 30_000);
  }

  #retry(sent: Sent, nowMs: number, maxMs: number): void {
    const waitMs = Math.min(maxMs, this.settings.retryMs * 2 ** Math.min(this.#retries, 20));
    this.#retries++;
    this.#phase = { awaits: "retry", dueMs: nowMs + waitMs, sent };
  }

  #overridden(sent: Sent, nowMs: number): void {
    this.#report("overridden", sent.step, "the customer has overridden at the appliance", nowMs, sent.arg);
    this.#phase = { awaits: "retry", dueMs: nowMs + this.settings.overriddenRetryMs, sent };
  }

  #prove(sent: Sent, nowMs: number, forMs: number, then: Proof["then"], stateAtMs = 0): void {
    const phase: Phase = {
      awaits: "proof",
      sent,
      untilMs: nowMs + forMs,
      then,
      askAtMs: nowMs,
      ask: stateAtMs > 0 ? "power" : "state",
      stateAtMs,
      sight: undefined,
    };
    this.#phase = phase;
    if (stateAtMs > 0) this.#judgeLook(phase, nowMs);
  }

  /** The next look at an appliance that is being proven, or the end of the settling time. */
  #look(phase: Proof, nowMs: number): Job | undefined {
    if (nowMs >= phase.untilMs) {
      this.#conclude(phase, nowMs);
      return this.#phase === phase ? undefined : this.next(nowMs);
    }
    if (phase.ask === "asked" || nowMs < phase.askAtMs) return undefined;
    const stateless = this.facts.refuses(BasicOp.QueryState);
    if (stateless && !this.facts.metersPower) {
      this.#hold(phase.sent, nowMs);
      this.#report(
        "acknowledged",
        phase.sent.step,
        "the appliance reports neither state nor power",
        nowMs,
        phase.sent.arg,
      );
      return undefined;
    }
    const power = phase.ask === "power" || stateless;
    if (stateless) phase.stateAtMs = nowMs;
    phase.ask = "asked";
    return power ? { awaits: "commodity", by: "load" } : { awaits: "state", by: "load" };
  }

  /** Something was seen while proving. */
  #judgeLook(phase: Proof, nowMs: number): void {
    if (phase.stateAtMs === 0) return;
    const { sent } = phase;
    const stateless = this.facts.refuses(BasicOp.QueryState);
    const verify = this.#step(sent.step).verify;
    const state = stateless ? (verify.states[0] ?? 0) : (this.facts.opState ?? 0);
    const sight = this.#sight(sent.step, state, phase.stateAtMs);
    phase.sight = sight;
    if (sight === "obeys") this.#verified(sent, nowMs);
    else if (sight === "opted-out") this.#overridden(sent, nowMs);
    else if (sight === "needs-power") {
      phase.ask = "power";
      phase.askAtMs = nowMs;
    } else if (sight === "contradicts" && this.facts.override && nowMs - sent.atMs >= 2_000) {
      this.#overridden(sent, nowMs);
    } else {
      phase.ask = "state";
      phase.askAtMs = nowMs + this.settings.settleQueryMs;
    }
  }

  #verified(sent: Sent, nowMs: number): void {
    this.#retries = 0;
    this.#mutes = 0;
    this.#refusal = "";
    const load = this.facts.load;
    const known = load?.result === "verified" && load.step === sent.step && load.arg === sent.arg;
    this.#hold(sent, nowMs);
    if (!known) this.#report("verified", sent.step, "", nowMs, sent.arg);
  }

  /** In force: watched until it lapses; End Shed needs no watch. */
  #hold(sent: Sent, nowMs: number): void {
    const step = this.#step(sent.step);
    if (step.op === BasicOp.EndShed) {
      this.#setOwed(false);
      this.#phase = { awaits: "wish" };
      return;
    }
    const trims = step.level?.alternativeArg !== undefined && !this.#corrected && this.facts.metersPower;
    const trimMs = trims ? Math.max(nowMs, sent.atMs + step.verify.settleMs) : NEVER;
    this.#phase = { awaits: "lapse", sent, lapseMs: this.#lapseMs(step, sent), trimMs };
  }

  /** When the command has to be sent again because the duration that it told runs out. */
  #lapseMs(step: LoadStep, sent: Sent): number {
    const shownMs = hasDuration(step.op) ? durationByteMs(sent.arg) : undefined;
    if (shownMs === undefined) return NEVER;
    const lapseMs = sent.atMs + shownMs;
    const endMs = this.#wish!.endsAtMs ?? NEVER;
    // Where the wish ends before the duration does, only a wish that outlives its own end needs a renewal.
    return lapseMs < endMs ? lapseMs - RENEW_MS : Math.max(lapseMs - RENEW_MS, endMs + 1_000);
  }

  /** A power level in force gives clearly less than it should, though the car drew more just before. */
  #trim(sent: Sent, powerW: number, nowMs: number): void {
    const level = this.#step(sent.step).level;
    const baselineW = this.#baselineW ?? 0;
    const other = level?.alternativeArg;
    if (level === undefined || other === undefined || other === sent.arg || this.#corrected) return;
    if (baselineW < level.targetW || powerW >= level.targetW * TOO_LOW || powerW <= this.settings.idleW)
      return;
    this.#corrected = true;
    this.#level = other;
    this.facts.alternativeLevels = true;
    this.#turn(sent.step, nowMs, true);
  }

  /** The settling time is over, and the appliance was not seen to obey. */
  #conclude(phase: Proof, nowMs: number): void {
    const { sent } = phase;
    const step = this.#step(sent.step);
    if (phase.then === "settle" && phase.sight !== "contradicts") {
      this.#prove(sent, nowMs, step.verify.settleMs - DOUBT_MS, "judge");
      return;
    }
    if (phase.then !== "judge") {
      this.#turn(sent.step, nowMs, sent.quiet);
      return;
    }
    if (this.facts.override && phase.sight === "contradicts") {
      this.#overridden(sent, nowMs);
      return;
    }
    const { opState } = this.facts;
    const curtailed = opState === OpState.RunningCurtailed || opState === OpState.IdleCurtailed;
    if (step.op === BasicOp.EndShed && curtailed && this.hooks.guided()) {
      // Not our command any more: bad grid guidance alone has the appliance curtailed.
      this.#verified(sent, nowMs);
      return;
    }
    if (phase.sight === "over" && step.level !== undefined && this.#correctDown(step, sent, nowMs)) return;
    if (step.onUnverified === "next" && sent.step + 1 < this.#wish!.steps.length) {
      this.#refusal = `${loadCommandName(step.op)} was acknowledged but not obeyed`;
      this.#turn(sent.step + 1, nowMs, false);
      return;
    }
    this.#report("unverified", sent.step, this.#contradiction(phase.sight), nowMs, sent.arg);
    this.#retries = Math.max(this.#retries, 5);
    this.#retry(sent, nowMs, this.settings.retryMaxMs);
  }

  /** The one correction of a power level that gives too much; false where there is none left. */
  #correctDown(step: LoadStep, sent: Sent, nowMs: number): boolean {
    if (this.facts.alternativeLevels && this.#level === step.level!.alternativeArg) {
      // The other way of counting was wrong after all: back to what kept the limit.
      this.facts.alternativeLevels = false;
      this.#level = step.arg;
      this.#turn(sent.step, nowMs, true);
      return true;
    }
    const lower = loweredLevel(sent.arg, step.level!.targetW, this.facts.powerW!);
    if (this.#corrected || lower === undefined) return false;
    this.#corrected = true;
    this.#level = lower;
    this.#turn(sent.step, nowMs, false);
    return true;
  }

  #contradiction(sight: Sight | undefined): string {
    if (sight === undefined) return "the appliance does not tell its state";
    if (sight === "over") return `the appliance takes ${this.facts.powerW ?? 0} W, more than asked`;
    if (sight === "needs-power") return "the appliance does not tell its power";
    return `the appliance reports state ${this.facts.opState ?? "?"}`;
  }

  #setOwed(owed: boolean): void {
    if (this.#owed === owed) return;
    this.#owed = owed;
    this.hooks.owed(owed);
  }

  #report(result: LoadResult, step: number, text: string, nowMs: number, arg?: number): void {
    const wish = this.#wish!;
    const { op, arg: fixed } = wish.steps[step]!;
    const before = this.facts.load;
    const command = loadCommandName(op);
    const same = before?.result === result && before.command === command && before.wish === wish.key;
    if (same && before.text === text && (arg ?? before.arg) === before.arg) return;
    this.facts.load = {
      command,
      arg: arg ?? fixed ?? 0,
      result,
      step,
      wish: wish.key,
      sinceMs: nowMs,
      text,
    };
    this.facts.changed = true;
    this.hooks.load();
  }
}

function quietly(sent: Sent): Sent {
  return sent.quiet ? sent : { ...sent, quiet: true };
}
