// How much heap a 24-price event (some 15 KB of XML) needs on the chip, beyond what an idle poll needs: the
// smallest machines that do each, found by bisection. Kept as a bound, so that it cannot grow unseen.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { buildArchive, projectRoot, startXsHost, xsHostMissing } from "../../host-sim/runtime/xs-host.js";
import { distribute, event, nothing } from "../unit/openadr2-harness.js";
import { describeWith } from "../support/needs.js";

/** What is aimed at: 6 KB above what an idle poll needs. */
const BOUND_BYTES = 6 * 1024;

const entry = `
import { EventBook } from "./src/openadr2/event-book.js";
import { InboundReader } from "./src/openadr2/inbound.js";
import { Tree } from "./tree.js";
import { utf8Encode } from "./src/base/utf8.js";
const programme = { source: "u", emergency: false, capacityReference: "rated", setpointUnit: "", normalPrice: undefined, deviceClasses: [] };
let reader;
let tree = false;
let held = [];
function end() {
  if (tree) return reader.end();
  const message = reader.end();
  reader = undefined;
  if (message.fault) return message;
  const book = new EventBook(programme, { marketContexts: [], targets: [] });
  book.take(message, "ven-1", 0, { aheadMs: 0, all: true }, (events) => {
    held = events;
    return events.map((e) => ({ id: e.id, revision: 0, verdict: "new", why: "" }));
  });
  return { intervals: held.map((e) => e.intervals.length) };
}
export function step(text) {
  const out = [];
  for (const input of JSON.parse(text).in) {
    if (input.k === "begin") {
      tree = input.tree;
      reader = tree ? new Tree() : new InboundReader();
    }
    else if (input.k === "data") reader.push(utf8Encode(input.text));
    else out.push(end());
  }
  return JSON.stringify({ wakeMs: null, out });
}
`;

const treeParser = `
import { XmlReader } from "./src/base/xml-reader.js";
// What a tree parser leaves: an object an element, interned names, attributes of the tags that have any.
export class Tree {
  constructor() {
    this.names = {};
    this.root = { name: "", children: [], text: "" };
    this.open_ = [this.root];
    this.xml = new XmlReader({}, this);
  }
  push(bytes) {
    const fault = this.xml.push(bytes);
    if (fault) throw new Error(fault.text);
  }
  open(name, xml) {
    const attributes = [];
    for (let i = 0; i < xml.attributeCount; i++) attributes.push(xml.attributeAt(i));
    const full = xml.uri + " " + xml.local;
    const element = { name: (this.names[full] ??= full), children: [], text: "" };
    if (attributes.length > 0) element.attributes = attributes;
    this.open_[this.open_.length - 1].children.push(element);
    this.open_.push(element);
  }
  text(text) {
    this.open_[this.open_.length - 1].text = text;
  }
  close() {
    this.open_.pop();
  }
  end() {
    let intervals = [];
    const walk = (element, event) => {
      if (/ oadrEvent$/.test(element.name)) intervals.push(0);
      if (/ interval$/.test(element.name)) intervals[intervals.length - 1]++;
      for (const child of element.children) walk(child);
    };
    walk(this.root);
    return { intervals };
  }
}
`;

const item =
  "<oadr:currencyPerKWh><oadr:itemDescription>currencyPerKWh</oadr:itemDescription><oadr:itemUnits>USD</oadr:itemUnits>" +
  "<scale:siScaleCode>none</scale:siScaleCode></oadr:currencyPerKWh>";
const prices = distribute(
  event({
    id: "p",
    seconds: 86_400,
    signals: [
      {
        name: "ELECTRICITY_PRICE",
        type: "price",
        intervals: Array.from({ length: 24 }, (_, i) => [3600, 0.1 + i / 100] as const),
        item,
      },
    ],
  }) +
    event({ id: "a" }) +
    event({ id: "b" }),
).replaceAll("><", ">\n        <");

describeWith(xsHostMissing(), "heap of a 24-price event", () => {
  test("stays within its bound", async () => {
    const folder = join(projectRoot, "build/heap-openadr2");
    mkdirSync(folder, { recursive: true });
    // File by file, because what is bundled with the entry would not lie in ROM.
    await build({
      entryPoints: ["base", "grid", "openadr2", "ports"].map((part) => join(projectRoot, `src/${part}/*.ts`)),
      outdir: join(folder, "src"),
      outbase: join(projectRoot, "src"),
      format: "esm",
      target: "es2022",
      logLevel: "error",
    });
    writeFileSync(join(folder, "tree.js"), treeParser);
    writeFileSync(join(folder, "heap.js"), entry);
    const archive = buildArchive(join(folder, "heap.js"));

    const takes = async (
      xml: string,
      expected: number[],
      slots: number,
      chunks: number,
      tree: boolean,
    ): Promise<boolean> => {
      const machine = await startXsHost({ archive, creation: { slots, chunks } }).catch(() => undefined);
      if (machine === undefined) return false;
      try {
        const step = (input: Record<string, unknown>) =>
          machine.step({ nowMs: 1, utcMs: null, in: [input] } as never);
        await step({ k: "begin", tree });
        for (let i = 0; i < xml.length; i += 256) await step({ k: "data", text: xml.slice(i, i + 256) });
        const reply = await step({ k: "end" });
        expect(reply.out).toEqual([{ intervals: expected }]);
        return true;
      } catch (error) {
        if (error instanceof Error && error.name === "AssertionError") throw error;
        return false;
      } finally {
        await machine.close().catch(() => undefined);
      }
    };
    const least = async (works: (n: number) => Promise<boolean>, most: number, grain: number) => {
      let low = 0;
      for (let high = most; ;) {
        if (high - low <= grain) return high;
        const middle = Math.floor((low + high) / 2);
        if (await works(middle)) high = middle;
        else low = middle;
      }
    };
    const need = async (xml: string, expected: number[], tree = false): Promise<number> => {
      const slots = await least(
        (n) => takes(xml, expected, n, tree ? 120_000 : 78_848, tree),
        tree ? 8000 : 1500,
        8,
      );
      const chunks = await least(
        (n) => takes(xml, expected, tree ? 8000 : 4928, n, tree),
        tree ? 120_000 : 24_000,
        128,
      );
      return slots * 16 + chunks;
    };
    const idle = await need(nothing, []);
    const busy = await need(prices, [24, 1, 1]);
    const treeIdle = await need(nothing, [], true);
    const treeBusy = await need(prices, [24, 1, 1], true);
    console.log(
      `24-price event, ${String(prices.length)} B of XML: ${String(busy - idle)} B above an idle poll's ${String(idle)} B; ` +
        `as a tree ${String(treeBusy - treeIdle)} B above ${String(treeIdle)} B`,
    );
    expect(treeBusy - treeIdle).toBeGreaterThan(4 * (busy - idle));
    expect(busy - idle).toBeLessThan(BOUND_BYTES);
    expect(busy - idle).toBeGreaterThan(0);
  }, 600_000);
});
