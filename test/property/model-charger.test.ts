import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Ask, GridEvent } from "../../src/grid/event.js";
import { ChargerRig } from "../support/charger-rig.js";
import { event, limit, MINUTE, SECOND, T0 } from "../support/grid.js";
import { DelayOracle, GridOracle, type OracleAnswer, type World } from "../support/grid-oracle.js";

/**
 * The whole way down to the charger: any sequence of events, changes, cancels, overrides of the owner and at the charger,
 * consent, clock steps, clocks that stay unknown, the random delay of the UK, power cuts of module and house, unplugging and
 * lost frames. After a settling time the charger's current is what
 * a naive oracle says; End Shed is owed from the end of the last curtailment until it is seen to be done, and is
 * not sent while another curtailment is wanted; nothing outlives its end by more than the settling time.
 */
const STEP = 2 * MINUTE;
/** From a change of what is wanted, or the end of a disturbance, to the charger's current. */
const SETTLE_MS = 90 * SECOND;
/** A charger that reboots on its own is noticed at the next look at its state, which is asked every minute. */
const REBOOT_MS = 60 * SECOND;
const END_SHED = 0x02;
/** The clock stays unknown until something sets it. */
const UNTIL_SET = Infinity;
/** The greatest random delay in the UK here: shorter than the random window of an event, which spares its end a second one. */
const DELAY_MAX_MS = 50 * SECOND;
type Place = "us" | "au" | "uk";

const asks: fc.Arbitrary<Ask> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom<Ask>({ ask: "normal" }, { ask: "shed" }, { ask: "critical-peak" }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Ask>({ ask: "emergency" }, { ask: "load-up" }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 0.25, 0.5, 1).map((value) => limit(value)) },
  { weight: 1, arbitrary: fc.constantFrom<Ask>(limit(20, "A"), limit(3600, "W")) },
);

const events: fc.Arbitrary<Partial<GridEvent>> = fc
  .record({
    id: fc.constantFrom("a", "b"),
    revision: fc.integer({ min: 0, max: 3 }),
    rank: fc.constantFrom(0, 0, 5),
    start: fc.oneof(fc.integer({ min: -2, max: 6 }), fc.constant("now" as const)),
    parts: fc.array(fc.tuple(asks, fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 3 }),
    open: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
    windowMs: fc.constantFrom(0, 0, MINUTE),
    emergencyPermitted: fc.boolean(),
    cancelled: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
  })
  .map(({ parts, open, windowMs, ...rest }) => {
    let offsetMs = 0;
    const intervals = parts.map(([ask, steps], i) => {
      const durationMs = open && i === parts.length - 1 ? Infinity : steps * STEP;
      const one = { offsetMs, durationMs, ask };
      offsetMs += durationMs;
      return one;
    });
    const randomise = windowMs === 0 ? undefined : { windowMs, law: "after" as const };
    return { ...rest, start: rest.start as number | "now", intervals, randomise };
  });

const sources = fc.constantFrom("utility-a", "utility-b");

type Op =
  | { op: "give"; source: string; events: Partial<GridEvent>[] }
  | { op: "advance"; ms: number }
  | { op: "step"; ms: number }
  | { op: "power-cut"; outageMs: number; house: boolean; clockAfterMs: number }
  | { op: "set-clock" }
  | { op: "button"; on: boolean }
  | { op: "pull"; outageMs: number }
  | { op: "charger-reboot"; silent: boolean }
  | { op: "noise"; fault: string; ms: number }
  | { op: "owner"; verb: "override" | "boost" | "resume"; ms: number }
  | { op: "consent"; source: string; verb: "admit" | "pause" | "dismiss" }
  | { op: "health"; source: string; online: boolean };

