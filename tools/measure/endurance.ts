import { queryObjects, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { endure } from "../loss/flat.js";
import type { Measure } from "../measure.js";

const hours = 72;

const measure: Measure = {
  name: "endurance",
  about:
    "72 hours in virtual time on a line that loses one byte in a thousand: commands at random every few minutes, the module pulled and put back, the customer opting out, cars that come and go. Growth is that of the live heap and of the live byte arrays and maps between hour 12 and hour 72.",
  async run() {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const count = queryObjects as (constructor: unknown, options: { format: "count" }) => number;
    const startedMs = performance.now();
    const { run, flat } = endure(1, hours, collect, (of) => count(of, { format: "count" }));
    const seconds = (performance.now() - startedMs) / 1000;
    const { verified, reported, lost, late } = run.outcomes;
    const why = Object.entries(reported).map(([name, times]) => `${times} ${name}`);
    const { requestsOk, requestsFailed, retries, framesSent } = run.counters;
    return Promise.resolve([
      {
        name: "commands neither verified nor reported",
        value: lost.length,
        unit: `of ${run.commands}`,
        target: "0",
        met: lost.length === 0,
        conditions: `${verified} verified; reported: ${why.join(", ")}; ${run.pulls} pulls of the module`,
      },
      {
        name: "commands not verified though nothing stood in the way for 5 min",
        value: late.length,
        unit: "",
        target: "0",
        met: late.length === 0,
      },
      {
        name: "growth of the live heap",
        value: flat.grownBytes,
        unit: "bytes",
        target: "flat (< 250,000)",
        met: flat.grownBytes < 250_000,
      },
      {
        name: "growth of live objects",
        value: flat.grownObjects,
        unit: "",
        target: "flat (< 50)",
        met: flat.grownObjects < 50,
      },
      {
        name: "time that 72 hours take",
        value: Math.round(seconds * 10) / 10,
        unit: "s",
        target: "< 60 s",
        met: seconds < 60,
        conditions: `${framesSent} frames of ours, ${retries} retries, ${requestsFailed} of ${requestsOk + requestsFailed} requests failed`,
      },
    ]);
  },
};
export default measure;
