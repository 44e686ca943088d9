import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GridCore } from "../../src/grid/core.js";
import type { Ask, GridEvent } from "../../src/grid/event.js";
import { gridSettings } from "../../src/grid/settings.js";
import type { Now } from "../../src/ports/time.js";
import { event, HOUR, limit, MemoryStore, MINUTE, SECOND, T0 } from "../support/grid.js";
import { GridOracle, type OracleAnswer, type World } from "../support/grid-oracle.js";

/**
 * Any sequence of events, changes, cancels, overrides, clock steps and restarts: what the core says is in
 * force equals the naive oracle at every wake, and nothing changes between two wakes.
 */

const STEP = 10 * MINUTE;

const asks: fc.Arbitrary<Ask> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom<Ask>({ ask: "normal" }, { ask: "shed" }, { ask: "critical-peak" }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Ask>({ ask: "emergency" }, { ask: "load-up" }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 0.25, 0.5, 1).map((value) => limit(value)) },
  { weight: 1, arbitrary: fc.constantFrom<Ask>(limit(16, "A"), limit(1800, "W")) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Ask>(
      { ask: "price", relative: 2, absolute: undefined, currency: "" },
      { ask: "guidance", level: 0 },
    ),
  },
);

const events = (startRange: number): fc.Arbitrary<Partial<GridEvent>> =>
  fc
    .record({
      id: fc.constantFrom("a", "b", "c"),
      revision: fc.integer({ min: 0, max: 3 }),
      rank: fc.constantFrom(0, 0, 5),
      test: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      start: fc.oneof(
        fc.integer({ min: -6, max: startRange }).map((n) => T0 + n * STEP),
        fc.constant("now" as const),
      ),
      parts: fc.array(fc.tuple(asks, fc.integer({ min: 0, max: 6 }), fc.constantFrom(0, 0, 1)), {
        minLength: 1,
        maxLength: 4,
      }),
      open: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
      total: fc.option(fc.integer({ min: 1, max: 30 }), { freq: 5, nil: undefined }),
      randomise: fc.option(
        fc.record({
          windowMs: fc.constantFrom(0, 5 * MINUTE, 2 * HOUR),
          law: fc.constantFrom("after" as const, "around" as const),
        }),
        { nil: undefined },
      ),
      emergencyPermitted: fc.boolean(),
      createdUtcMs: fc.constantFrom(0, 1),
      cancelled: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
    })
    .map(({ parts, open, total, ...rest }) => {
      let offsetMs = 0;
      const intervals = parts.map(([ask, steps, gap], i) => {
        const from = offsetMs + gap * STEP;
        const durationMs = open && i === parts.length - 1 ? Infinity : steps * STEP;
        offsetMs = from + durationMs;
        return { offsetMs: from, durationMs, ask };
      });
      const totalMs = open || total === undefined || offsetMs === 0 ? {} : { totalMs: total * STEP };
      return { ...rest, intervals, ...totalMs };
    });

const sources = fc.constantFrom("utility-a", "utility-b");

type Op =
  | { op: "give"; source: string; events: Partial<GridEvent>[] }
  | { op: "advance"; ms: number }
  | { op: "step"; ms: number }
  | { op: "reboot"; outageMs: number; clock: boolean }
  | { op: "clock" }
  | { op: "owner"; verb: "override" | "boost" | "resume"; ms: number }
  | { op: "consent"; source: string; verb: "admit" | "pause" | "dismiss" }
  | { op: "health"; source: string; online: boolean };

