import type { Ask, GridInterval } from "./event.js";

/**
 * The prices of a day in little memory: four numbers an interval, and intervals that read them when they are asked. An
 * interval with its ask as two objects takes three times as much in a JavaScript machine of 16-byte slots.
 */
export class PriceSeries {
  readonly intervals: GridInterval[];
  /** Offset, duration, relative and absolute price of each; NaN where a price is not known. One array, not four. */
  private readonly numbers: Float64Array;
  private currency = "";

  constructor(count: number) {
    this.numbers = new Float64Array(count * 4);
    const intervals: GridInterval[] = new Array<GridInterval>(count);
    for (let i = 0; i < count; i++) intervals[i] = new PriceInterval(this, i);
    this.intervals = intervals;
  }

  put(i: number, offsetMs: number, durationMs: number, price: Ask & { readonly ask: "price" }): void {
    const { numbers } = this;
    const at = i * 4;
    numbers[at] = offsetMs;
    numbers[at + 1] = durationMs;
    numbers[at + 2] = price.relative ?? NaN;
    numbers[at + 3] = price.absolute ?? NaN;
    this.currency = price.currency;
  }

  offsetMs(i: number): number {
    return this.numbers[i * 4]!;
  }

  durationMs(i: number): number {
    return this.numbers[i * 4 + 1]!;
  }

  ask(i: number): Ask {
    const known = (value: number): number | undefined => (Number.isNaN(value) ? undefined : value);
    return {
      ask: "price",
      relative: known(this.numbers[i * 4 + 2]!),
      absolute: known(this.numbers[i * 4 + 3]!),
      currency: this.currency,
    };
  }
}

class PriceInterval implements GridInterval {
  constructor(
    private readonly series: PriceSeries,
    private readonly index: number,
  ) {}

  get offsetMs(): number {
    return this.series.offsetMs(this.index);
  }

  get durationMs(): number {
    return this.series.durationMs(this.index);
  }

  get ask(): Ask {
    return this.series.ask(this.index);
  }
}
