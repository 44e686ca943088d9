/** Who spoke, told from what was said alone: judged against lines on which it is known. */
import { describe, expect, it } from "vitest";
import { captureVirtualLine } from "../../host-sim/capture/line-capture.js";
import type { CaptureRecord } from "../../host-sim/capture/record.js";
import { SpeakerOf } from "../../host-sim/capture/speaker.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { profileNames } from "../../host-sim/sgd/profile.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";

async function talk(profile: string, fault: string): Promise<CaptureRecord[]> {
  const bench = new VirtualBench({ engine: nodeEngine(), seed: 3, profile });
  const records: CaptureRecord[] = [];
  const finish = captureVirtualLine(bench.line, { record: (one) => void records.push(one) }, (atMs) => atMs);
  bench.sgd.plug();
  await bench.run(60_000);
  if (fault !== "") bench.sgd.fault(fault);
  bench.vtn.createEvent({ signal: "SIMPLE", level: 2, durationSeconds: 120 }, { utcMs: bench.utcMs });
  await bench.run(30_000);
  bench.sgd.override(true);
  await bench.run(60_000);
  bench.sgd.fault("none");
  await bench.run(120_000);
  finish();
  return records.filter((one) => !one.marks.collision);
}

function judge(records: readonly CaptureRecord[]): { wrong: number; known: number } {
  const speaker = new SpeakerOf();
  let wrong = 0;
  let known = 0;
  for (const { bytes, from, marks } of records) {
    const told = speaker.of(bytes, !marks.incomplete && !marks.badChecksum);
    if (told === "unknown") continue;
    known++;
    if (told !== from) wrong++;
  }
  return { wrong, known };
}

describe("the speaker of what a tap hears", () => {
  it.each(profileNames())("%s: never wrong, and known of most", async (profile) => {
    const records = await talk(profile, "");
    const { wrong, known } = judge(records);
    expect(records.length).toBeGreaterThan(50);
    expect(wrong).toBe(0);
    expect(known / records.length).toBeGreaterThan(0.5);
  });

  it.each([
    "no-ack:3",
    "late-ack:5",
    "wrong-checksum:3",
    "duplicate-frame:5",
    "reset-mid-frame:2",
    "never-replies",
  ])("on a line with %s it is right of nearly all that it tells", async (fault) => {
    const { wrong, known } = judge(await talk("evse-level2-32a", fault));
    expect(known).toBeGreaterThan(50);
    expect(wrong / known).toBeLessThan(0.05);
  });

  it("what both may say stays unknown, with its answer", () => {
    const speaker = new SpeakerOf();
    const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
    expect(speaker.of(hex("08 01 00 00 7E CD"), true)).toBe("unknown");
    expect(speaker.of(hex("06 00"), true)).toBe("unknown");
    expect(speaker.of(hex("08 01 00 02 01 00 0C 3D"), true)).toBe("module");
    expect(speaker.of(hex("06 00"), true)).toBe("charger");
    expect(speaker.of(hex("08 01 00 02 03 01 04 42"), true)).toBe("charger");
    expect(speaker.of(hex("06 00"), true)).toBe("module");
  });
});
