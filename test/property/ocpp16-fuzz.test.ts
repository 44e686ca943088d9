/** Whatever a platform sends: no throw, the connection ended with the right code, the charge point in a defined state. */
import { describe, expect, it } from "vitest";
import { fuzz, fuzzText } from "../support/ocpp-fuzz.js";
import { Harness } from "../support/ocpp-harness.js";
import { fuzzFrames } from "../support/websocket-fuzz.js";

describe("20,000 right, spoilt and senseless messages", () => {
  it.each([1, 2, 3, 4])("part %i", (seed) => {
    const report = fuzz(5000, seed);
    expect(report.answered).toBeGreaterThan(3000);
    expect(Object.keys(report.closes).map(Number)).toEqual(expect.arrayContaining([1002, 1007, 1009]));
  });
});

describe("20,000 right, mutated and senseless frames, through the WebSocket client", () => {
  it.each([1, 2, 3, 4])("part %i", (seed) => {
    const report = fuzzFrames(5000, seed, fuzzText);
    expect(report.texts).toBeGreaterThan(1000);
    expect(Object.keys(report.closes).map(Number)).toEqual(expect.arrayContaining([1002, 1003, 1007, 1009]));
  });
});

describe("how the connection is ended", () => {
  it.each([
    ["not JSON", "[2,", 1007],
    ["nested without end", "[".repeat(3000), 1007],
    ["no list", '{"a":1}', 1002],
    ["no message id", '[2,5,"Reset",{}]', 1002],
    ["too long", `[2,"a","DataTransfer",{"vendorId":"${"x".repeat(17_000)}"}]`, 1009],
  ])("%s", (_, text, code) => {
    const harness = new Harness().start();
    harness.deliver(text);
    expect(harness.closes.map((one) => one.code)).toEqual([code]);
    expect(harness.point.status().state).toBe("failing");
    harness.advance(20_000);
    expect(harness.point.status().state).toBe("online");
  });

  it("unknown message types and late answers are passed over (OCPP-J 4.1.3)", () => {
    const harness = new Harness().start();
    const before = harness.sent.length;
    for (const text of ['[7,"a",{}]', '[3,"none",{}]', '[4,"none","X","",{}]', ""]) harness.deliver(text);
    expect(harness.sent.length).toBe(before);
    expect(harness.closes).toEqual([]);
  });
});
