/** Outage drills: how soon the module is back by itself, in three virtual days for each kind of outage, upstream and seed. */
import { DRILLED, outageDrill, OUTAGES } from "../../test/support/outage-drill.js";
import type { Measure, Row } from "../measure.js";

const SEEDS = 15;
const NAMES: Readonly<Record<(typeof DRILLED)[number], string>> = {
  openadr2b: "OpenADR 2.0b",
  openadr3: "OpenADR 3.1",
  ocpp16: "OCPP 1.6",
};

async function run(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let restarts = 0;
  let hours = 0;
  for (const kind of Object.keys(OUTAGES)) {
    for (const protocol of DRILLED) {
      const back: number[] = [];
      let reinits = 0;
      for (let seed = 1; seed <= SEEDS; seed++) {
        const drill = await outageDrill(kind, seed, protocol);
        back.push(...drill.backMs);
        restarts += drill.restarts;
        reinits += drill.reinits;
        hours += drill.hours;
      }
      back.sort((a, b) => a - b);
      const at = (share: number): string => (back[Math.ceil(back.length * share) - 1]! / 1000).toFixed(0);
      rows.push({
        name: `${kind}, ${NAMES[protocol]}: back after, 95th percentile`,
        value: Number(at(0.95)),
        unit: "s",
        conditions: `${back.length} outages; median ${at(0.5)} s, most ${at(1)} s; the driver started anew ${reinits} times`,
      });
    }
  }
  rows.push({
    ...{ name: "restarts of the module", value: restarts, unit: "restarts" },
    ...{ target: "0", met: restarts === 0 },
    conditions: `${Math.round(hours)} virtual hours; polls each minute (OCPP: a socket that stays); each drill ends with an event that the charger follows`,
  });
  return rows;
}

const measure: Measure = {
  name: "outages",
  about:
    "The whole module in a home network that fails it (`test/support/outage-drill.ts`), with each kind of upstream: from the end of an outage to the utility heard again and the clock right. An upstream's longest back-off is 15 min, the station's 2 min; a connection that leads nowhere has to be noticed first.",
  run,
};
export default measure;
