/**
 * How fast frames become messages and words, and what it allocates, over every good frame of the vectors.
 * Allocation is the growth of the used heap over batches too short for a collection to fall into most of
 * them; the median batch counts, after warm-up, so that it is what optimised code allocates.
 */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { isFault } from "../../src/base/fault.js";
import { fromHex } from "../../src/base/hex.js";
import { describe, parseMessage } from "../../src/wire/codec.js";
import { decodeFrameText } from "../../src/wire/decode.js";
import { parseFrame } from "../../src/wire/frame.js";
import type { Measure, Row } from "../measure.js";

interface Vectors {
  readonly seen: readonly { readonly hex: string }[];
  readonly computed: readonly { readonly hex: string }[];
}

function loadFrames(): Uint8Array[] {
  const text = readFileSync(new URL("../../test/vectors/cta2045-frames.json", import.meta.url), "utf8");
  const { seen, computed } = JSON.parse(text) as Vectors;
  return [...seen, ...computed].map(({ hex }) => fromHex(hex)!);
}

function message(frame: Uint8Array) {
  const parsed = parseFrame(frame);
  if (isFault(parsed)) throw new Error(parsed.text);
  const meaning = parseMessage(parsed.type, parsed.payload);
  if (isFault(meaning)) throw new Error(meaning.text);
  return meaning;
}

const works: readonly (readonly [string, (frame: Uint8Array) => unknown])[] = [
  ["parse a frame", message],
  ["parse and describe a frame", (frame) => describe(message(frame))],
  ["decode a frame to JSON's object", (frame) => decodeFrameText(frame)],
];

/** Keeps results alive, so that nothing is optimised away. */
const sink: { last: unknown } = { last: undefined };

function pass(work: (frame: Uint8Array) => unknown, frames: readonly Uint8Array[]): void {
  for (const frame of frames) sink.last = work(frame);
}

function framesPerSecond(work: (frame: Uint8Array) => unknown, frames: readonly Uint8Array[]): number {
  const forMs = 700;
  const start = performance.now();
  let passes = 0;
  while (performance.now() - start < forMs) {
    pass(work, frames);
    passes++;
  }
  return (passes * frames.length * 1000) / (performance.now() - start);
}

function bytesPerFrame(work: (frame: Uint8Array) => unknown, frames: readonly Uint8Array[]): number {
  const passes = 10;
  const batches: number[] = [];
  for (let i = 0; i < 101; i++) {
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < passes; n++) pass(work, frames);
    batches.push(process.memoryUsage().heapUsed - before);
  }
  batches.sort((a, b) => a - b);
  return batches[50]! / (passes * frames.length);
}

function run(): Promise<readonly Row[]> {
  const frames = loadFrames();
  const conditions = `${frames.length} frames of test/vectors, one thread of ${cpus()[0]?.model.trim() ?? "?"}, Node ${process.version}`;
  const found: Row[] = [];
  for (const [name, work] of works) {
    framesPerSecond(work, frames);
    found.push({
      name,
      value: Math.round(framesPerSecond(work, frames)),
      unit: "frames/s",
      conditions,
    });
    found.push({
      name: `${name}: allocated`,
      value: Math.round(bytesPerFrame(work, frames)),
      unit: "bytes/frame",
      conditions: `${conditions}; median of 101 batches`,
    });
  }
  return Promise.resolve(found);
}

export default {
  name: "wire",
  about: "How fast frames become messages and words, and what that allocates.",
  run,
} satisfies Measure;
