/** A million messages of the fuzz (ocpp16-fuzz.test.ts). */
import { describe, expect, it } from "vitest";
import { fuzz, fuzzText } from "../support/ocpp-fuzz.js";
import { fuzzFrames } from "../support/websocket-fuzz.js";

describe("1,000,000 right, spoilt and senseless messages", () => {
  it.each(Array.from({ length: 20 }, (_, part) => part + 100))(
    "part %i",
    (seed) => {
      expect(fuzz(50_000, seed).answered).toBeGreaterThan(30_000);
    },
    300_000,
  );
});

describe("1,000,000 right, mutated and senseless frames", () => {
  it.each(Array.from({ length: 20 }, (_, part) => part + 200))(
    "part %i",
    (seed) => {
      expect(fuzzFrames(50_000, seed, fuzzText).texts).toBeGreaterThan(10_000);
    },
    300_000,
  );
});
