import { NEVER } from "../ports/time.js";
import type { LinkEvent } from "./messages.js";

/** A message of ours on its way. */
export interface Outgoing {
  /** {@link OWN} for what the link sends by itself: nobody is told how it ended. */
  readonly id: number;
  /** `bit-rate` asks for a rate; `verify` is the type query that tries the new one. */
  readonly role: "request" | "respond" | "bit-rate" | "verify";
  readonly type: number;
  readonly payload: Uint8Array;
  /** Times that it went out. */
  tries: number;
  notBeforeMs: number;
  /** Nobody wants it any more: not tried again. */
  dropped: boolean;
}

/** Id of messages that the link sends for itself. */
export const OWN = -1;
/** Longest queue of each kind; more is answered with `cancelled`. */
const MAX_QUEUE = 32;
/** A command that cannot be taken is refused after so long: whoever asks again at once must not spin. */
const REFUSAL_MS = 10;

/**
 * The two queues of a link, replies and requests, and what a command has to tell its sender, which is kept
 * until the next poll because commands never emit.
 */
export class Outbox {
  readonly #requests: Outgoing[] = [];
  readonly #responds: Outgoing[] = [];
  #later: LinkEvent[] = [];
  laterMs = NEVER;

  /** The first reply, and the first request. */
  get respond(): Outgoing | undefined {
    return this.#responds[0];
  }
  get request(): Outgoing | undefined {
    return this.#requests[0];
  }

  #queue(role: Outgoing["role"]): Outgoing[] {
    return role === "respond" ? this.#responds : this.#requests;
  }

  /** Queues a message, or refuses it where the queue is full. */
  add(id: number, role: Outgoing["role"], type: number, payload: Uint8Array, nowMs: number): void {
    const queue = this.#queue(role);
    if (queue.length >= MAX_QUEUE) this.refuse(id, nowMs);
    else queue.push({ id, role, type, payload, tries: 0, notBeforeMs: 0, dropped: false });
  }

  /** Puts a message before all others of its kind. */
  putFirst(o: Outgoing): void {
    this.#queue(o.role).unshift(o);
  }

  /** Takes the first message of its kind out. */
  take(o: Outgoing): void {
    this.#queue(o.role).shift();
  }

  /** A command cannot be carried out at all. */
  refuse(id: number, nowMs: number): void {
    this.#cancelled(id, 0, nowMs + REFUSAL_MS);
  }

  /** Ends replies that have gone out before and wait for another try. */
  dropOldReplies(nowMs: number): void {
    for (let o = this.respond; o !== undefined && o.tries > 0; o = this.respond) {
      this.take(o);
      this.cancel(o, nowMs);
    }
  }

  /** Ends a request that waits, for its first try or another one. */
  dropRequest(id: number, nowMs: number): void {
    const at = this.#requests.findIndex((o) => o.id === id);
    if (at >= 0) this.#requests.splice(at, 1).forEach((o) => this.cancel(o, nowMs));
  }

  /** A message that is in no queue any more ends as cancelled; told at the next poll. */
  cancel(o: Outgoing, nowMs: number): void {
    this.#cancelled(o.id, o.tries, nowMs);
  }

  /** Everything queued, and what is under way, ends as cancelled. */
  cancelAll(nowMs: number, ...underWay: (Outgoing | undefined)[]): void {
    for (const o of [...underWay, ...this.#responds, ...this.#requests]) {
      if (o !== undefined) this.#cancelled(o.id, o.tries, nowMs);
    }
    this.#responds.length = 0;
    this.#requests.length = 0;
  }

  tellLater(e: LinkEvent, atMs: number): void {
    this.#later.push(e);
    this.laterMs = Math.min(this.laterMs, atMs);
  }

  /** What was to be told, once. */
  takeLater(): readonly LinkEvent[] {
    const later = this.#later;
    this.#later = [];
    this.laterMs = NEVER;
    return later;
  }

  #cancelled(id: number, tries: number, atMs: number): void {
    if (id === OWN) return;
    this.tellLater({ ev: "result", id, outcome: "cancelled", nak: -1, reply: undefined, tries, atMs }, atMs);
  }
}
