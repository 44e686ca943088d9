import type { FrameView } from "../../bench/messages.js";

/** How many of the newest frames count. */
const newest = 400;

interface Lane {
  readonly name: string;
  readonly fits: (frame: FrameView) => boolean;
  /** The legal window, ms (CTA-2045 tMA and tAR). */
  readonly from: number;
  readonly to: number;
  readonly scaleMs: number;
}

const lanes: readonly Lane[] = [
  {
    name: "module: to ACK",
    fits: (f) => f.kind === "answer" && f.from === "module",
    from: 40,
    to: 200,
    scaleMs: 250,
  },
  {
    name: "charger: to ACK",
    fits: (f) => f.kind === "answer" && f.from === "charger",
    from: 40,
    to: 200,
    scaleMs: 250,
  },
  {
    name: "module: ACK to reply",
    fits: (f) => f.kind === "reply" && f.from === "module",
    from: 100,
    to: 3000,
    scaleMs: 3500,
  },
  {
    name: "charger: ACK to reply",
    fits: (f) => f.kind === "reply" && f.from === "charger",
    from: 100,
    to: 3000,
    scaleMs: 3500,
  },
];

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** Gaps on the line against their limits: a dot a frame, the legal window shaded. */
export function Timing(props: { frames: readonly FrameView[] }) {
  const frames = props.frames.slice(-newest);
  return (
    <section class="panel" aria-labelledby="timing-title">
      <header>
        <h2 id="timing-title">Timing</h2>
        <span class="sub">last {frames.length} frames against their limits</span>
      </header>
      {lanes.map((lane) => {
        const gaps = frames.filter((f) => f.gapMs !== null && lane.fits(f)).map((f) => f.gapMs!);
        const out = gaps.filter((gap) => gap < lane.from || gap > lane.to).length;
        const x = (ms: number): number => (Math.min(ms, lane.scaleMs) / lane.scaleMs) * 300;
        return (
          <div class="lane" key={lane.name}>
            <span>{lane.name}</span>
            <svg
              viewBox="0 0 300 18"
              preserveAspectRatio="none"
              role="img"
              aria-label={`${lane.name}: ${gaps.length} gaps, ${out} outside ${lane.from} to ${lane.to} ms`}
            >
              <rect x={x(lane.from)} y="1" width={x(lane.to) - x(lane.from)} height="16" class="legal" />
              {gaps.map((gap, i) => (
                <line
                  key={i}
                  x1={x(gap)}
                  x2={x(gap)}
                  y1="4"
                  y2="14"
                  class={gap < lane.from || gap > lane.to ? "tick out" : "tick"}
                />
              ))}
            </svg>
            <span class="num">{gaps.length === 0 ? "–" : `${Math.round(median(gaps))} ms`}</span>
            <span class={out > 0 ? "fault num" : "num"}>{out > 0 ? `${out} out` : ""}</span>
          </div>
        );
      })}
    </section>
  );
}

/** What the link has counted, those that are not zero first. */
export function Counters(props: { counters: Readonly<Record<string, unknown>> }) {
  const rows = Object.entries(props.counters).map(([name, value]): [string, string, boolean] => {
    const text = Array.isArray(value) ? value.join(" ") : String(value);
    return [name, text, /[1-9]/.test(text)];
  });
  const shown = rows.filter(([, , some]) => some);
  return (
    <section class="panel" aria-labelledby="counters-title">
      <header>
        <h2 id="counters-title">Link counters</h2>
        <span class="sub">{rows.length - shown.length} others are zero</span>
      </header>
      <dl class="counters">
        {shown.map(([name, text]) => (
          <div class="row" key={name}>
            <dt>{name.replace(/([A-Z])/g, " $1").toLowerCase()}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
