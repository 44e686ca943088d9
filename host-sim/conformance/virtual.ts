import { seededRandom } from "../../src/base/random.js";
import { NEVER } from "../../src/ports/time.js";
import { VirtualLine } from "../line/virtual-line.js";
import type { MakePeer } from "./peers.js";
import type { Role } from "./plan.js";
import type { TestCase } from "./test-case.js";
import { Runner } from "./runner.js";

export interface VirtualRunOptions {
  readonly role: Role;
  readonly peer: MakePeer;
  readonly tests: readonly TestCase[];
  readonly seed?: number;
  readonly strict?: boolean;
  /** Silence stands for the plug where false. */
  readonly plugs?: boolean;
  /** The run is given up after so long, ms. */
  readonly limitMs?: number;
}

/** Runs the plan against a peer in virtual time. */
export function runVirtually(options: VirtualRunOptions): Runner {
  const random = seededRandom(options.seed ?? 1);
  const line = new VirtualLine({ bitsPerSecond: 19_200, random });
  const ours = line.end("conformance", { muted: true });
  const theirs = line.end("peer", { muted: true, carrier: true });
  let nowMs = 0;
  const peer = options.peer(theirs, random);
  const runner = new Runner({
    role: options.role,
    line: ours,
    random,
    tests: options.tests,
    ...(options.strict === undefined ? {} : { strict: options.strict }),
    ...(options.plugs === false
      ? {}
      : { plug: (on: boolean) => (on ? theirs.plug(nowMs) : theirs.unplug(nowMs)) }),
  });
  const limitMs = options.limitMs ?? 4 * 3_600_000;
  let stuck = 0;
  while (!runner.done) {
    const dueMs = Math.min(line.nextMs(), peer.nextMs(), runner.nextMs());
    if (dueMs === NEVER || dueMs > limitMs) throw new Error(`the plan did not end within ${limitMs} ms`);
    const next = Math.max(nowMs, Math.ceil(dueMs));
    stuck = next === nowMs ? stuck + 1 : 0;
    if (stuck > 2000) throw new Error(`time stands still at ${next} ms`);
    nowMs = next;
    line.poll(nowMs);
    for (let event = theirs.take(); event; event = theirs.take()) peer.onByteLine(event, nowMs);
    peer.poll(nowMs);
    for (let event = ours.take(); event; event = ours.take()) runner.onByteLine(event, nowMs);
    runner.poll(nowMs);
  }
  return runner;
}
