import { seededRandom } from "../../src/base/random.js";
import type { ByteLine, ByteLineEvent } from "../../src/ports/line.js";
import { type NodeLineOptions, openLine } from "../line/node/open-line.js";
import { monotonicMs, WakeUp } from "../runtime/clock.js";
import type { Role } from "./plan.js";
import type { TestCase } from "./test-case.js";
import { Runner, type TestResult } from "./runner.js";

export interface LiveRunOptions {
  readonly role: Role;
  /** As `--serial` has it. */
  readonly serial: string;
  /** Stands between the plan and the line, e.g. to capture it. */
  readonly tap?: {
    wrap(line: ByteLine): ByteLine;
    onEvent(event: ByteLineEvent): void;
  };
  /** What is said of the adapter. */
  readonly adapter?: Partial<NodeLineOptions>;
  readonly tests: readonly TestCase[];
  readonly strict: boolean;
  /** How long the peer is waited for, ms. */
  readonly waitMs: number;
  /** Path of a pseudo-terminal, or the address of a listening socket. */
  readonly onLine: (where: { readonly path?: string; readonly url?: string }) => void;
  readonly onStart: (test: TestCase, index: number) => void;
  readonly onResult: (result: TestResult, index: number) => void;
}

export interface LiveRun {
  /** The result when the plan has ended. */
  readonly ended: Promise<Runner>;
  /** Ends it before: what was found so far. */
  readonly runner: Runner;
  close(): Promise<void>;
}

/** Times measured on this computer: scheduling, and the latency of USB adapters. */
const SLACK_MS = 8;

/** True for lines whose bytes take no time: what is written is there at once. */
export function isAirless(serial: string): boolean {
  return serial === "pty" || /^tcp(-listen)?:\/\//.test(serial) || /^\/dev\/pts\//.test(serial);
}

/** How often this program looks whether it is being kept from running, and from when on it says so. */
const BEAT_MS = 4;
const LATE_MS = 12;

/**
 * Watches for times in which this program did not run: what came in them is heard late, and the peer must not
 * be blamed for that.
 */
class Heartbeat {
  #beatMs = monotonicMs();
  #stalled = { fromMs: 0, toMs: -1 };
  readonly #timer = setInterval(() => this.#beat(), BEAT_MS);

  /** So much later than it came something may be that is heard now. */
  blurMs(): number {
    const now = monotonicMs();
    const { fromMs, toMs } = this.#stalled;
    if (now - toMs < LATE_MS) return now - fromMs;
    return now - this.#beatMs > LATE_MS ? now - this.#beatMs : 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #beat(): void {
    const now = monotonicMs();
    if (now - this.#beatMs > LATE_MS) this.#stalled = { fromMs: this.#beatMs, toMs: now };
    this.#beatMs = now;
  }
}

/** Runs the plan in real time on a line. */
export async function runLive(options: LiveRunOptions): Promise<LiveRun> {
  let kick: () => void = () => undefined;
  // Nothing is told before the line has been handed over.
  const user: { runner?: Runner } = {};
  const now = (): number => Math.floor(monotonicMs());
  const heartbeat = new Heartbeat();
  const line = await openLine(options.serial, {
    ...options.adapter,
    onEvent: (event) => {
      options.tap?.onEvent(event);
      user.runner?.onByteLine(event, now(), heartbeat.blurMs());
      kick();
    },
  }).catch((error: unknown) => {
    heartbeat.stop();
    throw error;
  });
  const { path, url } = line;
  options.onLine({ ...(path === undefined ? {} : { path }), ...(url === undefined ? {} : { url }) });
  const live = new Runner({
    role: options.role,
    line: options.tap?.wrap(line) ?? line,
    random: seededRandom(Date.now() & 0x7fffffff),
    tests: options.tests,
    airless: isAirless(options.serial),
    slackMs: SLACK_MS,
    strict: options.strict,
    waitMs: options.waitMs,
    onStart: options.onStart,
    onResult: options.onResult,
  });
  user.runner = live;
  const wake = new WakeUp(() => kick());
  const ended = new Promise<Runner>((resolve, reject) => {
    kick = (): void => {
      try {
        live.poll(now());
      } catch (error) {
        wake.stop();
        reject(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      if (live.done) {
        wake.stop();
        resolve(live);
      } else wake.at(live.nextMs());
    };
  });
  kick();
  return {
    ended,
    runner: live,
    async close() {
      heartbeat.stop();
      wake.stop();
      kick = () => undefined;
      await line.close();
    },
  };
}
