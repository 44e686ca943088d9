import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { FrameView } from "../../bench/messages.js";

const time = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hour12: false,
});

/** Height of a line, CSS pixels; the same for all, so that only the lines in sight need to be drawn. */
const lineHeight = 24;
const linesBeyond = 8;

interface Filter {
  readonly text: string;
  readonly from: "both" | "module" | "charger";
  readonly answers: boolean;
  readonly bad: boolean;
}

function passes(frame: FrameView, filter: Filter, words: readonly string[]): boolean {
  if (filter.bad && frame.fault === "") return false;
  if (!filter.answers && frame.hex.length <= 5 && frame.fault === "") return false;
  if (filter.from !== "both" && frame.from !== filter.from) return false;
  if (words.length === 0) return true;
  const text = `${frame.text} ${frame.hex} ${frame.fault}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Hands the lines in sight to a file: one JSON object a line, as `decode --json` has them. */
function save(frames: readonly FrameView[]): void {
  const lines = frames.map(({ utcMs, from, hex, text, fault, fields, gapMs }) =>
    JSON.stringify({ utc: new Date(utcMs).toISOString(), from, hex, text, fault, gapMs, fields }),
  );
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "application/x-ndjson" }));
  link.download = `openucm-trace-${new Date().toISOString().replace(/[:.]/g, "-")}.jsonl`;
  link.click();
  URL.revokeObjectURL(link.href);
}

function Detail(props: { frame: FrameView; close: () => void }) {
  const { frame } = props;
  const fields = Object.entries(frame.fields);
  return (
    <aside class="detail" aria-label="The chosen frame">
      <header>
        <h3>{frame.text}</h3>
        <button type="button" onClick={props.close}>
          Close
        </button>
      </header>
      <p class="hex">{frame.hex}</p>
      <dl>
        <div class="row">
          <dt>From</dt>
          <dd>{frame.from}</dd>
        </div>
        {frame.gapMs !== null && (
          <div class="row">
            <dt>Silence before it</dt>
            <dd>{frame.gapMs} ms</dd>
          </div>
        )}
        {frame.fault && (
          <div class="row">
            <dt>Fault</dt>
            <dd>{frame.fault}</dd>
          </div>
        )}
        {fields.map(([name, value]) => (
          <div class="row" key={name}>
            <dt>{name}</dt>
            <dd>{typeof value === "object" && value !== null ? JSON.stringify(value) : String(value)}</dd>
          </div>
        ))}
      </dl>
    </aside>
  );
}

/** The bus, byte for byte and in words. Follows the newest line until it is paused or the reader scrolls up. */
export function Trace(props: { frames: readonly FrameView[] }) {
  const [paused, setPaused] = useState<readonly FrameView[] | undefined>(undefined);
  const [filter, setFilter] = useState<Filter>({ text: "", from: "both", answers: false, bad: false });
  const [chosen, setChosen] = useState<FrameView | undefined>(undefined);
  const [top, setTop] = useState(0);
  const [hex, setHex] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const source = paused ?? props.frames;
  const frames = useMemo(() => {
    const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
    return source.filter((frame) => passes(frame, filter, words));
  }, [source, filter]);
  const following = useRef(true);

  useEffect(() => {
    const element = box.current;
    if (element && following.current && !paused) element.scrollTop = element.scrollHeight;
  }, [frames, paused]);

  const height = box.current?.clientHeight ?? 350;
  const first = Math.max(0, Math.floor(top / lineHeight) - linesBeyond);
  const shown = frames.slice(first, first + Math.ceil(height / lineHeight) + 2 * linesBeyond);

  return (
    <section class="panel trace" aria-labelledby="trace-title">
      <header>
        <h2 id="trace-title">Bus trace</h2>
        <input
          type="search"
          placeholder="Find: words or bytes"
          aria-label="Find in the trace"
          value={filter.text}
          onInput={(e) => setFilter({ ...filter, text: e.currentTarget.value })}
        />
        <select
          aria-label="Sender"
          value={filter.from}
          onChange={(e) => setFilter({ ...filter, from: e.currentTarget.value as Filter["from"] })}
        >
          <option value="both">both sides</option>
          <option value="module">module</option>
          <option value="charger">charger</option>
        </select>
        <label>
          <input
            type="checkbox"
            checked={filter.answers}
            onChange={(e) => setFilter({ ...filter, answers: e.currentTarget.checked })}
          />{" "}
          link ACK and NAK
        </label>
        <label>
          <input
            type="checkbox"
            checked={filter.bad}
            onChange={(e) => setFilter({ ...filter, bad: e.currentTarget.checked })}
          />{" "}
          faults only
        </label>
        <label>
          <input type="checkbox" checked={hex} onChange={(e) => setHex(e.currentTarget.checked)} /> bytes
        </label>
        <span class="sub">
          {frames.length} of {source.length}
        </span>
        <button type="button" onClick={() => save(frames)}>
          Export
        </button>
        <button
          type="button"
          aria-pressed={paused !== undefined}
          onClick={() => setPaused(paused ? undefined : props.frames)}
        >
          {paused ? "Follow" : "Pause"}
        </button>
      </header>
      <div class={chosen ? "split" : ""}>
        <div
          class="lines"
          ref={box}
          tabIndex={0}
          role="log"
          aria-label="Frames on the RS-485 line"
          aria-live="off"
          onScroll={(e) => {
            const element = e.currentTarget;
            following.current = element.scrollTop + element.clientHeight >= element.scrollHeight - lineHeight;
            setTop(element.scrollTop);
          }}
        >
          <table style={{ height: `${(frames.length + 1) * lineHeight}px` }}>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">From</th>
                <th scope="col">Gap</th>
                <th scope="col">Meaning</th>
                {hex && <th scope="col">Bytes</th>}
              </tr>
            </thead>
            <tbody>
              {first > 0 && <tr aria-hidden="true" style={{ height: `${first * lineHeight}px` }} />}
              {shown.map((frame) => (
                <tr
                  key={frame.n}
                  class={`${frame.fault ? "bad" : frame.from}${chosen?.n === frame.n ? " chosen" : ""}`}
                  onClick={() => setChosen(frame)}
                >
                  <td class="num">{time.format(frame.utcMs)}</td>
                  <td>{frame.from}</td>
                  <td class="num">
                    {frame.gapMs === null ? "" : frame.gapMs < 10_000 ? Math.round(frame.gapMs) : "–"}
                  </td>
                  <td>
                    <button type="button" class="plain" onClick={() => setChosen(frame)}>
                      {frame.fault ? `${frame.text} (${frame.fault})` : frame.text}
                    </button>
                  </td>
                  {hex && <td class="hex">{frame.hex}</td>}
                </tr>
              ))}
              <tr aria-hidden="true" class="filler" />
            </tbody>
          </table>
        </div>
        {chosen && <Detail frame={chosen} close={() => setChosen(undefined)} />}
      </div>
    </section>
  );
}
