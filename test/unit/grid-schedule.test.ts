import { describe, expect, it } from "vitest";
import { parsePosixTz } from "../../src/base/posix-tz.js";
import { seededRandom } from "../../src/base/random.js";
import { GridCore } from "../../src/grid/core.js";
import type { GridEvent } from "../../src/grid/event.js";
import { gridSettings, type GridSettings } from "../../src/grid/settings.js";
import { DAY, event, HOUR, interval, limit, MemoryStore, MINUTE, SECOND, T0 } from "../support/grid.js";

const at = (ms: number) => ({ ms, utcMs: T0 + ms });

function core(given: Partial<GridSettings> = {}, store = new MemoryStore(), seed = 5): GridCore {
  return new GridCore({ store, random: seededRandom(seed), settings: gridSettings(given) });
}

function askAt(grid: GridCore, ms: number): string {
  return grid.evaluate(at(ms)).intent.ask.ask;
}

describe("what is refused, and how", () => {
  it.each<[string, Partial<GridEvent>]>([
    ["bad-id", { id: "" }],
    ["bad-id", { id: "x".repeat(129) }],
    ["bad-revision", { revision: NaN }],
    ["bad-revision", { createdUtcMs: Infinity }],
    ["bad-rank", { rank: 1_000_001 }],
    ["bad-rank", { rank: -1 }],
    ["bad-start", { start: NaN }],
    ["bad-randomisation", { randomise: { windowMs: -1, law: "after" } }],
    ["bad-duration", { totalMs: -1 }],
    ["no-intervals", { intervals: [] }],
    ["too-many-intervals", { intervals: Array.from({ length: 129 }, (_, i) => interval("shed", 1, i)) }],
    ["bad-interval", { intervals: [interval("shed", 10, 0), interval("shed", 10, 5)] }],
    ["bad-interval", { intervals: [interval("shed", Infinity, 0), interval("shed", 10, 20)] }],
    ["bad-interval", { intervals: [interval("shed", -1)] }],
    ["bad-interval", { intervals: [interval("shed", NaN)] }],
    ["bad-interval", { intervals: [interval("shed", 0)], totalMs: HOUR }],
    ["bad-value", { intervals: [interval(limit(1.01), HOUR)] }],
    ["bad-value", { intervals: [interval(limit(-1, "W"), HOUR)] }],
    ["bad-value", { intervals: [interval(limit(NaN, "A"), HOUR)] }],
    [
      "bad-value",
      { intervals: [interval({ ask: "price", relative: undefined, absolute: undefined, currency: "" }, 1)] },
    ],
    ["unknown-ask", { intervals: [interval({ ask: "dance" } as never, HOUR)] }],
    ["too-big", { programme: "x".repeat(4000) }],
  ])("%s", (why, given) => {
    const grid = core();
    const good = event({ id: "good", start: T0 });
    const verdicts = grid.replaceEvents("demo", [event(given), good], at(0));
    expect(verdicts[0]).toMatchObject({ verdict: "refused", why });
    expect(verdicts[1]).toMatchObject({ verdict: "new" });
    expect(grid.stats().refusals.get(why)).toBe(1);
    expect(askAt(grid, 1)).toBe("shed");
  });

  it("a second event of the same name, and a change that cannot be kept cancels the old", () => {
    const grid = core();
    expect(grid.replaceEvents("demo", [event(), event()], at(0))[1]).toMatchObject({ why: "duplicate-id" });
    expect(askAt(grid, 1)).toBe("shed");
    grid.replaceEvents("demo", [event({ revision: 1, intervals: [] })], at(2));
    expect(askAt(grid, 3)).toBe("normal");
  });

  it("more events than fit: what is stored stays, finished ones give way, emergencies have a reserve", () => {
    const grid = core({ maxEvents: 3, maxEventsPerSource: 2 });
    const named = (id: string, given: Partial<GridEvent> = {}) => event({ id, ...given });
    const why = (source: string, events: GridEvent[], ms: number) =>
      grid.replaceEvents(source, events, at(ms)).map((v) => v.why || v.verdict);
    expect(why("a", [named("1"), named("2"), named("3")], 0)).toEqual(["new", "new", "too-many-events"]);
    expect(why("b", [named("1"), named("2")], 0)).toEqual(["new", "too-many-events"]);
    const emergency = named("x", { intervals: [interval("emergency", HOUR)] });
    expect(why("b", [named("1"), named("2"), emergency], 0)).toEqual(["unchanged", "too-many-events", "new"]);
    expect(grid.stats().events).toBe(4);
    // An hour later all are over, though still listed; new ones take their places.
    expect(why("a", [named("1"), named("2"), named("4", { start: T0 + 2 * HOUR })], HOUR)).toEqual([
      "unchanged",
      "unchanged",
      "new",
    ]);
  });
});

