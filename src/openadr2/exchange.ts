import { fault, isFault, type Fault } from "../base/fault.js";
import { httpFailure, httpStatusFault, parseHttpDate } from "../base/http-words.js";
import type { HttpEvent } from "../ports/http.js";
import { InboundReader } from "./inbound.js";
import type { VtnMessage } from "./messages.js";

export const SERVER = "the utility's server";

/** How an HTTP exchange ended. */
export type Outcome =
  | { readonly end: "message"; readonly message: VtnMessage }
  /** Success without a body, as servers answer to an oadrResponse. */
  | { readonly end: "empty" }
  /** `status` 0: it did not come to an HTTP answer. */
  | { readonly end: "fault"; readonly fault: Fault; readonly status: number };

/** One POST and its answer, read as it comes. */
export class Exchange {
  readonly id: number;
  /** Monotonic time after which the world is taken to have forgotten it. */
  readonly deadlineMs: number;
  /** The server's clock, once its answer has begun. */
  dateUtcMs: number | undefined;
  private status = 0;
  private bytes = 0;
  private reader: InboundReader | undefined;
  private fault: Fault | undefined;

  constructor(id: number, deadlineMs: number) {
    this.id = id;
    this.deadlineMs = deadlineMs;
  }

  /** Feeds an event of this request; gives the outcome when it is known. */
  take(event: HttpEvent): Outcome | undefined {
    switch (event.ev) {
      case "head": {
        this.status = event.status;
        const date = event.headers.find(([name]) => name === "date");
        if (date !== undefined) this.dateUtcMs = parseHttpDate(date[1]);
        if (event.status === 200) this.reader = new InboundReader();
        return undefined;
      }
      case "data":
        this.bytes += event.bytes.length;
        this.fault ??= this.reader?.push(event.bytes);
        return undefined;
      case "end":
        return this.end();
      case "failed":
        return { end: "fault", fault: httpFailure(event.reason, event.text, SERVER), status: this.status };
    }
  }

  private end(): Outcome {
    const status = this.status;
    if (status === 204 || (status === 200 && this.bytes === 0)) return { end: "empty" };
    if (this.reader === undefined) {
      const bad =
        status === 0
          ? fault("server", "protocol", "The server's answer has no status.")
          : httpStatusFault(status, SERVER);
      return { end: "fault", fault: bad, status };
    }
    const message = this.fault ?? this.reader.end();
    return isFault(message) ? { end: "fault", fault: message, status } : { end: "message", message };
  }
}
