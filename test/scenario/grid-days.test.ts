/**
 * Three bad days, by the charger's current: several sources at once, the owner, the customer's button, power cuts, a clock
 * that steps. What is expected was written down beforehand, from what a careful person would want; not from the code.
 */
import { describe, expect, it } from "vitest";
import { loadProfile } from "../../host-sim/sgd/profile.js";
import type { Ask, GridEvent } from "../../src/grid/event.js";
import { ChargerRig } from "../support/charger-rig.js";
import { event, HOUR, interval, limit, MINUTE, T0 } from "../support/grid.js";

/** A day on a rig, told by the time on the wall: "16:30". */
class Day {
  readonly rig: ChargerRig;

  constructor(config: Record<string, unknown>, seed = 7) {
    const base = loadProfile("evse-level2-32a");
    // A car that is never full.
    const profile = { ...base, car: { ...base.car, capacityWh: 2_000_000 } };
    this.rig = new ChargerRig({
      profile,
      config: { polling: { stateSeconds: 60, commoditySeconds: 300 }, ...config },
      seed,
    });
    this.rig.sgd.plug();
  }

  private msOf(time: string): number {
    const [hours, minutes] = time.split(":").map(Number);
    return hours! * HOUR + minutes! * MINUTE;
  }

  /** True time; the module's own clock may differ. */
  until(time: string): this {
    this.rig.run(this.msOf(time) - this.rig.nowMs);
    return this;
  }

  utc(time: string): number {
    return T0 + this.msOf(time);
  }

  /** The current at a time, A; `text` says why. */
  is(time: string, amperes: number, why: string): void {
    this.until(time);
    const { intent } = this.rig.ucm?.state() ?? {};
    expect(this.rig.amperes, `${time}: ${why}; ${intent?.reason ?? ""}`).toBeCloseTo(amperes, 0);
  }

  give(source: string, ...events: Partial<GridEvent>[]): void {
    this.rig.give(
      source,
      events.map((e) => event({ source, ...e })),
    );
  }

  span(
    id: string,
    ask: Ask | Ask["ask"],
    from: string,
    to: string,
    more: Partial<GridEvent> = {},
  ): Partial<GridEvent> {
    const start = this.utc(from);
    return { id, start, intervals: [interval(ask, this.utc(to) - start)], ...more };
  }

  /** The module's clock is so much before the true time. */
  clock(offByMs: number | undefined): void {
    this.rig.clockMs = offByMs === undefined ? undefined : T0 + offByMs;
    this.rig.wake();
  }

  /** Module and charger lose power for so long. */
  cut(forMs: number, clockKnown: boolean): void {
    const { rig } = this;
    rig.cut();
    rig.sgd.fault("reboot");
    rig.run(forMs);
    if (!clockKnown) rig.clockMs = undefined;
    rig.boot();
    rig.utilities["utility-a"]!.online = true;
  }
}

describe("a Monday in the UK", () => {
  it("off-peak, an event over the pause, prices, boost and override, a power cut without a clock in the middle", () => {
    const day = new Day({ region: "uk" });
    day.is("01:00", 32, "night, nobody wants anything");
    day.is("07:59", 32, "before the first pause");
    // 08:00 plus at most 10 min of random delay, plus the stop by Grid Emergency.
    day.is("08:12", 0, "the off-peak schedule pauses");
    day.is("10:59", 0, "until 11:00");
    day.is("11:12", 32, "and starts again after a random delay");
    day.give("utility-a", day.span("evening", "shed", "17:00", "18:00", { rank: 1 }));
    day.is("16:12", 0, "the second pause");
    day.until("16:30");
    day.rig.owner({ verb: "boost", durationMs: HOUR });
    day.is("16:32", 32, "the owner has asked to charge now: at once, no random delay");
    day.is("17:02", 16, "the utility's event outranks the boost, and needs no delay");
    day.give(
      "utility-b",
      day.span(
        "tariff",
        { ask: "price", relative: 2, absolute: undefined, currency: "GBP" },
        "17:05",
        "19:00",
      ),
    );
    day.is("17:10", 16, "a price moves no load by itself");
    day.until("17:20");
    day.cut(10 * MINUTE, false);
    day.is("17:33", 16, "without a clock what was in force is held");
    day.clock(0);
    day.is("17:45", 16, "with the clock it is still the event");
    day.is("18:12", 0, "the event is over, the boost too: the pause goes on, after its delay");
    day.until("18:30");
    day.rig.owner({ verb: "override", durationMs: 30 * MINUTE });
    day.is("18:32", 32, "the owner overrides: at once");
    day.is("19:12", 0, "for half an hour");
    day.until("20:00");
    day.rig.sgd.override(true);
    day.is("20:02", 32, "the button at the charger outranks a pause that is the module's own");
    day.until("20:30");
    day.rig.sgd.override(false);
    day.is("20:42", 0, "and gives way again when it is released");
    day.is("22:12", 32, "night again, after a random delay");
    day.is("23:59", 32, "");
    // End Shed is owed once for each end of ours, and none is sent in between.
    expect(day.rig.ucm!.state().sgd.load?.result).toBe("verified");
  });
});

