import type { CaptureSink } from "../capture/record.js";
import { captureVirtualLine } from "../capture/line-capture.js";
import { monotonicMs } from "../runtime/clock.js";
import { FileFlash } from "../runtime/file-flash.js";
import type { Engine } from "../runtime/ucm-host.js";
import { OwnerPages, PageMistake } from "../virtual/owner-pages.js";
import { VirtualBench, type VirtualBenchOptions } from "../virtual/virtual-bench.js";
import { Expected } from "./expect.js";
import { clearOrder, limitOrder, type Order } from "../csms/requests.js";
import type { PageAction, PlatformAction, Scenario, Step, UtilityAction } from "./model.js";
import { Watch } from "./watch.js";

export interface StepResult {
  /** Line of the file; 0 for the bench's own settling. */
  readonly line: number;
  readonly text: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** When it was done, virtual ms. */
  readonly atMs: number;
  /** Why it failed; "" otherwise. */
  readonly why: string;
  readonly isExpectation: boolean;
}

export interface ScenarioResult {
  readonly name: string;
  readonly title: string;
  readonly why: string;
  readonly seed: number;
  readonly passed: boolean;
  readonly virtualMs: number;
  readonly realMs: number;
  readonly steps: readonly StepResult[];
  /** Current and limit whenever they changed, for a chart. */
  readonly samples: readonly { readonly t: number; readonly currentA: number; readonly limitA: number }[];
  /** Everything that happened, one JSON object a line. */
  readonly trace: string;
}

export interface RunOptions {
  readonly engine: Engine;
  /** In place of the file's. */
  readonly seed?: number;
  /** By the wall clock instead of as fast as it goes. */
  readonly realTime?: boolean;
  readonly capture?: CaptureSink;
  /** Told when a step begins; `of` steps in all. */
  readonly onStep?: (text: string, index: number, of: number) => void;
  /** Told before anything happens: the text of every step with its line of the file, and the bench. */
  readonly onBegin?: (
    steps: readonly { readonly line: number; readonly text: string }[],
    bench: VirtualBench,
  ) => void;
  /** Told when a step is over, the bench's own settling included. */
  readonly onResult?: (result: StepResult) => void;
  /** True ends the run at the next opportunity. */
  readonly stopped?: () => boolean;
}

const SETTLE_MS = 120_000;
/** On the label of the bench's module: nobody else's. */
const LABEL_SECRET = "0BEN-CH0F-0PEN-0UCM";

/** A module with its own pages; a new one has a Wi-Fi to find. */
function pagesOf(page: "set-up" | "new"): Pick<VirtualBenchOptions, "flash" | "web" | "home"> {
  const fresh = page === "new";
  return { flash: FileFlash.blank(), web: { ownerSecret: LABEL_SECRET, fresh }, home: fresh };
}

