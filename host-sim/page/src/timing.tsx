import type { FrameView } from "../../bench/messages.js";
import { Row } from "./parts.js";
import type { TraceLog } from "./trace-log.js";

/** How many of the newest frames count. */
const newest = 600;

interface Lane {
  readonly name: string;
  readonly fits: (frame: FrameView) => boolean;
  /** The legal window, ms (CTA-2045 tMA and tAR). */
  readonly from: number;
  readonly to: number;
  readonly scaleMs: number;
}

const toAck = { from: 40, to: 200, scaleMs: 320 };
const toReply = { from: 100, to: 3000, scaleMs: 3600 };

const lanes: readonly Lane[] = [
  { name: "module: to ACK", fits: (f) => f.kind === "answer" && f.from === "module", ...toAck },
  { name: "charger: to ACK", fits: (f) => f.kind === "answer" && f.from === "charger", ...toAck },
  { name: "module: ACK to reply", fits: (f) => f.kind === "reply" && f.from === "module", ...toReply },
  { name: "charger: ACK to reply", fits: (f) => f.kind === "reply" && f.from === "charger", ...toReply },
];

const bins = 64;

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}

/** How often each gap came, against the window that the standard allows. */
function Distribution(props: { lane: Lane; frames: readonly FrameView[] }) {
  const { lane } = props;
  const gaps = props.frames
    .flatMap((f) => (f.gapMs !== null && lane.fits(f) ? [f.gapMs] : []))
    .sort((a, b) => a - b);
  const out = gaps.filter((gap) => gap < lane.from || gap > lane.to).length;
  const x = (ms: number): number => (Math.min(ms, lane.scaleMs) / lane.scaleMs) * 640;
  const counts = new Array<number>(bins).fill(0);
  const wrong = new Set<number>();
  for (const gap of gaps) {
    const bin = Math.min(bins - 1, Math.floor((gap / lane.scaleMs) * bins));
    counts[bin]!++;
    if (gap < lane.from || gap > lane.to) wrong.add(bin);
  }
  const most = Math.max(1, ...counts);
  const figure = (part: number): string =>
    gaps.length === 0 ? "–" : `${Math.round(quantile(gaps, part))} ms`;
  return (
    <tr>
      <th scope="row">
        {lane.name}
        <small>
          {lane.from} to {lane.to} ms
        </small>
      </th>
      <td class="plot">
        <svg
          viewBox="0 0 640 56"
          preserveAspectRatio="none"
          role="img"
          aria-label={`${lane.name}: ${gaps.length} gaps, ${out} outside ${lane.from} to ${lane.to} ms`}
        >
          <rect x={x(lane.from)} y="0" width={x(lane.to) - x(lane.from)} height="56" class="legal" />
          {counts.map((n, i) => {
            if (n === 0) return null;
            const height = 4 + (n / most) * 50;
            return (
              <rect
                key={i}
                x={(i * 640) / bins + 1}
                width={640 / bins - 2}
                y={56 - height}
                height={height}
                class={wrong.has(i) ? "bin out" : "bin"}
              />
            );
          })}
          <line x1={x(lane.from)} x2={x(lane.from)} y1="0" y2="56" class="limit" />
          <line x1={x(lane.to)} x2={x(lane.to)} y1="0" y2="56" class="limit" />
        </svg>
        <div class="scale" aria-hidden="true">
          {[lane.from, lane.to].map((ms) => (
            <span key={ms} style={{ left: `${(ms / lane.scaleMs) * 100}%` }}>
              {ms}
            </span>
          ))}
        </div>
      </td>
      <td class="num" data-name="Count">
        {gaps.length}
      </td>
      <td class="num" data-name="Least">
        {figure(0)}
      </td>
      <td class="num" data-name="Median">
        {figure(0.5)}
      </td>
      <td class="num" data-name="Most">
        {figure(1)}
      </td>
      <td class={out > 0 ? "num fault" : "num"} data-name="Outside">
        {gaps.length === 0 ? "–" : out}
      </td>
    </tr>
  );
}

/** Gaps on the line against their limits. */
export function Timing(props: { log: TraceLog }) {
  const frames = props.log.newest(newest);
  return (
    <div class="timing">
      <p class="sub">
        The silence before each link answer and each reply, of the last {frames.length} frames. The shaded
        window is what the standard allows.
      </p>
      <div class="lines auto" tabIndex={0} role="region" aria-label="Gaps on the line">
        <table>
          <thead>
            <tr>
              <th scope="col">Gap</th>
              <th scope="col">How often</th>
              <th scope="col">Count</th>
              <th scope="col">Least</th>
              <th scope="col">Median</th>
              <th scope="col">Most</th>
              <th scope="col">Outside</th>
            </tr>
          </thead>
          <tbody>
            {lanes.map((lane) => (
              <Distribution key={lane.name} lane={lane} frames={frames} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

const groups: readonly (readonly [string, RegExp])[] = [
  ["What went over the line", /^(frames(Sent|Received)|bytes|acks|requests|naks)/],
  ["What went wrong on it", /(Timeout|Error|Long|bad|resync|collision|Missing|lost|unplug|dropped|stray)/i],
  ["What was odd, and taken all the same", /./],
];

/** What the link has counted, grouped; what is zero stands small. */
export function Counters(props: { counters: Readonly<Record<string, unknown>> }) {
  const left = new Map(
    Object.entries(props.counters).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(" ") : String(value),
    ]),
  );
  return (
    <div class="counters">
      {groups.map(([title, fits]) => {
        const rows = [...left].filter(([name]) => fits.test(name));
        for (const [name] of rows) left.delete(name);
        const zero = rows.filter(([, text]) => !/[1-9]/.test(text));
        return (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {rows
                .filter(([, text]) => /[1-9]/.test(text))
                .map(([name, text]) => (
                  <Row name={spaced(name)} key={name}>
                    {text}
                  </Row>
                ))}
            </dl>
            {zero.length > 0 && <p class="sub">Zero: {zero.map(([name]) => spaced(name)).join(", ")}.</p>}
          </section>
        );
      })}
    </div>
  );
}

function spaced(name: string): string {
  return name.replace(/([A-Z])/g, " $1").toLowerCase();
}