const giving = { op: fc.constant("give" as const), source: sources };
const ops: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 7,
    arbitrary: fc.record({
      ...giving,
      events: fc.uniqueArray(events, { maxLength: 2, selector: (e) => e.id }),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      op: fc.constant("advance" as const),
      ms: fc.oneof(fc.integer({ min: 1, max: 5 * MINUTE }), fc.constantFrom(STEP, 6 * MINUTE)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("step" as const),
      ms: fc.constantFrom(-20 * MINUTE, -10 * SECOND, 10 * SECOND, 3 * MINUTE, 86_400_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("power-cut" as const),
      outageMs: fc.constantFrom(0, SECOND, 4 * MINUTE, 10 * MINUTE),
      house: fc.boolean(),
      clockAfterMs: fc.constantFrom(0, 0, 20 * SECOND, UNTIL_SET),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("set-clock" as const) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("button" as const), on: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("pull" as const),
      outageMs: fc.constantFrom(SECOND, MINUTE, 8 * MINUTE),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant("charger-reboot" as const), silent: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("noise" as const),
      fault: fc.constantFrom(
        "lost-bytes",
        "bit-flips",
        "no-ack:3",
        "deaf",
        "mute",
        "never-replies:2",
        "wrong-checksum:2",
      ),
      ms: fc.constantFrom(5 * SECOND, MINUTE),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("owner" as const),
      verb: fc.constantFrom("override" as const, "boost" as const, "resume" as const),
      ms: fc.constantFrom(MINUTE, 5 * MINUTE),
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
    weight: 1,
    arbitrary: fc.record({ op: fc.constant("health" as const), source: sources, online: fc.boolean() }),
  },
);

/** Monday 00:12 to 00:18 and 00:40 to 01:00. */
const OFF_PEAK = [
  { days: ["mon"], from: "00:12", to: "00:18" },
  { days: ["mon"], from: "00:40", to: "01:00" },
];
const WINDOWS = [
  { days: 0b10, fromMin: 12, toMin: 18 },
  { days: 0b10, fromMin: 40, toMin: 60 },
];

/**
 * What an override at the charger leaves of that. This one opts out of Shed and Critical Peak, as the one charger known; a
 * power level in force stays, one that it has forgotten is offered again every 15 min only. A stop is carried out by Grid
 * Emergency only where the customer may not override it.
 */
function overridden(ask: Ask, permitted: boolean, place: Place): readonly [number, number] {
  if (ask.ask === "shed" || ask.ask === "critical-peak" || (ask.ask === "emergency" && !permitted))
    return [32, 32];
  const [least, most] = current(ask, permitted);
  if (ask.ask !== "limit") return [least, most];
  return most === 0 && place === "au" ? [0, 0] : [current(ask, false)[0], 32];
}

/** The charger's current for an ask, from docs/translation.md and docs/charger-simulator.md: least and most, A. */
function current(ask: Ask, permitted: boolean): readonly [number, number] {
  // This charger lifts a power level under 6 A to 6 A; off it is by Grid Emergency alone.
  const stopped = permitted ? 0 : 6;
  switch (ask.ask) {
    case "shed":
      return [16, 16];
    case "critical-peak":
      return [8, 8];
    case "emergency":
      return permitted ? [0, 0] : [8, 8];
    case "limit": {
      const volts = 240;
      const amperes =
        ask.unit === "fraction" ? ask.value * 32 : ask.unit === "A" ? ask.value : ask.value / volts;
      if (amperes >= 32) return [32, 32];
      return amperes < 6 ? [stopped, stopped] : [amperes - 0.3, amperes];
    }
    default:
      return [32, 32];
  }
}

/** How many of everything a run has seen: that it proves something is proven too. */
const seen = { checks: 0, curtailed: 0, ends: 0, cuts: 0, overridden: 0, delayed: 0, timeless: 0 };

class History {
  readonly world: World = { trueMs: 0, utcMs: T0 };
  readonly rig: ChargerRig;
  readonly oracle: GridOracle;
  readonly delay: DelayOracle | undefined;
  private offsetMs = T0;
  private wanted: OracleAnswer | undefined;
  private permitted = false;
  /** Without a clock: what was in force before. */
  private held: OracleAnswer | undefined;
  /** Without a clock it may be unknowable whether that is over. */
  private otherwise: readonly [number, number] | undefined;
  /** When the clock was set: a random delay may have begun before, where the module has counted to an end by itself. */
  private clockSetMs = -Infinity;
  private range: readonly [number, number] = [32, 32];
  /** Since when the oracle has wanted the same. */
  private sinceMs = 0;
  /** Since when it has wanted the same of the charger, by whomever. */
  private rangeSinceMs = 0;
  private calmMs = 0;
  private disturbed = false;
  /** End Sheds since the present wish began. */
  private commandsSeen = 0;
  private endSheds = 0;
  private endShedMs = -Infinity;
  private wantedText = "";
  /** The line, the charger or the module was disturbed since the button was pressed. */
  private buttonLost = false;

  constructor(
    private readonly place: Place,
    constant: number,
    seed: number,
  ) {
    const region = place;
    const randomDelay = { enabled: region === "uk", maxSeconds: DELAY_MAX_MS / SECOND };
    this.rig = new ChargerRig({
      config: { region, offPeak: OFF_PEAK, randomDelay, charger: { voltage: 240 } },
      seed,
      uint32: () => constant,
    });
    this.oracle = new GridOracle(this.world, constant, 4 * 60 * MINUTE, region !== "au");
    const delayMs = (constant % (DELAY_MAX_MS / SECOND + 1)) * SECOND;
    if (region === "uk") this.delay = new DelayOracle(this.oracle, delayMs, DELAY_MAX_MS);
    this.oracle.windows = WINDOWS;
    this.rig.onModuleStep = () => this.look();
    this.healthAgain();
    this.rig.sgd.plug();
    this.advance(40 * SECOND);
  }

  private reach(ask: Ask, permitted: boolean): readonly [number, number] {
    return this.oracle.customer ? overridden(ask, permitted, this.place) : current(ask, permitted);
  }

  private get ms(): number {
    return this.rig.nowMs;
  }

  private sync(): void {
    this.world.trueMs = this.ms;
    this.world.utcMs = this.rig.clockMs === undefined ? undefined : this.ms + this.rig.clockMs;
  }

  private healthAgain(): void {
    for (const { id, online } of Object.values(this.rig.utilities)) if (online) this.oracle.health(id, true);
  }

  /** After every step of the module: what is wanted now, and what it has sent. */
  private look(): void {
    this.sync();
    const { commands } = this.rig;
    // Only the charger can tell that its customer has opted out; that the module sees it is judged in `check`.
    this.oracle.customer = this.rig.ucm?.state().sgd.override ?? this.oracle.customer;
    const planned = this.oracle.answer(this.held);
    const answer = this.delay?.see(planned, this.ms) ?? planned;
    this.permitted = this.delay?.permitted ?? this.oracle.permits(answer);
    if (answer !== planned) seen.delayed++;
    const free = this.oracle.answer();
    this.otherwise =
      this.world.utcMs === undefined ? this.reach(free.ask, this.oracle.permits(free)) : undefined;
    const text = JSON.stringify([answer, this.permitted, this.oracle.customer]);
    if (this.wantedText !== text) {
      this.wantedText = text;
      const range = current(answer.ask, this.permitted);
      // Load up is a command of its own, which End Shed ends.
      const kind = (one: OracleAnswer | undefined): boolean => one?.ask.ask === "load-up";
      if (String(range) !== String(this.range) || kind(answer) !== kind(this.wanted)) {
        this.endSheds = 0;
        this.rangeSinceMs = this.ms;
      }
      this.sinceMs = this.ms;
      this.wanted = answer;
      this.range = range;
      this.commandsSeen = commands.length;
    }
    for (; this.commandsSeen < commands.length; this.commandsSeen++) {
      const { op, atMs } = commands[this.commandsSeen]!;
      if (op !== END_SHED) continue;
      // The link repeats a frame that collided with one of the charger's.
      if (atMs > this.endShedMs + 5 * SECOND) this.endSheds++;
      this.endShedMs = atMs;
      // A frame may be on its way when the wish changes.
      if (this.world.utcMs === undefined || this.oracle.customer || atMs < this.sinceMs + 3 * SECOND)
        continue;
      if (this.delay !== undefined && atMs < this.clockSetMs + DELAY_MAX_MS) continue;
      expect(this.range[1], "End Shed while a curtailment is wanted").toBe(32);
    }
  }

  /** Everything has had time to settle: the charger is as the oracle says. */
  private check(why: string): void {
    this.look();
    if (this.disturbed || this.rig.ucm === undefined) return;
    if (this.ms < Math.max(this.sinceMs, this.calmMs) + SETTLE_MS) return;
    const { amperes } = this.rig;
    const { customer } = this.oracle;
    const ask = this.wanted!.ask;
    let [least, most] = customer ? this.reach(ask, this.permitted) : this.range;
    const all = `${why}: ${JSON.stringify(this.wanted)}, charger ${String(amperes)} A, ${JSON.stringify(this.rig.sgd.appliance.events.event)}`;
    if (customer !== this.rig.sgd.state().override) {
      // The charger tells it once; where that was lost, nothing but the end of the 12 h, or an event, shows it.
      expect(this.buttonLost, `${all}: the customer's button`).toBe(true);
      return;
    }
    const { otherwise } = this;
    if (otherwise !== undefined) {
      // When what is held is over cannot be known, nor that the charger is just on its way.
      [least, most] = [Math.min(least, otherwise[0]), Math.max(most, otherwise[1])];
    }
    expect(amperes, all).toBeGreaterThanOrEqual(least - 0.01);
    expect(amperes, all).toBeLessThanOrEqual(most + 0.01);
    seen.checks++;
    if (otherwise !== undefined) seen.timeless++;
    else if (customer) seen.overridden++;
    else if (most < 32) seen.curtailed++;
    else {
      const load = this.rig.ucm.state().sgd.load;
      expect(load === undefined || load.result === "verified", `${all}, ${JSON.stringify(load)}`).toBe(true);
      if (this.wanted?.ask.ask !== "load-up") {
        expect(this.rig.sgd.appliance.events.event, all).toBeUndefined();
        if (this.endSheds > 0) seen.ends++;
        // Where nothing was lost, one is enough.
        if (this.rangeSinceMs > this.calmMs) expect(this.endSheds, all).toBeLessThanOrEqual(1);
      }
    }
  }

  private advance(ms: number): void {
    const end = this.ms + ms;
    while (this.ms < end) {
      // At least so often that no stable time goes unseen.
      this.rig.run(Math.min(20 * SECOND, end - this.ms));
      this.check("after a while");
    }
  }

  private restart(outageMs: number, clockAfterMs: number, pulled: boolean): void {
    const { rig, oracle, world } = this;
    seen.cuts++;
    this.buttonLost = true;
    this.look();
    oracle.rebooted();
    if (pulled) rig.pull();
    else rig.cut();
    rig.run(outageMs);
    rig.clockMs = undefined;
    this.sync();
    oracle.rebooted();
    oracle.customer = false;
    this.held = this.inForce;
    if (clockAfterMs === 0) this.setClock();
    this.delay?.restarted(oracle.answer(this.held), this.ms);
    if (pulled) rig.plugIn();
    else rig.boot();
    this.healthAgain();
    if (world.utcMs === undefined && clockAfterMs < UNTIL_SET) {
      rig.run(clockAfterMs);
      this.setClock();
      rig.wake();
    }
    this.wanted = undefined;
    this.wantedText = "";
    this.endSheds = 0;
    this.calmMs = this.ms;
  }

  /** What a restart without a clock holds on to. */
  private get inForce(): OracleAnswer | undefined {
    return this.delay === undefined ? this.wanted : this.delay.applied;
  }

  private setClock(): void {
    if (this.rig.clockMs === undefined) this.clockSetMs = this.ms;
    this.rig.clockMs = this.offsetMs;
    this.held = undefined;
    // What was held may have run out unseen: everything counts anew.
    this.wantedText = "";
    this.sync();
    this.oracle.clockChanged();
  }

  run(op: Op): void {
    const { rig, oracle } = this;
    this.sync();
    switch (op.op) {
      case "give": {
        const whole = op.events.map((e) => {
          const start =
            e.start === "now"
              ? "now"
              : Math.floor(T0 / STEP) * STEP + Math.floor(this.ms / STEP) * STEP + e.start! * STEP;
          return event({ ...e, start, source: op.source });
        });
        rig.give(op.source, whole);
        oracle.give(op.source, whole);
        break;
      }
      case "advance":
        this.advance(op.ms);
        break;
      case "step":
        this.offsetMs += op.ms;
        this.setClock();
        rig.wake();
        break;
      case "power-cut":
        if (op.house) rig.sgd.fault("reboot");
        this.restart(op.outageMs, op.clockAfterMs, false);
        break;
      case "set-clock":
        if (this.world.utcMs !== undefined) break;
        this.setClock();
        rig.wake();
        break;
      case "button":
        if (rig.sgd.state().override === op.on) break;
        this.buttonLost = this.ms < this.calmMs + SETTLE_MS;
        this.calmMs = Math.max(this.calmMs, this.ms);
        rig.sgd.override(op.on);
        break;
      case "pull":
        this.restart(op.outageMs, 0, true);
        break;
      case "charger-reboot":
        this.buttonLost = true;
        // It forgets what it was told; where it is silent about it, the module sees it by the state.
        if (op.silent) rig.sgd.appliance.events.end();
        else rig.sgd.fault("reboot");
        this.calmMs = this.ms + REBOOT_MS;
        break;
      case "noise":
        rig.sgd.fault(op.fault);
        this.buttonLost = true;
        this.disturbed = true;
        this.advance(op.ms);
        rig.sgd.fault("none");
        this.disturbed = false;
        this.calmMs = Math.max(this.calmMs, this.ms);
        break;
      case "owner":
        rig.owner(op.verb === "resume" ? { verb: op.verb } : { verb: op.verb, durationMs: op.ms });
        if (op.verb === "resume") oracle.resume();
        else if (op.verb === "boost") oracle.setBoost(op.ms);
        else oracle.setOverride(op.ms);
        if (this.delay !== undefined) this.delay.skip = true;
        break;
      case "consent":
        rig.owner({ verb: op.verb, source: op.source });
        oracle.setConsent(op.source, op.verb);
        break;
      case "health":
        rig.utilities[op.source]!.online = op.online;
        oracle.health(op.source, op.online);
        rig.wake();
        break;
    }
    this.rig.run(0);
  }

  /** Nothing comes any more: all ends, and the charger charges. */
  finish(): void {
    this.run({ op: "set-clock" });
    this.run({ op: "button", on: false });
    for (const source of ["utility-a", "utility-b"]) {
      this.sync();
      this.rig.give(source, []);
      this.oracle.give(source, []);
    }
    this.advance(6 * MINUTE);
  }
}

/** An event "a" that begins when it comes, but for `more`: these asks one after the other. */
const ofParts = (more: Partial<GridEvent>, ...parts: readonly [Ask, number][]): Partial<GridEvent> => ({
  ...{ id: "a", start: "now", ...more },
  intervals: parts.map(([ask, durationMs], i) => ({
    offsetMs: parts.slice(0, i).reduce((sum, [, ms]) => sum + ms, 0),
    durationMs,
    ask,
  })),
});

const give = (source: string, ...events: Partial<GridEvent>[]): Op => ({ op: "give", source, events });
const given = (source: string, ...parts: readonly [Ask, number][]): Op => give(source, ofParts({}, ...parts));

/** Histories that have found a fault once. */
const KEPT: readonly [string, Place, number, Op[]][] = [
  [
    "a charger forgets a stop that it only half obeyed",
    "us",
    0,
    [
      given("utility-a", [limit(0), Infinity]),
      { op: "advance", ms: 323_271 },
      { op: "charger-reboot", silent: true },
      { op: "advance", ms: 150_000 },
    ],
  ],
  [
    "an End Shed is still repeated on a deaf line when a curtailment is wanted",
    "us",
    47_335,
    [
      { op: "advance", ms: 720_000 },
      given("utility-a", [limit(1), Infinity]),
      given("utility-b", [{ ask: "emergency" }, Infinity]),
      { op: "noise", fault: "deaf", ms: 5 * SECOND },
      { op: "power-cut", outageMs: 0, house: false, clockAfterMs: 0 },
    ],
  ],
  [
    "the customer's button before a Grid Emergency",
    "us",
    0,
    [
      { op: "button", on: true },
      give("utility-a", ofParts({ emergencyPermitted: true }, [{ ask: "emergency" }, Infinity])),
      { op: "advance", ms: 100 * SECOND },
    ],
  ],
  [
    "an off-peak pause over a power cut in the UK, and no clock after it",
    "uk",
    10_201,
    [
      { op: "advance", ms: 720_000 },
      { op: "power-cut", outageMs: 0, house: false, clockAfterMs: UNTIL_SET },
      { op: "advance", ms: 360_000 },
    ],
  ],
  [
    "a command that never arrived, and a state that fits the one before it",
    "us",
    4176,
    [
      give(
        "utility-a",
        ofParts({ id: "b", start: 0 }, [limit(20, "A"), STEP], [{ ask: "normal" }, Infinity]),
        ofParts({ start: 0 }, [{ ask: "normal" }, STEP], [{ ask: "critical-peak" }, Infinity]),
      ),
      { op: "power-cut", outageMs: 600_000, house: false, clockAfterMs: 20_000 },
      { op: "noise", fault: "deaf", ms: MINUTE },
      { op: "advance", ms: STEP },
      { op: "advance", ms: 1 },
    ],
  ],
  [
    "a stop that no customer may override, forgotten by a charger that is overridden",
    "au",
    0,
    [
      { op: "button", on: true },
      give("utility-a", ofParts({ emergencyPermitted: true }, [limit(0), Infinity])),
      { op: "advance", ms: STEP },
      { op: "charger-reboot", silent: false },
      { op: "noise", fault: "lost-bytes", ms: 5 * SECOND },
      { op: "advance", ms: 90 * SECOND },
    ],
  ],
  [
    "a level that the charger drops for the silence before it, in the moment in which it has obeyed",
    "uk",
    16_433,
    [
      { op: "pull", outageMs: SECOND },
      { op: "advance", ms: STEP },
      give("utility-a", ofParts({ start: 0 }, [{ ask: "normal" }, STEP], [limit(20, "A"), Infinity])),
      { op: "power-cut", outageMs: 4 * MINUTE, house: false, clockAfterMs: 0 },
      { op: "advance", ms: 50 * SECOND },
    ],
  ],
  [
    "a pause whose end the module has counted to, and a clock a moment later",
    "uk",
    2318,
    [
      { op: "advance", ms: 36 * SECOND },
      { op: "power-cut", outageMs: 600_000, house: false, clockAfterMs: 0 },
      { op: "advance", ms: STEP },
      { op: "power-cut", outageMs: 0, house: false, clockAfterMs: UNTIL_SET },
      { op: "advance", ms: 360_006 },
    ],
  ],
];

describe("from the utilities' words to the charger's current", () => {
  it.each(KEPT)("%s", (_, place, constant, list) => {
    const history = new History(place, constant * 64, 1);
    for (const op of list) history.run(op);
    history.finish();
  });

  it("the charger is as a naive oracle says, whatever happens on the way", () => {
    const runs = Number(process.env["MODEL_RUNS"] ?? (process.env["OPENUCM_FULL"] === "1" ? 4000 : 300));
    const begin = Date.now();
    fc.assert(
      fc.property(
        fc.array(ops, { minLength: 2, maxLength: 10 }),
        fc.constantFrom<Place>("us", "au", "uk"),
        fc.integer({ min: 0, max: 0xffff }),
        fc.integer({ min: 1, max: 0xffff }),
        (list, region, constant, seed) => {
          const history = new History(region, constant * 64, seed);
          for (const op of list) history.run(op);
          history.finish();
        },
      ),
      { numRuns: runs },
    );
    console.log(
      `${String(runs)} histories in ${String(Math.round((Date.now() - begin) / 100) / 10)} s: ${String(seen.checks)} settled states, ${String(seen.curtailed)} of them curtailed, ${String(seen.ends)} ends by End Shed, ${String(seen.cuts)} power cuts, ${String(seen.overridden)} states under the customer's override, ${String(seen.timeless)} without a clock`,
    );
    // That the histories go where they should. A few hundred differ much from run to run: there half is asked, or a third.
    const at = (many: number, few: number): number => runs / (runs < 1000 ? few : many);
    expect(seen.checks).toBeGreaterThan(10 * runs);
    expect(seen.curtailed).toBeGreaterThan(runs);
    expect(seen.ends).toBeGreaterThan(runs);
    expect(seen.cuts).toBeGreaterThan(at(2, 4));
    expect(seen.overridden).toBeGreaterThan(at(2, 4));
    expect(seen.timeless).toBeGreaterThan(at(4, 12));
    expect(seen.delayed).toBeGreaterThan(at(1, 2));
  }, 1_800_000);
});
