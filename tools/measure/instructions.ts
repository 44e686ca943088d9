/**
 * What the firmware costs in instructions on the emulated microcontroller (exact, test/support/instruction-counts.ts).
 * A run also accepts what it found as the table that test/xs/instructions.full.test.ts keeps within 10 %.
 */
import { writeFileSync } from "node:fs";
import { instructionCounts, type InstructionCounts } from "../../test/support/instruction-counts.js";
import type { Measure, Row } from "../measure.js";

const words: Readonly<Record<keyof InstructionCounts, string>> = {
  start: "from ROM to a loaded application",
  boot: "boot: the first batch, everything made",
  everydaySecond:
    "an everyday second, mean of 10 min: utility polled every 60 s, appliance every 30 and 60 s",
  idleWake: "a wake-up with nothing to do",
  receiverByte: "a received byte: receiver and framing alone, of a frame of 64 bytes that came at once",
  receiverFrame: "a received frame of 8 bytes: receiver and framing alone, all of it",
  handlerByte:
    "a received byte in the interrupt handler in C: UART, clock, framing, check bytes, event; a byte an interrupt, frames of 6 to 28 bytes; saving of registers and the timer's compare left out",
  handlerInterrupt:
    "the whole interrupt of such a byte on this board: who it was, the handler above, the timer's compare, counting; the saving of registers (about 40) left out",
  receivedByte: "a received byte of the byte line, with all that the application does about it",
  moreByte: "one more byte in a batch of the byte line: hex, receiver",
  exchange: "a request to the appliance with ACK, answer and ACK, over the byte line",
  frameLineSecond: "an everyday second over the frame line, as on the device",
  frameLineExchange: "a request to the appliance with its answer, over the frame line",
  poll: "a poll of the utility that brings nothing",
  priceEvent: "a 24-price event: poll, XML, schedule, answer",
};

const aims: Partial<Readonly<Record<keyof InstructionCounts, number>>> = {
  receiverByte: 2500,
  handlerByte: 100,
  receivedByte: 2500,
};

/** Of an ESP32-C3 at 160 MHz, about; what the emulator's clock is set to. */
const perMs = 125_000;

async function run(): Promise<readonly Row[]> {
  const counts = await instructionCounts();
  writeFileSync(
    new URL("../../test/xs/instructions.json", import.meta.url),
    `${JSON.stringify(counts, null, 2)}\n`,
  );
  return (Object.keys(words) as (keyof InstructionCounts)[]).map((key) => {
    const aim = aims[key];
    return {
      name: words[key],
      value: counts[key],
      unit: "instructions",
      ...(aim === undefined ? {} : { target: `at most ${aim}`, met: counts[key] <= aim }),
      conditions: `${(counts[key] / perMs).toPrecision(3)} ms at 125 million a second`,
    };
  });
}

export default {
  name: "instructions",
  about:
    "Instructions of rv32imac on the emulated microcontroller (boards/qemu-rv32), exact by `-icount`, JSON of the batches both ways included, interrupts left out. A growth of 10 % fails test/xs/instructions.full.test.ts. A byte's aim is met by the receiver; where the application follows, JSON both ways is alone some 25,000 a batch, and a batch of the byte line has 8 bytes at most here.",
  run,
} satisfies Measure;
