/** What a module and charger pair costs in virtual time, from 10 to 10,000 in one process. */
import type { Measure, Row } from "../measure.js";
import { fleet } from "./fleet.js";

const seconds = 60;

async function run(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let hundred: number | undefined;
  for (const count of [10, 100, 1000, 10_000]) {
    const got = fleet([
      ...["--count", String(count), "--virtual-time", "--seconds", String(seconds)],
      ...["--ramp", "20", "--shed-after", "40"],
    ]);
    const cpuUs = (got.cpuMs * 1000) / count / seconds;
    const heapKb = got.heapBytes / count / 1024;
    const answered = got.online === count && got.toVerifiedMs.count === count;
    if (count === 100) hundred = cpuUs;
    rows.push({
      name: `${count} pairs`,
      value: `${cpuUs.toFixed(0)} µs of processor time per second, ${heapKb.toFixed(0)} KB of live heap`,
      unit: "a pair",
      ...(count === 10_000
        ? {
            target: "all online and verified, linear: at most twice the processor time of 100",
            met: answered && cpuUs <= 2 * (hundred ?? cpuUs),
          }
        : {}),
      conditions: `${seconds} s, 10 s polls, one event; ${got.online} online, ${got.toVerifiedMs.count} verified, ${got.exchanges} exchanges, ${got.answersInTime} of ${got.answers} link answers in time, ${got.collided} frames collided; ${(got.tookMs / 1000).toFixed(1)} s, ${(got.rssBytes / 1e6).toFixed(0)} MB of the process`,
    });
  }
  return rows;
}

export default {
  name: "fleet-virtual",
  about:
    "Module and charger pairs in one process in virtual time. The live heap is what is left after a collection, start-up included; the process holds more, as much as Node likes to let it grow.",
  run,
} satisfies Measure;
