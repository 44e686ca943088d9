import { movesLoad } from "./asks.js";
import type { Ask, GridEvent } from "./event.js";
import type { Outlook } from "./intent.js";

/** Gathers what stands beside the intent: the price and guidance in force, and the next event. */
export class OutlookMaker {
  private price: { event: GridEvent; index: number; endsMs: number } | undefined;
  private guide: { event: GridEvent; level: 0 | 1 | 2 } | undefined;
  private next: Outlook["next"];

  /** An event that begins at `atMs`. */
  waiting(event: GridEvent, atMs: number): void {
    const ask: Ask | undefined = event.intervals[0]?.ask;
    if (ask === undefined || !movesLoad(ask)) return;
    if (this.next === undefined || atMs < this.next.atMs) this.next = { ask, atMs, source: event.source };
  }

  /** An interval that runs until `endsMs` and moves no load. */
  running(event: GridEvent, index: number, endsMs: number): void {
    const ask = event.intervals[index]!.ask;
    if (ask.ask === "price" && (this.price === undefined || precedes(event, this.price.event))) {
      this.price = { event, index, endsMs };
    }
    if (ask.ask === "guidance" && (this.guide === undefined || precedes(event, this.guide.event))) {
      this.guide = { event, level: ask.level };
    }
  }

  answer(): Outlook {
    const { price, guide, next } = this;
    const now = price?.event.intervals[price.index]?.ask;
    const then = price?.event.intervals[price.index + 1]?.ask;
    return {
      price:
        price === undefined || now?.ask !== "price"
          ? undefined
          : {
              relative: now.relative,
              endsAtMs: price.endsMs === Infinity ? undefined : price.endsMs,
            },
      nextPrice: then?.ask === "price" ? { relative: then.relative } : undefined,
      guidance: guide?.level,
      next,
    };
  }
}

/** Of two prices or hints at once: the higher rank, then the later made, then by name. */
function precedes(a: GridEvent, b: GridEvent): boolean {
  if (a.rank !== b.rank) return a.rank > b.rank;
  if (a.createdUtcMs !== b.createdUtcMs) return a.createdUtcMs > b.createdUtcMs;
  return a.source !== b.source ? a.source < b.source : a.id < b.id;
}