/** Runs a scenario to its end or to the first expectation that is not met. Throws only where the bench itself is broken. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  const beganMs = monotonicMs();
  const seed = options.seed ?? scenario.seed;
  const bench = new VirtualBench({
    engine: options.engine,
    seed,
    profile: scenario.profile,
    config: scenario.config,
    vtn: { pollSeconds: scenario.pollSeconds },
    utcMs: scenario.utcMs,
    ...(scenario.page === undefined ? {} : pagesOf(scenario.page)),
    ...(options.realTime === true ? { pace: wallClock(options.stopped) } : {}),
  });
  const watch = new Watch(bench);
  const finish =
    options.capture === undefined
      ? undefined
      : captureVirtualLine(bench.line, options.capture, (atMs) => scenario.utcMs + atMs);
  const steps: StepResult[] = [];
  const runner = new Runner(scenario, bench, watch);
  const add = (line: number, text: string, why: string | undefined, isExpectation: boolean): boolean => {
    watch.note(`${why === undefined ? "done" : "failed"}: ${text}`);
    const outcome = why === undefined ? "passed" : "failed";
    const result: StepResult = { line, text, outcome, atMs: bench.nowMs, why: why ?? "", isExpectation };
    steps.push(result);
    options.onResult?.(result);
    return why === undefined;
  };
  let passed = true;
  const text = scenario.plugged ? "everything is connected and the car charges" : "everything is connected";
  options.onBegin?.(
    [
      ...(scenario.settle ? [{ line: 0, text }] : []),
      ...scenario.steps.map((step, i) => ({ line: scenario.lines[i]!, text: runner.textOf(step) })),
    ],
    bench,
  );
  if (scenario.settle) {
    options.onStep?.(text, 0, scenario.steps.length);
    passed = add(0, text, await runner.settle(), true);
  } else if (scenario.plugged) bench.sgd.plug();
  for (const [i, step] of scenario.steps.entries()) {
    const line = scenario.lines[i]!;
    const text = runner.textOf(step);
    if (!passed) {
      steps.push({
        line,
        text,
        outcome: "skipped",
        atMs: bench.nowMs,
        why: "",
        isExpectation: "expect" in step,
      });
      continue;
    }
    options.onStep?.(text, i + 1, scenario.steps.length);
    passed = add(line, text, await runner.carryOut(step), "expect" in step);
  }
  finish?.();
  return {
    name: scenario.name,
    title: scenario.title,
    why: scenario.why,
    seed,
    passed,
    virtualMs: bench.nowMs,
    realMs: monotonicMs() - beganMs,
    steps,
    samples: bench.states.map(({ t, currentA, limitA }) => ({ t, currentA, limitA })),
    trace: watch.trace,
  };
}

/** Holds the bench back until the wall clock has come as far. */
function wallClock(stopped: (() => boolean) | undefined): (nowMs: number) => Promise<void> {
  let beginMs: number | undefined;
  return async (nowMs) => {
    beginMs ??= monotonicMs() - nowMs;
    for (;;) {
      if (stopped?.() === true) throw new Stopped();
      const waitMs = beginMs + nowMs - monotonicMs();
      if (waitMs <= 0) return;
      await new Promise((done) => setTimeout(done, Math.min(waitMs, 250)));
    }
  };
}

/** The user ended a run in real time. */
export class Stopped extends Error {
  override readonly message = "stopped";
}

class Runner {
  readonly #events = new Map<string, string>();

  constructor(
    readonly scenario: Scenario,
    readonly bench: VirtualBench,
    readonly watch: Watch,
  ) {}

  /** Until utility, module and charger know each other, and a car that is there charges. */
  async settle(): Promise<string | undefined> {
    const { bench, watch } = this;
    if (this.scenario.plugged) bench.sgd.plug();
    const done = await this.#waitFor(
      () =>
        this.scenario.checkedConfig.upstreams.every(
          ({ id }) => watch.upstreams.get(id)?.state === "online",
        ) &&
        watch.last("sgd")?.status.link === "online" &&
        // After a start the module ends what may be in force from before; that is not part of any story.
        !["waiting", "acknowledged", undefined].includes(watch.last("command")?.result) &&
        (!this.scenario.plugged || this.#charges()),
      SETTLE_MS,
    );
    watch.mark();
    if (done) return undefined;
    const { upstream, link } = {
      upstream: [...watch.upstreams].map(([id, { state }]) => `${id} ${state}`).join(", ") || "none",
      link: watch.last("sgd")?.status.link ?? "absent",
    };
    return `not within ${SETTLE_MS / 1000} s: upstream ${upstream}, link ${link}, ${bench.sgd.state().currentA} A`;
  }