describe("a Monday in Australia", () => {
  it("DRM 2, an override that DRM 1 does not know, a clock an hour slow in the middle, the button", () => {
    const day = new Day({ region: "au" });
    const half = limit(0.5);
    day.give("utility-a", day.span("drm2", half, "14:00", "18:00"));
    day.give(
      "utility-b",
      day.span("drm1", limit(0), "15:00", "15:30", { rank: 5, emergencyPermitted: true }),
    );
    day.is("13:59", 32, "nothing yet");
    day.is("14:02", 16, "DRM 2: half");
    day.until("14:30");
    day.rig.owner({ verb: "override" });
    day.is("14:32", 32, "DRM 2 is the owner's to override");
    day.is("15:02", 0, "DRM 1 is not");
    day.rig.sgd.override(true);
    day.is("15:08", 0, "nor by the button at the charger");
    day.clock(-HOUR);
    day.is("15:12", 32, "a clock that is an hour slow: by all the module knows, DRM 1 is not yet");
    day.clock(0);
    day.is("15:20", 0, "corrected: at once");
    day.is("15:32", 32, "DRM 1 is over, the override is not");
    day.rig.sgd.override(false);
    day.cut(MINUTE, true);
    day.is("15:40", 32, "the override outlives a power cut");
    day.until("16:30");
    day.rig.owner({ verb: "resume" });
    day.is("16:32", 16, "resumed: DRM 2 holds again");
    day.until("17:00");
    // The utility forgets its event without a word: implied cancel.
    day.give("utility-a");
    day.is("17:02", 32, "no longer listed: over at once");
  });
});

describe("a Monday in the US", () => {
  it("an open end and a silent server, a second utility above it, dismissal, the module pulled in mid-event", () => {
    const day = new Day({ region: "us" });
    const { rig } = day;
    day.until("09:00");
    day.give("utility-a", {
      id: "open",
      start: "now",
      intervals: [interval("critical-peak", Infinity)],
      rank: 2,
    });
    day.is("09:02", 8, "critical peak: a quarter");
    day.until("09:10");
    rig.utilities["utility-a"]!.online = false;
    rig.wake();
    day.give("utility-b", day.span("surplus", "load-up", "10:00", "10:30", { rank: 7 }));
    day.is("10:02", 32, "the second utility ranks higher and has energy to give away");
    day.until("10:10");
    rig.pull();
    day.until("10:20");
    rig.plugIn();
    day.is("10:23", 32, "back in its socket: still the same");
    day.is("10:33", 8, "the first utility's event is still on");
    day.until("11:00");
    rig.owner({ verb: "pause", source: "utility-a" });
    day.is("11:02", 32, "the owner pauses the agent");
    rig.owner({ verb: "admit", source: "utility-a" });
    day.is("11:10", 8, "and admits it again");
    // Silent since 09:10 (the module's restart at 10:20 did not begin it anew), open end: four hours.
    day.is("13:05", 8, "not yet four hours of silence");
    day.is("13:13", 32, "four hours of silence are enough");
    rig.utilities["utility-a"]!.online = true;
    rig.wake();
    day.give("utility-a", {
      id: "new",
      start: "now",
      intervals: [interval("emergency", HOUR)],
      rank: 0,
      emergencyPermitted: true,
    });
    day.is("13:16", 0, "a grid emergency");
    rig.owner({ verb: "override" });
    rig.sgd.override(true);
    day.is("13:20", 0, "which nobody overrides");
    rig.owner({ verb: "dismiss", source: "utility-a" });
    rig.sgd.override(false);
    day.is("13:23", 32, "but the owner can dismiss the agent altogether: its events are gone");
    day.give("utility-a", { id: "again", start: "now", intervals: [interval("shed", HOUR)] });
    day.is("13:26", 32, "and are refused from then on");
    expect(rig.ucm!.state().schedule.filter(({ source }) => source === "utility-a")).toEqual([]);
  });
});
