/**
 * Measures what the project promises in figures. `npm run measure` lists what there is; `npm run measure -- NAME…`
 * (or `all`) runs it and writes its section of docs/measurements.md with the conditions. What is a ratio or a count
 * is also asserted by a test; absolute times are reported alone, because machines differ.
 *
 * A measure is a module in tools/measure/ with a default export {@link Measure}.
 */
import { readdirSync, readFileSync, writeFileSync, existsSync } from "node:fs";
import { cpus } from "node:os";
import { basename } from "node:path";

export interface Row {
  /** What was measured. */
  readonly name: string;
  readonly value: number | string;
  readonly unit: string;
  /** What it should be, in words; "" or missing where there is no target. */
  readonly target?: string;
  /** Whether it is met; missing where there is no target. */
  readonly met?: boolean;
  /** Under which conditions, or why a target is missed. */
  readonly conditions?: string;
}

export interface Measure {
  readonly name: string;
  /** One sentence for the document. */
  readonly about: string;
  run(): Promise<readonly Row[]>;
}

const folder = new URL("./measure/", import.meta.url);
const document = new URL("../docs/measurements.md", import.meta.url);
const head = `# Measurements

Every figure here was printed by \`npm run measure -- NAME\`, which writes its own section. A missed target is written down as missed.
`;

function cell(value: number | string): string {
  const text =
    typeof value === "number"
      ? String(Number.isInteger(value) ? value : Number(value.toPrecision(4)))
      : value;
  return text.replaceAll("|", "\\|");
}

function section(measure: Measure, rows: readonly Row[]): string {
  const node = process.versions.node;
  const when = new Date().toISOString().slice(0, 10);
  const lines = rows.map((row) => {
    const met = row.met === undefined ? "" : row.met ? "met" : "**missed**";
    return `| ${cell(row.name)} | ${cell(row.value)} ${cell(row.unit)} | ${cell(row.target ?? "")} | ${met} | ${cell(row.conditions ?? "")} |`;
  });
  return [
    `<!-- begin ${measure.name} -->`,
    "",
    `## ${measure.name}`,
    "",
    measure.about,
    "",
    `${when}, Node ${node}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}, a shared machine.`,
    "",
    "| figure | value | target | | conditions |",
    "| --- | --- | --- | --- | --- |",
    ...lines,
    "",
    `<!-- end ${measure.name} -->`,
  ].join("\n");
}

function write(name: string, text: string): void {
  const old = existsSync(document) ? readFileSync(document, "utf8") : head;
  const begin = old.indexOf(`<!-- begin ${name} -->`);
  const endMark = `<!-- end ${name} -->`;
  const next =
    begin < 0
      ? `${old.trimEnd()}\n\n${text}\n`
      : old.slice(0, begin) + text + old.slice(old.indexOf(endMark) + endMark.length);
  writeFileSync(document, next);
}

const known = readdirSync(folder)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => basename(file, ".ts"))
  .sort();
const asked = process.argv.slice(2);
const names = asked.includes("all") ? known : asked;
const unknown = names.filter((name) => !known.includes(name));
if (names.length === 0 || unknown.length > 0) {
  if (unknown.length > 0) process.stderr.write(`measure: there is no ${unknown.join(", ")}\n`);
  process.stderr.write(`measure: npm run measure -- NAME… | all\n  ${known.join("\n  ")}\n`);
  process.exit(2);
}
for (const name of names) {
  const module = (await import(new URL(`${name}.ts`, folder).href)) as { default?: Measure };
  if (module.default === undefined || typeof module.default.run !== "function") continue;
  process.stdout.write(`${name}: ${module.default.about}\n`);
  const rows = await module.default.run();
  for (const row of rows) {
    process.stdout.write(
      `  ${row.name}: ${cell(row.value)} ${row.unit}${row.target ? `  (target ${row.target}: ${row.met ? "met" : "MISSED"})` : ""}\n`,
    );
  }
  write(name, section(module.default, rows));
}
process.exit(0);
