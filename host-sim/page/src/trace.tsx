import { useEffect, useRef, useState } from "preact/hooks";
import type { FrameView } from "../../bench/messages.js";
import { Row } from "./parts.js";
import { saveFile } from "./store.js";
import type { TraceFilter, TraceLog } from "./trace-log.js";

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

type Shows = "both" | "meaning" | "bytes";

/** Hands the lines in sight to a file: one JSON object a line, as `decode --json` has them. */
function save(frames: readonly FrameView[]): void {
  const lines = frames.map(({ utcMs, from, hex, text, fault, fields, gapMs }) =>
    JSON.stringify({ utc: new Date(utcMs).toISOString(), from, hex, text, fault, gapMs, fields }),
  );
  const when = new Date().toISOString().replace(/[:.]/g, "-");
  saveFile(`openucm-trace-${when}.jsonl`, "application/x-ndjson", `${lines.join("\n")}\n`);
}

function Detail(props: { frame: FrameView; close: () => void }) {
  const { frame } = props;
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
        <Row name="From">{frame.from}</Row>
        <Row name="At">{time.format(frame.utcMs)}</Row>
        {frame.gapMs !== null && <Row name="Silence before it">{frame.gapMs} ms</Row>}
        {frame.fault && <Row name="Fault">{frame.fault}</Row>}
        {Object.entries(frame.fields).map(([name, value]) => (
          <Row name={name} key={name}>
            {typeof value === "object" && value !== null ? JSON.stringify(value) : String(value)}
          </Row>
        ))}
      </dl>
    </aside>
  );
}

/** What the reader has set; kept while another tab is open. */
export interface TraceState {
  readonly shows: Shows;
  /** Lines that stand still while the reader looks; undefined = the trace runs on. */
  readonly held: readonly FrameView[] | undefined;
  readonly chosen: FrameView | undefined;
}

export const traceAtFirst: TraceState = { shows: "both", held: undefined, chosen: undefined };

/** The bus, byte for byte and in words. Follows the newest line until it is paused or the reader scrolls up. */
export function Trace(props: {
  log: TraceLog;
  version: number;
  state: TraceState;
  change: (state: TraceState) => void;
}) {
  const { log, state } = props;
  const { shows, held, chosen } = state;
  const [top, setTop] = useState(0);
  const [, again] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const frames = held ?? log.shown;
  const change = (part: Partial<TraceState>): void => props.change({ ...state, ...part });
  const setFilter = (part: Partial<TraceFilter>): void => {
    log.setFilter({ ...log.filter, ...part });
    if (held) change({ held: [...log.shown] });
    again((n) => n + 1);
  };

  const last = frames.at(-1)?.n;
  useEffect(() => {
    const element = box.current;
    if (element && following.current && !held) element.scrollTop = element.scrollHeight;
  }, [last, held]);

  const height = box.current?.clientHeight ?? 350;
  const first = Math.min(
    Math.max(0, Math.floor(top / lineHeight) - linesBeyond),
    Math.max(0, frames.length - Math.ceil(height / lineHeight) - linesBeyond),
  );
  const shown = frames.slice(first, first + Math.ceil(height / lineHeight) + 2 * linesBeyond);

  /** Up and down move the choice; the list stands still meanwhile. */
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined || !chosen) return;
    event.preventDefault();
    const at = frames.findIndex((frame) => frame.n === chosen.n) + step;
    const next = frames[at];
    if (!next) return;
    change({ chosen: next, held: held ?? [...frames] });
    const element = box.current!;
    const y = (at + 1) * lineHeight;
    if (y < element.scrollTop + lineHeight) element.scrollTop = y - lineHeight;
    else if (y + lineHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = y + lineHeight - element.clientHeight;
  };

  return (
    <div class="trace">
      <div class="bar-of-controls">
        <input
          type="search"
          placeholder="Find: words or bytes"
          aria-label="Find in the trace"
          value={log.filter.text}
          onInput={(e) => setFilter({ text: e.currentTarget.value })}
        />
        <select
          aria-label="Sender"
          value={log.filter.from}
          onChange={(e) => setFilter({ from: e.currentTarget.value as TraceFilter["from"] })}
        >
          <option value="both">both sides</option>
          <option value="module">module</option>
          <option value="charger">charger</option>
        </select>
        <label>
          <input
            type="checkbox"
            checked={log.filter.answers}
            onChange={(e) => setFilter({ answers: e.currentTarget.checked })}
          />{" "}
          link ACK and NAK
        </label>
        <label>
          <input
            type="checkbox"
            checked={log.filter.bad}
            onChange={(e) => setFilter({ bad: e.currentTarget.checked })}
          />{" "}
          faults only
        </label>
        <select
          aria-label="Columns"
          value={shows}
          onChange={(e) => change({ shows: e.currentTarget.value as Shows })}
        >
          <option value="both">meaning and bytes</option>
          <option value="meaning">meaning</option>
          <option value="bytes">bytes</option>
        </select>
        <span class="together">
          <span class="sub" title="Frames that the filter lets through, of all that are kept">
            {frames.length} of {log.count}
          </span>
          <button type="button" onClick={() => save(frames)}>
            Export
          </button>
          <button
            type="button"
            aria-pressed={held !== undefined}
            onClick={() => {
              following.current = true;
              change({ held: held ? undefined : [...log.shown] });
            }}
          >
            {held ? "Follow" : "Pause"}
          </button>
        </span>
      </div>
      <div class={chosen ? "split" : ""}>
        <div
          class="lines"
          ref={box}
          tabIndex={0}
          role="log"
          aria-label="Frames on the RS-485 line"
          aria-live="off"
          onKeyDown={move}
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
                {shows !== "bytes" && <th scope="col">Meaning</th>}
                {shows !== "meaning" && <th scope="col">Bytes</th>}
              </tr>
            </thead>
            <tbody>
              {first > 0 && <tr aria-hidden="true" style={{ height: `${first * lineHeight}px` }} />}
              {shown.map((frame) => {
                const words = frame.fault ? `${frame.text} (${frame.fault})` : frame.text;
                const choose = (
                  <button type="button" class="plain" onClick={() => change({ chosen: frame })}>
                    {shows === "bytes" ? frame.hex : words}
                  </button>
                );
                return (
                  <tr
                    key={frame.n}
                    class={`${frame.fault ? "bad" : frame.from}${chosen?.n === frame.n ? " chosen" : ""}`}
                    onClick={() => change({ chosen: frame })}
                  >
                    <td class="num">{time.format(frame.utcMs)}</td>
                    <td>{frame.from}</td>
                    <td class="num">
                      {frame.gapMs === null ? "" : frame.gapMs < 10_000 ? Math.round(frame.gapMs) : "–"}
                    </td>
                    {shows !== "bytes" && <td>{choose}</td>}
                    {shows !== "meaning" && <td class="hex">{shows === "bytes" ? choose : frame.hex}</td>}
                  </tr>
                );
              })}
              <tr aria-hidden="true" class="filler" />
            </tbody>
          </table>
        </div>
        {chosen && <Detail frame={chosen} close={() => change({ chosen: undefined })} />}
      </div>
    </div>
  );
}
