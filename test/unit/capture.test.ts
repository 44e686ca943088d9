/** Capture files: what is written is read back, damaged files are named, and no byte is lost on the way. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { captureVirtualLine, LineCapture } from "../../host-sim/capture/line-capture.js";
import { pcapngPacket, pcapngStart, PcapngReader, readPcapng } from "../../host-sim/capture/pcapng.js";
import { LINK_TYPE, packRecord, unpackRecord } from "../../host-sim/capture/pseudo-header.js";
import { airTimeMs, type CaptureRecord, marksOf, NO_MARKS } from "../../host-sim/capture/record.js";
import { cuesOf } from "../../host-sim/capture/replay.js";
import { Segmenter } from "../../host-sim/capture/segmenter.js";
import { vcdOf, VcdWriter } from "../../host-sim/capture/vcd.js";
import { VirtualLine } from "../../host-sim/line/virtual-line.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { fromHex, toHex } from "../../src/base/hex.js";

const SHED = fromHex("08 01 00 02 01 00 0C 3D")!;
const ACK = fromHex("06 00")!;
const T0 = Date.UTC(2026, 5, 1, 12);

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const anyRecord: fc.Arbitrary<CaptureRecord> = fc.record({
  utcMs: fc.integer({ min: 0, max: 4_000_000_000_000_000 }).map((micros) => micros / 1000),
  from: fc.constantFrom("module" as const, "charger" as const, "unknown" as const),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  bitsPerSecond: fc.constantFrom(300, 19_200, 38_400, 3_686_400),
  marks: fc.record({ badChecksum: fc.boolean(), incomplete: fc.boolean(), collision: fc.boolean() }),
});

function fileOf(records: readonly CaptureRecord[]): Uint8Array {
  return join(
    pcapngStart(LINK_TYPE, "cta2045", "OpenUCM"),
    ...records.map((one) => pcapngPacket(packRecord(one), one.utcMs)),
  );
}

describe("pcapng", () => {
  it("gives back every record: bytes, sender, marks, rate, time to the microsecond", () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 20 }), (records) => {
        const packets = readPcapng(fileOf(records));
        expect(typeof packets).not.toBe("string");
        const back = (packets as Exclude<typeof packets, string>).map((packet) => {
          expect(packet.linkType).toBe(LINK_TYPE);
          return unpackRecord(packet.bytes, packet.utcMs);
        });
        expect(back).toEqual(records);
      }),
      { numRuns: 200 },
    );
  });

  it("of a file that breaks off gives what is whole", () => {
    const records = [1, 2, 3].map((n): CaptureRecord => ({
      utcMs: T0 + n,
      from: "module",
      bytes: SHED,
      bitsPerSecond: 19_200,
      marks: NO_MARKS,
    }));
    const file = fileOf(records);
    for (let cut = 1; cut < 20; cut++) expect(readPcapng(file.subarray(0, -cut))).toHaveLength(2);
  });

  it("reads big-endian sections, nanoseconds, powers of two, several interfaces, and passes over other blocks", () => {
    const be = (type: number, body: readonly number[]): number[] => {
      const length = 12 + body.length;
      const u32 = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
      return [...u32(type), ...u32(length), ...body, ...u32(length)];
    };
    const section = be(
      0x0a0d0d0a,
      [0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255],
    );
    const nanos = be(1, [0, 147, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0]);
    const binary = be(1, [0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0x8a, 0, 0, 0]);
    const other = be(0x0bad, [1, 2, 3, 4]);
    const packet = (face: number, low: number): number[] =>
      be(6, [0, 0, 0, face, 0, 0, 0, 0, 0, 0, low >> 8, low & 255, 0, 0, 0, 1, 0, 0, 0, 9, 0xaa, 0, 0, 0]);
    const file = Uint8Array.from([
      ...section,
      ...nanos,
      ...other,
      ...binary,
      ...packet(0, 5000),
      ...packet(1, 1024),
    ]);
    expect(readPcapng(file)).toEqual([
      { linkType: 147, utcMs: 0.005, bytes: Uint8Array.of(0xaa) },
      { linkType: 1, utcMs: 1000, bytes: Uint8Array.of(0xaa) },
    ]);
  });

  it("says what is wrong with a file, and never throws", () => {
    expect(readPcapng(new Uint8Array(0))).toMatch(/no pcapng/);
    expect(readPcapng(join(fromHex("d4c3b2a1")!, new Uint8Array(40)))).toMatch(/editcap/);
    const good = fileOf([{ utcMs: T0, from: "module", bytes: SHED, bitsPerSecond: 19_200, marks: NO_MARKS }]);
    const bad = good.slice();
    bad[bad.length - 1]! ^= 1;
    expect(readPcapng(bad)).toMatch(/does not end with its length/);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, value) => {
        const spoilt = good.slice();
        spoilt[at] = value;
        readPcapng(spoilt);
      }),
    );
  });

  it("refuses a packet that has no header of ours", () => {
    expect(unpackRecord(new Uint8Array(3), 0)).toMatch(/shorter/);
    expect(unpackRecord(Uint8Array.from([0, 8, 0, 0, 0, 0, 0, 0]), 0)).toMatch(/none of OpenUCM/);
    const longer = Uint8Array.from([2, 10, 1, 0, 0, 0, 0, 192, 9, 9, 6, 0]);
    expect(unpackRecord(longer, 1)).toMatchObject({ bytes: ACK, from: "module", bitsPerSecond: 19_200 });
  });
});

describe("cutting a stream into records", () => {
  it("loses no byte and finds frames however the bytes come", () => {
    const pieces = fc.array(
      fc.oneof(fc.constant(SHED), fc.constant(ACK), fc.uint8Array({ minLength: 1, maxLength: 12 })),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(pieces, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (parts, cuts) => {
        const all = join(...parts);
        const segmenter = new Segmenter("module");
        const records: CaptureRecord[] = [];
        for (let at = 0, i = 0; at < all.length; i++) {
          const n = cuts[i % cuts.length]!;
          const chunk = all.subarray(at, at + n);
          at += chunk.length;
          records.push(...segmenter.push(chunk, T0 + at * 0.52, 19_200));
        }
        records.push(...segmenter.flush(19_200));
        expect(toHex(join(...records.map((one) => one.bytes)))).toBe(toHex(all));
      }),
    );
  });

  it("cuts an ACK and a frame in one burst, with a time of its own each", () => {
    const [ack, frame] = new Segmenter("charger").push(join(ACK, SHED), T0 + 10, 19_200);
    expect(ack).toMatchObject({ bytes: ACK, marks: NO_MARKS });
    expect(frame).toMatchObject({ bytes: SHED, marks: NO_MARKS, utcMs: T0 + 10 });
    expect(frame!.utcMs - ack!.utcMs).toBeCloseTo(airTimeMs(frame!), 2);
  });

  it("gives up after silence what was begun, and marks it; the next frame is whole", () => {
    const segmenter = new Segmenter("module");
    expect(segmenter.push(SHED.subarray(0, 5), T0, 19_200)).toEqual([]);
    const records = segmenter.push(SHED, T0 + 100, 19_200);
    expect(records.map((one) => [one.bytes.length, one.marks.incomplete])).toEqual([
      [5, true],
      [8, false],
    ]);
  });

  it("marks wrong check bytes", () => {
    const bad = SHED.slice();
    bad[7]! ^= 1;
    expect(marksOf(bad)).toEqual({ badChecksum: true, incomplete: false, collision: false });
    expect(marksOf(SHED)).toEqual(NO_MARKS);
    expect(marksOf(ACK, true)).toEqual({ ...NO_MARKS, collision: true });
  });
});

/** Reads 8N1 bytes of one wire back out of a VCD. */
function uartOf(vcd: string, wire: string, bitUs: number): number[] {
  const changes: [number, number][] = [];
  let now = 0;
  for (const line of vcd.split("\n")) {
    if (line.startsWith("#")) now = Number(line.slice(1));
    else if (/^[01]/.test(line) && line.slice(1) === wire) changes.push([now, Number(line[0])]);
  }
  const levelAt = (us: number): number => changes.filter(([at]) => at <= us).at(-1)?.[1] ?? 1;
  const bytes: number[] = [];
  let freeAt = -1;
  for (const [at, level] of changes) {
    if (level !== 0 || at < freeAt) continue;
    let byte = 0;
    for (let bit = 0; bit < 8; bit++) byte |= levelAt(at + (1.5 + bit) * bitUs) << bit;
    bytes.push(byte);
    expect(levelAt(at + 9.5 * bitUs)).toBe(1);
    freeAt = at + 9.5 * bitUs;
  }
  return bytes;
}

