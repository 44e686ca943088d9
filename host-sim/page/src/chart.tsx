import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Sample, UtilityEvent } from "../../bench/messages.js";

/** How much of the past the chart shows, seconds. */
const windowSeconds = 120;

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Shades the time of each event behind the curves. */
function shade(plot: uPlot, events: readonly UtilityEvent[]): void {
  const { ctx } = plot;
  const { left, top, width, height } = plot.bbox;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  for (const event of events) {
    if (event.status === "cancelled") continue;
    const from = plot.valToPos(event.startUtcMs / 1000, "x", true);
    const end = event.endUtcMs === null ? Date.now() + 3600_000 : event.endUtcMs;
    const to = plot.valToPos(end / 1000, "x", true);
    ctx.fillStyle = colour(`--event-${Math.min(3, event.level)}`);
    ctx.fillRect(from, top, to - from, height);
  }
  ctx.restore();
}

export function Chart(props: { samples: readonly Sample[]; events: readonly UtilityEvent[]; dark: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const events = useRef(props.events);
  events.current = props.events;

  useEffect(() => {
    const element = box.current!;
    const time = new Intl.DateTimeFormat(undefined, {
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hour12: false,
    });
    const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 } };
    const made = new uPlot(
      {
        width: element.clientWidth,
        height: 150,
        legend: { show: false },
        cursor: { drag: { x: false, y: false } },
        scales: {
          x: { time: true },
          A: { range: (_u, _min, max) => [0, Math.max(34, max * 1.1)] },
          kW: { range: (_u, _min, max) => [0, Math.max(10, max * 1.3)] },
        },
        axes: [
          { ...axis, space: 80, size: 26, values: (_u, marks) => marks.map((s) => time.format(s * 1000)) },
          { ...axis, scale: "A", label: "amperes", labelSize: 16, size: 48 },
          {
            ...axis,
            scale: "kW",
            side: 1,
            label: "kilowatts",
            labelSize: 16,
            size: 44,
            grid: { show: false },
          },
        ],
        series: [
          {},
          { label: "limit", scale: "A", stroke: colour("--muted"), dash: [5, 4], width: 1.5 },
          {
            label: "current",
            scale: "A",
            stroke: colour("--accent"),
            width: 2,
            fill: colour("--accent-soft"),
          },
          { label: "power", scale: "kW", stroke: colour("--module"), width: 1.5, dash: [2, 3] },
        ],
        hooks: { drawClear: [(u) => shade(u, events.current)] },
      },
      [[], [], [], []],
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: 150 }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [props.dark]);

  useEffect(() => {
    const now = (props.samples.at(-1)?.utcMs ?? Date.now()) / 1000;
    const shown = props.samples.filter((sample) => sample.utcMs / 1000 >= now - windowSeconds);
    plot.current?.setData(
      [
        shown.map((s) => s.utcMs / 1000),
        shown.map((s) => s.limitA),
        shown.map((s) => s.currentA),
        shown.map((s) => s.powerW / 1000),
      ],
      false,
    );
    plot.current?.setScale("x", { min: now - windowSeconds, max: now + windowSeconds / 6 });
  }, [props.samples, props.events, props.dark]);

  return (
    <div
      ref={box}
      class="chart"
      role="img"
      aria-label="Charging current, its limit and power over the last two minutes"
    />
  );
}
