/** Runs the plan: whoever owns the line feeds it events and time, as with any user of a line. */
import type { ByteLine, ByteLineEvent } from "../../src/ports/line.js";
import { NEVER, type RandomPort } from "../../src/ports/time.js";
import { emitFrame } from "../../src/wire/frame.js";
import { MessageType } from "../../src/wire/message.js";
import { Partner } from "./partner.js";
import {
  Crossed,
  inconclusive,
  Verdicted,
  type Outcome,
  type Role,
  type Steps,
  type Verdict,
  type Wait,
} from "./plan.js";
import type { TestCase } from "./test-case.js";
import { Probe, type Entry } from "./probe.js";
import { Tester } from "./tester.js";

/** Why nothing can be judged where nobody is there. */
export const SILENT = "nothing was ever heard of the peer";

export interface TestResult {
  readonly test: TestCase;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly startMs: number;
  readonly endMs: number;
  /** What to show of the trace: all that crossed the line in the test, or what a monitor points at with its surroundings. */
  readonly trace: readonly Entry[];
  /** Numbers of the entries that a monitor points at. */
  readonly shown: readonly number[];
}

export interface RunnerOptions {
  readonly role: Role;
  readonly line: ByteLine;
  readonly random: RandomPort;
  readonly tests: readonly TestCase[];
  /** True for pseudo-terminals and sockets, whose bytes take no time. */
  readonly airless?: boolean;
  /** Times measured may be wrong by so much, ms; 2 (rounding) if not given. */
  readonly slackMs?: number;
  /** Pulls the peer off the line and puts it back, where the bench can. */
  readonly plug?: (on: boolean) => void;
  /** Weak sources fail too. */
  readonly strict?: boolean;
  /** How long the peer is waited for, ms; 30 s if not given. */
  readonly waitMs?: number;
  readonly onStart?: (test: TestCase, index: number) => void;
  readonly onResult?: (result: TestResult, index: number) => void;
}

/** Silence after which the peer's bytes are given up; a real host may be late. */
const IDLE_MS = 20;
const AIRLESS_IDLE_MS = 60;
/** A test in which both spoke at once is begun anew so often. */
const ATTEMPTS = 4;
/** The peer's own start-up, which would be in the way. */
const SETTLE_MS = 4000;
const KNOCK_MS = 3000;
/** Entries before and after one that a monitor points at. */
const AROUND = 3;

export class Runner {
  readonly results: TestResult[] = [];
  readonly probe: Probe;
  done = false;

  readonly #options: RunnerOptions;
  readonly #partner: Partner;
  readonly #tester: Tester;
  readonly #steps: Steps<void>;
  #wait: Wait = { untilMs: 0 };
  #started = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    const airless = options.airless ?? false;
    this.#partner = new Partner(options.role, (bytes) => {
      this.probe.toldLimit = bytes;
    });
    this.probe = new Probe({
      line: options.line,
      manners: this.#partner,
      airless,
      idleMs: airless ? AIRLESS_IDLE_MS : IDLE_MS,
    });
    this.#tester = new Tester({
      probe: this.probe,
      role: options.role,
      random: options.random,
      slackMs: options.slackMs ?? 2,
      plug: options.plug,
    });
    this.#steps = this.#all();
  }

  /** `blurMs`: the event may have waited so long in this computer. */
  onByteLine(event: ByteLineEvent, nowMs: number, blurMs = 0): void {
    this.probe.onByteLine(event, nowMs, blurMs);
    this.poll(nowMs);
  }

  poll(nowMs: number): void {
    this.probe.poll(nowMs);
    while (!this.done && this.#isReady(nowMs)) {
      const step = this.#steps.next();
      this.#started = true;
      if (step.done === true) this.done = true;
      else this.#wait = step.value;
    }
  }

  nextMs(): number {
    if (this.done) return NEVER;
    return Math.min(this.probe.nextMs(), this.#started ? this.#wait.untilMs : 0);
  }

  #isReady(nowMs: number): boolean {
    return !this.#started || nowMs >= this.#wait.untilMs || this.#wait.done?.() === true;
  }

  *#all(): Steps<void> {
    const { tests, onStart, onResult } = this.#options;
    const isHeard = yield* this.#settle();
    for (const [index, test] of tests.entries()) {
      onStart?.(test, index);
      const startMs = this.probe.nowMs;
      const from = this.probe.trace.length;
      // One test fails for a peer that is not there; the others could only say the same.
      const outcome =
        isHeard || test.id === "link.ack" || tests.length === 1
          ? yield* this.#one(test)
          : inconclusive(SILENT);
      const result = this.#result(test, outcome, startMs, from);
      this.results.push(result);
      onResult?.(result, index);
    }
  }

  /** Waits until the peer is heard, and lets its own start-up pass. */
  *#settle(): Steps<boolean> {
    const t = this.#tester;
    const limitMs = t.nowMs + (this.#options.waitMs ?? 30_000);
    const isHeard = (): boolean => t.trace.some((e) => e.who === "peer" && e.kind !== "noise");
    while (!isHeard() && t.nowMs < limitMs) {
      yield* t.until(isHeard, Math.min(KNOCK_MS, limitMs - t.nowMs));
      if (isHeard()) break;
      yield* t.calm();
      yield* t.say(emitFrame(MessageType.Basic, new Uint8Array(0)));
      yield* t.until(isHeard, 500);
    }
    if (!isHeard()) return false;
    yield* t.sleep(SETTLE_MS);
    return true;
  }

  *#one(test: TestCase): Steps<Outcome> {
    for (let attempt = 1; ; attempt++) {
      try {
        yield* this.#tester.calm();
        return yield* test.run(this.#tester);
      } catch (error) {
        if (error instanceof Verdicted) return error.outcome;
        if (!(error instanceof Crossed)) throw error;
        this.probe.note(`${error.message}; attempt ${attempt} of ${ATTEMPTS}`);
        if (attempt === ATTEMPTS)
          return inconclusive("the line was never free: the peer speaks into our frames");
        // Not in step with a peer that speaks at regular times.
        yield* this.#tester.sleep(300 + (this.#options.random.uint32() % 700));
      }
    }
  }

  #result(test: TestCase, outcome: Outcome, startMs: number, from: number): TestResult {
    const isWeak = outcome.verdict === "fail" && test.mark !== "C";
    let { verdict } = outcome;
    if (this.#options.strict === true) verdict = verdict === "advice" ? "fail" : verdict;
    else if (isWeak) verdict = "advice";
    const { trace } = this.probe;
    const shown = (outcome.shown ?? []).map((entry) => entry.n);
    const isShown = (n: number): boolean => shown.some((at) => Math.abs(at - n) <= AROUND);
    const wanted = shown.length > 0 ? trace.filter((entry) => isShown(entry.n)) : trace.slice(from);
    return {
      test,
      verdict,
      reason: outcome.reason,
      startMs,
      endMs: this.probe.nowMs,
      trace: wanted,
      shown,
    };
  }
}
