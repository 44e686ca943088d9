/** What a test can do: say, wait, and whole exchanges; on the raw line of probe.ts. */
import { uniformInt } from "../../src/base/random.js";
import { PAYLOAD_LIMITS } from "../../src/link/timing.js";
import { NEVER, type RandomPort } from "../../src/ports/time.js";
import { emitFrame } from "../../src/wire/frame.js";
import { nakName } from "../../src/wire/link-words.js";
import { DataLinkOp, MessageType } from "../../src/wire/message.js";
import { replyTo } from "../../src/wire/reply.js";
import { Crossed, fail, notApplicable, Verdicted, type Role, type Steps } from "./plan.js";
import { ANSWER_WAIT_MS, REPLY_WAIT_MS, type Entry, type Manners, type Probe } from "./probe.js";

/** One exchange, as far as it went. */
export interface Exchange {
  readonly request: Entry;
  readonly answer: Entry | undefined;
  readonly reply: Entry | undefined;
  /** Frames of the peer in the time of the exchange that are not the reply. */
  readonly others: readonly Entry[];
}

export interface TesterOptions {
  readonly probe: Probe;
  readonly role: Role;
  readonly random: RandomPort;
  /** Times measured may be wrong by so much, ms. */
  readonly slackMs: number;
  /** Pulls the peer off the line and puts it back; where nobody can, silence stands for it. */
  readonly plug?: ((on: boolean) => void) | undefined;
}

/** The longest that a test waits for the line to be free; then it speaks all the same. */
const CALM_WAIT_MS = 5000;

export class Tester {
  /** Payload limit that the peer has told, bytes; 0 none yet. */
  peerLimit = 0;
  /** Types that the peer has answered: supported or not. */
  readonly types = new Map<number, boolean>();

  constructor(private readonly options: TesterOptions) {}

  get probe(): Probe {
    return this.options.probe;
  }
  get role(): Role {
    return this.options.role;
  }
  get random(): RandomPort {
    return this.options.random;
  }
  get slackMs(): number {
    return this.options.slackMs;
  }
  get plug(): ((on: boolean) => void) | undefined {
    return this.options.plug;
  }
  get nowMs(): number {
    return this.probe.nowMs;
  }
  get trace(): readonly Entry[] {
    return this.probe.trace;
  }

  *sleep(durationMs: number): Steps<void> {
    const untilMs = this.nowMs + durationMs;
    while (this.nowMs < untilMs) yield { untilMs };
  }

  /** Waits for `done`, at most so long; answers whether it came. */
  *until(done: () => boolean, limitMs: number): Steps<boolean> {
    const untilMs = this.nowMs + limitMs;
    while (!done()) {
      if (this.nowMs >= untilMs) return false;
      yield { untilMs, done };
    }
    return true;
  }

  /** Waits for the line to be free and nobody to owe anybody anything. */
  *calm(): Steps<void> {
    const limitMs = this.nowMs + CALM_WAIT_MS;
    for (;;) {
      const calmMs = this.probe.calmMs();
      if (calmMs <= this.nowMs || this.nowMs >= limitMs) return;
      const untilMs = calmMs === NEVER ? this.nowMs + 20 : Math.ceil(calmMs);
      yield { untilMs: Math.min(limitMs, Math.max(untilMs, this.nowMs + 1)) };
    }
  }

  /** Says bytes as they are and waits until they have left. */
  *say(bytes: Uint8Array, text?: string): Steps<Entry> {
    const entry = this.probe.say(bytes, text);
    yield* this.until(() => entry.endMs !== NEVER, 10_000);
    return entry;
  }

  /** Says bytes on a free line and waits for the link answer (undefined: none). */
  *ask(
    bytes: Uint8Array,
    waitMs = ANSWER_WAIT_MS,
    text?: string,
  ): Steps<{ request: Entry; answer: Entry | undefined }> {
    yield* this.calm();
    const request = yield* this.say(bytes, text);
    yield* this.until(() => request.answers.length > 0 || request.crossed, waitMs);
    this.stopIfCrossed(request);
    return { request, answer: request.answers[0] };
  }

  /** A frame of ours was hit: what follows says nothing about the peer. */
  stopIfCrossed(request: Entry): void {
    if (request.crossed) throw new Crossed("the peer spoke at the same time");
  }

