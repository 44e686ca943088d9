import type { Programme } from "./events.js";
import { get, type Intake, type Sending } from "./requests.js";
import { percent } from "./token.js";

/** Events asked for at a time; halved where an answer is too large. */
const PAGE = 8;
/** Pages of a sweep: more is a server that never ends. */
const MAX_PAGES = 64;

/** Walks through all events that are of interest, page by page; only a whole sweep says what is absent. */
export class Sweep {
  /** Ask for active events only; some servers do not know the question. */
  active = true;
  private queries: readonly string[] = [""];
  private query = 0;
  private pages = 0;
  private skip = 0;
  private limit = PAGE;
  private again = false;

  /** `programmes`: undefined = all. */
  begin(programmes: readonly Programme[] | undefined, targets: readonly string[], again = false): void {
    const targeted = targets.map((target) => `targets=${percent(target)}`).join("&");
    const queries: string[] = [];
    for (const one of programmes?.map(({ id }) => `programID=${percent(id)}&`) ?? [""]) {
      queries.push(one);
      // Without our targets a server may leave out what is for them.
      if (targeted !== "") queries.push(`${one}${targeted}&`);
    }
    this.queries = queries;
    this.query = 0;
    this.pages = 0;
    this.skip = 0;
    this.again = again;
  }

  request(base: string): Sending {
    const active = this.active ? "&active=true" : "";
    const page = `skip=${String(this.skip)}&limit=${String(this.limit)}`;
    return get("events", `${base}/events?${this.queries[this.query] ?? ""}${page}${active}`);
  }

  /**
   * A page is in. `again`: something that was there before is missing, and events may have moved between pages:
   * what is missing must be missing twice.
   */
  page(intake: Intake, misses: boolean): "more" | "again" | "whole" {
    this.skip += intake.count;
    this.pages++;
    if (intake.count === this.limit && this.pages < MAX_PAGES) return "more";
    this.skip = 0;
    if (++this.query < this.queries.length && this.pages < MAX_PAGES) return "more";
    if (misses && !this.again && this.pages > this.queries.length) return "again";
    this.limit = Math.min(PAGE, this.limit * 2);
    return "whole";
  }

  /** The answer was too large: fewer at a time. False where it was one alone, which is then passed over. */
  halve(): boolean {
    if (this.limit > 1) {
      this.limit = Math.floor(this.limit / 2);
      return true;
    }
    this.skip++;
    this.pages++;
    return false;
  }

  /** So many pages that the server never ends. */
  get endless(): boolean {
    return this.pages >= MAX_PAGES;
  }
}