describe("a file that is larger than memory", () => {
  it("is read in pieces of any size to the same packets and the same fault", () => {
    const records = Array.from({ length: 40 }, (_, i) => ({
      utcMs: T0 + i * 50,
      from: i % 2 === 0 ? ("module" as const) : ("charger" as const),
      bytes: i % 2 === 0 ? SHED : ACK,
      bitsPerSecond: 19_200,
      marks: NO_MARKS,
    }));
    const file = fileOf(records);
    const inPieces = (bytes: Uint8Array, size: number): unknown => {
      const reader = new PcapngReader();
      const packets: unknown[] = [];
      // One buffer again and again, as a reader of files has it.
      const piece = new Uint8Array(size);
      for (let at = 0; at < bytes.length; at += size) {
        piece.set(bytes.subarray(at, at + size));
        const got = reader.push(piece.subarray(0, Math.min(size, bytes.length - at)));
        if (typeof got === "string") return got;
        packets.push(...got);
      }
      return reader.end() ?? packets;
    };
    for (const size of [1, 3, 27, 28, 29, 64, 1000, 1 << 20]) {
      expect(inPieces(file, size)).toEqual(readPcapng(file));
      expect(inPieces(file.subarray(0, -5), size)).toHaveLength(39);
      expect(inPieces(file.subarray(0, 20), size)).toMatch(/no pcapng/);
      const bad = file.slice();
      bad[bad.length - 1] = 9;
      expect(inPieces(bad, size)).toBe(readPcapng(bad));
    }
  });

  it("is written as bits while it comes: what is held back is of the last seconds", () => {
    let longest = 0;
    let written = 0;
    const writer = new VcdWriter((text) => {
      longest = Math.max(longest, text.length);
      written += text.length;
    });
    for (let i = 0; i < 40_000; i++)
      writer.record({
        utcMs: T0 + i * 100,
        from: i % 2 === 0 ? "module" : "charger",
        bytes: SHED,
        bitsPerSecond: 19_200,
        marks: NO_MARKS,
      });
    writer.end();
    expect(written).toBeGreaterThan(10_000_000);
    expect(longest).toBeLessThan(2_000_000);
  });
});

