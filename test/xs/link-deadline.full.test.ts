/**
 * The link answer leaves 40–200 ms after a frame whatever JavaScript does: the whole application on the emulated
 * microcontroller, an appliance inside it that measures on the machine's clock, and the world stopped for 45 and 300 ms
 * at random moments, as while flash is erased. The same over the byte line fails, so this proves something.
 */
import { resolve } from "node:path";
import { afterEach, expect, test } from "vitest";
import { qemuMissing, startQemu, type PeerFigures, type QemuRuntime } from "../../host-sim/runtime/qemu.js";
import { buildArchive } from "../../host-sim/runtime/xs-host.js";
import { readConfig } from "../../src/setup/config.js";
import { describeWith } from "../support/needs.js";

const dist = resolve(import.meta.dirname, "../../dist");

describeWith(qemuMissing(), "link answers while JavaScript stands still", () => {
  const open: QemuRuntime[] = [];
  afterEach(async () => {
    for (const machine of open.splice(0)) await machine.close();
  });

  async function play(
    line: "byte" | "frame",
    frames: number,
  ): Promise<PeerFigures & { readonly perByte: number; readonly perInterrupt: number }> {
    const machine = await startQemu({
      archive: buildArchive(resolve(dist, "host-sim/runtime/machine-entry.js"), dist),
      line,
      leaps: true,
    });
    open.push(machine);
    machine.line.resume();
    const config = readConfig({ upstreams: [] });
    await machine.step({
      ...{ nowMs: 0, utcMs: 1_700_000_000_000 },
      in: [{ k: "boot", config, store: {}, seed: [1, 2, 3, 4], line }],
    });
    await machine.startPeer(frames, 2045);
    for (;;) {
      const figures = await machine.peer();
      if (figures.done) {
        const { uart } = (await machine.stats()).instructions;
        return { ...figures, perByte: Math.round(uart.sum / uart.count), perInterrupt: uart.most };
      }
      await new Promise((wake) => setTimeout(wake, 200));
    }
  }

  test("with the frame line every answer to 10,000 frames leaves in time, and is the right one", async () => {
    const figures = await play("frame", 10_000);
    console.log(`frame line: ${JSON.stringify(figures)}`);
    expect(figures).toMatchObject({
      frames: 10_000,
      onTime: 10_000,
      early: 0,
      late: 0,
      missing: 0,
      wrong: 0,
    });
    expect(figures.stops).toBeGreaterThan(4500);
    expect(figures.heard).toBeGreaterThan(100); // and the module said something itself
    expect(figures.shortestUs).toBeGreaterThanOrEqual(40_000);
    expect(figures.longestUs).toBeLessThanOrEqual(200_000);
  }, 600_000);

  test("with the byte line the same does not hold", async () => {
    const figures = await play("byte", 1000);
    console.log(`byte line: ${JSON.stringify(figures)}`);
    expect(figures.frames).toBe(1000);
    expect(figures.late + figures.missing).toBeGreaterThan(50);
  }, 600_000);
});
