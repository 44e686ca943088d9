import { describe, expect, it } from "vitest";
import { FaultLine } from "../../host-sim/line/fault-line.js";
import { Framer } from "../../host-sim/line/framer.js";
import {
  VirtualLine,
  type EndOptions,
  type LineTap,
  type VirtualEnd,
} from "../../host-sim/line/virtual-line.js";
import { seededRandom } from "../../src/base/random.js";
import type { ByteLineEvent } from "../../src/ports/line.js";
import { NEVER } from "../../src/ports/time.js";
import { emitFrame, isFrameRight } from "./host-line-help.js";

const SHED = emitFrame(0x0801, new Uint8Array([1, 0]));

function line(a: EndOptions = {}, b: EndOptions = {}): { line: VirtualLine; a: VirtualEnd; b: VirtualEnd } {
  const made = new VirtualLine({ bitsPerSecond: 19_200, random: seededRandom(1) });
  return { line: made, a: made.end("a", a), b: made.end("b", b) };
}

/** Polls at the line's own deadlines until `untilMs`. */
function run(made: VirtualLine, untilMs: number): void {
  for (let next = made.nextMs(); next <= untilMs; next = made.nextMs()) made.poll(next);
  made.poll(untilMs);
}

function taken(end: { take(): ByteLineEvent | undefined }): ByteLineEvent[] {
  const events: ByteLineEvent[] = [];
  for (let event = end.take(); event !== undefined; event = end.take()) events.push(event);
  return events;
}

function bytesOf(events: readonly ByteLineEvent[]): number[] {
  return events.flatMap((event) => (event.ev === "rx" ? [...event.bytes] : []));
}

