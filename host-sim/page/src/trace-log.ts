import type { FrameView } from "../../bench/messages.js";

export interface TraceFilter {
  readonly text: string;
  readonly from: "both" | "module" | "charger";
  /** Link ACK and NAK too. */
  readonly answers: boolean;
  /** Only what has a fault. */
  readonly bad: boolean;
}

export const noFilter: TraceFilter = { text: "", from: "both", answers: false, bad: false };

interface Entry {
  readonly frame: FrameView;
  /** What a search looks in, lower case; made when one first looks. */
  key: string | undefined;
}

/** Frames that are kept; a tenth more may be held, so that the old are dropped in blocks. */
const keep = 10_000;
const slack = keep / 10;

/**
 * The frames of the line and those of them that pass the filter. A frame that comes costs one look, however many
 * there are; only a new filter looks at all of them. `version` changes whenever `shown` does.
 */
export class TraceLog {
  version = 0;
  #entries: Entry[] = [];
  #shown: FrameView[] = [];
  #filter = noFilter;
  #words: readonly string[] = [];

  get shown(): readonly FrameView[] {
    return this.#shown;
  }

  get count(): number {
    return this.#entries.length;
  }

  get filter(): TraceFilter {
    return this.#filter;
  }

  /** The newest, filtered or not, at most so many; oldest first. */
  newest(count: number): readonly FrameView[] {
    return this.#entries.slice(-count).map((entry) => entry.frame);
  }

  reset(frames: readonly FrameView[]): void {
    this.#entries = frames.map((frame) => ({ frame, key: undefined }));
    this.#again();
  }

  add(frame: FrameView): void {
    const entry: Entry = { frame, key: undefined };
    this.#entries.push(entry);
    if (this.#passes(entry)) this.#shown.push(frame);
    if (this.#entries.length > keep + slack) this.#dropOld();
    this.version++;
  }

  setFilter(filter: TraceFilter): void {
    this.#filter = filter;
    this.#words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
    this.#again();
  }

  #again(): void {
    this.#shown = this.#entries.filter((entry) => this.#passes(entry)).map((entry) => entry.frame);
    this.version++;
  }

  #dropOld(): void {
    this.#entries.splice(0, this.#entries.length - keep);
    const first = this.#entries[0]!.frame.n;
    const at = this.#shown.findIndex((frame) => frame.n >= first);
    this.#shown.splice(0, at < 0 ? this.#shown.length : at);
  }

  #passes(entry: Entry): boolean {
    const { frame } = entry;
    const filter = this.#filter;
    if (filter.bad && frame.fault === "") return false;
    if (!filter.answers && frame.hex.length <= 5 && frame.fault === "") return false;
    if (filter.from !== "both" && frame.from !== filter.from) return false;
    if (this.#words.length === 0) return true;
    entry.key ??= `${frame.text} ${frame.hex} ${frame.fault}`.toLowerCase();
    return this.#words.every((word) => entry.key!.includes(word));
  }
}
