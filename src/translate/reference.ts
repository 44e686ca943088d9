/**
 * The dynamic reference value: the mean power of the 5 min before an event (S4 985). It is taken once, when the
 * event begins, and kept as long as the event lasts; taken again during it, a 50 % limit would halve itself
 * over and over.
 */
import type { SgdStatus } from "../ports/sgd-status.js";

const WINDOW_MS = 300_000;
/** Enough for a reading every 5 s; older ones are thinned out beyond that. */
const MOST_SAMPLES = 64;

interface Sample {
  readonly atMs: number;
  readonly powerW: number;
}

export class LoadReference {
  #samples: Sample[] = [];
  #event = "";
  #meanW: number | undefined;

  /** Takes note of a power reading; a status without a new one changes nothing. */
  onStatus(status: SgdStatus): void {
    const { powerW, meteredAtMs: atMs } = status;
    if (powerW === undefined || this.#samples[this.#samples.length - 1]?.atMs === atMs) return;
    const fromMs = atMs - WINDOW_MS;
    this.#samples = this.#samples.filter((sample) => sample.atMs >= fromMs);
    if (this.#samples.length >= MOST_SAMPLES) this.#samples.splice(1, 1);
    this.#samples.push({ atMs, powerW });
  }

  /**
   * The reference for an event, watts: the time-weighted mean before it was first asked for by this name;
   * undefined where nothing was metered then.
   */
  meanFor(event: string, nowMs: number): number | undefined {
    if (event !== this.#event) {
      this.#event = event;
      this.#meanW = this.#mean(nowMs);
    }
    return this.#meanW;
  }

  #mean(nowMs: number): number | undefined {
    const fromMs = nowMs - WINDOW_MS;
    let energy = 0;
    let timeMs = 0;
    const recent = this.#samples.filter((sample) => sample.atMs >= fromMs && sample.atMs <= nowMs);
    recent.forEach((sample, i) => {
      const untilMs = recent[i + 1]?.atMs ?? nowMs;
      energy += sample.powerW * (untilMs - sample.atMs);
      timeMs += untilMs - sample.atMs;
    });
    return timeMs > 0 ? energy / timeMs : recent[0]?.powerW;
  }
}
