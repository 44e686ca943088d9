/** Counts of whole milliseconds: a histogram that costs the same for ten figures and ten million. */
export class Histogram {
  readonly #counts = new Map<number, number>();
  count = 0;

  add(ms: number): void {
    const bin = Math.round(ms);
    this.#counts.set(bin, (this.#counts.get(bin) ?? 0) + 1);
    this.count++;
  }

  /** The value that a part of all (0…1) does not exceed; undefined where there are none. */
  quantile(part: number): number | undefined {
    let left = Math.ceil(part * this.count);
    for (const [bin, n] of this.#sorted()) {
      left -= n;
      if (left <= 0) return bin;
    }
    return undefined;
  }

  /** How many lie within from … to, both included. */
  within(from: number, to: number): number {
    let sum = 0;
    for (const [bin, n] of this.#counts) if (bin >= from && bin <= to) sum += n;
    return sum;
  }

  /** Rows of `width` ms: where it starts, and how many. */
  rows(width: number): readonly (readonly [fromMs: number, count: number])[] {
    const rows = new Map<number, number>();
    for (const [bin, n] of this.#sorted()) {
      const from = Math.floor(bin / width) * width;
      rows.set(from, (rows.get(from) ?? 0) + n);
    }
    return [...rows];
  }

  #sorted(): [number, number][] {
    return [...this.#counts].sort((a, b) => a[0] - b[0]);
  }
}
