/**
 * What the firmware costs in instructions on the emulated microcontroller, by kinds of work, over a fixed stretch of
 * virtual time: the same every time but for the digits of a few numbers.
 */
import { withFrameLine } from "../../host-sim/runtime/frame-line-engine.js";
import { startQemu } from "../../host-sim/runtime/qemu.js";
import { firmwareArchive } from "../../host-sim/runtime/xs-engine.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { toHex } from "../../src/base/hex.js";
import { readConfig } from "../../src/setup/config.js";
import { emitFrame } from "../../src/wire/frame.js";
import { countedEngine, type CountedStep } from "./counted-engine.js";

export interface InstructionCounts {
  /** From ROM to a loaded application, as after a reset. */
  readonly start: number;
  /** The first batch: configuration in, everything made. */
  readonly boot: number;
  /** A second of everyday, mean of 10 minutes: utility polled every 60 s, appliance every 30 and 60 s. */
  readonly everydaySecond: number;
  /** A wake-up in which nothing is to be done. */
  readonly idleWake: number;
  /** The receiver alone, framing and link answer included: a frame of 64 bytes that came at once, by bytes. */
  readonly receiverByte: number;
  /** The same of a frame of 8 bytes, whole. */
  readonly receiverFrame: number;
  /** The interrupt handler in C by received bytes, most of them in frames of 8: an appliance that sends byte by byte. */
  readonly handlerByte: number;
  /** The whole interrupt around it: who it was, {@link handlerByte}, the timer; all but the saving of registers. */
  readonly handlerInterrupt: number;
  /** What the bytes of a byte line take, all that follows from them included, by bytes. */
  readonly receivedByte: number;
  /** What one more byte in a batch takes: from its JSON through the receiver. */
  readonly moreByte: number;
  /** A request over a byte line with its link ACK, its answer and its link ACK: all steps of the line, by requests. */
  readonly exchange: number;
  /** {@link everydaySecond} and {@link exchange} over a frame line, as on the device. */
  readonly frameLineSecond: number;
  readonly frameLineExchange: number;
  /** A poll of the utility that brings nothing: request, answer of some 500 bytes. */
  readonly poll: number;
  /** The poll that brings 24 prices, and all that follows from it within 20 s. */
  readonly priceEvent: number;
}

type Fits = (step: CountedStep) => boolean;

const isHttp: Fits = ({ inputs, outputs }) =>
  inputs.some(({ k }) => k === "head" || k === "data" || k === "end") ||
  outputs.some(({ k }) => k === "http");
const isRx: Fits = ({ inputs }) => inputs.length > 0 && inputs.every(({ k }) => k === "rx");
const isIdle: Fits = ({ inputs, outputs }) => inputs.length === 0 && outputs.length === 0;

const sum = (steps: readonly CountedStep[]): number =>
  steps.reduce((total, { instructions }) => total + instructions, 0);
const bytesOf = (steps: readonly CountedStep[]): number =>
  steps.reduce(
    (total, { inputs }) =>
      total + inputs.reduce((all, input) => all + (input.k === "rx" ? input.hex.length / 2 : 0), 0),
    0,
  );

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) throw new Error("nothing was counted");
  return sorted[sorted.length >> 1]!;
}

/** Requests of the module to the appliance in these steps: frames that it sends, less its answers and the link's. */
function requestsOf(steps: readonly CountedStep[]): number {
  return steps.filter(({ outputs }) =>
    outputs.some((output) => output.k === "frame" || (output.k === "tx" && output.hex.length > 4)),
  ).length;
}

const windowMs = 600_000;

/** The receiver with nothing around it (host-sim/runtime/receiver-entry.ts). */
async function receiverCounts(): Promise<Pick<InstructionCounts, "receiverByte" | "receiverFrame">> {
  const machine = await startQemu({ archive: firmwareArchive("receiver-entry"), icountShift: 0 });
  const taken = async (frame: Uint8Array, times: number): Promise<number> => {
    const load = { hex: toHex(frame), times, piece: frame.length };
    const before = (await machine.stats()).instructions.host.sum;
    const { out } = await machine.step({ nowMs: 0, utcMs: null, in: [load] });
    const { frames, answers } = out[0] as { frames: number; answers: number };
    if (frames !== times || answers !== times) throw new Error(`${frames} of ${times} frames were received`);
    return (await machine.stats()).instructions.host.sum - before;
  };
  const perFrame = async (frame: Uint8Array): Promise<number> =>
    ((await taken(frame, 41)) - (await taken(frame, 1))) / 40;
  try {
    const long = await perFrame(emitFrame(0x0802, new Uint8Array(58).fill(7)));
    const short = await perFrame(emitFrame(0x0801, Uint8Array.of(1, 2)));
    return { receiverByte: Math.round(long / 64), receiverFrame: Math.round(short) };
  } finally {
    await machine.close();
  }
}

