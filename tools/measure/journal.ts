/** Journal and storage: power cuts at every flash operation, a year of a charger, and what it costs the chip's heap. */
import { FileFlash } from "../../host-sim/runtime/file-flash.js";
import { xsHostEngine } from "../../host-sim/runtime/xs-engine.js";
import { xsHostMissing, type XsStats } from "../../host-sim/runtime/xs-host.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { cutAWeek } from "../../test/support/cut-week.js";
import { liveAYear } from "../../test/support/uk-year.js";
import type { Measure, Row } from "../measure.js";

function week(): Row[] {
  const { operations, cuts, failures } = cutAWeek(1);
  const conditions = `${operations} flash operations of a week, each after 0, 1, half, all but one and a random number of bits`;
  return [
    { name: "power cuts within flash operations", value: cuts, unit: "cuts", conditions },
    {
      name: "of them with loss or a false belief",
      value: failures,
      unit: "failures",
      target: "0",
      met: failures === 0,
    },
  ];
}

function year(): Row[] {
  const got = liveAYear();
  const { home } = got;
  const wear = Math.max(...home.flash.erasesOf);
  return [
    {
      name: "a year of a UK charger in virtual time",
      ...{ value: got.seconds, unit: "s", target: "under 30 s", met: got.seconds < 30 },
      conditions: `200 events, ${home.restarts} power cuts, both changes of the clocks; grid, journal, storage, charger model`,
    },
    {
      name: "its half hours that equal the simulator's meter",
      ...{ value: got.exact, unit: `of ${got.halfHours}` },
      conditions: `the other ${got.spread} were touched by an outage: their energy is there, spread evenly`,
    },
    {
      name: "its energy in the journal",
      ...{
        value: got.journalWh,
        unit: `Wh of ${got.meterWh} Wh`,
        target: "equal",
        met: got.journalWh === got.meterWh,
      },
      conditions: `${got.sessions} sessions`,
    },
    {
      name: "most erasures of a sector in that year",
      ...{ value: wear, unit: "erasures", conditions: "the poorest parts are good for 100,000" },
    },
  ];
}

/** Live memory of the module after an event, on the engine of the chip's size. */
async function chip(flash: FileFlash | undefined): Promise<XsStats> {
  const engine = await xsHostEngine();
  try {
    const bench = new VirtualBench({
      engine,
      ...(flash === undefined ? {} : { flash }),
      vtn: { pollSeconds: 10 },
    });
    bench.sgd.plug();
    await bench.until("charging", () => bench.sgd.state().currentA > 31.9);
    bench.vtn.createEvent(
      { signal: "SIMPLE", level: 1, startInSeconds: 1, durationSeconds: 60 },
      { utcMs: bench.utcMs },
    );
    await bench.run(180_000);
    return await engine.runtime.collect();
  } finally {
    await engine.close();
  }
}

async function heap(): Promise<Row[]> {
  const missing = xsHostMissing();
  if (missing !== undefined)
    return [
      { name: "heap of the journal on the chip", value: "not measured", unit: "", conditions: missing },
    ];
  const without = await chip(undefined);
  const flash = FileFlash.blank();
  const pages = (): number => [...flash.pieces()].length;
  const withFlash = await chip(flash);
  const slots = withFlash.slots.live - without.slots.live;
  const chunks = withFlash.chunks.live - without.chunks.live;
  const bridged = pages() * 256;
  const conditions = `XS 13.3, 32 bit, after a collection; ${without.slots.live} slots and ${without.chunks.live} B of chunks without`;
  return [
    { name: "journal and store on the chip: live slots", value: slots, unit: "slots of 16 B", conditions },
    {
      name: "journal and store on the chip: live chunks",
      ...{ value: chunks, unit: "B" },
      conditions: `of which ${bridged} B are the bridge's copy of the flash, which the chip reads in place`,
    },
    {
      name: "peak slots with journal",
      value: withFlash.slots.peak,
      unit: "slots",
      conditions: `${without.slots.peak} without`,
    },
  ];
}

export default {
  name: "journal",
  about: "Journal and storage: what power cuts cost, a year of a charger, and the chip's memory.",
  run: async () => [...week(), ...year(), ...(await heap())],
} satisfies Measure;
