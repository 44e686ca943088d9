/** The byte code of the firmware, per folder, against its budget and its aims. */
import type { Measure, Row } from "../measure.js";

type Cell = number | undefined;
interface Report {
  firmwareSizes(): { measured: unknown; budget: unknown };
  table(measured: unknown, budget: unknown): readonly (readonly [string, number, Cell, Cell])[];
}

async function run(): Promise<readonly Row[]> {
  const path = new URL("../xs-bytecode/report.mjs", import.meta.url).href;
  const report = (await import(path)) as Report;
  const { measured, budget } = report.firmwareSizes();
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
  about:
    "Byte code that the firmware's entry reaches, by XS 13.3, without debug lines; each name counts once, as the linked firmware holds it. The SDK's compiler makes about 7 % less. Folders count code alone.",
  run,
} satisfies Measure;