  /** Undefined, or why it failed. */
  async carryOut(step: Step): Promise<string | undefined> {
    const { bench, watch } = this;
    if ("expect" in step) return await this.#expect(step);
    if ("waitSeconds" in step) {
      await this.#waitFor(() => false, step.waitSeconds * 1000);
      return undefined;
    }
    watch.mark();
    if ("utility" in step) return this.#utility(step.utility);
    if ("platform" in step) return this.#platform(step.platform);
    if ("owner" in step) {
      const { durationSeconds, ...order } = step.owner;
      const lasting = durationSeconds === undefined ? {} : { durationMs: durationSeconds * 1000 };
      const { ok, text } = await bench.ask({ k: "owner", order: { ...order, ...lasting } }, "answer");
      return ok ? undefined : text;
    }
    if ("page" in step) return await this.#page(step.page);
    if ("buttonSeconds" in step) {
      await bench.button(step.buttonSeconds * 1000);
      return undefined;
    }
    if ("car" in step) {
      if (step.car === "plug") bench.sgd.plug();
      else if (step.car === "unplug") bench.sgd.unplug();
      else bench.sgd.fault(step.car === "wake" ? "wake-car" : "car-asleep");
    } else if ("customer" in step) bench.sgd.override(step.customer === "opt-out");
    else if ("fault" in step) bench.sgd.fault(step.fault);
    else if ("line" in step) {
      const { breakMs, ...noise } = step.line;
      Object.assign(bench.line.noise, noise);
      if (breakMs !== undefined) bench.line.breakFor(breakMs);
    } else if ("clock" in step) {
      bench.moduleClock.offsetMs += (step.clock.stepSeconds ?? 0) * 1000;
      bench.moduleClock.known = step.clock.known ?? bench.moduleClock.known;
    } else this.#module(step.module);
    return undefined;
  }

  /** What a step does, in a line. */
  textOf(step: Step): string {
    if ("expect" in step) {
      const { withinSeconds, forSeconds } = step.expect;
      const { text } = new Expected(step.expect, this.#world);
      const within = withinSeconds === undefined ? "" : ` within ${withinSeconds} s`;
      return `expect ${text}${within}${forSeconds === undefined ? "" : ` for ${forSeconds} s`}`;
    }
    const [verb, what] = Object.entries(step).find(([key]) => key !== "note") as [string, unknown];
    if (verb === "waitSeconds") return `wait ${String(what)} s`;
    return `${verb}: ${typeof what === "object" ? words(what as object) : String(what)}`;
  }

  get #world(): { bench: VirtualBench; watch: Watch; events: ReadonlyMap<string, string> } {
    return { bench: this.bench, watch: this.watch, events: this.#events };
  }

  #charges(): boolean {
    const { currentA, limitA } = this.bench.sgd.state();
    const most = Math.min(limitA, this.scenario.profile.car.maxCurrentA);
    return this.scenario.profile.kind === "evse" ? currentA >= most - 0.1 && currentA > 0 : true;
  }