describe("room in the store", () => {
  const day = (id: string, given: Partial<GridEvent> = {}) =>
    event({
      id,
      intervals: Array.from({ length: 96 }, (_, i) =>
        interval(
          { ask: "price", relative: 1 + i / 1000, absolute: 0.12345, currency: "USD" },
          15 * MINUTE,
          i * 15 * MINUTE,
        ),
      ),
      ...given,
    });

  it("takes a day of quarter-hour prices in one record, and refuses what is too much in all", () => {
    const store = new MemoryStore();
    const grid = core({ maxStoredChars: 9000 }, store);
    const verdicts = grid.replaceEvents("demo", [day("1"), day("2"), day("3"), event({ id: "4" })], at(0));
    expect(verdicts.map((v) => v.why || v.verdict)).toEqual(["new", "new", "no-room", "new"]);
    const emergency = event({
      id: "5",
      intervals: [interval("emergency", HOUR)],
      programme: "x".repeat(2500),
    });
    const more = [day("1"), day("2"), event({ id: "4" }), emergency];
    expect(grid.replaceEvents("demo", more, at(0)).at(-1)).toMatchObject({ verdict: "new" });
    expect(Math.max(...[...store.values.values()].map((text) => text.length))).toBeLessThan(3800);
    // What is gone leaves its room, and a restart counts the same.
    const again = core({ maxStoredChars: 9000 }, store);
    expect(again.replaceEvents("demo", [day("1"), event({ id: "4" }), day("3")], at(0)).at(-1)).toMatchObject(
      {
        verdict: "new",
      },
    );
    expect(again.evaluate(at(30 * MINUTE)).outlook.price).toEqual({ relative: 1.002, endsAtMs: 45 * MINUTE });
  });
});

