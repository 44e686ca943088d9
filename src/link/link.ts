/**
 * Exchanges with the peer over a half-duplex frame line, for both sides of it: one message at a time, link
 * ACK awaited, retried where that can help, application reply awaited where one is due; the peer's messages
 * delivered once. The same class serves the module and a charger.
 *
 * It guarantees: every `request`, `respond`, `bit-rate` and `query-max-payload` ends in exactly one result,
 * whatever the line does; `command` never emits (results come from `poll` and `onLine`); time is a parameter.
 * Limits and their sources: timing.ts. Behaviour towards the peer: docs/protocol/cta2045.md 2.3–2.6, 6, 13.
 */
import type { FrameLine, FrameLineEvent } from "../ports/line.js";
import { NEVER, type RandomPort } from "../ports/time.js";
import { emitAnswer, emitFrame, FRAME_OVERHEAD } from "../wire/frame.js";
import { DataLinkOp, MessageType, NakCode } from "../wire/message.js";
import { isReply, replyTo } from "../wire/reply.js";
import { countNoise, newCounters, type LinkCounters } from "./counters.js";
import { Limits } from "./limits.js";
import { Memory } from "./memory.js";
import type { FrameTrace, LinkCommand, LinkEvent, LinkOutcome } from "./messages.js";
import { Outbox, OWN, type Outgoing } from "./outbox.js";
import { airMs, linkTiming, type LinkTiming } from "./timing.js";

export interface LinkOptions {
  readonly line: FrameLine;
  readonly random: RandomPort;
  readonly emit: (e: LinkEvent) => void;
  readonly timing?: LinkTiming;
  readonly trace?: (t: FrameTrace) => void;
  readonly counters?: LinkCounters;
  /** Message types supported until a `support` command says otherwise. */
  readonly types?: readonly number[];
  /** Longest payload that we can take, bytes; 512 if not given. */
  readonly maxPayload?: number;
  /** Bit n set: our line can run at bit-rate code n. Default 1: 19,200 bit/s alone. */
  readonly bitRates?: number;
}

/** Time beyond hold and air in which a frame line says `sent` or `unsent`. */
const LINE_SLACK_MS = 3000;

export class Link {
  readonly counters: LinkCounters;
  readonly #o: LinkOptions;
  readonly #t: LinkTiming;
  readonly #limits: Limits;
  readonly #memory: Memory;

  readonly #outbox = new Outbox();
  /** Inside `command`, which must not emit. */
  #quiet = false;

  /** Handed to the line, `sent` not yet told (`#sending`), or awaiting its ACK until `#txUntilMs`. */
  #tx: Outgoing | undefined;
  #sending = false;
  #txUntilMs = NEVER;
  #sentMs = 0;
  /** The line has a frame of ours, whether we still want it or not. */
  #lineBusyUntilMs = 0;
  #frame: Uint8Array = new Uint8Array(0);
  /** An answer that came before `sent` was told. */
  #early: { readonly code: number; readonly atMs: number } | undefined;
  /** Acknowledged, awaiting its application reply. */
  #waiting: Outgoing | undefined;
  #replyByMs = NEVER;
  /** A message of the peer that is owed a reply. */
  #owed: { readonly type: number; readonly payload: Uint8Array } | undefined;
  #owedUntilMs = NEVER;
  /** No message of ours before. */
  #freeMs = 0;
  /** End of our last link answer: replies count from there. */
  #answeredMs = 0;
  /** Bit-rate code to switch to when our ACK has left; −1: none. */
  #switchTo = -1;
  #heard = false;
  #validMs = 0;
  #carrier = true;

