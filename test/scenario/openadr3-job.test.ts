/** OpenADR 3.1 end to end in virtual time, on Node; test/xs/openadr3-worker.test.ts does the same in XS. */
import { describe, expect, it } from "vitest";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { openadr3Job } from "../support/openadr3-job.js";

describe("OpenADR 3.1 on Node, in virtual time", () => {
  it("lowers the current, reports an override, ends when the event is deleted, and passes prices on", async () => {
    const bench = await openadr3Job(nodeEngine());
    expect(bench.told.some(({ event }) => JSON.stringify(event).includes("of the virtual bench alone"))).toBe(
      false,
    );
  });
});