describe("virtual line", () => {
  it("takes ten bits a byte and tells both sides when it was over", () => {
    const { line: made, a, b } = line();
    made.poll(1000);
    a.write(SHED);
    a.write(new Uint8Array([6, 0]));
    run(made, 1100);
    expect(taken(a)).toEqual([
      { ev: "sent", atMs: 1005 },
      { ev: "sent", atMs: 1006 },
    ]);
    const heard = taken(b);
    expect(bytesOf(heard)).toEqual([...SHED, 6, 0]);
    expect(heard.at(-1)!.atMs).toBe(1006);
    expect(made.nextMs()).toBe(NEVER);
  });

  it("hands a long write over piece by piece, and nothing before its time", () => {
    const { line: made, a, b } = line();
    a.write(new Uint8Array(192).fill(0x55));
    made.poll(50);
    expect(bytesOf(taken(b))).toHaveLength(96);
    made.poll(99);
    expect(taken(a)).toEqual([]);
    made.poll(100);
    expect(bytesOf(taken(b))).toHaveLength(96);
    expect(taken(a)).toEqual([{ ev: "sent", atMs: 100 }]);
  });

  it("splits bytes with a pause between them, even when polled late", () => {
    const { line: made, a, b } = line();
    a.write(new Uint8Array([1, 2]));
    made.poll(1);
    made.poll(30);
    a.write(new Uint8Array([3]));
    made.poll(500);
    expect(taken(b).map((event) => event.atMs)).toEqual([1, 2, 31]);
  });

  it("garbles what two ends say at once, for both; what does not overlap stays whole", () => {
    const taps: LineTap[] = [];
    const { line: made, a, b } = line();
    made.tap((tap) => taps.push(tap));
    made.poll(0);
    a.write(new Uint8Array(8).fill(0xaa));
    made.poll(2);
    b.write(new Uint8Array(8).fill(0x55));
    run(made, 50);
    const atB = bytesOf(taken(b));
    const atA = bytesOf(taken(a));
    expect(atB).toHaveLength(8);
    expect(atB.slice(0, 3)).toEqual([0xaa, 0xaa, 0xaa]);
    expect(atB.slice(3)).not.toEqual([0xaa, 0xaa, 0xaa, 0xaa, 0xaa]);
    expect(atA.slice(-3)).toEqual([0x55, 0x55, 0x55]);
    expect(atA.slice(0, 5)).not.toEqual([0x55, 0x55, 0x55, 0x55, 0x55]);
    expect(made.collisions).toBeGreaterThan(8);
    expect(taps.map((tap) => [tap.from, tap.collided])).toEqual([
      ["a", true],
      ["b", true],
    ]);
  });

  it("a muted end hears nothing while it sends; an echoing one hears itself", () => {
    const { line: made, a, b } = line({ muted: true }, { echo: true, muted: false });
    a.write(new Uint8Array(4).fill(0xaa));
    b.write(new Uint8Array([1, 2, 3, 4]));
    run(made, 50);
    expect(bytesOf(taken(a))).toEqual([]);
    expect(bytesOf(taken(b))).toHaveLength(8);
    b.write(new Uint8Array([9]));
    run(made, 60);
    expect(bytesOf(taken(b))).toEqual([9]);
  });

  it("carries nothing to or from an unplugged end, cuts a frame under way, tells the carrier where asked", () => {
    const { line: made, a, b } = line({}, { carrier: true });
    a.write(SHED);
    made.poll(2);
    b.unplug(2);
    run(made, 20);
    const events = taken(b);
    expect(bytesOf(events)).toEqual([...SHED.subarray(0, 3)]);
    expect(events.at(-1)).toEqual({ ev: "carrier", on: false, atMs: 2 });
    b.write(SHED);
    run(made, 40);
    expect(taken(b)).toEqual([{ ev: "sent", atMs: 25 }]);
    expect(bytesOf(taken(a))).toEqual([]);
    b.plug(40);
    a.write(SHED);
    run(made, 60);
    expect(bytesOf(taken(b))).toEqual([...SHED]);
  });

  it("delivers garbage where the two ends disagree on the bit rate", () => {
    const { line: made, a, b } = line();
    a.setBitRate(115_200);
    a.write(SHED);
    run(made, 10);
    expect(taken(a)).toEqual([{ ev: "sent", atMs: 1 }]);
    expect(bytesOf(taken(b))).not.toEqual([...SHED]);
    b.setBitRate(115_200);
    a.write(SHED);
    run(made, 20);
    expect(bytesOf(taken(b))).toEqual([...SHED]);
  });

  it("a break swallows what is under way and is heard as a 00", () => {
    const { line: made, a, b } = line();
    a.write(SHED);
    made.poll(2);
    made.breakFor(1);
    run(made, 20);
    const heard = bytesOf(taken(b));
    expect(heard).toHaveLength(SHED.length - 3 + 1);
    expect(heard[3]).toBe(0);
  });

  it("disturbs bytes at the rates asked for, repeatably", () => {
    const count = (change: (made: VirtualLine) => void): number[] => {
      const { line: made, a, b } = line();
      change(made);
      const heard: number[] = [];
      for (let i = 0; i < 100; i++) {
        a.write(new Uint8Array(100).fill(0xff));
        run(made, 100 * (i + 1));
        heard.push(...bytesOf(taken(b)));
      }
      return heard;
    };
    const flipped = count((made) => (made.noise.flipPerBit = 0.001)).filter((byte) => byte !== 0xff);
    expect(flipped.length).toBeGreaterThan(50);
    expect(flipped.length).toBeLessThan(120);
    expect(count((made) => (made.noise.losePerByte = 0.01)).length).toBeLessThan(9940);
    expect(count((made) => (made.noise.duplicatePerByte = 0.01)).length).toBeGreaterThan(10_060);
    expect(count((made) => (made.noise.losePerByte = 0.01))).toEqual(
      count((made) => (made.noise.losePerByte = 0.01)),
    );
  });
});

describe("framer", () => {
  it("cuts frames and answers, over any division, and forgets after 20 ms", () => {
    const stream = Uint8Array.from([...SHED, 6, 0, ...SHED]);
    const framer = new Framer();
    const whole = [...stream].flatMap((byte, i) => framer.push(new Uint8Array([byte]), i));
    expect(whole).toEqual([SHED, new Uint8Array([6, 0]), SHED]);
    framer.push(SHED.subarray(0, 5), 100);
    expect(framer.push(SHED, 121)).toEqual([SHED]);
  });
});