describe("the course of an event", () => {
  it("D-03: 15:00 for an hour, window 5 min, draw 3 min → 15:03 to 16:03", () => {
    const grid = new GridCore({
      store: new MemoryStore(),
      random: { uint32: () => 3 * MINUTE },
      settings: gridSettings(),
    });
    const randomise = { windowMs: 5 * MINUTE, law: "after" as const };
    grid.replaceEvents("demo", [event({ start: T0 + 15 * HOUR, randomise })], at(0));
    const edges = [15 * HOUR + 3 * MINUTE - 1, 15 * HOUR + 3 * MINUTE, 16 * HOUR + 3 * MINUTE - 1].concat(
      16 * HOUR + 3 * MINUTE,
    );
    expect(edges.map((ms) => askAt(grid, ms))).toEqual(["normal", "shed", "shed", "normal"]);
  });

  it("keeps its draw while its window is the same, and draws again when it changes", () => {
    const grid = core();
    const start = T0 + HOUR;
    const give = (revision: number, windowMs: number, law: "after" | "around" = "after") => {
      grid.replaceEvents("demo", [event({ revision, start, randomise: { windowMs, law } })], at(0));
      return grid.nextMs(at(0));
    };
    const first = give(0, 10 * MINUTE);
    expect(give(1, 10 * MINUTE)).toBe(first);
    expect(give(2, 9 * MINUTE)).not.toBe(first);
    const draws = new Set(Array.from({ length: 20 }, (_, i) => give(i + 3, 10 * MINUTE + i, "around")));
    expect(draws.size).toBeGreaterThan(15);
    expect(Math.min(...draws)).toBeLessThan(HOUR);
  });

  it("cuts windows to 1800 s, and never delays an event with an emergency in it", () => {
    for (let seed = 0; seed < 30; seed++) {
      const grid = core({}, new MemoryStore(), seed);
      const randomise = { windowMs: DAY, law: "after" as const };
      grid.replaceEvents("demo", [event({ start: T0 + HOUR, randomise })], at(0));
      expect(grid.nextMs(at(0))).toBeLessThanOrEqual(HOUR + 1800 * SECOND);
      const intervals = [interval("shed", HOUR), interval("emergency", HOUR, HOUR)];
      grid.replaceEvents("demo", [event({ revision: 1, start: T0 + HOUR, randomise, intervals })], at(0));
      expect(grid.nextMs(at(0))).toBe(HOUR);
    }
  });

  it("cancelled while it runs: at once, or within its start-after window where that is wanted", () => {
    const randomise = { windowMs: 10 * MINUTE, law: "after" as const };
    for (const [given, spread] of [
      [{ randomise }, true],
      [{ randomise: { ...randomise, law: "around" as const } }, false],
      [{}, false],
    ] as const) {
      const grid = core();
      grid.replaceEvents("demo", [event({ ...given, intervals: [interval("shed", 5 * HOUR)] })], at(0));
      expect(askAt(grid, HOUR)).toBe("shed");
      grid.replaceEvents("demo", [], at(HOUR));
      const end = grid.nextMs(at(HOUR));
      expect(askAt(grid, HOUR)).toBe(spread ? "shed" : "normal");
      if (!spread) continue;
      expect(end).toBeGreaterThan(HOUR);
      expect(end).toBeLessThanOrEqual(HOUR + 10 * MINUTE);
      expect(askAt(grid, end)).toBe("normal");
      expect(grid.stats().events).toBe(0);
    }
    const grid = core({ spreadCancelledEnd: false });
    grid.replaceEvents("demo", [event({ randomise })], at(0));
    expect(askAt(grid, 30 * MINUTE)).toBe("shed");
    grid.replaceEvents("demo", [event({ randomise, revision: 1, cancelled: true })], at(30 * MINUTE));
    expect(askAt(grid, 30 * MINUTE)).toBe("normal");
  });

  it("loops and truncates", () => {
    const intervals = [interval("shed", 10 * MINUTE), interval("normal", 10 * MINUTE, 10 * MINUTE)];
    const grid = core();
    grid.replaceEvents("demo", [event({ intervals, totalMs: 45 * MINUTE })], at(0));
    expect(grid.evaluate(at(0)).intent.endsUtcMs).toBe(T0 + 10 * MINUTE);
    expect([5, 15, 25, 35, 44, 46].map((min) => askAt(grid, min * MINUTE))).toEqual([
      "shed",
      "normal",
      "shed",
      "normal",
      "shed",
      "normal",
    ]);
    expect(grid.evaluate(at(46 * MINUTE)).intent.source).toBe("none");
    const short = core();
    short.replaceEvents("demo", [event({ intervals, totalMs: 5 * MINUTE })], at(0));
    expect(short.evaluate(at(0)).intent.endsUtcMs).toBe(T0 + 5 * MINUTE);
    expect(short.evaluate(at(5 * MINUTE)).intent.source).toBe("none");
  });

  it("open-ended: runs while its source is heard, and for the cap after", () => {
    const grid = core();
    grid.sourceHealth("demo", true, at(0));
    grid.replaceEvents("demo", [event({ intervals: [interval("shed", Infinity)] })], at(0));
    expect(grid.evaluate(at(0)).intent).toMatchObject({ endsAtMs: undefined });
    expect(grid.evaluate(at(0)).intent.reason).toBe(
      "The utility 'demo' asks to reduce charging until further notice.",
    );
    expect(askAt(grid, 9 * HOUR)).toBe("shed");
    grid.sourceHealth("demo", false, at(10 * HOUR));
    expect(grid.evaluate(at(10 * HOUR)).intent.endsAtMs).toBe(14 * HOUR);
    expect(askAt(grid, 14 * HOUR)).toBe("normal");
    grid.sourceHealth("demo", true, at(15 * HOUR));
    expect(askAt(grid, 15 * HOUR)).toBe("shed");
  });

  it("a test event moves nothing, unless configured", () => {
    const grid = core();
    expect(grid.replaceEvents("demo", [event({ test: true })], at(0))).toMatchObject([{ verdict: "new" }]);
    expect(askAt(grid, 0)).toBe("normal");
    const eager = core({ testEventsMoveLoad: true });
    eager.replaceEvents("demo", [event({ test: true })], at(0));
    expect(askAt(eager, 0)).toBe("shed");
  });
});

