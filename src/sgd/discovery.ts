/**
 * Finding out what is on the other end: type queries, payload limit, GetInformation, state, commodities.
 * It has patience for ever, because appliances exist that stay silent until the module starts the dialogue
 * (cta2045 2.4): what is not answered is asked again after a rest, what is refused is skipped.
 */
import { uniformInt } from "../base/random.js";
import { NEVER, type RandomPort } from "../ports/time.js";
import { BasicOp, MessageType } from "../wire/message.js";
import type { Facts } from "./facts.js";
import type { Answer, Job } from "./job.js";
import type { SgdSettings } from "./settings.js";

type Step = "basic" | "intermediate" | "data-link" | "max-payload" | "information" | "state" | "commodity";

const STEPS: readonly Step[] = [
  "basic",
  "intermediate",
  "data-link",
  "max-payload",
  "information",
  "state",
  "commodity",
];

/** So often may one step stay without an answer before the rest of the discovery goes on without it. */
const TRIES = 3;

type Phase =
  | { readonly awaits: "time"; readonly dueMs: number; readonly at: number }
  | { readonly awaits: "turn"; readonly at: number }
  | { readonly awaits: "answer"; readonly at: number }
  | { readonly awaits: "nothing" };

export class Discovery {
  #phase: Phase = { awaits: "time", dueMs: 0, at: 0 };
  /** Unanswered tries at the present step. */
  #tries = 0;
  #rests = 0;
  #dataLink = false;
  #firstAnswerMs = NEVER;

  constructor(
    private readonly facts: Facts,
    private readonly settings: SgdSettings,
    private readonly random: RandomPort,
  ) {}

  get done(): boolean {
    return this.#phase.awaits === "nothing";
  }

  /** True where the appliance has answered, and the rest of the discovery has taken too long to wait for. */
  loadMayGo(nowMs: number): boolean {
    return this.done || nowMs - this.#firstAnswerMs > 10_000;
  }

  /** Begins anew at `dueMs`. What had been learnt from refusals is forgotten. */
  start(dueMs: number): void {
    this.#phase = { awaits: "time", dueMs, at: 0 };
    this.#tries = 0;
    this.#rests = 0;
    this.#firstAnswerMs = NEVER;
    this.facts.forgetLimits();
  }

  /** The appliance was heard: no reason to rest any longer. */
  heard(nowMs: number): void {
    if (this.#phase.awaits === "time" && this.#rests > 0 && this.#phase.dueMs > nowMs + 500) {
      this.#rests = 0;
      this.#phase = { ...this.#phase, dueMs: nowMs + 500 };
    }
  }

  next(nowMs: number): Job | undefined {
    const phase = this.#phase;
    if (phase.awaits === "time" && nowMs >= phase.dueMs) this.#phase = { awaits: "turn", at: phase.at };
    if (this.#phase.awaits !== "turn") return undefined;
    const { at } = this.#phase;
    this.#phase = { awaits: "answer", at };
    return this.job(STEPS[at]!);
  }

  nextMs(): number {
    if (this.#phase.awaits === "time") return this.#phase.dueMs;
    return this.#phase.awaits === "turn" ? 0 : NEVER;
  }

  /** The answer to the job that `next` gave. Replies have been read into the facts already. */
  answered(answer: Answer, nowMs: number): void {
    if (this.#phase.awaits !== "answer") return;
    const { at } = this.#phase;
    switch (answer.is) {
      case "silent":
        this.unanswered(at, nowMs, this.rest());
        break;
      case "cancelled":
        this.#phase = { awaits: "time", dueMs: nowMs + 1_000, at };
        break;
      case "mute":
        this.answeredAt(nowMs);
        this.unanswered(at, nowMs, 1_000);
        break;
      default:
        this.answeredAt(nowMs);
        this.learn(STEPS[at]!, answer);
        this.advance(at);
    }
  }

  private answeredAt(nowMs: number): void {
    this.#rests = 0;
    this.#firstAnswerMs = Math.min(this.#firstAnswerMs, nowMs);
    if (this.facts.link !== "discovering") {
      this.facts.link = "discovering";
      this.facts.changed = true;
    }
  }

  private unanswered(at: number, nowMs: number, restMs: number): void {
    this.#tries++;
    const step = STEPS[at]!;
    if (this.#tries < TRIES || step === "basic") {
      this.#phase = { awaits: "time", dueMs: nowMs + restMs, at };
    } else if (step === "state" && restMs > 1_000) {
      // Not even Basic DR is answered any more: it has gone, or was changed.
      this.#tries = 0;
      this.#phase = { awaits: "time", dueMs: nowMs + restMs, at: 0 };
    } else {
      this.advance(at);
    }
  }

  /** Doubling, with a random part so that two that started together do not stay together. */
  private rest(): number {
    const { discoveryRestMs, discoveryRestMaxMs } = this.settings;
    const restMs = Math.min(discoveryRestMaxMs, discoveryRestMs * 2 ** Math.min(this.#rests, 10));
    this.#rests++;
    return restMs + uniformInt(this.random, Math.floor(restMs / 4));
  }

  private learn(step: Step, answer: Answer): void {
    const ok = answer.is === "ok";
    if (step === "intermediate") this.facts.intermediate = ok;
    else if (step === "data-link") this.#dataLink = ok;
    else if (step === "commodity" && answer.is === "refused") this.facts.noCommodity = true;
    else if (step === "state" && !ok) this.facts.learnRefused(BasicOp.QueryState);
  }

  private advance(from: number): void {
    this.#tries = 0;
    let at = from + 1;
    while (at < STEPS.length && this.skips(STEPS[at]!)) at++;
    this.#phase = at < STEPS.length ? { awaits: "turn", at } : { awaits: "nothing" };
  }

  private skips(step: Step): boolean {
    if (step === "max-payload") return !this.#dataLink;
    return (step === "information" || step === "commodity") && !this.facts.intermediate;
  }

  private job(step: Step): Job {
    switch (step) {
      case "basic":
        return { awaits: "type-answer", type: MessageType.Basic };
      case "intermediate":
        return { awaits: "type-answer", type: MessageType.Intermediate };
      case "data-link":
        return { awaits: "type-answer", type: MessageType.DataLink };
      case "max-payload":
      case "information":
        return { awaits: step };
      default:
        return { awaits: step, by: "discovery" };
    }
  }
}
