import { Worker } from "node:worker_threads";
import { loadScenario, shippedNames, shippedText } from "../scenario/files.js";
import type { ScenarioInfo, ScenarioRunView, ScenarioStepView, ToPage } from "./messages.js";
import type { FromScenario, ScenarioOrder } from "./scenario-worker.js";

/** Between two tellings of a run in which no step has ended, ms. */
const tellMs = 200;
/** So long after it was asked to, a thread is ended that does not stop by itself: virtual time never looks up. */
const patienceMs = 1000;

/** The scenarios that come with the bench, as the page lists them. */
export function listScenarios(): readonly ScenarioInfo[] {
  return shippedNames().flatMap((name) => {
    const one = loadScenario(name);
    if (!("steps" in one)) return [];
    return [{ name, title: one.title, why: one.why, steps: one.steps.length, text: shippedText(name) }];
  });
}

/** Runs one scenario at a time in a bench of its own, and tells how far it is. */
export class ScenarioRuns {
  readonly #tell: (message: ToPage) => void;
  #worker: Worker | undefined;
  #run: ScenarioRunView | undefined;
  #report = "";
  #trace = "";
  #toldMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (message: ToPage) => void) {
    this.#tell = tell;
  }

  /** The run that is under way, or was last; undefined before the first. */
  get run(): ScenarioRunView | undefined {
    return this.#run;
  }

  /** Starts one; answers why not in words, or undefined. */
  start(order: ScenarioOrder): string | undefined {
    if (this.#worker !== undefined) return "a scenario runs already: stop it first";
    const worker = new Worker(new URL("./scenario-worker.js", import.meta.url), { workerData: order });
    this.#worker = worker;
    this.#report = this.#trace = "";
    worker.on("message", (message: FromScenario) => {
      if (this.#worker === worker) this.#onMessage(order, message);
    });
    worker.on("error", (error) => {
      if (this.#worker === worker)
        this.#tell({ type: "refused", text: `the scenario broke off: ${error.message}` });
    });
    worker.on("exit", () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      clearTimeout(this.#timer);
      if (this.#run?.state === "running") this.#change({ state: "stopped" }, true);
    });
    return undefined;
  }

  stop(): void {
    const worker = this.#worker;
    if (worker === undefined) return;
    worker.postMessage("stop");
    this.#timer = setTimeout(() => void worker.terminate(), patienceMs);
  }

  /** The last run's report as a page, or its trace; undefined where there is none. */
  file(what: "report" | "trace"): Extract<ToPage, { readonly type: "file" }> | undefined {
    const text = what === "report" ? this.#report : this.#trace;
    if (text === "" || this.#run === undefined) return undefined;
    const base = this.#run.name.replace(/\.(ya?ml|json)$/, "");
    return what === "report"
      ? { type: "file", name: `${base}.html`, mime: "text/html", text }
      : { type: "file", name: `${base}.jsonl`, mime: "application/x-ndjson", text };
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #onMessage(order: ScenarioOrder, message: FromScenario): void {
    switch (message.k) {
      case "mistakes":
        this.#tell({ type: "refused", text: message.texts.join("\n") });
        break;
      case "begin":
        this.#run = {
          ...{ name: order.name, title: message.title, why: message.why, seed: message.seed },
          ...{ realTime: order.realTime, state: "running", nowMs: 0, samples: [], realMs: 0 },
          steps: message.steps.map((step, i) => ({
            ...step,
            ...{ outcome: i === 0 ? "running" : "waiting", atMs: 0, why: "" },
          })),
        };
        this.#change({}, true);
        break;
      case "step": {
        const { outcome, atMs, why } = message.result;
        const steps: ScenarioStepView[] = [...this.#run!.steps];
        const at = steps.findIndex((step) => step.outcome === "running");
        if (at < 0) break;
        steps[at] = { ...steps[at]!, outcome, atMs, why };
        const next = steps[at + 1];
        if (next !== undefined && outcome === "passed") steps[at + 1] = { ...next, outcome: "running" };
        this.#change({ steps, nowMs: atMs }, order.realTime);
        break;
      }
      case "time":
        this.#change(
          { nowMs: message.nowMs, samples: [...this.#run!.samples, ...message.samples] },
          message.samples.length > 0 && order.realTime,
        );
        break;
      case "end": {
        this.#report = message.report;
        this.#trace = message.trace;
        const steps = this.#run!.steps.map((step) =>
          step.outcome === "waiting" || step.outcome === "running"
            ? { ...step, outcome: "skipped" as const }
            : step,
        );
        this.#change({ steps, state: message.passed ? "passed" : "failed", realMs: message.realMs }, true);
        break;
      }
      case "stopped":
        this.#change({ state: "stopped" }, true);
    }
  }

  #change(change: Partial<ScenarioRunView>, now: boolean): void {
    if (this.#run === undefined) return;
    this.#run = { ...this.#run, ...change };
    if (!now && Date.now() < this.#toldMs + tellMs) return;
    this.#toldMs = Date.now();
    this.#tell({ type: "scenario", run: this.#run });
  }
}
