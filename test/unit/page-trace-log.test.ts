/** The page's trace: what is added one by one passes the same filter as all at once, and the old goes first. */
import { describe, expect, it } from "vitest";
import type { FrameView } from "../../host-sim/bench/messages.js";
import { noFilter, TraceLog, type TraceFilter } from "../../host-sim/page/src/trace-log.js";

function frame(n: number): FrameView {
  const answer = n % 2 === 0;
  return {
    ...{
      n,
      utcMs: n,
      from: n % 4 < 2 ? "module" : "charger",
      hex: answer ? "06 00" : "08 01 00 02 12 00 D8 5F",
    },
    ...{ text: answer ? "Link ACK" : `Query ${n}`, fault: n % 97 === 0 ? "bad-checksum" : "" },
    ...{ fields: {}, gapMs: 1, kind: "other" },
  };
}

const filters: readonly TraceFilter[] = [
  noFilter,
  { ...noFilter, answers: true },
  { ...noFilter, text: "query 7" },
  { ...noFilter, text: "12 00", from: "charger" },
  { ...noFilter, bad: true },
];

describe("trace of the page", () => {
  it.each(filters)("%j: one by one as all at once", (filter) => {
    const grown = new TraceLog();
    grown.setFilter(filter);
    for (let n = 1; n <= 3000; n++) grown.add(frame(n));
    const whole = new TraceLog();
    whole.reset(Array.from({ length: 3000 }, (_, i) => frame(i + 1)));
    whole.setFilter(filter);
    expect(grown.shown).toEqual(whole.shown);
    expect(grown.shown.length).toBeGreaterThan(0);
    expect(grown.shown.length).toBeLessThan(3001);
  });

  it("keeps the newest 10,000, drops the old in blocks, and never shows what is gone", () => {
    const log = new TraceLog();
    for (let n = 1; n <= 25_000; n++) {
      log.add(frame(n));
      if (log.count > 11_000) throw new Error(`${log.count} are kept`);
    }
    expect(log.count).toBeGreaterThanOrEqual(10_000);
    expect(log.newest(1)[0]!.n).toBe(25_000);
    expect(log.shown[0]!.n).toBeGreaterThan(25_000 - 11_002);
    expect(log.shown.at(-1)!.n).toBe(24_999);
  });

  it("tells by its version that something has changed", () => {
    const log = new TraceLog();
    const before = log.version;
    log.add(frame(1));
    expect(log.version).not.toBe(before);
  });
});
