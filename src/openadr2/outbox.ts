import type { RandomPort } from "../ports/time.js";
import type { EventAnswer, ReportUpdate } from "./outbound.js";

export type Service = "EiRegisterParty" | "EiEvent" | "EiReport" | "EiOpt" | "OadrPoll";

/** What an answer to a message is to be read as. The first five are steps of the session, in order. */
export type Ask =
  "query" | "register" | "reports" | "events" | "poll" | "answer" | "update" | "opt" | "deregister";

/** Something to send. */
export interface Sending {
  readonly ask: Ask;
  readonly service: Service;
  readonly body: string;
  /** For `update`: the last report that it carries. */
  readonly last: ReportUpdate | undefined;
  /** For `opt`: what to say by oadrCreatedEvent where the server has no EiOpt. */
  readonly instead: EventAnswer | undefined;
  tries: number;
}

export function sending(
  ask: Ask,
  service: Service,
  body: string,
  last?: ReportUpdate,
  instead?: EventAnswer,
): Sending {
  return { ask, service, body, last, instead, tries: 0 };
}

/** An answer for each of 8 events, opts for each, and reports: more than this is a server gone wild. */
const MAX_WAITING = 24;

/** What waits to be sent before the next poll, first in first out; and the request ids. */
export class Outbox {
  /** How many were given up because too many waited. */
  overflows = 0;
  private readonly random: RandomPort;
  private waiting: Sending[] = [];
  private count = 0;

  constructor(random: RandomPort) {
    this.random = random;
  }

  get first(): Sending | undefined {
    return this.waiting[0];
  }

  has(one: Sending): boolean {
    return this.waiting.includes(one);
  }

  put(ask: Ask, service: Service, body: string, instead?: EventAnswer): Sending {
    const one = sending(ask, service, body, undefined, instead);
    if (this.waiting.length >= MAX_WAITING) {
      // Not the first: it may be on its way.
      this.waiting.splice(1, 1);
      this.overflows++;
    }
    this.waiting.push(one);
    return one;
  }

  drop(one: Sending): void {
    this.waiting = this.waiting.filter((other) => other !== one);
  }

  clear(): void {
    this.waiting = [];
  }

  /** Unique, and not to be guessed from the last one. */
  requestId(): string {
    this.count++;
    return `${this.random.uint32().toString(16).padStart(8, "0")}-${this.count.toString(16)}`;
  }
}