describe("the reason in words", () => {
  it.each<[string, Partial<GridEvent>]>([
    ["The utility 'demo' asks to reduce charging until 10:00.", {}],
    ["The utility 'demo' asks to charge as usual until 10:00.", { intervals: [interval("normal", HOUR)] }],
    [
      "The utility 'demo' asks to reduce charging strongly until Tuesday 01:30.",
      { intervals: [interval("critical-peak", 16.5 * HOUR)] },
    ],
    [
      "The utility 'demo' asks to charge with at most 16 A until Sunday 08:00.",
      { intervals: [interval(limit(16, "A"), 6 * DAY - HOUR)] },
    ],
    [
      "The utility 'demo' asks to charge with at most 3.7 kW for 7 more days.",
      { intervals: [interval(limit(3680, "W"), 7 * DAY)] },
    ],
    ["The utility 'demo' asks to stop charging until 10:00.", { intervals: [interval(limit(0), HOUR)] }],
    [
      "The utility 'demo' asks to charge with at most 37.5 % of its maximum until 10:00.",
      { intervals: [interval(limit(0.375), HOUR)] },
    ],
    [
      "The utility 'demo' asks to charge with at most 50 % of what it used before until 10:00.",
      { intervals: [interval(limit(0.5, "fraction", "dynamic"), HOUR)] },
    ],
    [
      "The utility 'demo' asks to stop charging because of a grid emergency until 10:00.",
      { intervals: [interval("emergency", HOUR)] },
    ],
    [
      "The utility 'demo' asks to charge now rather than later until 10:00.",
      { intervals: [interval("load-up", HOUR)] },
    ],
  ])("%s", (reason, given) => {
    // Monday 09:00 in Paris.
    const grid = core({ zone: parsePosixTz("CET-1CEST,M3.5.0,M10.5.0/3") });
    grid.replaceEvents("demo", [event({ start: T0 + 8 * HOUR, ...given })], at(8 * HOUR));
    expect(grid.evaluate(at(8 * HOUR)).intent.reason).toBe(reason);
  });

  it("names whom it outranks", () => {
    const grid = core({ offPeak: [{ days: 127, fromMin: 0, toMin: 1440 }], ceiling: 0.4 });
    expect(grid.evaluate(at(0)).intent.reason).toBe(
      "The off-peak schedule pauses charging until Tuesday 00:00 UTC.",
    );
    grid.replaceEvents("a", [event()], at(1));
    grid.replaceEvents("b", [event({ rank: 1, intervals: [interval("critical-peak", HOUR)] })], at(1));
    expect(grid.evaluate(at(1)).intent.reason).toBe(
      "The utility 'b' asks to reduce charging strongly until 01:00 UTC; this outranks the request of 'a' to reduce charging.",
    );
    grid.replaceEvents("b", [], at(2));
    expect(grid.evaluate(at(2)).intent.reason).toBe(
      "The utility 'a' asks to reduce charging until 01:00 UTC; this outranks the off-peak schedule. The limit set here holds it to 40 % of its maximum.",
    );
    grid.setOwner({ verb: "boost", durationMs: HOUR }, at(3));
    expect(grid.evaluate(at(3)).intent.reason).toContain("this outranks your wish to charge now.");
  });
});

