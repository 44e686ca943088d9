import type { Page } from "playwright-core";
import { FrameViews } from "../../host-sim/bench/frame-views.js";
import type { FrameView, ToPage } from "../../host-sim/bench/messages.js";
import { startPageServer, type PageServer } from "../../host-sim/bench/page-server.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { launchChromium } from "../../test/page/chromium.js";
import type { Measure, Row } from "../measure.js";

const lines = 10_000;
const framesPerSecond = 50;
const phaseMs = 15_000;
/** What the main thread may be blocked for, ms, in 99 of 100 looks. */
const targetMs = 50;

/** Frames of a real conversation, with bytes, meaning, fields and gaps. */
async function conversation(): Promise<readonly FrameView[]> {
  const bench = new VirtualBench({ engine: nodeEngine(), seed: 1 });
  bench.sgd.plug();
  await bench.run(600_000);
  const views = new FrameViews();
  return bench.told.flatMap(({ atMs, event }) =>
    event.event === "frame" ? [views.view(event, bench.utcMs - bench.nowMs + atMs)] : [],
  );
}

/** Feeds a page as a bench does, with the line as busy as is asked. */
class Feed {
  sent = 0;
  readonly #frames: readonly FrameView[];
  #server: PageServer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #due = 0;

  constructor(frames: readonly FrameView[]) {
    this.#frames = frames;
  }

  async start(): Promise<string> {
    this.#server = await startPageServer({
      port: 0,
      greeting: () => [hello(Array.from({ length: lines }, () => this.#next()))],
      command: () => undefined,
    });
    const beganMs = performance.now();
    this.#timer = setInterval(() => {
      const due = Math.floor(((performance.now() - beganMs) / 1000) * framesPerSecond);
      for (; this.#due < due; this.#due++) {
        this.#server!.tell({ type: "frame", frame: this.#next() });
        if (this.#due % 5 === 0) this.#server!.tell(charger(this.#due));
        if (this.#due % 25 === 0) this.#server!.tell({ type: "sample", sample: sampleAt(this.#due) });
      }
    }, 1000 / framesPerSecond);
    return this.#server.url;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#server?.close();
  }

  #next(): FrameView {
    const n = ++this.sent;
    return { ...this.#frames[n % this.#frames.length]!, n, utcMs: Date.now() };
  }
}

function hello(frames: readonly FrameView[]): ToPage {
  return {
    ...{
      type: "hello",
      version: "0",
      runtime: "none",
      region: "us",
      seed: 1,
      vtnUrl: "",
      ownerUrl: "",
      ownerSecretFile: "",
    },
    ...{ chargers: 1, charger: 1, faults: [], scenarios: [], samples: [], frames },
  };
}

function sampleAt(n: number): Extract<ToPage, { readonly type: "sample" }>["sample"] {
  const currentA = 24 + 8 * Math.sin(n / 100);
  return { utcMs: Date.now(), powerW: currentA * 240, currentA, limitA: 32 };
}

function charger(n: number): ToPage {
  const { currentA, limitA, powerW } = sampleAt(n);
  return {
    type: "charger",
    charger: {
      ...{ opState: 1, opStateName: "Running Normal", currentA, limitA, powerW, contactor: "closed" },
      ...{
        plugged: true,
        override: false,
        energyWh: n,
        socPercent: 40,
        installerMaxA: 32,
        pilot: "C2, 53.3 %",
      },
      ...{ profile: "evse-level2-32a", fault: "" },
    },
  };
}

interface Blocking {
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
  readonly looks: number;
  /** Tasks of 50 ms and more, as the browser itself tells. */
  readonly longTasks: number;
}

/** Looks every 4 ms whether the main thread answers, and how much later than asked. */
async function blocking(page: Page, during: () => Promise<void>): Promise<Blocking> {
  await page.evaluate(`
    globalThis.lags = [];
    globalThis.longTasks = 0;
    globalThis.observer?.disconnect();
    globalThis.observer = new PerformanceObserver((list) => { longTasks += list.getEntries().length; });
    observer.observe({ type: "longtask" });
    globalThis.looking = true;
    const look = (asked) => {
      const now = performance.now();
      if (asked) lags.push(Math.max(0, now - asked - 4));
      if (looking) setTimeout(look, 4, performance.now());
    };
    look();
  `);
  await during();
  const { lags, longTasks } = (await page.evaluate("looking = false, ({ lags, longTasks })")) as {
    lags: number[];
    longTasks: number;
  };
  lags.sort((a, b) => a - b);
  const q = (part: number): number => lags[Math.min(lags.length - 1, Math.floor(part * lags.length))]!;
  return { p50: q(0.5), p99: q(0.99), most: q(1), looks: lags.length, longTasks };
}

const measure: Measure = {
  name: "page",
  about:
    "The bench's page in Chromium with 10,000 trace lines and 50 frames a second: how long its main thread does not answer. Looked at every 4 ms; `longtask` is Chromium's own count of tasks of 50 ms and more.",
  async run() {
    const feed = new Feed(await conversation());
    const url = await feed.start();
    const browser = await launchChromium();
    const rows: Row[] = [];
    try {
      const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
      await page.goto(url);
      await page.waitForFunction(
        "document.querySelector('.trace .sub')?.textContent.endsWith(' of 10000') || Number(document.querySelector('.trace .sub')?.textContent.split(' of ')[1]) > 10000",
      );
      const wait = (): Promise<void> => page.waitForTimeout(phaseMs);
      const add = async (name: string, during: () => Promise<void>): Promise<void> => {
        const { p50, p99, most, looks, longTasks } = await blocking(page, during);
        rows.push({
          ...{ name: `blocked, 99th percentile: ${name}`, value: Number(p99.toFixed(1)), unit: "ms" },
          ...{ target: `under ${targetMs} ms`, met: p99 < targetMs },
          conditions: `median ${p50.toFixed(1)} ms, most ${most.toFixed(0)} ms, ${looks} looks, ${longTasks} longtasks`,
        });
      };
      await add("following the newest line", wait);
      await page.getByLabel("link ACK and NAK").check();
      await add("with link answers", wait);
      await add("typing a search, then another", async () => {
        const find = page.getByLabel("Find in the trace");
        for (const words of ["commodity reply electricity", "06 00", "state running"]) {
          await find.fill("");
          await find.pressSequentially(words, { delay: 120 });
          await page.waitForTimeout(phaseMs / 5);
        }
        await find.fill("");
      });
      await add("scrolling through all lines", async () => {
        for (let i = 0; i < phaseMs / 100; i++) {
          await page.evaluate(
            `{ const e = document.querySelector('.trace .lines'); e.scrollTop = (e.scrollTop + 2400) % e.scrollHeight; }`,
          );
          await page.waitForTimeout(100);
        }
      });
      await page.getByRole("tab", { name: "Timing" }).click();
      await add("timing view", wait);
      const heap = (await page.evaluate("performance.memory?.usedJSHeapSize ?? 0")) as number;
      rows.push({
        ...{ name: "JavaScript heap of the page", value: Math.round(heap / 1e6), unit: "MB" },
        conditions: `after ${feed.sent} frames`,
      });
    } finally {
      await browser.close();
      await feed.close();
    }
    return rows;
  },
};
export default measure;
