import { formatDateTime } from "../base/iso8601.js";
import type { JournalPart } from "./access.js";
import type { Journal } from "./journal.js";

export type ExportFormat = "csv" | "json";
type Value = string | number | boolean | null | readonly Row[];
type Row = { readonly [column: string]: Value };

/**
 * A part of the journal as text, a line at a time, because the whole does not fit a microcontroller: CSV with a
 * head (RFC 4180, but lines are ended by whoever joins them), or one JSON array. `sources` are the ids that changes
 * by demand response may have come from; of an unknown one the name is "".
 */
export function* exportLines(
  journal: Journal,
  part: JournalPart,
  format: ExportFormat,
  sources: readonly string[] = [],
): Generator<string> {
  const rows = (): Generator<Row> => rowsOf(journal, part, sources);
  if (format === "json") yield* jsonLines(rows());
  else if (part === "energy") yield* journal.energy.csv();
  else if (part === "sessions") yield* journal.sessions.csv(sources);
  else yield* csvLines(rows(), COLUMNS[part]);
}

const COLUMNS = { events: "utc,level,text", security: "utc,code,text,chain" } as const;

function* csvLines(rows: Iterable<Row>, head: string): Generator<string> {
  yield head;
  const columns = head.split(",");
  for (const row of rows) yield columns.map((column) => quoted(row[column])).join(",");
}

function* jsonLines(rows: Iterable<Row>): Generator<string> {
  let before = "[";
  for (const row of rows) {
    yield before + JSON.stringify(row);
    before = ",";
  }
  yield before === "[" ? "[]" : "]";
}

function* rowsOf(journal: Journal, part: JournalPart, sources: readonly string[]): Generator<Row> {
  switch (part) {
    case "energy":
      for (const { utcMs, energyWh } of journal.energy.halfHours())
        yield { start_utc: formatDateTime(utcMs), energy_wh: energyWh };
      break;
    case "sessions":
      for (const s of journal.sessions.sessions(sources))
        yield {
          start_utc: utcOf(s.startUtcMs),
          stop_utc: utcOf(s.stopUtcMs),
          energy_wh: s.energyWh,
          end_guessed: s.endGuessed,
          changes: s.changes.map(({ utcMs, ask, percent, source }) => ({
            ...{ utc: utcOf(utcMs), ask, percent, source },
          })),
        };
      break;
    case "events":
      for (const { utcMs, level, text } of journal.events.entries()) yield { utc: utcOf(utcMs), level, text };
      break;
    case "security":
      for (const { utcMs, code, text, chain } of journal.security.entries())
        yield { utc: utcOf(utcMs), code, text, chain };
  }
}

/** null = the clock was not known then. */
function utcOf(utcMs: number | undefined): string | null {
  return utcMs === undefined ? null : formatDateTime(utcMs);
}

/** A field of CSV. What a spreadsheet would take for a formula gets an apostrophe: texts come from outside too. */
function quoted(value: Value | undefined): string {
  const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
  const safe = "=+-@\t".includes(text.charAt(0)) && text !== "" ? `'${text}` : text;
  for (const special of [",", '"', "\n", "\r"]) {
    if (safe.includes(special)) return `"${safe.replaceAll('"', '""')}"`;
  }
  return safe;
}
