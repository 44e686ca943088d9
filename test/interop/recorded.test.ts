/**
 * Dialogues recorded with programs that others wrote, over a pseudo-terminal, played again in virtual time:
 * EPRI's C++ library as the module against our charger, and pycta2045 as the appliance against our module.
 */
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/random.js";
import { fromHex } from "../../src/base/hex.js";
import { VirtualLine } from "../../host-sim/line/virtual-line.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { loadProfile } from "../../host-sim/sgd/profile.js";
import { SgdSimulator } from "../../host-sim/sgd/simulator.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { FrameCutter, isLinkAnswer, recording, RecordedAppliance } from "../support/recorded.js";

/** Meter values and battery differ from run to run: of a commodity reply only the shape counts. */
const shape = (hex: string): string => (hex.startsWith("08 02 00 37 06 80") ? "commodity reply" : hex);

describe("EPRI's library as the module", () => {
  it("gets from our charger, frame for frame, what it got when it was recorded", () => {
    const frames = recording("epri-lib-as-module");
    const random = seededRandom(7);
    const line = new VirtualLine({ bitsPerSecond: 19_200, random });
    const peer = line.end("epri", { muted: true });
    const end = line.end("charger", { muted: true });
    const sgd = new SgdSimulator({
      profile: loadProfile("evse-level2-32a"),
      line: end,
      random,
      emit: () => undefined,
    });
    sgd.plug();
    const cutter = new FrameCutter();
    const heard: string[] = [];
    let now = 0;
    const advance = (untilMs: number): void => {
      while (now < untilMs) {
        now = Math.min(untilMs, Math.max(now + 1, Math.ceil(Math.min(line.nextMs(), sgd.nextMs()))));
        line.poll(now);
        for (let event = end.take(); event; event = end.take()) sgd.onByteLine(event, now);
        sgd.poll(now);
        for (let event = peer.take(); event; event = peer.take()) {
          if (event.ev === "rx") heard.push(...cutter.take(event.bytes));
        }
      }
    };
    // The charger's own discovery runs beside the module's; the order of the two is chance. What must hold: each
    // frame of the library earns the answers it earned then.
    advance(30_000);
    heard.length = 0;
    let asked = 0;
    for (let i = 0; i < frames.length; i++) {
      const frame = frames[i]!;
      if (frame.from !== "peer" || isLinkAnswer(frame.hex)) continue;
      const expected: string[] = [];
      for (let j = i + 1; j < frames.length; j++) {
        const next = frames[j]!;
        if (next.from === "peer" && !isLinkAnswer(next.hex)) break;
        // The charger's own questions and its answer to ours are no answers to this frame.
        if (next.from === "us" && !/^08 0[123] 00 00|^08 03 00 02 18/.test(next.hex))
          expected.push(shape(next.hex));
      }
      // The library's answer to the max-payload question of our charger belongs to no question in this replay.
      if (frame.hex.startsWith("08 03 00 02 19")) continue;
      asked++;
      heard.length = 0;
      peer.write(fromHex(frame.hex)!);
      const from = now;
      const answered = new Set<number>();
      while (now < from + 8_000) {
        advance(now + 10);
        heard.forEach((hex, at) => {
          if (isLinkAnswer(hex) || answered.has(at)) return;
          answered.add(at);
          advance(now + 45);
          peer.write(fromHex("0600")!);
          advance(now + 10);
        });
      }
      const got = heard.map(shape).filter((hex) => !/^08 0[123] 00 00|^08 03 00 02 18/.test(hex));
      // A state told on change may come later than the recording's next question did.
      expect([frame.hex, got.filter((hex) => !hex.startsWith("08 01 00 02 13"))]).toEqual([
        frame.hex,
        expected.filter((hex) => !hex.startsWith("08 01 00 02 13")),
      ]);
    }
    expect(asked).toBeGreaterThanOrEqual(8);
    expect(sgd.state()).toMatchObject({ limitA: 8, opState: 2 });
  });
});

describe("pycta2045 as the appliance", () => {
  it("is discovered, sheds, is verified by its state, and is released", async () => {
    let appliance: RecordedAppliance | undefined;
    const bench = new VirtualBench({
      engine: nodeEngine(),
      vtn: { pollSeconds: 2 },
      appliance: (end) => (appliance = new RecordedAppliance(end, recording("pycta2045-as-appliance"))),
      config: { polling: { stateSeconds: 10, commoditySeconds: 10 } },
    });
    await bench.until("online", () => bench.last("sgd")?.status.link === "online", 60_000);
    expect(bench.last("sgd")!.status).toMatchObject({ storagePresentWh: 5000, powerW: 0 });
    bench.vtn.createEvent(
      { signal: "SIMPLE", level: 1, startInSeconds: 5, durationSeconds: 20 },
      { utcMs: bench.utcMs },
    );
    await bench.until(
      "shed verified",
      () => bench.last("command")?.name === "Shed" && bench.last("command")!.verified,
      30_000,
    );
    expect(bench.last("sgd")!.status.opState).toBe(4);
    await bench.until(
      "released",
      () => bench.last("command")?.name === "EndShed" && bench.last("command")!.verified,
      60_000,
    );
    expect(bench.last("sgd")!.status.opState).toBe(0);
    expect(appliance!.unknown).toEqual([]);
  });
});