const ops: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant("give" as const),
      source: sources,
      events: fc.uniqueArray(events(30), { maxLength: 3, selector: (e) => e.id }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant("advance" as const),
      ms: fc.oneof(fc.integer({ min: 1, max: 3 * HOUR }), fc.constantFrom(STEP, 5 * HOUR)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("step" as const),
      ms: fc.constantFrom(-HOUR, -10 * SECOND, 10 * SECOND, 40 * MINUTE, 86_400_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("reboot" as const),
      outageMs: fc.constantFrom(0, SECOND, HOUR),
      clock: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("clock" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("owner" as const),
      verb: fc.constantFrom("override" as const, "boost" as const, "resume" as const),
      ms: fc.constantFrom(MINUTE, 3 * HOUR),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("consent" as const),
      source: sources,
      verb: fc.constantFrom("admit" as const, "admit" as const, "pause" as const, "dismiss" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant("health" as const), source: sources, online: fc.boolean() }),
  },
);

class Rig {
  readonly world: World = { trueMs: 0, utcMs: T0 };
  readonly store = new MemoryStore();
  readonly oracle: GridOracle;
  core: GridCore;
  bootMs = 0;
  offsetMs = T0;
  /** What was in force when the clock was lost, and until when it may at most be held. */
  held: { answer: OracleAnswer; untilMs: number } | undefined;
  last: { answer: OracleAnswer; lengthMs: number } | undefined;

  constructor(
    readonly region: "us" | "au",
    readonly constant: number,
    clock: boolean,
  ) {
    if (!clock) this.world.utcMs = undefined;
    this.oracle = new GridOracle(this.world, constant, 4 * HOUR, region === "us");
    this.oracle.windows = WINDOWS;
    this.core = this.boot();
  }

  boot(): GridCore {
    this.bootMs = this.world.trueMs;
    return new GridCore({
      store: this.store,
      random: { uint32: () => this.constant },
      settings: gridSettings({
        region: this.region,
        offPeak: WINDOWS,
        site: { installerA: 32, ratedA: 32, phases: 1, voltageV: 240 },
      }),
    });
  }

  get now(): Now {
    return { ms: this.world.trueMs - this.bootMs, utcMs: this.world.utcMs };
  }

  check(why: string): void {
    const { intent } = this.core.evaluate(this.now);
    const got: OracleAnswer = { ask: intent.ask, source: intent.source, eventId: intent.eventId };
    const without = this.oracle.answer();
    if (this.world.utcMs === undefined) {
      // How long exactly a command is held depends on when it was noted; what is held does not.
      const allowed = [without, this.oracle.answer(this.last?.answer)];
      const { held } = this;
      if (held !== undefined && this.world.trueMs < held.untilMs)
        allowed.push(this.oracle.answer(held.answer));
      expect(allowed, why).toContainEqual(got);
    } else expect(got, why).toEqual(without);
    this.last = {
      answer: got,
      lengthMs: intent.endsAtMs === undefined ? 4 * HOUR : intent.endsAtMs - this.now.ms,
    };
  }

  /** Lets time pass, waking where the core wants to be woken, and sees that nothing is missed between. */
  advance(ms: number): void {
    const untilMs = this.world.trueMs + ms;
    for (let guard = 0; guard < 1000; guard++) {
      const nextMs = this.core.nextMs(this.now) + this.bootMs;
      expect(nextMs).toBeGreaterThan(this.world.trueMs);
      const fromMs = this.world.trueMs;
      const toMs = Math.min(nextMs, untilMs);
      if (this.held === undefined) {
        const before = this.oracle.answer();
        for (const part of [0.001, 0.5, 0.999]) {
          this.set(fromMs + Math.floor((toMs - fromMs) * part));
          expect(this.oracle.answer(), `changes at ${String(this.world.trueMs)} unseen`).toEqual(before);
        }
        if (toMs - 1 > fromMs) {
          this.set(toMs - 1);
          expect(this.oracle.answer(), `changes before ${String(toMs)} unseen`).toEqual(before);
        }
      }
      this.set(toMs);
      this.check("after waking");
      if (toMs === untilMs) return;
    }
    throw new Error("the core wakes without end");
  }

  set(trueMs: number): void {
    this.world.trueMs = trueMs;
    if (this.world.utcMs !== undefined) this.world.utcMs = trueMs + this.offsetMs;
  }

  run(op: Op): void {
    const { core, oracle, world } = this;
    switch (op.op) {
      case "give": {
        const whole = op.events.map((e) => event({ ...e, source: op.source }));
        core.replaceEvents(op.source, whole, this.now);
        oracle.give(op.source, whole);
        break;
      }
      case "advance":
        this.advance(op.ms);
        break;
      case "step":
        this.offsetMs += op.ms;
        if (world.utcMs === undefined) break;
        this.set(world.trueMs);
        oracle.clockChanged();
        break;
      case "reboot": {
        const { last } = this;
        oracle.rebooted();
        world.utcMs = op.clock ? 0 : undefined;
        this.set(world.trueMs + op.outageMs);
        oracle.rebooted();
        if (op.clock) oracle.clockChanged();
        this.core = this.boot();
        this.held =
          op.clock || last === undefined
            ? undefined
            : { answer: last.answer, untilMs: world.trueMs + Math.max(last.lengthMs, 100 * HOUR) };
        break;
      }
      case "clock":
        world.utcMs = world.trueMs + this.offsetMs;
        oracle.clockChanged();
        this.held = undefined;
        break;
      case "owner":
        core.setOwner(
          op.verb === "resume" ? { verb: "resume" } : { verb: op.verb, durationMs: op.ms },
          this.now,
        );
        if (op.verb === "resume") oracle.resume();
        else if (op.verb === "boost") oracle.setBoost(op.ms);
        else oracle.setOverride(op.ms);
        break;
      case "consent":
        core.setOwner({ verb: op.verb, source: op.source }, this.now);
        oracle.setConsent(op.source, op.verb);
        break;
      case "health":
        core.sourceHealth(op.source, op.online, this.now);
        oracle.health(op.source, op.online);
        break;
    }
    this.check(JSON.stringify(op));
  }
}

/** Monday to Friday 02:00 to 03:30, and all of Tuesday's first hour. */
const WINDOWS = [
  { days: 0b0111110, fromMin: 120, toMin: 210 },
  { days: 0b0000100, fromMin: 0, toMin: 60 },
];

describe("the demand-response core against a naive oracle", () => {
  it("agrees on what is in force after any history, and wakes for every change", () => {
    fc.assert(
      fc.property(
        fc.array(ops, { minLength: 1, maxLength: 25 }),
        fc.constantFrom("us" as const, "au" as const),
        fc.integer({ min: 0, max: 0xffff }),
        fc.boolean(),
        (list, region, constant, clock) => {
          const rig = new Rig(region, constant * 64, clock);
          for (const op of list) rig.run(op);
        },
      ),
      { numRuns: Number(process.env["GRID_RUNS"] ?? 500) },
    );
  }, 900_000);
});