describe("fault line", () => {
  /** A stack end behind a fault line, and the world's end. */
  function rig(): {
    made: VirtualLine;
    faulty: FaultLine;
    world: VirtualEnd;
    run: (untilMs: number) => void;
  } {
    const { line: made, a, b } = line();
    const faulty = new FaultLine({ line: a, random: seededRandom(3) });
    const step = (untilMs: number): void => {
      for (;;) {
        const next = Math.min(made.nextMs(), faulty.nextMs(), untilMs);
        made.poll(next);
        for (const event of taken(a)) faulty.receive(event);
        faulty.poll(next);
        if (next === untilMs) break;
      }
    };
    return { made, faulty, world: b, run: step };
  }
  const ACK = new Uint8Array([6, 0]);

  it("changes nothing while no fault is on", () => {
    const { faulty, world, run: step } = rig();
    faulty.write(SHED);
    step(20);
    expect(bytesOf(taken(world))).toEqual([...SHED]);
    expect(taken(faulty)).toEqual([{ ev: "sent", atMs: 5 }]);
    world.write(SHED);
    step(40);
    expect(bytesOf(taken(faulty))).toEqual([...SHED]);
  });

  it("spoils checksums and lengths, so often as asked", () => {
    const { faulty, world, run: step } = rig();
    faulty.start("wrong-checksum", 1);
    faulty.write(SHED);
    step(20);
    expect(isFrameRight(bytesOf(taken(world)))).toBe(false);
    faulty.write(SHED);
    step(40);
    expect(isFrameRight(bytesOf(taken(world)))).toBe(true);
    faulty.start("wrong-length");
    faulty.write(SHED);
    step(60);
    expect(bytesOf(taken(world)).slice(2, 4)).toEqual([0, 3]);
  });

  /** The stack acknowledges 50 ms after the frame and replies 110 ms later; when does the world hear what? */
  function answered(fault: Parameters<FaultLine["start"]>[0]): { heard: [number, number[]][]; sent: number } {
    const { faulty, world, run: step } = rig();
    faulty.start(fault);
    step(0);
    world.write(SHED);
    step(55);
    taken(world);
    faulty.write(ACK);
    step(165);
    faulty.write(SHED);
    step(600);
    const heard = taken(world).flatMap((event): [number, number[]][] =>
      event.ev === "rx" ? [[event.atMs, [...event.bytes]]] : [],
    );
    const sent = taken(faulty).filter((event) => event.ev === "sent").length;
    return { heard, sent };
  }

  it("plays with the link answer", () => {
    const bytes = (fault: Parameters<typeof answered>[0]): number[] =>
      answered(fault).heard.flatMap(([, heard]) => heard);
    expect(bytes("no-ack")).toEqual([...SHED]);
    expect(bytes("nak-07")).toEqual([0x15, 7, ...SHED]);
    expect(bytes("nak-03")).toEqual([0x15, 3, ...SHED]);
    expect(bytes("duplicate-ack")).toEqual([6, 0, 6, 0, ...SHED]);
    expect(bytes("late-ack")).toEqual([...SHED, 6, 0]);
    expect(bytes("mute")).toEqual([]);
    expect(bytes("duplicate-frame")).toEqual([6, 0, ...SHED, ...SHED]);
    const burst = answered("coalesced-ack").heard;
    expect(burst.flatMap(([, heard]) => heard)).toEqual([6, 0, ...SHED]);
    expect(burst[0]![0]).toBeGreaterThan(165);
    const late = answered("late-ack").heard.at(-1)!;
    expect(late[0] - 5).toBeGreaterThan(300);
    for (const fault of ["no-ack", "nak-07", "duplicate-ack", "late-ack", "mute", "coalesced-ack"] as const) {
      expect([fault, answered(fault).sent]).toEqual([fault, 2]);
    }
  });

  it("acknowledges too early, once", () => {
    const { faulty, world, run: step } = rig();
    faulty.start("early-ack");
    step(0);
    world.write(SHED);
    step(50);
    const [, ack] = taken(world);
    expect(ack).toMatchObject({ ev: "rx" });
    expect(ack!.atMs).toBeLessThanOrEqual(12);
    faulty.write(ACK);
    step(100);
    expect(taken(world)).toEqual([]);
  });

  it("releases a held ACK when no reply follows", () => {
    const { faulty, world, run: step } = rig();
    faulty.start("coalesced-ack");
    world.write(SHED);
    step(50);
    taken(world);
    faulty.write(ACK);
    step(400);
    expect(bytesOf(taken(world))).toEqual([6, 0]);
  });

  it("babbles, goes deaf, echoes, cuts a frame", () => {
    const { faulty, world, run: step } = rig();
    faulty.start("babble");
    step(1000);
    expect(bytesOf(taken(world)).length).toBeGreaterThan(100);
    faulty.clear();
    step(1100);
    taken(world);
    expect(taken(faulty)).toEqual([]);
    faulty.start("deaf");
    world.write(SHED);
    step(1200);
    expect(taken(faulty)).toEqual([]);
    faulty.clear();
    faulty.start("echo", 1);
    taken(world);
    faulty.write(SHED);
    step(1300);
    expect(bytesOf(taken(faulty))).toEqual([...SHED]);
    faulty.clear();
    taken(world);
    faulty.start("reset-mid-frame", 1);
    faulty.write(SHED);
    step(1400);
    expect(bytesOf(taken(world))).toEqual([...SHED.subarray(0, 4)]);
  });
});