/** The frame line's interrupt handler, fed by the appliance inside the machine (boards/qemu-rv32/peer.h). */
async function handlerCounts(): Promise<Pick<InstructionCounts, "handlerByte" | "handlerInterrupt">> {
  const machine = await startQemu({
    archive: firmwareArchive("machine-entry"),
    line: "frame",
    leaps: true,
  });
  try {
    machine.line.resume();
    const boot = {
      k: "boot",
      config: readConfig({ upstreams: [] }),
      store: {},
      seed: [1, 2, 3, 4],
      line: "frame",
    };
    await machine.step({ nowMs: 0, utcMs: 1_700_000_000_000, in: [boot] });
    await machine.startPeer(300, 2045);
    while (!(await machine.peer()).done) await new Promise((wake) => setTimeout(wake, 100));
    const { uart, uartInterrupt } = (await machine.stats()).instructions;
    return {
      handlerByte: Math.round(uart.sum / uart.count),
      handlerInterrupt: Math.round(uartInterrupt.sum / uartInterrupt.count),
    };
  } finally {
    await machine.close();
  }
}

/** The everyday over a frame line. */
async function frameLineCounts(): Promise<Pick<InstructionCounts, "frameLineSecond" | "frameLineExchange">> {
  const engine = await countedEngine();
  try {
    const framed = withFrameLine(engine);
    const bench = new VirtualBench({ engine: framed, vtn: { pollSeconds: 60 }, config: { polling: {} } });
    bench.sgd.plug();
    await bench.until("registered", () => bench.last("upstream")?.state === "online");
    await bench.run(windowMs);
    const from = engine.steps.length;
    await bench.run(windowMs);
    const everyday = engine.steps.slice(from);
    const line = everyday.filter((step) => !isHttp(step) && !isIdle(step));
    return {
      frameLineSecond: Math.round(sum(everyday) / (windowMs / 1000)),
      frameLineExchange: Math.round(sum(line) / requestsOf(line)),
    };
  } finally {
    await engine.close();
  }
}

export async function instructionCounts(): Promise<InstructionCounts> {
  const receiver = await receiverCounts();
  const handler = await handlerCounts();
  const frameLine = await frameLineCounts();
  const engine = await countedEngine();
  try {
    const bench = new VirtualBench({ engine, vtn: { pollSeconds: 60 }, config: { polling: {} } });
    bench.sgd.plug();
    await bench.until("registered", () => bench.last("upstream")?.state === "online");
    await bench.run(windowMs);
    const from = engine.steps.length;
    await bench.run(windowMs);
    const everyday = engine.steps.slice(from);
    const line = everyday.filter((step) => !isHttp(step) && !isIdle(step));
    const rx = everyday.filter(isRx);
    // Bytes in the middle of a frame: nothing follows from them yet.
    const quiet = rx.filter(({ outputs }) => outputs.length === 0);
    const per = (bytes: number) =>
      median(quiet.filter((step) => bytesOf([step]) === bytes).map(({ instructions }) => instructions));
    const polls = everyday.filter(({ outputs }) => outputs.some(({ k }) => k === "http")).length;

    const before = engine.steps.length;
    const intervals = Array.from({ length: 24 }, (_, hour) => ({
      durationSeconds: 3600,
      value: 0.1 + hour / 100,
    }));
    const event = bench.vtn.createEvent(
      { signal: "ELECTRICITY_PRICE", unit: "USD", startInSeconds: 3600, intervals },
      { utcMs: bench.utcMs },
    );
    if ("error" in event) throw new Error(event.error);
    await bench.until("the event has come", () => bytesOfAnswers(engine.steps.slice(before)) > 8000, 120_000);
    await bench.run(20_000);
    const prices = engine.steps.slice(before).filter(isHttp);
    return {
      start: engine.started.instructions.start,
      boot: engine.steps[0]!.instructions,
      everydaySecond: Math.round(sum(everyday) / (windowMs / 1000)),
      idleWake: median(everyday.filter(isIdle).map(({ instructions }) => instructions)),
      ...receiver,
      ...handler,
      ...frameLine,
      receivedByte: Math.round(sum(rx) / bytesOf(rx)),
      moreByte: Math.round((per(8) - per(1)) / 7),
      exchange: Math.round(sum(line) / requestsOf(line)),
      poll: Math.round(sum(everyday.filter(isHttp)) / polls),
      priceEvent: sum(prices),
    };
  } finally {
    await engine.close();
  }
}

const bytesOfAnswers = (steps: readonly CountedStep[]): number =>
  steps.reduce(
    (total, { inputs }) =>
      total + inputs.reduce((all, input) => all + (input.k === "data" ? input.hex.length / 2 : 0), 0),
    0,
  );
