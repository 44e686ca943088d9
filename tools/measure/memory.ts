/**
 * The smallest machine of fixed size in which the whole application lives through a day (test/support/day-job.ts), and its
 * live heap over 24 hours of polling in that machine.
 */
import { xsHostEngine } from "../../host-sim/runtime/xs-engine.js";
import { xsHostMissing, type XsCreation, type XsStats } from "../../host-sim/runtime/xs-host.js";
import { dayJob } from "../../test/support/day-job.js";
import type { Measure, Row } from "../measure.js";
import { bytesOf, roomy, SLOT_BYTES, smallestMachine } from "./smallest-machine.js";

const AIM_BYTES = 48 * 1024;

interface Day {
  /** Live after a collection, at the end of each hour. */
  readonly hours: readonly XsStats[];
}

async function day(creation: XsCreation, hours: number): Promise<Day> {
  const engine = await xsHostEngine({ creation });
  const live: XsStats[] = [];
  try {
    await dayJob(engine, {
      hours,
      onHour: async () => void live.push(await engine.runtime.collect()),
    });
    return { hours: live };
  } finally {
    await engine.close();
  }
}

async function run(): Promise<readonly Row[]> {
  const missing = xsHostMissing();
  if (missing !== undefined) throw new Error(missing);
  const { size, result: whole } = await smallestMachine(
    (one) => day(one, 0),
    (one) => day(one, 24),
  );
  const { slots, chunks } = size;
  const bytes = bytesOf(size);
  const live = whole.hours.map((stats) => stats.slots.live * stats.slots.bytes + stats.chunks.live);
  const growth = Math.max(...live.slice(12)) - Math.max(...live.slice(0, 12));
  const last = whole.hours.at(-1)!;
  const conditions =
    "XS 13.3, 32 bit, above ROM; one OpenADR 2.0b upstream over a frame line, virtual time, no flash journal";
  return [
    {
      name: "smallest machine for the whole day: slots + chunks",
      value: bytes,
      unit: "bytes",
      target: `${AIM_BYTES} bytes`,
      met: bytes <= AIM_BYTES,
      conditions: `${slots} slots of ${SLOT_BYTES} B, ${chunks} B of chunks; ${conditions}; 24 h of polling in that very machine`,
    },
    { name: "live after the first hour", value: live[0]!, unit: "bytes", conditions: "after a collection" },
    {
      name: "growth of the live heap: most of hours 13 to 24 less most of hours 1 to 12",
      value: growth,
      unit: "bytes",
      target: "flat: at most 256 bytes",
      met: growth <= 256,
      conditions: `least ${Math.min(...live)}, most ${Math.max(...live)} at the ends of 24 hours`,
    },
    {
      name: "JavaScript stack at its peak",
      value: last.stack.peak,
      unit: "slots",
      target: "within 768",
      met: last.stack.peak < 768,
      conditions: "beside the heap; 16 B each. The SDK's default of 512 overflows",
    },
    {
      name: "names and aliases",
      value: last.tables,
      unit: "bytes",
      conditions: `beside the heap; ${last.keys} names that ROM does not have`,
    },
    { name: "the ESP32's default machine", value: bytesOf(roomy), unit: "bytes" },
  ];
}

export default {
  name: "memory",
  about:
    "The smallest XS machine of fixed size in which the whole application passes: register, report, 24 prices, two overlapping events, a customer's override, 24 h of polling.",
  run,
} satisfies Measure;
