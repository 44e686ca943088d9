import { describe, expect, it } from "vitest";
import { FlashLog } from "../../src/journal/flash-log.js";
import { FlashArea } from "../../src/journal/flash-sector.js";
import { FlashSim } from "../support/flash-sim.js";

const open = (sim: FlashSim) => new FlashLog(new FlashArea(sim, 0, sim.sectors));
const payloads = (log: FlashLog) => [...log.records()].map((r) => [...r.payload]);

describe("records in flash", () => {
  it("that end in ones are not written over", () => {
    // One record in 256 of this length ends in a byte of ones followed by padding.
    let endedInOnes = 0;
    for (let n = 0; n < 1500; n++) {
      const sim = new FlashSim(2, 256);
      const first = Uint8Array.from([n & 0xff, n >> 8, 1, 2, 3]);
      open(sim).append(1, first);
      if (sim.bytes[12 + 4 + 5 + 3] === 0xff) endedInOnes++;
      open(sim).append(2, Uint8Array.from([7]));
      expect(payloads(open(sim))).toEqual([[...first], [7]]);
    }
    expect(endedInOnes).toBeGreaterThan(0);
  });

  it("are not found inside another record of which power has left the middle only", () => {
    const sim = new FlashSim(2, 256);
    open(sim).append(1, Uint8Array.from([42]));
    const copy = sim.bytes.slice(12, 12 + 12);
    // The header of the outer record never made it; the inner bytes are a whole sound record from elsewhere.
    sim.program(12 + 12 + 4, copy);
    expect(payloads(open(sim))).toEqual([[42]]);
    open(sim).append(1, Uint8Array.from([43]));
    expect(payloads(open(sim))).toEqual([[42], [43]]);
  });

  it("longer than a sector are refused; the longest that fit are kept", () => {
    const sim = new FlashSim(3, 256);
    const log = open(sim);
    const most = 256 - 12 - 8;
    expect(log.append(1, new Uint8Array(most + 1))).toBe(false);
    for (let n = 1; n <= 5; n++) expect(log.append(1, new Uint8Array(most).fill(n))).toBe(true);
    expect(payloads(log).map((p) => p[0])).toEqual([3, 4, 5]);
    expect(log.forcedErases).toBe(2);
  });

  it("the next sector is erased in a quiet moment, and not twice", () => {
    const sim = new FlashSim(3, 256);
    const log = new FlashLog(new FlashArea(sim, 0, 3), 64);
    for (let n = 0; n < 200; n++) {
      log.append(1, Uint8Array.from([n]));
      if (log.wantsErase) expect(log.tidy()).toBe(true);
      expect(log.tidy()).toBe(false);
    }
    expect(log.forcedErases).toBe(0);
    expect(log.erases).toBeGreaterThan(5);
  });

  it("can be forgotten", () => {
    const sim = new FlashSim(3, 256);
    const log = open(sim);
    for (let n = 0; n < 30; n++) log.append(1, new Uint8Array(20));
    log.clear();
    expect(payloads(log)).toEqual([]);
    log.append(1, Uint8Array.from([1]));
    expect(payloads(open(sim))).toEqual([[1]]);
  });
});
