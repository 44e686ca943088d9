import { useEffect, useState } from "preact/hooks";
import type { FromPage, JournalPartName } from "../../bench/messages.js";
import { saveFile, type View } from "./store.js";

const parts: readonly (readonly [JournalPartName, string])[] = [
  ["events", "Events"],
  ["security", "Security log"],
  ["sessions", "Charging sessions"],
  ["energy", "Energy by half-hour"],
];
const refreshMs = 3000;

/** A column's head in words: `utc` is a time, `energy_Wh` an energy in Wh. */
function head(column: string): string {
  if (column === "utc") return "Time (UTC)";
  const words = column.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function text(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "" : `${value.length}`;
  return value === null || value === undefined ? "" : String(value);
}

/** What the module has written down, as its owner may read it. */
export function Journal(props: { view: View; send: (message: FromPage) => void }) {
  const [what, setWhat] = useState<JournalPartName>("events");
  const { view, send } = props;
  useEffect(() => {
    const ask = (): void => send({ do: "journal", what });
    ask();
    const timer = setInterval(ask, refreshMs);
    return () => clearInterval(timer);
  }, [what, view.watched]);
  const part = view.journal[what];
  const rows = part?.rows ?? [];
  const columns = Object.keys(rows[0] ?? {});
  const why = { "no-journal": "This engine keeps no journal.", "no-power": "The module has no power." };
  return (
    <div class="journal">
      <div class="bar-of-controls">
        <label class="inline">
          Part
          <select value={what} onChange={(e) => setWhat(e.currentTarget.value as JournalPartName)}>
            {parts.map(([id, name]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <span class="sub">
          {rows.length === 0 ? "" : `${rows.length} entries, the newest first`}
          {what === "security" ? "; each entry is chained to the one before" : ""}
        </span>
        <button
          type="button"
          disabled={rows.length === 0}
          onClick={() => saveFile(`journal-${what}.json`, "application/json", JSON.stringify(rows, null, 2))}
        >
          Export
        </button>
      </div>
      <div class="lines" tabIndex={0} role="region" aria-label="Entries of the journal">
        {rows.length === 0 ? (
          <p class="none">
            {part === undefined
              ? "Reading."
              : ((why as Record<string, string>)[part.why] ?? (part.why || "Nothing is written down yet."))}
          </p>
        ) : (
          <table class={columns.includes("text") ? "told-last" : ""}>
            <thead>
              <tr>
                {columns.map((column) => (
                  <th scope="col" key={column}>
                    {head(column)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {[...rows].reverse().map((row, i) => (
                <tr key={rows.length - i} class={row["level"] === "error" ? "bad" : ""}>
                  {columns.map((column) => (
                    <td key={column} class={column === "text" ? "" : "num"}>
                      {text(row[column])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </div>
  );
}
