import { badImages, interrupted } from "../../test/support/update-campaign.js";
import type { Measure, Row } from "../measure.js";

const minutes = (ms: number): number => Math.round(ms / 6000) / 10;

const measure: Measure = {
  name: "update",
  about:
    "Updates in virtual time: the module's own client and slots, a server and a flash that fail in every way (test/support/update-campaign.ts).",
  run(): Promise<readonly Row[]> {
    const rows: Row[] = [];
    const all = badImages();
    const bricks = all.filter(({ brick }) => brick !== "").length;
    const target = { target: "0", met: bricks === 0 && all.length >= 100 };
    rows.push({
      name: `Bricks among ${all.length} bad images and cut updates`,
      value: bricks,
      unit: "",
      ...target,
    });
    for (const what of [...new Set(all.map((one) => one.what))]) {
      const these = all.filter((one) => one.what === what);
      const times = these.map(({ recoverMs }) => recoverMs).sort((a, b) => a - b);
      const most = times.at(-1)!;
      const conditions =
        most === 0 ? "the running image was never left" : "from the switch until the good image runs";
      const value = most === 0 ? 0 : minutes(most);
      rows.push({
        name: `Time to recover, longest of ${these.length}: ${what}`,
        value,
        unit: "min",
        conditions,
      });
    }
    for (const [connections, cuts] of [
      [20, 0],
      [10, 10],
      [0, 20],
    ] as const) {
      const { ratio, heldBytes, imageBytes, installed, requests } = interrupted(connections, cuts);
      const conditions = `image of ${imageBytes} bytes; metadata and block hashes counted, HTTP heads (${requests} requests) not`;
      rows.push({
        ...{
          name: `Fetched, ${connections} broken connections and ${cuts} power cuts`,
          value: ratio,
          unit: "× the image",
        },
        ...{ target: "≤ 1.02", met: installed && ratio <= 1.02 },
        conditions,
      });
      const held = { value: heldBytes, unit: "bytes", target: "≤ 8192", met: heldBytes <= 8192 };
      rows.push({
        name: `Held in RAM, same download`,
        ...held,
        conditions: "a page and the longest piece of an answer",
      });
    }
    return Promise.resolve(rows);
  },
};

export default measure;