  /** A whole exchange: request, link answer, and the reply where one is due. Waits for the end of our ACK of it. */
  *exchange(type: number, payload: Uint8Array | readonly number[], waitMs = REPLY_WAIT_MS): Steps<Exchange> {
    const bytes = payload instanceof Uint8Array ? payload : Uint8Array.from(payload);
    const { request, answer } = yield* this.ask(emitFrame(type, bytes));
    const isDue = replyTo(type, bytes) !== "none" && (answer === undefined || answer.code < 0);
    if (isDue) {
      // Without an ACK the reply may come all the same; but not for so long.
      yield* this.until(() => request.reply !== undefined, answer === undefined ? 1000 : waitMs);
    }
    const from = request.n;
    const others = this.trace
      .slice(from)
      .filter((entry) => entry.who === "peer" && entry.kind === "frame" && entry !== request.reply);
    yield* this.calm();
    return { request, answer, reply: request.reply, others };
  }

  *basic(op: number, arg = 0): Steps<Exchange> {
    return yield* this.exchange(MessageType.Basic, [op, arg]);
  }

  /** A type query. */
  *query(type: number): Steps<Exchange> {
    return yield* this.exchange(type, []);
  }

  /** Ends the test as failed unless the exchange has a link ACK. */
  needAck({ request, answer }: Pick<Exchange, "request" | "answer">): void {
    if (answer === undefined) {
      throw new Verdicted(fail(`no link answer to "${request.text}" within ${ANSWER_WAIT_MS} ms`));
    }
    if (answer.code >= 0) {
      throw new Verdicted(fail(`${nak(answer.code)} instead of the ACK to "${request.text}"`));
    }
  }

  /** The reply, or the test ends: refused in the link is not applicable, silence and other words are failures. */
  needReply(exchange: Exchange): Uint8Array {
    const { request, answer, reply, others } = exchange;
    if (answer !== undefined && (answer.code === 6 || answer.code === 7)) {
      throw new Verdicted(notApplicable(`the peer refuses "${request.text}" with ${nak(answer.code)}`));
    }
    this.needAck(exchange);
    if (reply === undefined) {
      const instead = others.filter((entry) => entry.type === request.type);
      throw new Verdicted(
        fail(
          instead.length > 0
            ? `"${request.text}" is answered with "${instead[0]!.text}"`
            : `no application reply to "${request.text}" within ${REPLY_WAIT_MS} ms`,
        ),
      );
    }
    return reply.payload;
  }

  /** Does the peer take this type? Asked once. */
  *supports(type: number): Steps<boolean> {
    const known = this.types.get(type);
    if (known !== undefined) return known;
    const { answer } = yield* this.query(type);
    if (answer === undefined) throw new Verdicted(fail("no link answer to a type query"));
    this.types.set(type, answer.code < 0);
    return answer.code < 0;
  }

  /** Ends the test where the peer does not take this type. */
  *needType(type: number, name: string): Steps<void> {
    if (!(yield* this.supports(type))) {
      throw new Verdicted(notApplicable(`the peer does not support ${name}`));
    }
  }

  /** The peer's payload limit, asked where it is not known; 2 where it does not tell. */
  *limit(): Steps<number> {
    if (this.peerLimit > 0) return this.peerLimit;
    const { reply } = yield* this.exchange(MessageType.DataLink, [DataLinkOp.QueryMaxPayload, 0]);
    const bytes = reply === undefined ? undefined : PAYLOAD_LIMITS[reply.payload[1]!];
    this.peerLimit = bytes ?? 0;
    return bytes ?? 2;
  }

  /** Is the peer there, after whatever was done to it? Ends the test as failed where it is not. */
  *needAlive(after: string): Steps<void> {
    const { answer } = yield* this.query(MessageType.Basic);
    if (answer === undefined) throw new Verdicted(fail(`no link answer to a good frame after ${after}`));
    if (answer.code >= 0) throw new Verdicted(fail(`${nak(answer.code)} to a good frame after ${after}`));
  }

  /** Runs `steps` with other manners, and puts the good ones back whatever happens. */
  *withManners<T>(changes: Partial<Manners>, steps: () => Steps<T>): Steps<T> {
    const good = this.probe.goodManners;
    this.probe.manners = {
      answer: changes.answer ?? ((heard) => good.answer(heard)),
      reply: changes.reply ?? ((heard) => good.reply(heard)),
    };
    try {
      return yield* steps();
    } finally {
      this.probe.manners = this.probe.goodManners;
    }
  }

  /** Bytes that begin no frame and no link answer. */
  garbage(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => 0x80 + uniformInt(this.random, 0x5f));
  }
}

export function nak(code: number): string {
  return `NAK ${String(code).padStart(2, "0")} (${nakName(code)})`;
}
