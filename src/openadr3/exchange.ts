import { fault, type Fault } from "../base/fault.js";
import { httpFailure, httpStatusFault, parseHttpDate } from "../base/http-words.js";
import type { HttpEvent } from "../ports/http.js";
import { JsonStream, textOf, type Json } from "./json-stream.js";

export const SERVER = "the utility's server";

/** How an HTTP exchange ended. `status` 0: it did not come to an HTTP answer. */
export interface Outcome {
  readonly status: number;
  /** Undefined for success with a body that could be read, or with none. */
  readonly fault: Fault | undefined;
  /** The world refused to read on: the answer is larger than was allowed. */
  readonly tooLarge: boolean;
  /** The server asks not to be called again before so long, ms. */
  readonly retryAfterMs: number;
}

/** Longest time that a server may send us away for. */
const MAX_RETRY_AFTER_S = 3600;

/** One request and its answer, taken apart as it comes. */
export class Exchange {
  readonly id: number;
  /** Monotonic time after which the world is taken to have forgotten it. */
  readonly deadlineMs: number;
  /** The server's clock, once its answer has begun. */
  dateUtcMs: number | undefined;
  private status = 0;
  private bytes = 0;
  private retryAfterMs = 0;
  private readonly stream: JsonStream;
  private detail = "";

  /** `take` gets the elements of a successful answer, `undefined` for one that is too large. */
  constructor(id: number, deadlineMs: number, take: (value: Json | undefined, list: boolean) => void) {
    this.id = id;
    this.deadlineMs = deadlineMs;
    this.stream = new JsonStream((value) => {
      if (this.succeeded) take(value, this.stream.list);
      else if (this.detail === "") this.detail = wordsOf(value);
    });
  }

  /** Feeds an event of this request; gives the outcome when it is known. */
  take(event: HttpEvent): Outcome | undefined {
    switch (event.ev) {
      case "head":
        this.status = event.status;
        for (const [name, value] of event.headers) {
          if (name === "date") this.dateUtcMs = parseHttpDate(value);
          if (name === "retry-after" && /^\d{1,9}$/.test(value)) {
            this.retryAfterMs = Math.min(Number(value), MAX_RETRY_AFTER_S) * 1000;
          }
        }
        return undefined;
      case "data":
        this.bytes += event.bytes.length;
        this.stream.push(event.bytes);
        return undefined;
      case "end":
        return this.outcome(this.judge());
      case "failed":
        return this.outcome(
          httpFailure(event.reason, event.text, SERVER),
          event.reason === "too-large",
          // What came before does not count: nothing of a broken answer is used.
          0,
        );
    }
  }

  /** The answer was a list. */
  get list(): boolean {
    return this.stream.list;
  }

  private get succeeded(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  private judge(): Fault | undefined {
    const bad = this.bytes === 0 ? undefined : this.stream.end();
    if (this.succeeded) return bad;
    if (this.status === 0) return fault("server", "protocol", "The server's answer has no status.");
    const plain = httpStatusFault(this.status, SERVER);
    return this.detail === "" ? plain : { ...plain, text: `${plain.text} It says: ${this.detail}.` };
  }

  private outcome(bad: Fault | undefined, tooLarge = false, status = this.status): Outcome {
    return { status, fault: bad, tooLarge, retryAfterMs: this.retryAfterMs };
  }
}

/** What a problem object, or the error of a token endpoint, says. */
function wordsOf(value: Json | undefined): string {
  const said =
    textOf(value, "detail", 1000) || textOf(value, "error_description", 1000) || textOf(value, "title");
  return said.slice(0, 120).replace(/\.$/, "");
}