describe("beside the intent", () => {
  const price = (relative: number) => ({
    ask: "price" as const,
    relative,
    absolute: undefined,
    currency: "",
  });
  it("price, next price and guidance stand beside an event; the higher rank speaks", () => {
    const grid = core();
    const prices = [interval(price(1), HOUR), interval(price(2), HOUR, HOUR)];
    grid.replaceEvents(
      "demo",
      [
        event({ id: "shed" }),
        event({ id: "cheap", intervals: prices }),
        event({ id: "dear", rank: 1, intervals: [interval(price(9), 30 * MINUTE)] }),
        event({ id: "hint", intervals: [interval({ ask: "guidance", level: 2 }, HOUR)] }),
      ],
      at(0),
    );
    const first = grid.evaluate(at(0));
    expect(first.intent.ask.ask).toBe("shed");
    expect(first.outlook).toMatchObject({
      price: { relative: 9, endsAtMs: 30 * MINUTE },
      nextPrice: undefined,
      guidance: 2,
    });
    expect(grid.nextMs(at(0))).toBe(30 * MINUTE);
    expect(grid.evaluate(at(30 * MINUTE)).outlook).toMatchObject({
      price: { relative: 1, endsAtMs: HOUR },
      nextPrice: { relative: 2 },
    });
    expect(grid.evaluate(at(HOUR)).outlook).toMatchObject({ price: { relative: 2 }, guidance: undefined });
  });

  it("one-off orders are given once, even over a restart, and not when they come too late", () => {
    const store = new MemoryStore();
    const grid = core({}, store);
    const intervals = [
      interval({ ask: "reboot", kind: 0 }, 0),
      interval({ ask: "override", on: true }, 0, HOUR),
      interval({ ask: "reboot", kind: 1 }, 0, 2 * HOUR),
    ];
    grid.replaceEvents("demo", [event({ start: T0 + HOUR, intervals })], at(0));
    expect(grid.evaluate(at(0)).oneOffs).toEqual([]);
    expect(grid.nextMs(at(0))).toBe(HOUR);
    grid.nextMs(at(HOUR));
    expect(grid.evaluate(at(HOUR)).oneOffs).toEqual([
      { ask: { ask: "reboot", kind: 0 }, source: "demo", eventId: "e1" },
    ]);
    expect(grid.evaluate(at(HOUR)).oneOffs).toEqual([]);
    const again = core({}, store);
    expect(again.evaluate(at(HOUR + SECOND)).oneOffs).toEqual([]);
    expect(again.nextMs(at(HOUR + SECOND))).toBe(2 * HOUR);
    expect(again.evaluate(at(2 * HOUR)).oneOffs).toMatchObject([{ ask: { ask: "override", on: true } }]);
    // Factory reset needs local consent.
    expect(again.evaluate(at(3 * HOUR)).oneOffs).toEqual([]);
    const cancelled = core();
    cancelled.replaceEvents("demo", [event({ intervals: intervals.slice(0, 2) })], at(-HOUR));
    cancelled.replaceEvents(
      "demo",
      [event({ intervals: intervals.slice(0, 2), revision: 1, cancelled: true })],
      at(-1),
    );
    expect(cancelled.evaluate(at(0)).oneOffs).toEqual([]);
    const late = core();
    late.replaceEvents("demo", [event({ intervals: intervals.slice(0, 1) })], at(2 * MINUTE));
    expect(late.evaluate(at(2 * MINUTE)).oneOffs).toEqual([]);
  });
});

