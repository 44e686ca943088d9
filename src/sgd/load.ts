/**
 * The load command: from a wish to proof. A step is sent, its application answer awaited, then the operational
 * state (and power, where there is any) asked until it shows obedience or the settling time is over. Refusals
 * go down the chain, silence is tried again, and what is in force is watched: an appliance that forgets it is
 * told again. End Shed is an obligation: once anything else may have reached the appliance, it is owed until it
 * is seen to be done. It is not sent while something else is wanted, but in two cases: what is wanted is refused
 * altogether, or overridden, while the appliance still carries out an older and stronger command.
 */
import { NEVER } from "../ports/time.js";
import type { LoadResult } from "../ports/sgd-status.js";
import { hasDuration, OpState } from "../wire/basic.js";
import { AppNakReason, BasicOp, NakCode } from "../wire/message.js";
import { appNakText, nakText } from "./codes.js";
import type { Facts } from "./facts.js";
import type { Answer, Job } from "./job.js";
import { Chain } from "./load-chain.js";
import { LevelCorrection } from "./load-level.js";
import {
  argOf,
  DOUBT_MS,
  isResting,
  lapseMsOf,
  phaseDueMs,
  quietly,
  type Phase,
  type Proof,
  type Sent,
  type Turn,
} from "./load-phase.js";
import { contradictionText, judge, questionOf } from "./load-proof.js";
import { isSameLoad, loadStatus, type LoadHooks } from "./load-status.js";
import type { LoadStep, LoadWish } from "./messages.js";
import { Obligation } from "./obligation.js";
import type { SgdSettings } from "./settings.js";
import { follows, sightOf, type Sight } from "./verify.js";

export class Load {
  #phase: Phase = { awaits: "wish" };
  #wish: LoadWish | undefined;
  #up = false;
  #wasUp = false;
  #retries = 0;
  #mutes = 0;
  /** The opcode that was refused by one link NAK, not yet by two. */
  #doubted = -1;
  readonly #level: LevelCorrection;
  readonly #obligation: Obligation;
  readonly #chain: Chain;

  constructor(
    private readonly facts: Facts,
    private readonly settings: SgdSettings,
    private readonly hooks: LoadHooks,
    owed: boolean,
  ) {
    this.#obligation = new Obligation(owed, (now) => this.hooks.owed(now));
    this.#level = new LevelCorrection(facts);
    this.#chain = new Chain(facts);
  }

  /** True where it is another wish than before. */
  wish(wish: LoadWish, nowMs: number): boolean {
    const before = this.#wish;
    this.#wish = wish;
    if (before?.key === wish.key) {
      this.newEnd(before, wish, nowMs);
      return false;
    }
    this.#retries = 0;
    this.#mutes = 0;
    this.#level.begin(nowMs);
    if (this.wantsNormal && !this.#obligation.owed) {
      this.#phase = { awaits: "wish" };
      // The older wish was never sent: nobody waits for it any more.
      if (this.facts.load?.result === "waiting") {
        this.facts.load = undefined;
        this.facts.changed = true;
      }
    } else this.again(nowMs);
    return true;
  }

