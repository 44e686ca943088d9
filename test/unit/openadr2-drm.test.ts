// AS/NZS 4755 over OpenADR 2.0b, as the configuration `programme: "as4755"` has it.
import { describe, expect, it } from "vitest";
import { answers, Bench, distribute, event, type SignalSpec } from "./openadr2-harness.js";
import type { OpenAdr2Config } from "../../src/openadr2/ven.js";

const DRM: SignalSpec = { name: "x-DRM", type: "level" };
const CAPACITY: SignalSpec = { name: "LOAD_CONTROL", type: "x-loadControlCapacity" };
const limit = (value: number, reference = "installer") => ({
  ask: "limit",
  unit: "fraction",
  value,
  reference,
});

function outcome(
  signal: SignalSpec,
  value: number,
  config: Partial<OpenAdr2Config> = { programme: "as4755" },
) {
  const bench = new Bench(config).register();
  bench.poll(distribute(event({ signals: [{ ...signal, intervals: [[3600, value]] }] })));
  const held = bench.held[0];
  return {
    ask: held?.intervals[0]?.ask,
    permitted: held?.emergencyPermitted,
    answer: answers(bench.body)[0],
    body: bench.body,
  };
}

describe("a programme of AS/NZS 4755 over OpenADR 2.0b", () => {
  it.each<[string, SignalSpec, number, object, boolean]>([
    ["DRM 0", DRM, 0, { ask: "emergency" }, true],
    ["DRM 1", DRM, 1, limit(0), false],
    ["DRM 2", DRM, 2, limit(0.5), false],
    ["DRM 3", DRM, 3, limit(0.75), false],
    ["DRM 4", DRM, 4, { ask: "load-up" }, false],
    ["SIMPLE 0", {}, 0, { ask: "normal" }, false],
    ["SIMPLE 1 is DRM 3", {}, 1, limit(0.75), false],
    ["SIMPLE 2 is DRM 2", {}, 2, limit(0.5), false],
    ["SIMPLE 3 is DRM 0", {}, 3, { ask: "emergency" }, true],
    ["capacity 0 is DRM 1", CAPACITY, 0, limit(0), false],
    ["capacity 0.5 is DRM 2", CAPACITY, 0.5, limit(0.5), false],
    ["capacity 0.75 is DRM 3", CAPACITY, 0.75, limit(0.75), false],
    ["capacity 1 is DRM 4", CAPACITY, 1, { ask: "load-up" }, false],
  ])("%s", (_, signal, value, ask, permitted) => {
    expect(outcome(signal, value)).toMatchObject({
      ask,
      permitted,
      answer: expect.stringContaining("200") as unknown,
    });
  });

  it("the reference value is the declared one", () => {
    expect(outcome(DRM, 2, { programme: "as4755", capacityReference: "dynamic" }).ask).toEqual(
      limit(0.5, "dynamic"),
    );
  });

  it("DRM 1 opens the contactor only where the programme permits it", () => {
    expect(outcome(DRM, 1, { programme: "as4755", emergency: true })).toMatchObject({ permitted: true });
  });

  it.each([5, 6, 7, 8])("DRM %d is refused with the reason", (mode) => {
    const { ask, answer, body } = outcome(DRM, mode);
    expect(ask).toBeUndefined();
    expect(answer).toContain("460");
    expect(body).toContain(`DRM ${String(mode)} asks for generation`);
  });

  it.each([9, -1, 1.5])("DRM %d does not exist: wrong data", (mode) => {
    expect(outcome(DRM, mode).answer).toContain("454");
  });

  it("without the programme nobody's x-DRM is obeyed, and SIMPLE means what it means everywhere", () => {
    expect(outcome(DRM, 2, {})).toMatchObject({
      ask: undefined,
      answer: expect.stringContaining("460") as unknown,
    });
    expect(outcome({}, 1, {}).ask).toEqual({ ask: "shed" });
    expect(outcome({}, 3, {})).toMatchObject({ ask: { ask: "critical-peak" }, permitted: false });
  });
});
