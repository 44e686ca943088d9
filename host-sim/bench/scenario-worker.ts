/** Runs one scenario in a thread of its own, so that the bench beside it keeps its link deadlines. */
import { basename } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { nodeEngine } from "../runtime/node-engine.js";
import { loadScenario, scenarioOf } from "../scenario/files.js";
import { reportText } from "../scenario/report.js";
import { runScenario, Stopped, type ScenarioResult, type StepResult } from "../scenario/run.js";
import type { VirtualBench } from "../virtual/virtual-bench.js";

export interface ScenarioOrder {
  readonly name: string;
  /** A file of the user's; otherwise `name` is a shipped one. */
  readonly text: string | undefined;
  readonly realTime: boolean;
  readonly seed: number | undefined;
}

export type SampleView = ScenarioResult["samples"][number];

/** What the thread tells. */
export type FromScenario =
  | { readonly k: "mistakes"; readonly texts: readonly string[] }
  | {
      readonly k: "begin";
      readonly title: string;
      readonly why: string;
      readonly seed: number;
      readonly steps: readonly { readonly line: number; readonly text: string }[];
    }
  | { readonly k: "step"; readonly result: StepResult }
  /** New samples since the last; `nowMs` of the scenario's time. */
  | { readonly k: "time"; readonly nowMs: number; readonly samples: readonly SampleView[] }
  | {
      readonly k: "end";
      readonly passed: boolean;
      readonly realMs: number;
      readonly report: string;
      readonly trace: string;
    }
  | { readonly k: "stopped" };

/** Between two looks at a scenario in real time, ms. */
const lookMs = 250;

async function work(order: ScenarioOrder, post: (message: FromScenario) => void): Promise<void> {
  const scenario =
    order.text === undefined ? loadScenario(order.name) : scenarioOf(order.text, `./${basename(order.name)}`);
  if (!("steps" in scenario)) return post({ k: "mistakes", texts: scenario });
  let stopped = false;
  parentPort!.on("message", () => (stopped = true));
  let bench: VirtualBench | undefined;
  let told = 0;
  const look = (): void => {
    if (bench === undefined) return;
    const samples = bench.states.slice(told).map(({ t, currentA, limitA }) => ({ t, currentA, limitA }));
    told = bench.states.length;
    post({ k: "time", nowMs: bench.nowMs, samples });
  };
  const timer = setInterval(look, lookMs);
  try {
    const result = await runScenario(scenario, {
      engine: nodeEngine(),
      realTime: order.realTime,
      ...(order.seed === undefined ? {} : { seed: order.seed }),
      onBegin: (steps, made) => {
        bench = made;
        post({
          k: "begin",
          title: scenario.title,
          why: scenario.why,
          seed: order.seed ?? scenario.seed,
          steps,
        });
      },
      onResult: (step) => {
        post({ k: "step", result: step });
        look();
      },
      stopped: () => stopped,
    });
    look();
    const { passed, realMs, trace } = result;
    post({ k: "end", passed, realMs, report: reportText("report.html", [result])!, trace });
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    post({ k: "stopped" });
  } finally {
    clearInterval(timer);
    parentPort!.close();
  }
}

if (parentPort !== null)
  await work(workerData as ScenarioOrder, (message) => parentPort!.postMessage(message));
