/**
 * The main job, end to end in virtual time: an OpenADR event lowers a charger's current over CTA-2045, and ends.
 * The same scenario runs on Node here and in XS in test/xs.
 */
import { describe, expect, it } from "vitest";
import { withFrameLine } from "../../host-sim/runtime/frame-line-engine.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { mainJob } from "../support/main-job.js";

describe("main job on Node, in virtual time", () => {
  it("registers, takes an event, sheds to 16 A, verifies, and returns to 32 A, within a second of real time", async () => {
    const started = performance.now();
    const report = await mainJob(nodeEngine());
    const tookMs = performance.now() - started;
    expect(report.frames).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^08 01 00 02 01 /),
        expect.stringMatching(/^08 01 00 02 02 00/),
      ]),
    );
    // The figure itself is `npm run measure -- main-job`; here only that virtual time is no real time.
    expect(tookMs).toBeLessThan(report.bench.nowMs / 10);
  });

  it("does the same, frame by frame, where the line frames and acknowledges by itself, as on the device", async () => {
    const over = async (engine: ReturnType<typeof nodeEngine>) => {
      const { frames, bench } = await mainJob(engine);
      return { frames, counters: bench.sgd.state() };
    };
    expect(await over(withFrameLine(nodeEngine()))).toEqual(await over(nodeEngine()));
  });
});
