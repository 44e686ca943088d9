import { useEffect, useRef, useState } from "preact/hooks";
import type { FrameView } from "../../bench/messages.js";

const time = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hour12: false,
});

/** How many lines stand in the document at once; more stay in memory for when the trace is a product of its own. */
const shownLines = 150;

/** The bus, byte for byte and in words. Follows the newest line until the reader scrolls up. */
export function Trace(props: { frames: readonly FrameView[] }) {
  const [paused, setPaused] = useState<readonly FrameView[] | undefined>(undefined);
  const [links, setLinks] = useState(false);
  const list = useRef<HTMLDivElement>(null);
  const source = paused ?? props.frames;
  const frames = (
    links ? source : source.filter((frame) => frame.hex.length > 5 || frame.fault !== "")
  ).slice(-shownLines);
  useEffect(() => {
    if (!paused && list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [frames.length, props.frames, paused]);
  return (
    <section class="panel trace" aria-labelledby="trace-title">
      <header>
        <h2 id="trace-title">Bus trace</h2>
        <label>
          <input type="checkbox" checked={links} onChange={(e) => setLinks(e.currentTarget.checked)} /> link
          ACK and NAK
        </label>
        <button
          type="button"
          aria-pressed={paused !== undefined}
          onClick={() => setPaused(paused ? undefined : props.frames)}
        >
          {paused ? "Follow" : "Pause"}
        </button>
      </header>
      <div
        class="lines"
        ref={list}
        tabIndex={0}
        role="log"
        aria-label="Frames on the RS-485 line"
        aria-live="off"
      >
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">From</th>
              <th scope="col">Meaning</th>
              <th scope="col">Bytes</th>
            </tr>
          </thead>
          <tbody>
            {frames.map((frame) => (
              <tr key={frame.n} class={frame.fault ? "bad" : frame.from}>
                <td class="num">{time.format(frame.utcMs)}</td>
                <td>{frame.from}</td>
                <td>{frame.fault ? `${frame.text} (${frame.fault})` : frame.text}</td>
                <td class="hex">{frame.hex}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
