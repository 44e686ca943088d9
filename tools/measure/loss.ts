import { writeFileSync } from "node:fs";
import { format } from "prettier";
import type { Measure, Row } from "../measure.js";
import { conditions, expectedSuccess, nameOf } from "../loss/rig.js";
import { cellOf, runLosses, tableUrl, type LossTable } from "../loss/table.js";

const seeds = 10_000;
const about =
  "Virtual time, 10,000 seeds a condition: session, link, line and simulated charger as in service. `once`: one exchange (8 bytes, ACK, 8 bytes) without a retry, beside (1 − rate)^16; `retried`: with up to three tries. Shed: from the wish, at a random moment after a discovery on the same bad line, to its proof by state and power.";

const measure: Measure = {
  name: "loss",
  about,
  async run() {
    const startedMs = performance.now();
    const parts = await runLosses(conditions, seeds, true, (share) => {
      process.stderr.write(`\r  ${Math.round(share * 100)} %`);
    });
    process.stderr.write("\r");
    const seconds = (performance.now() - startedMs) / 1000;
    const cells = conditions.map((one, i) => cellOf(one, expectedSuccess(one), seeds, parts[i]!));
    const table: LossTable = { about, cells };
    writeFileSync(tableUrl, await format(JSON.stringify(table), { parser: "json" }));
    const rows: Row[] = [];
    cells.forEach((cell, i) => {
      const name = nameOf(conditions[i]!);
      const sigma = Math.sqrt((cell.theory * (1 - cell.theory)) / seeds);
      const off = Math.abs(cell.once - cell.theory);
      rows.push({
        name: `${name}: one exchange`,
        value: cell.once,
        unit: "of 1",
        target: `${cell.theory} ± 4 σ`,
        met: off <= 4 * sigma + 1e-4,
        conditions: `with retries ${cell.retried}`,
      });
      const share = 1 - cell.shedsLate / seeds;
      const { median, p99, most } = cell.shedSeconds;
      rows.push({
        name: `${name}: Shed verified within 60 s`,
        value: `${(share * 100).toFixed(2)}`,
        unit: "%",
        ...(cell.rate <= 0.01 ? { target: "≥ 99.99 %", met: share >= 0.9999 } : {}),
        conditions: `median ${median} s, 99 % ${p99} s, longest ${most} s`,
      });
    });
    rows.push({
      name: "all of it",
      value: Math.round(seconds),
      unit: "s",
      conditions: `${seeds * conditions.length} runs`,
    });
    return rows;
  },
};
export default measure;