  constructor(options: LinkOptions) {
    this.#o = options;
    this.#t = options.timing ?? linkTiming();
    this.counters = options.counters ?? newCounters();
    this.#memory = new Memory(this.#t);
    this.#limits = new Limits({
      line: options.line,
      timing: this.#t,
      counters: this.counters,
      emit: (e) => {
        if (this.#quiet) this.#outbox.tellLater(e, e.atMs);
        else options.emit(e);
      },
      types: options.types ?? [MessageType.Basic, MessageType.Intermediate, MessageType.DataLink],
      maxPayload: options.maxPayload ?? 512,
      bitRates: options.bitRates ?? 1,
    });
  }

  /** Takes a command. Never emits: after it, `nextMs()` tells when to poll (at once, as a rule). */
  command(c: LinkCommand, nowMs: number): void {
    switch (c.cmd) {
      case "request":
        this.#queue(c.id, "request", c.type, c.payload, nowMs);
        break;
      case "respond":
        this.#memory.responded("pending", c.type, c.payload);
        this.#queue(c.id, "respond", c.type, c.payload, nowMs);
        break;
      case "query-max-payload":
        this.#dataLink(c.id, "request", DataLinkOp.QueryMaxPayload, 0, nowMs);
        break;
      case "bit-rate":
        if (this.#limits.canRun(c.code)) this.#dataLink(c.id, "bit-rate", DataLinkOp.BitRate, c.code, nowMs);
        else this.#outbox.refuse(c.id, nowMs);
        break;
      case "drop":
        if (this.#tx?.id === c.id) this.#tx.dropped = true;
        else this.#outbox.dropRequest(c.id, nowMs);
        break;
      case "support":
        this.#limits.support(c.types);
        break;
      case "reset":
        this.#quiet = true;
        this.#cancelAll(nowMs);
        this.#limits.defaults(nowMs);
        this.#quiet = false;
        break;
    }
  }

  /** What the frame line has to say. */
  onLine(e: FrameLineEvent, nowMs: number): void {
    switch (e.ev) {
      case "frame":
        this.#onFrame(e.type, e.payload, e.endMs, e.answer);
        break;
      case "answer":
        this.#onAnswer(e.code, e.atMs);
        break;
      case "sent":
        this.#onSent(e.atMs);
        break;
      case "unsent":
        this.#onUnsent(e.why, e.atMs);
        break;
      case "answered":
        this.#onAnswered(e.code, e.atMs);
        break;
      case "noise":
        this.#onNoise(e.fault, e.bytes, e.atMs);
        break;
      case "carrier":
        this.#onCarrier(e.on, nowMs);
        break;
    }
    this.poll(nowMs);
  }

  /** Lets time pass; sends what is due. */
  poll(nowMs: number): void {
    if (nowMs >= this.#outbox.laterMs) for (const e of this.#outbox.takeLater()) this.#o.emit(e);
    if (this.#heard && nowMs - this.#validMs >= this.#t.silenceMs) this.#onSilence(nowMs);
    if (nowMs >= this.#limits.trialUntilMs) this.#limits.fallBack(nowMs);
    if (this.#tx !== undefined && nowMs >= this.#txUntilMs) {
      if (this.#sending) {
        this.counters.sendTimeouts++;
        this.#lineBusyUntilMs = 0;
      } else {
        this.counters.ackTimeouts++;
      }
      this.#again(this.#tx, "no-ack", -1, nowMs);
    }
    if (this.#waiting !== undefined && nowMs >= this.#replyByMs) {
      this.counters.replyTimeouts++;
      this.#end(this.#waiting, "no-reply", -1, undefined, nowMs);
    }
    if (nowMs >= this.#owedUntilMs) this.#clearOwed();
    this.#sendNext(nowMs);
  }

  /** When to poll next; a time that has passed means now. */
  nextMs(): number {
    let next = Math.min(this.#outbox.laterMs, this.#limits.trialUntilMs, this.#owedUntilMs);
    if (this.#heard) next = Math.min(next, this.#validMs + this.#t.silenceMs);
    if (this.#waiting !== undefined) next = Math.min(next, this.#replyByMs);
    if (this.#tx !== undefined) return Math.min(next, this.#txUntilMs);
    const o = this.#candidate();
    return o === undefined ? next : Math.min(next, this.#readyMs(o));
  }

  // ---- sending

  #dataLink(id: number, role: Outgoing["role"], op: number, arg: number, nowMs: number): void {
    this.#queue(id, role, MessageType.DataLink, new Uint8Array([op, arg]), nowMs);
  }

  #queue(id: number, role: Outgoing["role"], type: number, payload: Uint8Array, nowMs: number): void {
    if (this.#carrier) this.#outbox.add(id, role, type, payload, nowMs);
    else this.#outbox.refuse(id, nowMs);
  }

  /** What would go out next: replies first; requests only while nobody owes anybody anything. */
  #candidate(): Outgoing | undefined {
    const respond = this.#outbox.respond;
    if (respond !== undefined) return respond;
    return this.#waiting === undefined && this.#owed === undefined ? this.#outbox.request : undefined;
  }

  #readyMs(o: Outgoing): number {
    let ready = Math.max(this.#freeMs, o.notBeforeMs, this.#lineBusyUntilMs);
    if (o.role === "respond") {
      let delayMs = this.#t.replyDelayMs;
      for (const d of this.#t.replyDelays)
        if (d.type === o.type && d.op === o.payload[0]) delayMs = d.delayMs;
      ready = Math.max(ready, this.#answeredMs + delayMs);
    }
    return ready;
  }

  #sendNext(nowMs: number): void {
    while (this.#tx === undefined) {
      const o = this.#candidate();
      if (o === undefined || nowMs < this.#readyMs(o)) return;
      this.#outbox.take(o);
      const limit = o.role === "respond" ? this.#limits.replyPayload : this.#limits.sendPayload;
      if (o.payload.length > limit) {
        this.#end(o, "too-long", -1, undefined, nowMs);
        continue;
      }
      o.tries++;
      const frame = emitFrame(o.type, o.payload);
      this.#frame = frame;
      this.#tx = o;
      this.#sending = true;
      this.#early = undefined;
      const air = airMs(frame.length, this.#limits.bitsPerSecond);
      this.#txUntilMs = nowMs + this.#t.holdMaxMs + air + LINE_SLACK_MS;
      this.#lineBusyUntilMs = this.#txUntilMs;
      this.#o.line.sendFrame(frame);
    }
  }

  #onUnsent(why: "received" | "busy", atMs: number): void {
    this.#lineBusyUntilMs = 0;
    const o = this.#tx;
    if (why === "busy") this.counters.sendTimeouts++;
    if (o === undefined) return;
    if (why === "busy") return this.#again(o, "no-ack", -1, atMs);
    o.tries--;
    if (o.dropped || (o.tries > 0 && this.#isOld(o))) return this.#drop(o, atMs);
    this.#tx = undefined;
    this.#outbox.putFirst(o);
  }

  /** True for a reply to something older than what the peer waits for now. */
  #isOld(o: Outgoing): boolean {
    const owed = this.#owed;
    return o.role === "respond" && owed !== undefined && !answersTo(owed, o);
  }

  #drop(o: Outgoing, atMs: number): void {
    this.#tx = undefined;
    this.#outbox.cancel(o, atMs);
  }

  #onSent(atMs: number): void {
    this.#lineBusyUntilMs = 0;
    this.#freeMs = Math.max(this.#freeMs, atMs + this.#t.gapMs);
    this.counters.framesSent++;
    this.counters.bytesSent += this.#frame.length;
    this.#o.trace?.({ dir: "tx", bytes: this.#frame, atMs, fault: "" });
    const o = this.#tx;
    if (o === undefined || !this.#sending) return;
    this.#sending = false;
    this.#sentMs = atMs;
    this.#txUntilMs = atMs + this.#t.ackWaitMs;
    const early = this.#early;
    this.#early = undefined;
    if (early === undefined) return;
    // `sent` may be told late, so an answer may be told first; one from before our last bit is not for us.
    if (early.atMs >= atMs) this.#answerFor(o, early.code, early.atMs);
    else this.counters.strayAnswers++;
  }

  #onAnswer(code: number, atMs: number): void {
    const c = this.counters;
    c.bytesReceived += 2;
    if (code < 0) c.acksReceived++;
    else c.naksReceived[code] = (c.naksReceived[code] ?? 0) + 1;
    this.#o.trace?.({ dir: "rx", bytes: emitAnswer(code), atMs, fault: "" });
    this.#freeMs = Math.max(this.#freeMs, atMs + this.#t.gapMs + this.#t.turnMs);
    const o = this.#tx;
    if (o === undefined) c.strayAnswers++;
    else if (this.#sending) this.#early = { code, atMs };
    else this.#answerFor(o, code, atMs);
  }

  #answerFor(o: Outgoing, code: number, atMs: number): void {
    this.#valid(atMs);
    if (code === NakCode.Checksum || code === NakCode.Timeout) return this.#again(o, "nak", code, atMs);
    const tookMs = atMs - this.#sentMs;
    if (tookMs < this.#t.ackMinMs) this.counters.earlyAcks++;
    else if (tookMs > this.#t.ackMaxMs) this.counters.lateAcks++;
    if (code >= 0) return this.#end(o, "nak", code, undefined, atMs);
    if (o.role === "bit-rate") {
      this.#tx = undefined;
      this.#limits.switchRate(o.payload[1]!, atMs);
      this.#outbox.putFirst({
        id: o.id,
        role: "verify",
        type: MessageType.Basic,
        payload: new Uint8Array(0),
        tries: 0,
        notBeforeMs: 0,
        dropped: false,
      });
    } else if (o.role === "respond" || replyTo(o.type, o.payload) === "none") {
      this.#end(o, "ok", -1, undefined, atMs);
    } else {
      this.#tx = undefined;
      this.#waiting = o;
      this.#replyByMs = atMs + this.#t.replyWaitMs;
    }
  }

  /** Tries once more after a random pause, or gives up. */
  #again(o: Outgoing, outcome: LinkOutcome, nak: number, atMs: number): void {
    if (o.dropped || this.#isOld(o)) return this.#drop(o, atMs);
    const tooLate = o.role === "respond" && atMs - this.#answeredMs > this.#t.replyMaxMs;
    if (o.tries >= this.#t.tries || tooLate) return this.#end(o, outcome, nak, undefined, atMs);
    const span = this.#t.backoffMaxMs - this.#t.backoffMinMs + 1;
    this.counters.retries++;
    o.notBeforeMs = atMs + this.#t.backoffMinMs + (this.#o.random.uint32() % span);
    this.#tx = undefined;
    this.#outbox.putFirst(o);
  }

  #end(o: Outgoing, outcome: LinkOutcome, nak: number, reply: Uint8Array | undefined, atMs: number): void {
    if (this.#tx === o) this.#tx = undefined;
    if (this.#waiting === o) this.#waiting = undefined;
    const ok = outcome === "ok";
    if (o.role === "respond") {
      this.#memory.responded(ok ? "acked" : "failed", o.type, o.payload);
      if (this.#owed !== undefined && answersTo(this.#owed, o)) this.#clearOwed();
    } else {
      if (ok) this.counters.requestsOk++;
      else this.counters.requestsFailed++;
      this.#memory.ended(o.type, o.payload, atMs, ok);
      if (o.role === "verify") {
        if (ok) this.#limits.trialUntilMs = NEVER;
        else this.#limits.fallBack(atMs);
      }
    }
    if (o.id === OWN) return;
    this.#o.emit({ ev: "result", id: o.id, outcome, nak, reply, tries: o.tries, atMs });
  }

  // ---- receiving

  #onFrame(type: number, payload: Uint8Array, endMs: number, answer: number): void {
    this.counters.framesReceived++;
    this.counters.bytesReceived += payload.length + FRAME_OVERHEAD;
    this.#o.trace?.({ dir: "rx", bytes: emitFrame(type, payload), atMs: endMs, fault: "" });
    // Until the line says that our answer has left.
    this.#freeMs = endMs + this.#t.ackMaxMs + this.#t.gapMs;
    this.#valid(endMs);
    if (answer < 0 && type === MessageType.DataLink) this.#onDataLink(payload, endMs);
    if (answer < 0 && this.#takeReply(type, payload, endMs)) return;
    switch (this.#memory.judge(type, payload, endMs)) {
      case "duplicate-reply":
        this.counters.duplicateReplies++;
        return;
      case "duplicate":
        this.counters.duplicateFrames++;
        return;
      case "repeat-response":
        this.counters.duplicateFrames++;
        this.#repeatResponse(type, endMs);
        return;
      case "late-reply":
        this.counters.lateReplies++;
    }
    const owes = answer < 0 && replyTo(type, payload) !== "none";
    // The peer has gone on: what it did not acknowledge of our last reply it no longer waits for.
    if (owes) this.#outbox.dropOldReplies(endMs);
    // The line's own bytes are valid during its call alone.
    payload = payload.slice();
    this.#memory.took(type, payload, endMs, false);
    if (payload.length === 0) this.#o.emit({ ev: "asked", type, atMs: endMs });
    if (answer >= 0 || payload.length === 0) return;
    if (owes) {
      this.#owed = { type, payload };
      this.#owedUntilMs = endMs + this.#t.ackMaxMs + this.#t.replyMaxMs;
    }
    if (type !== MessageType.DataLink) this.#o.emit({ ev: "message", type, payload, atMs: endMs });
    else if (payload[0] === DataLinkOp.QueryMaxPayload) this.#tellMaxPayload(endMs);
  }

  /** True where the frame is the reply that a request of ours awaits, whether its ACK has come or not. */
  #takeReply(type: number, payload: Uint8Array, atMs: number): boolean {
    const first = this.#outbox.request;
    let o = this.#waiting;
    if (o === undefined || !answers(o, type, payload)) {
      o = this.#tx?.role === "request" ? this.#tx : first;
      // Before its first try has left nothing can be the reply to it.
      if (o === undefined || o.role !== "request" || o.tries === 0) return false;
      if (o === this.#tx && this.#sending && o.tries === 1) return false;
      if (!answers(o, type, payload)) return false;
      this.counters.repliesBeforeAck++;
      if (first === o) this.#outbox.take(o);
    }
    const reply = payload.slice();
    this.#memory.took(type, reply, atMs, true);
    this.#end(o, "ok", -1, reply, atMs);
    return true;
  }

  #repeatResponse(type: number, nowMs: number): void {
    const payload = this.#memory.responsePayload!;
    this.#memory.responded("pending", type, payload);
    this.#queue(OWN, "respond", type, payload, nowMs);
  }

  #onDataLink(payload: Uint8Array, atMs: number): void {
    if (payload[0] === DataLinkOp.MaxPayload) this.#limits.peerTold(payload[1]!, atMs);
    else if (payload[0] === DataLinkOp.BitRate) this.#switchTo = payload[1]!;
  }

  #tellMaxPayload(nowMs: number): void {
    const payload = new Uint8Array([DataLinkOp.MaxPayload, this.#limits.ownCode]);
    this.#memory.responded("pending", MessageType.DataLink, payload);
    this.#queue(OWN, "respond", MessageType.DataLink, payload, nowMs);
    this.#limits.asked(nowMs);
  }

  #onAnswered(code: number, atMs: number): void {
    const c = this.counters;
    c.bytesSent += 2;
    if (code < 0) c.acksSent++;
    else c.naksSent[code] = (c.naksSent[code] ?? 0) + 1;
    this.#o.trace?.({ dir: "tx", bytes: emitAnswer(code), atMs, fault: "" });
    this.#answeredMs = atMs;
    this.#memory.acknowledged = true;
    this.#freeMs = atMs + this.#t.gapMs;
    if (this.#switchTo >= 0 && code < 0) this.#limits.switchRate(this.#switchTo, atMs);
    this.#switchTo = -1;
  }

  #onNoise(fault: string, bytes: Uint8Array, atMs: number): void {
    countNoise(this.counters, fault, bytes.length);
    if (bytes.length > 0) this.#o.trace?.({ dir: "rx", bytes, atMs, fault });
    if (fault === "answer-dropped") {
      this.#memory.acknowledged = false;
      this.#freeMs = atMs + this.#t.gapMs;
    } else {
      this.#freeMs = Math.max(this.#freeMs, atMs + this.#t.gapMs);
    }
    if (fault === "collision" && this.#tx !== undefined) this.#again(this.#tx, "no-ack", -1, atMs);
  }

  // ---- the peer as a whole

  #valid(atMs: number): void {
    this.#validMs = atMs;
    this.#limits.trialUntilMs = NEVER;
    if (this.#heard) return;
    this.#heard = true;
    this.#o.emit({ ev: "peer", state: "heard", atMs });
  }

  #onSilence(nowMs: number): void {
    this.#heard = false;
    this.counters.peerLost++;
    this.#memory.clear();
    this.#limits.defaults(nowMs);
    this.#o.emit({ ev: "peer", state: "lost", atMs: nowMs });
  }

  #onCarrier(on: boolean, nowMs: number): void {
    if (on === this.#carrier) return;
    this.#carrier = on;
    this.#lineBusyUntilMs = 0;
    if (!on) {
      this.counters.unplugs++;
      this.#heard = false;
      this.#cancelAll(nowMs);
      this.#limits.defaults(nowMs);
    }
    this.#o.emit({ ev: "peer", state: on ? "plugged" : "unplugged", atMs: nowMs });
  }

  /** Forgets what is under way; the results follow at the next poll. */
  #cancelAll(nowMs: number): void {
    this.#outbox.cancelAll(nowMs, this.#tx, this.#waiting);
    this.#tx = undefined;
    this.#waiting = undefined;
    this.#switchTo = -1;
    this.#clearOwed();
    this.#memory.clear();
  }

  #clearOwed(): void {
    this.#owed = undefined;
    this.#owedUntilMs = NEVER;
  }
}

function answersTo(owed: { readonly type: number; readonly payload: Uint8Array }, o: Outgoing): boolean {
  return o.type === owed.type && isReply(owed.type, owed.payload, o.payload);
}

function answers(o: Outgoing, type: number, payload: Uint8Array): boolean {
  return o.type === type && isReply(type, o.payload, payload);
}
