/** A fleet in virtual time: every module answers an event, link deadlines are kept, and the same seed gives the same run. */
import { describe, expect, it } from "vitest";
import { Agenda } from "../../host-sim/fleet/agenda.js";
import { Fleet, virtualUtcMs } from "../../host-sim/fleet/fleet.js";
import { Histogram } from "../../host-sim/fleet/figures.js";
import { Pair } from "../../host-sim/fleet/pair.js";
import { loadProfile } from "../../host-sim/sgd/profile.js";
import { VtnCore } from "../../host-sim/vtn/core.js";
import { seededRandom } from "../../src/base/random.js";
import { readConfig, type UcmConfig } from "../../src/setup/config.js";

function runFleet(seed: number): Fleet {
  const vtn = new VtnCore({ pollSeconds: 10 });
  const fleet = new Fleet({
    count: 40,
    profile: loadProfile("evse-level2-32a"),
    seed,
    vtnUrl: "https://127.0.0.1:1",
    credentials: () => ({}),
    pollSeconds: undefined,
    rampMs: 10_000,
  });
  fleet.runVirtual(vtn, 90_000, (nowMs) => {
    if (nowMs === 40_000) {
      vtn.createEvent(
        // Each module draws a delay of its own.
        { signal: "SIMPLE", level: 1, startInSeconds: 1, durationSeconds: 20, startAfterSeconds: 10 },
        { utcMs: virtualUtcMs + nowMs },
      );
    }
  });
  return fleet;
}

describe("fleet in virtual time", () => {
  const fleet = runFleet(3);

  it("brings every module online, and every one answers the event", () => {
    expect(fleet.totals()).toMatchObject({ count: 40, started: 40, online: 40, refused: 0, shedding: 0 });
    expect(new Set(fleet.responses.map((one) => one.pair)).size).toBe(40);
    expect(fleet.toVerified.quantile(1)!).toBeLessThan(10_000);
    const at = fleet.responses.map((one) => one.atMs);
    expect(Math.max(...at) - Math.min(...at)).toBeGreaterThan(5000);
  });

  it("keeps every link deadline", () => {
    const { kept, all } = fleet.deadlines();
    expect(all).toBeGreaterThan(400);
    expect(kept).toBe(all);
  });

  it("repeats itself exactly with the same seed, and not with another", () => {
    expect(runFleet(3).responses).toEqual(fleet.responses);
    expect(runFleet(4).responses).not.toEqual(fleet.responses);
  });
});

describe("a computer that stalls", () => {
  it("looks at the line late, and yet no frame is misread and no answer leaves out of its time", () => {
    const random = seededRandom(11);
    const gaps: number[] = [];
    const naks: string[] = [];
    for (let index = 0; index < 30; index++) {
      const pair = new Pair({
        name: "stalled",
        config: readConfig({
          upstreams: [],
          polling: { stateSeconds: 10, commoditySeconds: 5 },
        }) as UcmConfig,
        profile: loadProfile("evse-level2-32a"),
        random: seededRandom(index),
        http: { request: () => undefined, abort: () => undefined },
        capture: {
          sink: {
            record: ({ bytes, from }) => {
              if (bytes[0] === 0x15) naks.push(`${from} ${String(bytes[1])}`);
            },
          },
          toUtc: (atMs) => atMs,
        },
        onEvent: () => undefined,
        onAnswerGap: (gapMs) => gaps.push(Math.round(gapMs)),
      });
      for (let now = 0; now < 60_000;) {
        pair.poll(now, virtualUtcMs + now);
        // As a rule in time or a millisecond late; one look in fifteen comes 15 to 59 ms late.
        const lateMs = random.uint32() % 15 > 0 ? random.uint32() % 2 : 15 + (random.uint32() % 45);
        now = Math.max(Math.ceil(pair.nextMs()) + lateMs, now + 1);
      }
    }
    expect(gaps.length).toBeGreaterThan(500);
    expect(gaps.filter((gapMs) => gapMs < 40 || gapMs > 200)).toEqual([]);
    expect(naks).toEqual([]);
  });
});

describe("agenda", () => {
  it("gives whoever is due in the order of time, each at its last word", () => {
    const random = seededRandom(5);
    const agenda = new Agenda(50);
    const due = new Map<number, number>();
    for (let i = 0; i < 500; i++) {
      const index = random.uint32() % 50;
      const atMs = random.uint32() % 1000;
      agenda.set(index, atMs);
      due.set(index, atMs);
    }
    const got: number[] = [];
    for (let index = agenda.take(1000); index !== undefined; index = agenda.take(1000))
      got.push(due.get(index)!);
    expect(got).toEqual([...due.values()].sort((a, b) => a - b));
    expect(agenda.nextMs()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("histogram", () => {
  it("counts and ranks", () => {
    const histogram = new Histogram();
    for (let ms = 1; ms <= 100; ms++) histogram.add(ms);
    expect([histogram.quantile(0.5), histogram.quantile(0.99), histogram.quantile(1)]).toEqual([50, 99, 100]);
    expect(histogram.within(40, 60)).toBe(21);
    expect(histogram.rows(50)).toEqual([
      [0, 49],
      [50, 50],
      [100, 1],
    ]);
  });
});