  async #waitFor(done: () => boolean, limitMs: number): Promise<boolean> {
    return await this.bench.waitFor(() => {
      this.watch.drain();
      return done();
    }, limitMs);
  }

  async #expect({ expect }: Extract<Step, { readonly expect: unknown }>): Promise<string | undefined> {
    const expected = new Expected(expect, this.#world);
    const { withinSeconds = 0, forSeconds = 0 } = expect;
    // What a step has just done shows when those who are concerned have been polled at this very moment.
    if (!(await this.#waitFor(() => expected.holds(), withinSeconds * 1000))) {
      const when = withinSeconds === 0 ? "now" : `within ${withinSeconds} s`;
      return `not ${when}: ${expected.difference()}`;
    }
    const fromMs = this.bench.nowMs;
    if (forSeconds > 0 && (await this.#waitFor(() => !expected.holds(), forSeconds * 1000)))
      return `only for ${(this.bench.nowMs - fromMs) / 1000} s of ${forSeconds}: ${expected.difference()}`;
    return undefined;
  }

  #utility(act: UtilityAction): string | undefined {
    const { vtn, utcMs } = this.bench;
    const now = { utcMs };
    const refusal = (result: object): string | undefined =>
      "error" in result
        ? `${String((result as { field?: string }).field)}: ${String(result.error)}`
        : undefined;
    if ("create" in act) {
      const { name, ...input } = act.create;
      const made = vtn.createEvent(input, now);
      if ("id" in made) this.#events.set(name, made.id);
      return refusal(made);
    }
    if ("modify" in act) {
      const { name, ...input } = act.modify;
      return refusal(vtn.modifyEvent(this.#events.get(name)!, input, now));
    }
    if ("cancel" in act) return refusal(vtn.cancelEvent(this.#events.get(act.cancel)!, now));
    if ("withdraw" in act) return refusal(vtn.withdrawEvent(this.#events.get(act.withdraw)!));
    if ("misbehave" in act) vtn.misbehave(act.misbehave);
    else if ("behave" in act) vtn.behave();
    else this.#network(act.network);
    return undefined;
  }

  readonly #pages = new OwnerPages((request) => this.bench.page(request));

  /** Undefined, or why it failed: what the page does not offer, or does not show. */
  async #page({ open, press, of, fill, shows, showsNot }: PageAction): Promise<string | undefined> {
    const pages = this.#pages;
    try {
      if (open !== undefined || pages.asksSecret) await pages.open(open === "now" ? "/" : `/${open ?? ""}`);
      if (pages.asksSecret) await pages.logIn(LABEL_SECRET);
      if (press !== undefined) await pages.press(press, fill, of);
    } catch (error) {
      if (error instanceof PageMistake) return error.message;
      throw error;
    }
    if (shows !== undefined && !pages.text.includes(shows))
      return `the page does not show "${shows}": ${pages.text}`;
    if (showsNot !== undefined && pages.text.includes(showsNot))
      return `the page shows "${showsNot}": ${pages.text}`;
    return undefined;
  }

  #platform(act: PlatformAction): string | undefined {
    const { csms, utcMs } = this.bench;
    const ask = (order: Order): void => {
      this.watch.platformAnswer = "";
      csms.ask(order, ({ status, error }) => (this.watch.platformAnswer = String(status ?? error)));
    };
    const running = csms.point.running?.id;
    if ("limit" in act) {
      const bound =
        act.limit.purpose === "TxProfile" && running !== undefined ? { transactionId: running } : {};
      ask(limitOrder({ ...bound, ...act.limit }, utcMs));
    } else if ("clear" in act) ask(clearOrder(act.clear === "all" ? undefined : act.clear));
    else if ("start" in act)
      ask({ action: "RemoteStartTransaction", payload: { connectorId: 1, idTag: act.start } });
    else if ("stop" in act) {
      if (running === undefined) return "no transaction runs that could be stopped";
      ask({ action: "RemoteStopTransaction", payload: { transactionId: running } });
    } else {
      if (act.network !== "ok") csms.cut();
      csms.door = act.network === "refused" ? "refused" : "open";
    }
    return undefined;
  }

  readonly #reached: { network?: VirtualBench["network"] } = {};

  #network(state: "ok" | "refused" | "timeout"): void {
    const reached = (this.#reached.network ??= this.bench.network);
    this.bench.network = state === "ok" ? reached : () => state;
  }

  #module(what: string): void {
    const { bench } = this;
    switch (what) {
      case "power-off":
        return bench.cutPower();
      case "power-on":
      case "restart":
        return bench.boot();
      case "unplug":
        return bench.unplugModule();
      case "replug":
        return bench.plugModule();
    }
  }
}

/** `{create: {name: "peak", level: 1}}` → "create peak, level 1". */
function words(object: object): string {
  return Object.entries(object)
    .map(([key, value]) => {
      if (key === "name") return String(value);
      if (typeof value !== "object" || value === null) return `${key} ${String(value)}`;
      return Array.isArray(value) ? `${key} (${value.length})` : `${key} ${words(value as object)}`;
    })
    .join(", ");
}
