import type { Json } from "./json-stream.js";

export type Ask =
  | "auth"
  | "token"
  | "programs"
  | "find-ven"
  | "make-ven"
  | "find-resource"
  | "make-resource"
  | "events"
  | "report"
  | "notifiers"
  | "topics"
  | "find-hook"
  | "drop-hook"
  | "make-hook"
  | "leave";

/** Something to send. */
export interface Sending {
  readonly ask: Ask;
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  readonly body: string | undefined;
}

/** What came with an answer, gathered while it arrived. */
export interface Intake {
  count: number;
  /** Elements that are larger than this module reads. */
  oversize: number;
  /** An element is not what it should be. */
  strange: boolean;
  /** The answer itself where it is no list. */
  value: Json | undefined;
}

export function get(ask: Ask, url: string): Sending {
  return { ask, method: "GET", url, body: undefined };
}

export function post(ask: Ask, url: string, body: string): Sending {
  return { ask, method: "POST", url, body };
}

/** True for what is answered by a list. */
export function wantsList(ask: Ask): boolean {
  return ["programs", "events", "find-ven", "find-resource", "find-hook"].includes(ask);
}
