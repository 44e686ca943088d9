/** Which frames of a charger have a deadline, and how the gap to the module's answer is taken. */
import { describe, expect, it } from "vitest";
import { AnswerJudge } from "../../host-sim/fleet/answers.js";
import { VirtualLine } from "../../host-sim/line/virtual-line.js";
import { fromHex } from "../../src/base/hex.js";
import { seededRandom } from "../../src/base/random.js";

const shed = fromHex("0801000201000C3D")!;
const ack = fromHex("0600")!;
const nak = fromHex("1505")!;

function judged() {
  const line = new VirtualLine({ bitsPerSecond: 19_200, random: seededRandom(1) });
  const judge = new AnswerJudge();
  const gaps: number[] = [];
  line.tap((tap) => {
    const gapMs = judge.onTap(tap);
    if (gapMs !== undefined) gaps.push(Math.round(gapMs));
  });
  const module = line.end("module", { muted: true });
  const charger = line.end("charger", { muted: true });
  const say = (end: typeof module, bytes: Uint8Array, atMs: number): void => {
    line.poll(atMs);
    end.write(bytes);
  };
  return { line, judge, gaps, module, charger, say };
}

describe("answers of a fleet", () => {
  it("a frame that arrived whole has a deadline, kept or not", () => {
    const { line, judge, gaps, module, charger, say } = judged();
    say(charger, shed, 0);
    say(module, ack, 50);
    say(charger, shed, 1000);
    say(module, nak, 1545);
    line.poll(2000);
    // Eight bytes last 4.2 ms; the tap tells whole milliseconds.
    expect(gaps).toEqual([46, 541]);
    expect(judge.collided).toBe(0);
  });

  it("a frame that collided has none; both are counted, and the next is judged again", () => {
    const { line, judge, gaps, module, charger, say } = judged();
    say(charger, shed, 0);
    say(module, shed, 0);
    say(module, nak, 545);
    say(charger, shed, 1000);
    say(module, ack, 1050);
    line.poll(2000);
    expect(gaps).toEqual([46]);
    expect(judge.collided).toBe(2);
    expect(judge.moduleFrames).toBe(1);
  });

  it("an answer that answers nothing counts for nothing", () => {
    const { line, gaps, module, charger, say } = judged();
    say(module, shed, 0);
    say(charger, ack, 50);
    say(module, nak, 200);
    line.poll(1000);
    expect(gaps).toEqual([]);
  });
});

describe("a virtual line that is looked at late", () => {
  it("does not hide when bytes came: an event spans a few milliseconds", () => {
    const { line, module, charger } = judged();
    charger.write(new Uint8Array(60));
    line.poll(2);
    line.poll(100);
    const times: number[] = [];
    let bytes = 0;
    for (let event = module.take(); event; event = module.take()) {
      if (event.ev !== "rx") continue;
      times.push(event.atMs);
      bytes += event.bytes.length;
    }
    expect(bytes).toBe(60);
    expect(times.at(-1)).toBe(32);
    for (const [index, atMs] of times.entries()) expect(atMs - (times[index - 1] ?? 0)).toBeLessThan(10);
  });
});