describe("the clock", () => {
  const noClock = (ms: number) => ({ ms, utcMs: undefined });

  it("unknown: starts nothing that needs it, runs what starts now", () => {
    const grid = core();
    grid.replaceEvents("demo", [event({ start: T0 })], noClock(0));
    expect(grid.evaluate(noClock(0)).intent.source).toBe("none");
    grid.replaceEvents("demo", [event({ start: T0 }), event({ id: "e2", start: "now" })], noClock(MINUTE));
    expect(grid.evaluate(noClock(MINUTE)).intent).toMatchObject({
      eventId: "e2",
      endsAtMs: HOUR + MINUTE,
      endsUtcMs: undefined,
      reason: "The utility 'demo' asks to reduce charging for 60 more minutes.",
    });
    expect(grid.evaluate(noClock(HOUR + MINUTE)).intent.source).toBe("none");
  });

  it("unknown after a restart: holds the last command for what it had left", () => {
    const store = new MemoryStore();
    const before = core({}, store);
    before.replaceEvents("demo", [event({ intervals: [interval(limit(0.5), HOUR)] })], at(0));
    before.evaluate(at(20 * MINUTE));
    const grid = core({}, store);
    expect(grid.evaluate(noClock(0)).intent).toMatchObject({ ask: limit(0.5), eventId: "e1" });
    expect(grid.nextMs(noClock(0))).toBe(40 * MINUTE);
    expect(grid.evaluate(noClock(40 * MINUTE)).intent.source).toBe("none");
    // The clock comes: UTC decides.
    expect(grid.evaluate({ ms: 41 * MINUTE, utcMs: T0 + 50 * MINUTE }).intent).toMatchObject({
      ask: limit(0.5),
      endsAtMs: 51 * MINUTE,
    });
  });

  it("held, and then cancelled by its source: ends", () => {
    const store = new MemoryStore();
    core({}, store).replaceEvents("demo", [event()], at(0));
    const middle = core({}, store);
    expect(middle.evaluate(at(MINUTE)).intent.source).toBe("demo");
    const grid = core({}, store);
    expect(grid.evaluate(noClock(0)).intent.source).toBe("demo");
    grid.replaceEvents("demo", [], noClock(1));
    expect(grid.evaluate(noClock(1)).intent.source).toBe("none");
  });

  it("unknown after a restart in a second interval: holds that one, of an event that starts now too", () => {
    const store = new MemoryStore();
    const intervals = [
      interval("shed", HOUR),
      interval("critical-peak", HOUR, HOUR),
      interval(limit(0.25), HOUR, 2 * HOUR),
    ];
    const before = core({}, store);
    before.replaceEvents("demo", [event({ start: "now", intervals })], at(0));
    for (const ms of [0, HOUR, 90 * MINUTE]) before.evaluate(at(ms));
    expect(core({}, store).evaluate(noClock(0)).intent.ask.ask).toBe("critical-peak");
    before.evaluate(at(2 * HOUR));
    // As strict as before, and yet another command.
    expect(core({}, store).evaluate(noClock(0)).intent.ask).toEqual(limit(0.25));
  });

  it("wrong after a restart, or set right before it: an event that started now goes by what is known", () => {
    const store = new MemoryStore();
    const first = core({}, store);
    first.replaceEvents("demo", [event({ start: "now" })], at(0));
    // The clock was an hour slow.
    const right = (ms: number) => ({ ms, utcMs: T0 + ms + HOUR });
    expect(first.evaluate(right(30 * MINUTE)).intent.endsAtMs).toBe(HOUR);
    const second = core({}, store);
    expect(second.evaluate({ ms: 0, utcMs: T0 + HOUR + 40 * MINUTE }).intent.endsAtMs).toBe(20 * MINUTE);
    // And now it says yesterday: the event counts as just begun, rather than not begun.
    const third = core({}, store);
    expect(third.evaluate({ ms: 0, utcMs: T0 - DAY }).intent.endsAtMs).toBe(HOUR);
  });

  it("drifts: no step, and the plan follows", () => {
    const grid = core();
    grid.replaceEvents("demo", [event({ start: T0 + 5 * HOUR })], at(0));
    let askedAtMs = 0;
    for (let ms = 0; ms < 6 * HOUR; ms += MINUTE) {
      // 100 parts in a million fast: two seconds in six hours.
      const now = { ms, utcMs: T0 + Math.round(ms * 1.0001) };
      if (grid.evaluate(now).intent.ask.ask === "shed" && askedAtMs === 0) askedAtMs = ms;
      grid.replaceEvents("demo", [event({ start: T0 + 5 * HOUR })], now);
    }
    expect(askedAtMs).toBe(5 * HOUR);
    expect(grid.stats().clockSteps).toBe(0);
  });

  it("steps: everything is planned anew, and what began now is not moved", () => {
    const grid = core();
    grid.replaceEvents(
      "demo",
      [event({ start: T0 + 2 * HOUR }), event({ id: "now", start: "now", rank: 1 })],
      at(0),
    );
    expect(grid.evaluate(at(0)).intent.eventId).toBe("now");
    const stepped = (ms: number) => ({ ms, utcMs: T0 + ms + 90 * MINUTE });
    expect(grid.evaluate(stepped(MINUTE)).intent).toMatchObject({ eventId: "now", endsAtMs: HOUR });
    expect(grid.stats().clockSteps).toBe(1);
    expect(grid.evaluate(stepped(HOUR)).intent).toMatchObject({ eventId: "e1", endsAtMs: 90 * MINUTE });
    const back = (ms: number) => ({ ms, utcMs: T0 + ms - DAY });
    expect(grid.evaluate(back(HOUR + 1)).intent.source).toBe("none");
    expect(grid.nextMs(back(HOUR + 1))).toBe(DAY + 2 * HOUR);
  });
});

