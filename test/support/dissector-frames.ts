import { readFileSync } from "node:fs";
import type { CaptureRecord } from "../../host-sim/capture/record.js";
import { marksOf } from "../../host-sim/capture/record.js";
import { isFault } from "../../src/base/fault.js";
import { fromHex } from "../../src/base/hex.js";
import { seededRandom } from "../../src/base/random.js";
import { BasicOp, DataLinkOp } from "../../src/wire/message.js";
import { emitAnswer, emitFrame, parseFrame } from "../../src/wire/frame.js";
import { parseMessage } from "../../src/wire/payload.js";
import { quoted } from "../../src/wire/words.js";
import { dissectorTables } from "../../tools/dissectors/tables.js";

/** Frames of every kind: the vectors, all Basic and data-link bytes, every Intermediate layout at many lengths, damage. */
export function dissectorFrames(): Uint8Array[] {
  const url = new URL("../vectors/cta2045-frames.json", import.meta.url);
  const vectors = JSON.parse(readFileSync(url, "utf8")) as Record<"seen" | "computed", { hex: string }[]>;
  const frames = [...vectors.seen, ...vectors.computed].map(({ hex }) => fromHex(hex)!);
  for (const op of [...Object.values(BasicOp), 0x05, 0xee]) {
    for (let arg = 0; arg < 256; arg++) frames.push(emitFrame(0x0801, Uint8Array.of(op, arg)));
  }
  for (const op of [...Object.values(DataLinkOp), 0x33]) {
    for (let arg = 0; arg < 256; arg++) frames.push(emitFrame(0x0803, Uint8Array.of(op, arg)));
  }
  const random = seededRandom(45);
  const { LAYOUTS } = dissectorTables();
  for (const { op } of LAYOUTS as readonly { op: number }[]) {
    for (let length = 0; length < 60; length += length < 20 ? 1 : 7) {
      const payload = Uint8Array.from(
        { length: 2 + length },
        () => random.uint32() & (random.uint32() & 1 ? 0x7f : 0xff),
      );
      payload[0] = op >> 8;
      payload[1] = op;
      if (length > 0 && (random.uint32() & 1) === 1) payload[2] = 0;
      frames.push(emitFrame(0x0802, payload));
    }
  }
  for (const type of [0x0801, 0x0802, 0x0803, 0x0804, 0x0901, 0x090c, 0x090d, 0x0123, 0xf001, 0x2222]) {
    frames.push(
      emitFrame(type, new Uint8Array(0)),
      emitFrame(type, Uint8Array.of(1)),
      emitFrame(type, new Uint8Array(5)),
    );
  }
  for (let code = -1; code < 20; code++) frames.push(emitAnswer(code));
  const bad = emitFrame(0x0801, Uint8Array.of(1, 0));
  bad[7]! ^= 1;
  frames.push(bad);
  return frames.filter((frame) => frame.length >= 6 || frame.length === 2);
}

/** As records of a capture, 200 ms apart. */
export function recordsOf(frames: readonly Uint8Array[]): CaptureRecord[] {
  return frames.map((bytes, i) => ({
    utcMs: Date.UTC(2026, 5, 1, 12) + (i + 1) * 200,
    from: i % 2 === 0 ? "module" : "charger",
    bytes,
    bitsPerSecond: 19_200,
    marks: marksOf(bytes),
  }));
}

/** The members of an Intermediate message as a dissector shows them: "records[0].code=0". */
export function membersOf(frame: Uint8Array): string[] {
  const parsed = parseFrame(frame);
  if (isFault(parsed) || parsed.type !== 0x0802 || parsed.payload.length < 2) return [];
  const message = parseMessage(parsed.type, parsed.payload);
  if (isFault(message) || message.family !== "intermediate" || message.name === "Other") return [];
  const out: string[] = [];
  const walk = (value: unknown, path: string): void => {
    if (Array.isArray(value)) value.forEach((item, i) => walk(item, `${path}[${i}]`));
    else if (typeof value === "object" && value !== null) {
      for (const [name, item] of Object.entries(value)) walk(item, path === "" ? name : `${path}.${name}`);
    } else if (typeof value === "string") out.push(`${path}=${quoted(value)}`);
    else if (value !== undefined) out.push(`${path}=${String(value)}`);
  };
  const { family: _family, name: _name, ...members } = message;
  walk(members, "");
  // Which width a price has is told by the length, not by a member.
  return out.filter((one) => !/\bwide=/.test(one)).sort();
}
