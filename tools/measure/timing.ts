import type { Measure, Row } from "../measure.js";
import { measureTiming, percentile } from "../timing/run.js";

const cycles = 400;

const measure: Measure = {
  name: "timing",
  about:
    "Our link in one process, a peer at the legal minimum delays in another, a pseudo-terminal between them; measured by the peer with its own clock. `under load`: two fifths of our process's time go into other work, 10 ms at a time.",
  async run() {
    const rows: Row[] = [];
    for (const load of [false, true]) {
      const { ackMs, cycleMs, legalCycleMs, strange } = await measureTiming(cycles, load);
      const where = load ? "under load" : "alone";
      const least = ackMs[0] ?? NaN;
      const late = percentile(ackMs, 0.999);
      const ratio = percentile(cycleMs, 0.5) / legalCycleMs;
      rows.push(
        { name: `shortest ACK, ${where}`, value: least, unit: "ms", target: "≥ 40.0 ms", met: least >= 40 },
        {
          name: `99.9th percentile of the ACK, ${where}`,
          value: late,
          unit: "ms",
          target: "< 150 ms",
          met: late < 150,
          conditions: `${ackMs.length} ACKs, median ${percentile(ackMs, 0.5).toFixed(1)} ms, longest ${percentile(ackMs, 1).toFixed(1)} ms, ${strange} NAKs`,
        },
        {
          name: `median cycle of a command with reply, ${where}`,
          value: ratio,
          unit: `× the legal minimum of ${legalCycleMs.toFixed(1)} ms`,
          target: "≤ 1.15",
          met: ratio <= 1.15,
          conditions: `${cycleMs.length} cycles, 99 % ${percentile(cycleMs, 0.99).toFixed(1)} ms`,
        },
      );
    }
    return rows;
  },
};
export default measure;
