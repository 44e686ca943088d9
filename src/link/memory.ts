import { isReply, replyTo } from "../wire/reply.js";
import { MessageType } from "../wire/message.js";
import type { LinkTiming } from "./timing.js";

/** What to do with a frame that may be the repetition of an earlier one. */
export type Verdict =
  | "new"
  /** A message again: acknowledged by the line, otherwise dropped. */
  | "duplicate"
  /** A message again whose reply did not arrive: dropped, but the reply is sent again. */
  | "repeat-response"
  /** A reply to a request that has its reply already. */
  | "duplicate-reply"
  /** A reply to a request that we had given up: worth delivering. */
  | "late-reply";

/**
 * What the link remembers to tell a repetition from news: the last message of the peer and what became of our
 * response, and the last request of ours that ended. An equal message is a repetition only while the peer has
 * shown no sign that it knows our answer, so that a peer which polls once a second is answered every time.
 * Pass-through and vendor types are never called repetitions: what they carry does that by itself.
 */
export class Memory {
  readonly #t: LinkTiming;
  #type = -1;
  #payload: Uint8Array | undefined;
  #endMs = 0;
  #wasReply = false;
  #response: "none" | "pending" | "acked" | "failed" = "none";
  /** Our link ACK of the last message has left; where it could not, a repetition is sure to come. */
  acknowledged = true;
  /** The response to the last message, while one is known. */
  responsePayload: Uint8Array | undefined;

  #doneType = -1;
  #donePayload: Uint8Array | undefined;
  #doneMs = 0;
  #doneOk = false;

  constructor(timing: LinkTiming) {
    this.#t = timing;
  }

  clear(): void {
    this.#payload = undefined;
    this.#donePayload = undefined;
    this.responsePayload = undefined;
  }

  /** A good frame that answers no waiting request. */
  judge(type: number, payload: Uint8Array, endMs: number): Verdict {
    if (this.#payload !== undefined && this.#type === type) {
      const owes = replyTo(type, payload) !== "none";
      // A third try may come when the second was lost. A state told again and again is news sooner.
      const windowMs = owes ? 2 * this.#t.duplicateMs : this.#t.duplicateMs;
      const recent = endMs - this.#endMs <= windowMs && type >> 8 === MessageType.Basic >> 8;
      if (recent && equal(this.#payload, payload)) {
        if (this.#wasReply) return "duplicate-reply";
        const failed = this.#response === "failed" || (this.#response === "acked" && !this.acknowledged);
        if (failed) return "repeat-response";
        if (this.#response !== "acked" || !owes) return "duplicate";
      }
    }
    const done = this.#donePayload;
    if (done !== undefined && this.#doneType === type && endMs - this.#doneMs <= this.#t.replyWaitMs) {
      if (isReply(type, done, payload)) {
        if (!this.#doneOk) return "late-reply";
        // A second, different state is news: the appliance may tell its state at any time.
        if (replyTo(type, done) !== "state") return "duplicate-reply";
      }
    }
    return "new";
  }

  /** A message or reply has been taken as new. */
  took(type: number, payload: Uint8Array, endMs: number, wasReply: boolean): void {
    this.#type = type;
    this.#payload = payload;
    this.#endMs = endMs;
    this.#wasReply = wasReply;
    this.#response = "none";
    this.responsePayload = undefined;
  }

  /** A response of ours to the last message was queued, acknowledged, or given up. */
  responded(state: "pending" | "acked" | "failed", type: number, payload: Uint8Array): void {
    const last = this.#payload;
    if (last === undefined || this.#wasReply || type !== this.#type) return;
    // A spontaneous state is owed nothing, but may be answered with an application ACK all the same.
    const owes = replyTo(type, last) !== "none";
    if (owes ? !isReply(type, last, payload) : payload[1] !== last[0]) return;
    this.#response = state;
    this.responsePayload = payload;
  }

  /** A request of ours ended. */
  ended(type: number, payload: Uint8Array, atMs: number, ok: boolean): void {
    this.#doneType = type;
    this.#donePayload = payload;
    this.#doneMs = atMs;
    this.#doneOk = ok;
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
