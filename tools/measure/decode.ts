/**
 * The receive path: how fast the receiver takes bytes, and what it allocates. The aim is none; what it hands over
 * (an event and its bytes a frame) is measured apart from what the bytes themselves cost.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isFault } from "../../src/base/fault.js";
import { Receiver } from "../../src/link/receiver.js";
import { DEFAULT_TIMING } from "../../src/link/timing.js";
import { describe, parseMessage } from "../../src/wire/codec.js";
import { emitFrame, parseFrame } from "../../src/wire/frame.js";
import type { Measure, Row } from "../measure.js";

const settings = { types: [0x0801, 0x0802, 0x0803], maxPayload: 512, bitsPerSecond: 19_200 };
const short = emitFrame(0x0801, Uint8Array.of(1, 0));
const long = emitFrame(0x0802, new Uint8Array(256).fill(0x20));

/** Feeds `frame` again and again, and lets its answer come due. */
function feeder(frame: Uint8Array): { readonly once: () => void; readonly heard: () => number } {
  let heard = 0;
  let nowMs = 0;
  const receiver = new Receiver(DEFAULT_TIMING, settings, 512, {
    onReceived: (e) => {
      if (e.ev === "frame") heard++;
    },
    sendAnswer: () => undefined,
  });
  return {
    once() {
      receiver.feed(frame, nowMs);
      nowMs += 45;
      receiver.poll(nowMs);
      nowMs += 100;
    },
    heard: () => heard,
  };
}

/** Bytes allocated by one call, on average: the used heap over batches in which nothing is collected. */
function allocatedBy(work: () => void, collect: () => void): number {
  const batches: number[] = [];
  for (let i = 0; i < 100_000; i++) work();
  for (let batch = 0; batch < 31; batch++) {
    collect();
    const before = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 2_000; i++) work();
    batches.push(process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers - before);
  }
  batches.sort((a, b) => a - b);
  return Math.max(0, batches[15]! / 2_000);
}

function rateOf(work: () => void): number {
  const startMs = performance.now();
  let calls = 0;
  while (performance.now() - startMs < 500) {
    for (let i = 0; i < 200; i++) work();
    calls += 200;
  }
  return (calls * 1000) / (performance.now() - startMs);
}

function read(frame: Uint8Array): void {
  const parsed = parseFrame(frame);
  if (isFault(parsed)) throw new Error(parsed.text);
  const message = parseMessage(parsed.type, parsed.payload);
  if (isFault(message) || describe(message) === "") throw new Error("no message");
}

const measure: Measure = {
  name: "decode",
  about:
    "One thread. The receiver is fed a frame at once and its link answer comes due; decode + describe takes a frame apart and says it in words. Allocation: median of 31 batches of 2,000 after warm-up.",
  run() {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const idle = allocatedBy(() => undefined, collect);
    const rows: Row[] = [];
    const perFrame: number[] = [];
    for (const [name, frame] of [
      ["8 bytes", short],
      ["262 bytes", long],
    ] as const) {
      const { once, heard } = feeder(frame);
      const bytes = Math.max(0, allocatedBy(once, collect) - idle);
      perFrame.push(bytes);
      const frames = rateOf(once);
      if (heard() === 0) throw new Error("nothing was received");
      rows.push({ name: `receiver, frames of ${name}`, value: Math.round(frames), unit: "frames/s" });
      rows.push({
        name: `receiver, allocated by a frame of ${name}`,
        value: Math.round(bytes),
        unit: "bytes",
        target: "no object",
        met: bytes < 33,
        conditions:
          "event and payload are the receiver's own, valid during the call, and the link copies what it keeps; what is left are boxed numbers of V8 (16 bytes each, none to two of them), which XS does not have",
      });
    }
    const byte = (perFrame[1]! - perFrame[0]! - 254) / 254;
    rows.push({
      name: "receiver, allocated by a byte beyond its copy in the payload handed over",
      value: Math.max(0, Math.round(byte * 100) / 100),
      unit: "bytes",
      target: "none",
      met: byte < 0.1,
    });
    rows.push({ name: "decode + describe", value: Math.round(rateOf(() => read(short))), unit: "frames/s" });
    const words = allocatedBy(() => read(short), collect);
    rows.push({
      name: "decode + describe, allocated",
      value: Math.round(Math.max(0, words - idle)),
      unit: "bytes/frame",
      conditions: "the message, its view of the payload, the words",
    });
    return Promise.resolve(rows);
  },
};
export default measure;