  /** The appliance is there (again): whatever it was told before, it is told now. */
  up(nowMs: number): void {
    this.#up = true;
    this.#wasUp = true;
    this.#retries = 0;
    if (this.#wish !== undefined && (this.#obligation.owed || !this.wantsNormal)) this.again(nowMs);
  }

  /** The appliance is gone; `forgets` where what comes back may be another one, or a rebooted one. */
  down(forgets: boolean, nowMs: number): void {
    if (forgets && this.#wasUp) this.#obligation.unknown();
    this.#up = false;
    if (this.#wish === undefined || this.#phase.awaits === "wish") return;
    this.#phase = { awaits: "link" };
    this.report("waiting", 0, "the appliance does not answer", nowMs);
  }

  /** Sends what is in force once more: the appliance woke up and asks. */
  refresh(nowMs: number): void {
    const phase = this.#phase;
    if (phase.awaits === "lapse") this.turn(phase.sent.step, nowMs, true);
    else if (phase.awaits === "retry") this.turn(0, nowMs, true);
  }

  next(nowMs: number): Job | undefined {
    const phase = this.#phase;
    if (!this.#up) return undefined;
    switch (phase.awaits) {
      case "turn":
        return nowMs >= phase.dueMs ? this.send(phase, nowMs) : undefined;
      case "release":
        if (nowMs < phase.dueMs) return undefined;
        this.#phase = { awaits: "release-answer", next: phase.next };
        return { awaits: "load-answer", op: BasicOp.EndShed, arg: 0 };
      case "proof":
        return this.look(phase, nowMs);
      case "lapse":
        if (nowMs >= phase.lapseMs) {
          this.turn(phase.sent.step, nowMs, true);
          return this.next(nowMs);
        }
        if (nowMs < phase.trimMs) return undefined;
        phase.trimMs = NEVER;
        return { awaits: "commodity", by: "load" };
      case "retry":
        if (nowMs < phase.dueMs) return undefined;
        this.turn(0, nowMs, true);
        return this.next(nowMs);
      default:
        return undefined;
    }
  }

  nextMs(): number {
    return this.#up ? phaseDueMs(this.#phase) : NEVER;
  }

  /** The answer to a load command; of no interest where another wish has come meanwhile. */
  answered(answer: Answer, nowMs: number): void {
    const phase = this.#phase;
    if (phase.awaits === "release-answer") this.released(phase.next, answer, nowMs);
    if (phase.awaits !== "answer") return;
    const { sent } = phase;
    const step = this.step(sent.step);
    switch (answer.is) {
      case "ok":
        this.#mutes = 0;
        this.#doubted = -1;
        this.#obligation.taken(step.op, this.#wish!.key);
        if (!sent.quiet) this.report("acknowledged", sent.step, "", nowMs, sent.arg);
        this.prove(sent, nowMs, step.verify.settleMs, "judge");
        break;
      case "mute":
        // It may have been taken: the state tells. If not, it is told again.
        if (++this.#mutes > 3) this.failed("the appliance acknowledges but does not answer", nowMs);
        else this.prove(sent, nowMs, DOUBT_MS, "resend");
        break;
      case "silent":
        this.failed("the appliance does not answer", nowMs);
        break;
      case "cancelled":
        this.#phase = { awaits: "turn", step: sent.step, dueMs: nowMs + 1_000, quiet: sent.quiet, busy: 0 };
        break;
      case "refused":
        if (this.#doubted !== step.op && answer.nak !== NakCode.UnsupportedType) {
          // Link answers have no check bytes: one bit makes "checksum" (03) a 02 or 07. Asked once more.
          this.#doubted = step.op;
          this.#phase = { awaits: "turn", step: sent.step, dueMs: nowMs, quiet: sent.quiet, busy: 0 };
          break;
        }
        this.facts.learnRefused(step.op);
        this.refused(sent, nakText(answer.nak), true, nowMs);
        break;
      case "app-nak":
        this.appNak(phase.sent, phase.busy, answer.reason, nowMs);
    }
  }

  /** A state was reported, whoever asked. */
  stateSeen(state: number, nowMs: number): void {
    const phase = this.#phase;
    switch (phase.awaits) {
      case "proof":
        phase.stateAtMs = nowMs;
        this.judgeLook(phase, nowMs);
        break;
      case "lapse": {
        // The last power reading is good enough to notice something by.
        const sight = this.sight(phase.sent.step, state, phase.sent.atMs);
        if (sight === "opted-out") this.overridden(phase.sent, nowMs);
        else if (sight === "contradicts") this.prove(quietly(phase.sent), nowMs, DOUBT_MS, "resend");
        break;
      }
      case "retry": {
        if (phase.sent === undefined) return;
        const sight = this.sight(phase.sent.step, state, nowMs);
        if (sight === "obeys" || sight === "needs-power") {
          const { settleMs } = this.step(phase.sent.step).verify;
          this.prove(quietly(phase.sent), nowMs, settleMs, "judge", nowMs);
        } else if (sight === "contradicts" && phase.follows && !follows(this.step(phase.sent.step), state)) {
          // It did follow, if not enough: it has forgotten.
          phase.follows = false;
          phase.dueMs = Math.min(phase.dueMs, nowMs + DOUBT_MS);
        }
      }
    }
  }

  /** Power was read, whoever asked. */
  powerSeen(asked: boolean, nowMs: number): void {
    const phase = this.#phase;
    if (phase.awaits === "proof") this.judgeLook(phase, nowMs);
    else if (phase.awaits === "lapse") {
      const { maxPowerW } = this.step(phase.sent.step).verify;
      const { powerW } = this.facts;
      if (powerW === undefined) return;
      if (maxPowerW !== undefined && powerW > maxPowerW) {
        this.prove(quietly(phase.sent), nowMs, DOUBT_MS, "settle");
      } else if (asked) {
        const { step, arg } = phase.sent;
        if (this.#level.raise(this.step(step), arg, powerW, this.settings.idleW))
          this.turn(step, nowMs, true);
      }
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
    if (on && phase.awaits === "lapse" && this.escalated(phase.sent)) {
      // What the customer may override was carried out by what he cannot: back to what he can.
      this.#chain.clear();
      const next: Turn = { awaits: "turn", step: 0, dueMs: nowMs, quiet: false, busy: 0 };
      this.#phase = { awaits: "release", dueMs: nowMs, next };
    } else if (on && phase.awaits === "lapse") this.prove(quietly(phase.sent), nowMs, DOUBT_MS, "judge");
    else if (!on && this.facts.load?.result === "overridden" && isResting(phase)) this.again(nowMs);
  }

  /** True where End Shed is owed: something else may be in force at the appliance. */
  get owed(): boolean {
    return this.#obligation.owed;
  }

  /** True while a Grid Emergency may be carried out, which no customer can opt out of. */
  get emergency(): boolean {
    return this.#obligation.inForce === BasicOp.GridEmergency;
  }

  /** True where Grid Emergency stands in for a step that the customer may override. */
  private escalated(sent: Sent): boolean {
    const first = this.step(0);
    const stands = this.step(sent.step).op === BasicOp.GridEmergency && first.op !== BasicOp.GridEmergency;
    return stands && first.onOverridden !== "next";
  }

  private get wantsNormal(): boolean {
    return this.#wish?.steps[0]?.op === BasicOp.EndShed;
  }

  private step(index: number): LoadStep {
    return this.#wish!.steps[index]!;
  }

  private sight(index: number, state: number, sinceMs: number): Sight {
    return sightOf(this.step(index), state, this.facts, sinceMs, this.settings.idleW);
  }

  /** From the first step, as soon as the appliance is there. */
  private again(nowMs: number): void {
    if (this.#up) this.turn(0, nowMs, false);
    else {
      this.#phase = { awaits: "link" };
      this.report("waiting", 0, "the appliance does not answer", nowMs);
    }
  }

  /** Lines up the first step from `from` on that the appliance has not refused before. */
  private turn(from: number, nowMs: number, quiet: boolean): void {
    const { steps } = this.#wish!;
    const step = this.#chain.nextStep(steps, from);
    if (step === steps.length) {
      this.refusedAll(nowMs);
      return;
    }
    this.#phase = { awaits: "turn", step, dueMs: nowMs, quiet, busy: 0 };
    if (!quiet) this.report("waiting", step, "", nowMs);
  }

  private send(phase: Turn, nowMs: number): Job {
    const step = this.step(phase.step);
    const arg = this.#level.argFor(step) ?? argOf(step, this.#wish!.endsAtMs, this.facts, nowMs);
    this.#obligation.sent(step.op);
    const sent = { step: phase.step, arg, atMs: nowMs, quiet: phase.quiet };
    this.#phase = { awaits: "answer", sent, busy: phase.busy };
    return { awaits: "load-answer", op: step.op, arg };
  }

  /** The same wish with another end: the appliance is told the new duration. */
  private newEnd(before: LoadWish, wish: LoadWish, nowMs: number): void {
    if (before.endsAtMs === wish.endsAtMs || this.#phase.awaits !== "lapse") return;
    const step = this.step(this.#phase.sent.step);
    if (!hasDuration(step.op) || step.arg !== undefined || this.facts.noDurations) return;
    const leftMs = (wish.endsAtMs ?? nowMs) - nowMs;
    const shiftMs = Math.abs((wish.endsAtMs ?? 0) - (before.endsAtMs ?? 0));
    // A clock that is being disciplined moves every end a little; that is no news.
    if (shiftMs > Math.max(5_000, leftMs / 50)) this.turn(this.#phase.sent.step, nowMs, true);
  }

  private appNak(sent: Sent, busy: number, reason: number, nowMs: number): void {
    const step = this.step(sent.step);
    const { busyMs, busyTries } = this.settings;
    if (reason === AppNakReason.CustomerOverride) {
      this.hooks.overridden(nowMs);
      this.overridden(sent, nowMs);
      // What else was in force, the customer has opted out of too; Grid Emergency cannot be.
      if (this.#phase.awaits === "retry" && this.outlived === BasicOp.GridEmergency) {
        this.#phase = { awaits: "release", dueMs: nowMs, next: this.#phase };
      }
    } else if (reason === AppNakReason.Busy && busy < busyTries) {
      const dueMs = nowMs + busyMs * 2 ** busy;
      this.#phase = { awaits: "turn", step: sent.step, dueMs, quiet: sent.quiet, busy: busy + 1 };
    } else if (reason === AppNakReason.Opcode2Invalid && step.arg === undefined && sent.arg !== 0) {
      this.facts.noDurations = true;
      this.turn(sent.step, nowMs, sent.quiet);
    } else {
      const forGood = reason === AppNakReason.Opcode1Unsupported;
      if (forGood) this.facts.learnRefused(step.op);
      this.refused(sent, appNakText(reason), forGood, nowMs);
    }
  }

  private refused(sent: Sent, text: string, forGood: boolean, nowMs: number): void {
    this.#chain.refused(this.step(sent.step), text, forGood);
    this.turn(sent.step + 1, nowMs, false);
  }

  /** Nothing of the chain is left. */
  private refusedAll(nowMs: number): void {
    const steps = this.#wish!.steps;
    this.report("refused", steps.length - 1, this.#chain.text, nowMs);
    const worthAnotherTry = !this.#chain.forGood || this.wantsNormal;
    const next: Phase = worthAnotherTry
      ? { awaits: "retry", dueMs: nowMs + this.settings.retryMaxMs, sent: undefined, follows: false }
      : { awaits: "change" };
    this.#phase = this.outlived !== undefined ? { awaits: "release", dueMs: nowMs, next } : next;
    this.#chain.clear();
  }

  /** The command that the appliance still carries out for an earlier wish. */
  private get outlived(): number | undefined {
    return this.wantsNormal ? undefined : this.#obligation.outlived(this.#wish!.key);
  }

  /** End Shed for an older command was answered; silence is tried again. */
  private released(next: Phase, answer: Answer, nowMs: number): void {
    const gone = answer.is === "ok" || answer.is === "app-nak" || answer.is === "refused";
    if (gone) this.#obligation.released();
    this.#phase = gone ? next : { awaits: "release", dueMs: nowMs + 5_000, next };
  }

  private failed(text: string, nowMs: number): void {
    const { sent } = this.#phase as Phase & { awaits: "answer" };
    this.#mutes = 0;
    this.report("failed", sent.step, text, nowMs, sent.arg);
    // A state that fits may be an older command's: only one that was taken is proven by it.
    this.retry(undefined, nowMs, 30_000);
  }

  private retry(sent: Sent | undefined, nowMs: number, maxMs: number, follows = false): void {
    const waitMs = Math.min(maxMs, this.settings.retryMs * 2 ** Math.min(this.#retries, 20));
    this.#retries++;
    this.#phase = { awaits: "retry", dueMs: nowMs + waitMs, sent, follows };
  }

  private overridden(sent: Sent, nowMs: number): void {
    const step = this.step(sent.step);
    if (step.onOverridden === "next" && sent.step + 1 < this.#wish!.steps.length) {
      this.#chain.refused(step, "overridden, which the customer may not", false);
      this.turn(sent.step + 1, nowMs, false);
      return;
    }
    this.report("overridden", sent.step, "the customer has overridden at the appliance", nowMs, sent.arg);
    this.#phase = { awaits: "retry", dueMs: nowMs + this.settings.overriddenRetryMs, sent, follows: false };
  }

  private prove(sent: Sent, nowMs: number, forMs: number, then: Proof["then"], stateAtMs = 0): void {
    const phase: Phase = {
      awaits: "proof",
      sent,
      untilMs: nowMs + forMs,
      then,
      askAtMs: nowMs,
      ask: stateAtMs > 0 ? "power" : "state",
      stateAtMs,
      sight: undefined,
      followed: false,
    };
    this.#phase = phase;
    if (stateAtMs > 0) this.judgeLook(phase, nowMs);
  }

  /** The next look at an appliance that is being proven, or the end of the settling time. */
  private look(phase: Proof, nowMs: number): Job | undefined {
    if (nowMs >= phase.untilMs) {
      this.conclude(phase, nowMs);
      return this.#phase === phase ? undefined : this.next(nowMs);
    }
    const { sent } = phase;
    switch (questionOf(phase, this.step(sent.step), this.facts, nowMs)) {
      case "state":
        return { awaits: "state", by: "load" };
      case "power":
        return { awaits: "commodity", by: "load" };
      case "blind":
        this.hold(sent, nowMs);
        this.report("acknowledged", sent.step, "the appliance cannot show whether it obeys", nowMs, sent.arg);
        return undefined;
      default:
        return undefined;
    }
  }

  /** Something was seen while proving. */
  private judgeLook(phase: Proof, nowMs: number): void {
    const { sent } = phase;
    const verdict = judge(phase, this.step(sent.step), this.facts, this.settings, nowMs);
    if (verdict === "obeys") this.verified(sent, nowMs);
    else if (verdict === "overridden") this.overridden(sent, nowMs);
  }

  private verified(sent: Sent, nowMs: number): void {
    this.#retries = 0;
    this.#mutes = 0;
    this.#chain.clear();
    const load = this.facts.load;
    const known = load?.result === "verified" && load.step === sent.step && load.arg === sent.arg;
    this.hold(sent, nowMs);
    if (!known) this.report("verified", sent.step, "", nowMs, sent.arg);
  }

  /** In force: watched until it lapses; End Shed needs no watch. */
  private hold(sent: Sent, nowMs: number): void {
    const step = this.step(sent.step);
    if (step.op === BasicOp.EndShed) {
      this.#obligation.met();
      this.#phase = { awaits: "wish" };
      return;
    }
    const trimMs = this.#level.wantsLook(step) ? Math.max(nowMs, sent.atMs + step.verify.settleMs) : NEVER;
    const lapseMs = lapseMsOf(step, sent, this.#wish!.endsAtMs);
    this.#phase = { awaits: "lapse", sent, lapseMs, trimMs };
  }

  /** The settling time is over, and the appliance was not seen to obey. */
  private conclude(phase: Proof, nowMs: number): void {
    const { sent } = phase;
    const step = this.step(sent.step);
    if (phase.then === "settle" && phase.sight !== "contradicts") {
      this.prove(sent, nowMs, step.verify.settleMs - DOUBT_MS, "judge");
      return;
    }
    if (phase.then !== "judge") {
      this.turn(sent.step, nowMs, sent.quiet);
      return;
    }
    if (this.facts.override && phase.sight === "contradicts") {
      this.overridden(sent, nowMs);
      return;
    }
    const { opState } = this.facts;
    const curtailed = opState === OpState.RunningCurtailed || opState === OpState.IdleCurtailed;
    if (step.op === BasicOp.EndShed && curtailed && this.hooks.guided()) {
      // Not our command any more: bad grid guidance alone has the appliance curtailed.
      this.verified(sent, nowMs);
      return;
    }
    if (phase.sight === "over" && this.#level.lower(step, sent.arg)) {
      this.turn(sent.step, nowMs, sent.quiet);
      return;
    }
    const stays = follows(step, opState);
    const forgot = phase.sight === "contradicts" && phase.followed && !stays;
    if (forgot && this.#retries === 0) {
      // It did obey: told once more before anything else is tried.
      this.#retries = 1;
      this.turn(sent.step, nowMs, sent.quiet);
      return;
    }
    if (step.onUnverified === "next" && sent.step + 1 < this.#wish!.steps.length) {
      this.#chain.refused(step, "acknowledged but not obeyed", false);
      this.turn(sent.step + 1, nowMs, false);
      return;
    }
    this.report("unverified", sent.step, contradictionText(phase.sight, this.facts), nowMs, sent.arg);
    // Seen to disobey, it is left alone for longer than where only the answers were lost; if it has forgotten, not.
    const unseen = phase.sight === undefined || phase.sight === "needs-power";
    this.#retries = forgot ? 1 : Math.max(this.#retries, unseen ? 1 : 5);
    this.retry(sent, nowMs, this.settings.retryMaxMs, stays);
  }

  private report(result: LoadResult, step: number, text: string, nowMs: number, arg?: number): void {
    const load = loadStatus(this.#wish!, result, step, text, nowMs, arg);
    if (isSameLoad(this.facts.load, load)) return;
    this.facts.load = load;
    this.facts.changed = true;
    this.hooks.load();
  }
}
