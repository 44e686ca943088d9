import { expect } from "vitest";
import type { Order } from "../../host-sim/csms/requests.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { loadProfile, type SgdProfile } from "../../host-sim/sgd/profile.js";
import {
  csmsUpstream,
  VirtualBench,
  type VirtualBenchOptions,
} from "../../host-sim/virtual/virtual-bench.js";

export type Json = Readonly<Record<string, unknown>>;

export interface OcppBenchOptions extends Partial<VirtualBenchOptions> {
  /** Fields of the upstream. */
  readonly upstream?: Json;
  /** More upstreams beside the platform. */
  readonly more?: readonly Json[];
}

/** The whole bench in virtual time with a charging platform as the module's upstream. */
export function ocppBench(options: OcppBenchOptions = {}): VirtualBench {
  const { upstream, more, config, ...rest } = options;
  return new VirtualBench({
    engine: nodeEngine(),
    ...rest,
    config: { upstreams: [{ ...csmsUpstream, ...upstream }, ...(more ?? [])], ...config },
  });
}

/** Starts the bench until the platform has accepted the charge point and knows its status. */
export async function online(bench: VirtualBench): Promise<void> {
  await bench.until("the platform knows the charger", () => bench.csms.point.status !== "", 60_000);
  await bench.until("it is found", () => bench.csms.point.status !== "Unavailable", 60_000);
}

/** A charger that stops at power level 0; the default one clamps it up to 6 A, as the one that was measured does. */
export function stoppingCharger(more: Json = {}, name = "evse-level2-32a"): SgdProfile {
  const profile = loadProfile(name);
  return { ...profile, charger: { ...profile.charger, powerLevelFloor: "stop", ...more } };
}

export const amperes = (bench: VirtualBench): number => bench.sgd.state().currentA;

export const near =
  (bench: VirtualBench, a: number, by = 0.15) =>
  (): boolean =>
    Math.abs(amperes(bench) - a) <= by;

/** Asks the charge point and lets time pass until it has answered. */
export async function ask(bench: VirtualBench, action: string, payload: Json = {}): Promise<Json> {
  return order(bench, { action, payload });
}

export async function order(bench: VirtualBench, wanted: Order): Promise<Json> {
  let answer: Json | undefined;
  bench.csms.ask(wanted, (value) => (answer = value));
  await bench.until(`an answer to ${wanted.action}`, () => answer !== undefined, 40_000);
  return answer!;
}

/** Nothing that crossed was against the schemas. */
export function expectClean(bench: VirtualBench): void {
  expect(bench.csms.faults).toEqual([]);
}
