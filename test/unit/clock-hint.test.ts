// UTC from servers, for a module whose clock has never been set; a clock that is set is left alone.
import { describe, expect, it } from "vitest";
import { ClockHint } from "../../src/network/clock-hint.js";

const T = Date.UTC(2026, 10, 21, 12);
const unset = (ms: number) => ({ ms, utcMs: undefined });

describe("a module without a clock", () => {
  it("takes the first server's word, and goes on by its own time", () => {
    const clock = new ClockHint();
    expect(clock.fill(unset(5))).toEqual(unset(5));
    expect(clock.seen("a", T, unset(1000))).toBe("");
    expect(clock.fill(unset(61_000))).toEqual({ ms: 61_000, utcMs: T + 60_000 });
  });

  it("is corrected by the same server that says the same twice, and by nobody else", () => {
    const clock = new ClockHint();
    clock.seen("a", T, unset(0));
    expect(clock.seen("b", T + 400 * 86_400_000, clock.fill(unset(0)))).toContain('that of "a" counts');
    expect(clock.seen("b", T + 400 * 86_400_000, clock.fill(unset(0)))).toBe("");
    expect(clock.seen("a", T + 60_000, clock.fill(unset(0)))).toBe("");
    expect(clock.fill(unset(0)).utcMs).toBe(T);
    clock.seen("a", T + 61_000, clock.fill(unset(0)));
    expect(clock.fill(unset(0)).utcMs).toBe(T + 61_000);
  });

  it("believes no time that cannot be", () => {
    const clock = new ClockHint();
    for (const utcMs of [0, NaN, Date.UTC(2019, 1, 1), Date.UTC(2099, 1, 1)])
      clock.seen("a", utcMs, unset(0));
    expect(clock.fill(unset(0)).utcMs).toBeUndefined();
  });
});

describe("a module with a clock", () => {
  it("keeps it, and says once that a server's is far from it", () => {
    const clock = new ClockHint();
    const now = { ms: 0, utcMs: T };
    expect(clock.seen("a", T + 5000, now)).toBe("");
    expect(clock.seen("a", T - 3_600_000, now)).toBe(
      "The clock of \"a\" is 3600 s behind the module's; the module's is kept.",
    );
    expect(clock.seen("a", T - 3_600_000, now)).toBe("");
    expect(clock.seen("a", T, now)).toBe("");
    expect(clock.seen("a", T + 90_000, now)).toContain("90 s ahead");
    expect(clock.fill(now)).toBe(now);
  });
});
