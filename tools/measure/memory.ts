/**
 * The smallest machine of fixed size in which the whole application lives through a day (test/support/day-job.ts). XS
 * collects only when it is full, so a peak says nothing: slots and chunks are bisected, each with plenty of the other,
 * and the two together are tried over 24 hours of polling.
 */
import { xsHostEngine } from "../../host-sim/runtime/xs-engine.js";
import { XsFault, xsHostMissing, type XsCreation, type XsStats } from "../../host-sim/runtime/xs-host.js";
import { dayJob } from "../../test/support/day-job.js";
import type { Measure, Row } from "../measure.js";

const AIM_BYTES = 48 * 1024;
const SLOT_BYTES = 16;
/** Of the ESP32's default machine. */
const roomy = { slots: 4928, chunks: 78_848 } as const;

interface Day {
  /** Live after a collection, at the end of each hour. */
  readonly hours: readonly XsStats[];
}

/** The day in a machine of that size; undefined where its memory was full. */
async function day(creation: XsCreation, hours: number): Promise<Day | undefined> {
  const engine = await xsHostEngine({ creation });
  const live: XsStats[] = [];
  try {
    await dayJob(engine, {
      hours,
      onHour: async () => void live.push(await engine.runtime.collect()),
    });
    return { hours: live };
  } catch (error) {
    if (error instanceof XsFault && error.code === "memory-full") return undefined;
    throw error;
  } finally {
    await engine.close();
  }
}

/** The least size, in steps, that fits; `high` is known to fit. */
async function least(
  low: number,
  high: number,
  step: number,
  fits: (size: number) => Promise<boolean>,
): Promise<number> {
  while (high - low > step) {
    const middle = Math.round((low + high) / 2 / step) * step;
    if (await fits(middle)) high = middle;
    else low = middle;
  }
  return high;
}

async function run(): Promise<readonly Row[]> {
  const missing = xsHostMissing();
  if (missing !== undefined) throw new Error(missing);
  let slots = await least(640, roomy.slots, 32, async (size) => !!(await day({ ...roomy, slots: size }, 0)));
  let chunks = await least(
    4096,
    roomy.chunks,
    512,
    async (size) => !!(await day({ ...roomy, chunks: size }, 0)),
  );
  let whole = await day({ slots, chunks }, 24);
  for (; whole === undefined; whole = await day({ slots, chunks }, 24)) {
    slots += 32;
    chunks += 512;
  }
  const bytes = slots * SLOT_BYTES + chunks;
  const live = whole.hours.map((stats) => stats.slots.live * stats.slots.bytes + stats.chunks.live);
  const growth = Math.max(...live.slice(12)) - Math.max(...live.slice(0, 12));
  const last = whole.hours.at(-1)!;
  const conditions = "XS 13.3, 32 bit, above ROM; one OpenADR 2.0b upstream, virtual time, no flash journal";
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
    { name: "the ESP32's default machine", value: roomy.slots * SLOT_BYTES + roomy.chunks, unit: "bytes" },
  ];
}

export default {
  name: "memory",
  about:
    "The smallest XS machine of fixed size in which the whole application passes: register, report, 24 prices, two overlapping events, a customer's override, 24 h of polling.",
  run,
} satisfies Measure;