describe("the bits of the line (VCD)", () => {
  it("are those of the bytes, each sender on its wire", () => {
    const one = (from: CaptureRecord["from"], bytes: Uint8Array, utcMs: number): CaptureRecord => ({
      utcMs,
      from,
      bytes,
      bitsPerSecond: 19_200,
      marks: NO_MARKS,
    });
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    const vcd = vcdOf([one("module", all, T0), one("charger", ACK, T0 + 50), one("unknown", SHED, T0 + 90)]);
    const bitUs = 1_000_000 / 19_200;
    expect(uartOf(vcd, "m", bitUs)).toEqual([...all]);
    expect(uartOf(vcd, "c", bitUs)).toEqual([...ACK]);
    expect(uartOf(vcd, "u", bitUs)).toEqual([...SHED]);
    const times = vcd.split("\n").flatMap((line) => (line.startsWith("#") ? [Number(line.slice(1))] : []));
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});

describe("capturing a line", () => {
  it("of the virtual bench: every frame that the module saw stands in it, with sender and gap to the ACK", async () => {
    const bench = new VirtualBench({ engine: nodeEngine() });
    const records: CaptureRecord[] = [];
    captureVirtualLine(bench.line, { record: (one) => records.push(one) }, (atMs) => T0 + atMs);
    bench.sgd.plug();
    await bench.run(30_000);
    const told = bench.told.flatMap(({ event }) => (event.event === "frame" ? [event] : []));
    expect(told.length).toBeGreaterThan(20);
    const captured = records.map((one) => `${one.from} ${toHex(one.bytes)}`);
    for (const frame of told) {
      expect(captured).toContain(`${frame.dir === "tx" ? "module" : "charger"} ${frame.hex}`);
    }
    const gaps = records.flatMap((one, i) =>
      one.bytes.length === 2 && i > 0 ? [one.utcMs - airTimeMs(one) - records[i - 1]!.utcMs] : [],
    );
    for (const gap of gaps) {
      expect(gap).toBeGreaterThan(38);
      expect(gap).toBeLessThanOrEqual(200);
    }
    expect(records.filter((one) => one.marks.incomplete)).toEqual([]);
  });

  it("puts a frame together whose bytes leave one by one, and flags what is never finished", () => {
    const line = new VirtualLine({ bitsPerSecond: 19_200, random: { uint32: () => 0 } });
    const end = line.end("charger");
    const records: CaptureRecord[] = [];
    const finish = captureVirtualLine(line, { record: (one) => records.push(one) }, (atMs) => T0 + atMs);
    let now = 0;
    const say = (bytes: Uint8Array): void => {
      for (const byte of bytes) {
        end.write(Uint8Array.of(byte));
        line.poll((now += 5));
      }
    };
    say(SHED);
    line.poll((now += 100));
    say(SHED.subarray(0, 3));
    finish();
    expect(records.map((one) => [one.bytes.length, one.marks.incomplete])).toEqual([
      [8, false],
      [3, true],
    ]);
  });

  it("marks collisions", async () => {
    const bench = new VirtualBench({ engine: nodeEngine() });
    const records: CaptureRecord[] = [];
    captureVirtualLine(bench.line, { record: (one) => records.push(one) }, (atMs) => T0 + atMs);
    bench.sgd.plug();
    await bench.run(10_000);
    bench.sgd.fault("babble");
    await bench.run(30_000);
    expect(records.some((one) => one.marks.collision)).toBe(true);
  });

  it("beside its user: writes have the time at which they left, fragments come out when the line is quiet", () => {
    const records: CaptureRecord[] = [];
    const capture = new LineCapture({
      sink: { record: (one) => records.push(one) },
      toUtc: (atMs) => T0 + atMs,
      self: "charger",
      other: "module",
    });
    const written: Uint8Array[] = [];
    const line = capture.wrap({ write: (bytes) => written.push(bytes), setBitRate: () => true });
    line.write(ACK);
    expect(written).toEqual([ACK]);
    capture.onEvent({ ev: "sent", atMs: 7 });
    capture.onEvent({ ev: "rx", bytes: SHED.subarray(0, 3), atMs: 100 });
    capture.poll(110);
    expect(records).toHaveLength(1);
    capture.poll(130);
    expect(records).toMatchObject([
      { from: "charger", utcMs: T0 + 7, marks: NO_MARKS },
      { from: "module", utcMs: T0 + 100, marks: { incomplete: true } },
    ]);
  });
});

describe("replaying", () => {
  it("gives one side's bytes at the times at which they began, counted from the capture's first bit", () => {
    const at = (from: CaptureRecord["from"], bytes: Uint8Array, utcMs: number): CaptureRecord => ({
      utcMs,
      from,
      bytes,
      bitsPerSecond: 10_000,
      marks: NO_MARKS,
    });
    const records = [at("module", SHED, T0 + 8), at("charger", ACK, T0 + 60), at("module", ACK, T0 + 200)];
    expect(cuesOf(records, "charger")).toEqual([{ afterMs: 58, bytes: ACK }]);
    expect(cuesOf(records, "module", 2)).toEqual([
      { afterMs: 0, bytes: SHED },
      { afterMs: 99, bytes: ACK },
    ]);
  });
});