describe("the store", () => {
  it("does not believe a half-written record, and counts it", () => {
    const store = new MemoryStore();
    core({}, store).replaceEvents("demo", [event(), event({ id: "e2", rank: 1 })], at(0));
    const [key, value] = [...store.values].find(([, text]) => text.includes('"e1"'))!;
    for (let length = 0; length < value.length; length++) {
      store.values.set(key, value.slice(0, length));
      const grid = core({}, store);
      expect(grid.stats()).toMatchObject({ events: 1, brokenRecords: 1 });
      expect(grid.evaluate(at(1)).intent.eventId).toBe("e2");
    }
    store.values.set(key, value.replace("shed", "SHED"));
    expect(core({}, store).stats().brokenRecords).toBe(1);
  });

  it("is not written while nothing changes", () => {
    const store = new MemoryStore();
    const grid = core({ region: "uk" }, store);
    grid.sourceHealth("demo", true, at(0));
    grid.replaceEvents("demo", [event(), event({ id: "e2", start: T0 + DAY })], at(0));
    grid.evaluate(at(0));
    const { writes } = store;
    for (let ms = 0; ms < HOUR; ms += 10 * SECOND) {
      grid.replaceEvents("demo", [event(), event({ id: "e2", start: T0 + DAY })], at(ms));
      grid.sourceHealth("demo", ms % 3 === 0, at(ms));
      grid.evaluate(at(ms));
    }
    expect(store.writes).toBe(writes);
  });

  it("keeps the owner's will", () => {
    const store = new MemoryStore();
    const grid = core({}, store);
    grid.setOwner({ verb: "override", durationMs: 2 * HOUR }, at(0));
    grid.setOwner({ verb: "pause", source: "other" }, at(0));
    const again = core({}, store);
    expect(again.ownerStatus({ ms: 0, utcMs: T0 + HOUR })).toMatchObject({ overrideLeftMs: HOUR });
    expect(again.ownerStatus({ ms: 0, utcMs: T0 + HOUR }).consent.get("other")).toBe("pause");
    expect(again.evaluate({ ms: 0, utcMs: T0 + HOUR }).intent).toMatchObject({
      source: "owner",
      reason: "You asked to charge as usual, whatever the utility or the schedule says until 02:00 UTC.",
    });
    expect(again.setOwner({ verb: "boost", durationMs: -1 }, at(0))).toMatchObject({
      ok: false,
      why: "bad-duration",
    });
  });
});

describe("until when the owner does not follow a source", () => {
  const ends = (grid: GridCore, ms: number, source = "demo") => grid.overrideEndsMs(source, at(ms));

  it("an override, also a while that a random delay holds its end back", () => {
    const offPeak = [{ days: 127, fromMin: 0, toMin: 1439 }];
    const grid = core({ delayOn: true, delayMaxMs: 1_800_000, offPeak });
    expect(ends(grid, 0)).toBeUndefined();
    grid.setOwner({ verb: "override", durationMs: HOUR }, at(0));
    expect(ends(grid, MINUTE)).toBe(HOUR);
    expect(grid.evaluate(at(HOUR)).intent.reason).toContain("at a random moment");
    expect(ends(grid, HOUR)).toBeUndefined();
  });

  it("a pause of that source, unless what he may not override is in force of it", () => {
    const grid = core({ region: "au" });
    grid.setOwner({ verb: "pause", source: "demo" }, at(0));
    expect(ends(grid, 0)).toBe(Infinity);
    expect(ends(grid, 0, "other")).toBeUndefined();
    const stop = event({ start: T0, intervals: [interval(limit(0), HOUR)] });
    expect(grid.replaceEvents("demo", [stop], at(0))).toMatchObject([{ binding: true }]);
    expect(ends(grid, 1)).toBeUndefined();
    expect(grid.replaceEvents("demo", [event({ id: "shed", start: T0 })], at(2))[0]!.binding).toBeUndefined();
    expect(ends(grid, 3)).toBe(Infinity);
  });
});
