// A million mutated answers to the 3.1 VEN.
import { expect, it } from "vitest";
import { fuzzEvents } from "../support/openadr3-fuzz.js";

it("a million lists of events: no throw, nothing taken in half", () => {
  let accepted = 0;
  for (let seed = 0; seed < 20; seed++) accepted += fuzzEvents(50_000, 1000 + seed).accepted;
  expect(accepted).toBeGreaterThan(50_000);
}, 1_800_000);
