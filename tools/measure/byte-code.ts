/** The byte code of the firmware, per folder, against its budget and its aims. */
import type { Measure, Row } from "../measure.js";

type Cell = number | undefined;
interface Report {
  firmwareSizes(): Promise<{ measured: unknown; budget: unknown }>;
  table(measured: unknown, budget: unknown): readonly (readonly [string, number, Cell, Cell])[];
}

async function run(): Promise<readonly Row[]> {
  const path = new URL("../xs-bytecode/report.mjs", import.meta.url).href;
  const report = (await import(path)) as Report;
  const { measured, budget } = await report.firmwareSizes();
  return report.table(measured, budget).map(([name, value, limit, aim]) => ({
    name,
    value,
    unit: "bytes",
    ...(aim === undefined ? {} : { target: `${aim} bytes`, met: value <= aim }),
    conditions: limit === undefined ? "" : `fails beyond ${limit}`,
  }));
}

export default {
  name: "byte-code",
  about: [
    "Byte code that the firmware's entry reaches, by XS 13.3, without debug lines. Folders: code of their modules as they stand. Device builds (tools/firmware): one bundle with its names, what drivers/device/main.ts takes of src/; below it with the JavaScript of the drivers, all that a module carries. The SDK's compiler makes about 7 % less.",
    "Where an aim is missed: link, session, demand response, journal, owner's pages, updates and network stand in every build and are two thirds of it; what was done against it is in docs/decisions.md (one bundle of what is used, plain private names, arrays by index, `Array.of`, terser, no help texts, numbers by their value, one function instead of a module, no WebSocket or MQTT without its upstream). Left is the program itself: 250 bytes a function. An image of 1.6 MB has room for it, and none of it lies in RAM.",
  ].join("\n\n"),
  run,
} satisfies Measure;
