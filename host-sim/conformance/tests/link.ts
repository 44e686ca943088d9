/** The link as a receiver: what the peer does with good, broken, split and repeated frames (2.1 to 2.4). */
import { emitAnswer, emitFrame, parseFrame } from "../../../src/wire/frame.js";
import { checkBytes } from "../../../src/wire/frame.js";
import { isFault } from "../../../src/base/fault.js";
import { BasicOp, MessageType, NakCode } from "../../../src/wire/message.js";
import { advice, BOTH, fail, inconclusive, notApplicable, pass, type Outcome, type Steps } from "../plan.js";
import type { TestCase } from "../test-case.js";
import { ANSWER_WAIT_MS, type Entry } from "../probe.js";
import { nak, type Tester } from "../tester.js";

const NOTHING = new Uint8Array(0);
/** tML, the longest that a frame may take. */
const FRAME_MAX_MS = 500;
/** Sum of the above and the longest answer time, with room for a slow host. */
const AFTER_CUT_MS = 800;

/** "Basic DR?", which changes nothing in any peer. */
export function typeQuery(type: number = MessageType.Basic): Uint8Array {
  return emitFrame(type, NOTHING);
}

function withWrongCheck(frame: Uint8Array): Uint8Array {
  const bytes = frame.slice();
  // XOR with 1 turns no byte into its twin modulo 255 (00 and FF).
  bytes[bytes.length - 1]! ^= 1;
  return bytes;
}

/** With reserved length bits set, and the check bytes that belong to that. */
function withReservedBits(frame: Uint8Array): Uint8Array {
  const bytes = frame.slice();
  bytes[2]! |= 0xa0;
  const check = checkBytes(bytes, 0, bytes.length - 2);
  bytes[bytes.length - 2] = check >> 8;
  bytes[bytes.length - 1] = check;
  return bytes;
}

/** Everything of the peer's since `from`, no matter what. */
function heardSince(t: Tester, from: Entry): readonly Entry[] {
  return t.trace.slice(from.n + 1).filter((entry) => entry.who === "peer");
}

function* expectNak(t: Tester, bytes: Uint8Array, code: number, what: string, text?: string): Steps<Outcome> {
  const { answer } = yield* t.ask(bytes, ANSWER_WAIT_MS, text);
  if (answer === undefined) return fail(`no link answer to ${what}`);
  if (answer.code === code) return pass(`${nak(code)} after ${Math.round(answer.delayMs!)} ms`);
  return fail(`${answer.code < 0 ? "ACK" : nak(answer.code)} to ${what}, not ${nak(code)}`);
}

/** Sends pieces with pauses between them. */
function* inPieces(t: Tester, bytes: Uint8Array, cuts: readonly number[], pauseMs: number): Steps<Entry> {
  yield* t.calm();
  let from = 0;
  let last: Entry | undefined;
  for (const to of [...cuts, bytes.length]) {
    if (last !== undefined) yield* t.sleep(pauseMs);
    last = yield* t.say(bytes.subarray(from, to), "a piece of: Supported? Basic DR");
    t.stopIfCrossed(last);
    from = to;
  }
  return last!;
}

function* ackTo(t: Tester, last: Entry): Steps<Entry | undefined> {
  yield* t.until(() => last.answers.length > 0, ANSWER_WAIT_MS);
  return last.answers[0];
}

export const linkTests: readonly TestCase[] = [
  {
    id: "link.ack",
    roles: BOTH,
    requirement: "A type query for Basic DR (08 01) is acknowledged with 06 00.",
    section: "2.3, 2.6",
    mark: "C",
    *run(t) {
      for (let i = 0; i < 3; i++) {
        const exchange = yield* t.query(MessageType.Basic);
        t.needAck(exchange);
      }
      return pass("3 of 3 acknowledged");
    },
  },
  {
    id: "link.ack-once",
    roles: BOTH,
    requirement: "A frame gets one link answer, not two.",
    section: "2.3",
    mark: "C",
    *run(t) {
      for (let i = 0; i < 3; i++) {
        const { request, answer } = yield* t.ask(typeQuery());
        t.needAck({ request, answer });
        yield* t.sleep(ANSWER_WAIT_MS);
        if (request.answers.length > 1) {
          return fail(`${request.answers.length} link answers to one frame`, [request, ...request.answers]);
        }
      }
      return pass("one answer to each of 3 frames");
    },
  },
  {
    id: "link.no-answer-to-answer",
    roles: BOTH,
    requirement: "A link ACK or NAK is never answered.",
    section: "2.3",
    mark: "C",
    *run(t) {
      for (const code of [-1, NakCode.Checksum]) {
        yield* t.calm();
        const said = yield* t.say(emitAnswer(code));
        yield* t.sleep(ANSWER_WAIT_MS);
        const [first] = heardSince(t, said).filter((entry) => entry.kind === "answer");
        if (first !== undefined) return fail(`"${first.text}" to a link answer of ours`, [said, first]);
      }
      yield* t.needAlive("stray link answers");
      return pass("stray ACK and NAK are left alone");
    },
  },
  {
    id: "link.nak-checksum",
    roles: BOTH,
    requirement: "A frame with wrong check bytes earns NAK 03; the right one after it is taken.",
    section: "2.2, 2.3",
    mark: "C",
    *run(t) {
      const outcome = yield* expectNak(
        t,
        withWrongCheck(typeQuery()),
        NakCode.Checksum,
        "wrong check bytes",
        "Supported? Basic DR, with wrong check bytes on purpose",
      );
      yield* t.needAlive("a frame with wrong check bytes");
      return outcome;
    },
  },
  {
    id: "link.nak-type",
    roles: BOTH,
    requirement: "A type that is not supported earns NAK 06, as a query and with a payload.",
    section: "2.3, 2.6",
    mark: "C",
    *run(t) {
      const query = yield* expectNak(t, typeQuery(0x087f), NakCode.UnsupportedType, "the unknown type 08 7F");
      if (query.verdict !== "pass") return query;
      const frame = emitFrame(0x087f, Uint8Array.of(1, 0));
      return yield* expectNak(t, frame, NakCode.UnsupportedType, "a message of the unknown type 08 7F");
    },
  },
  {
    id: "link.nak-length",
    roles: BOTH,
    requirement: "A Basic DR frame that has not 2 bytes earns NAK 02, or ACK and application NAK 04.",
    section: "2.3, 4",
    mark: "1",
    *run(t) {
      const frame = emitFrame(MessageType.Basic, Uint8Array.of(BasicOp.QueryState, 0, 0));
      const { request, answer } = yield* t.ask(
        frame,
        ANSWER_WAIT_MS,
        "Query operational state, with a byte too many on purpose",
      );
      if (answer === undefined) return fail("no link answer to a Basic frame of 3 bytes");
      if (answer.code === NakCode.InvalidLength) return pass(nak(answer.code));
      if (answer.code >= 0) return fail(`${nak(answer.code)}, not NAK 02`);
      const isRefusal = (entry: Entry): boolean =>
        entry.payload[0] === BasicOp.AppNak && entry.payload[1] === 4;
      yield* t.until(() => heardSince(t, request).some(isRefusal), 3300);
      const refused = heardSince(t, request).some(isRefusal);
      return refused ? pass("ACK and application NAK 04") : fail("ACK, and no application NAK 04");
    },
  },
  {
    id: "link.nak-timeout",
    roles: BOTH,
    requirement: "A frame that is not whole 500 ms after its first byte earns NAK 05.",
    section: "2.3, 2.4",
    mark: "C",
    *run(t) {
      yield* t.calm();
      const cut = emitFrame(MessageType.Basic, Uint8Array.of(BasicOp.QueryState, 0)).subarray(0, 6);
      const said = yield* t.say(cut, "Query operational state, cut on purpose");
      yield* t.until(() => said.answers.length > 0, FRAME_MAX_MS + ANSWER_WAIT_MS);
      t.stopIfCrossed(said);
      const [answer] = said.answers;
      if (answer === undefined) return fail("no link answer to a frame that never ends");
      if (answer.code !== NakCode.Timeout) return fail(`${nak(answer.code)}, not NAK 05`);
      const afterMs = answer.startMs - said.startMs;
      if (afterMs < FRAME_MAX_MS - t.slackMs) {
        return advice(`NAK 05 after ${Math.round(afterMs)} ms already`, [said, answer]);
      }
      yield* t.needAlive("a frame that never ended");
      return pass(`NAK 05 ${Math.round(afterMs)} ms after the first byte`);
    },
  },
  {
    id: "link.resync-idle",
    roles: BOTH,
    requirement: "After garbage and 100 ms of silence a good frame is acknowledged.",
    section: "1.1, 2.4",
    mark: "1",
    *run(t) {
      for (const count of [1, 3, 9]) {
        yield* t.calm();
        t.stopIfCrossed(yield* t.say(t.garbage(count), "garbage, on purpose"));
        yield* t.sleep(100);
        const request = yield* t.say(typeQuery());
        yield* ackTo(t, request);
        t.stopIfCrossed(request);
        if (request.answers.some((entry) => entry.code < 0)) continue;
        return fail(`${count} bytes of garbage and 100 ms: no ACK to the frame after them`);
      }
      return pass("1, 3 and 9 bytes of garbage do no harm");
    },
  },
  {
    id: "link.resync-garbage",
    roles: BOTH,
    requirement: "After garbage and the longest time of a frame (500 ms) a good frame is acknowledged.",
    section: "2.4",
    mark: "C",
    *run(t) {
      for (const count of [2, 17, 60]) {
        yield* t.calm();
        t.stopIfCrossed(yield* t.say(t.garbage(count), "garbage, on purpose"));
        yield* t.sleep(AFTER_CUT_MS);
        yield* t.needAlive(`${count} bytes of garbage and ${AFTER_CUT_MS} ms`);
      }
      return pass("2, 17 and 60 bytes of garbage do no harm");
    },
  },
  {
    id: "link.resync-cut",
    roles: BOTH,
    requirement: "After a frame that was cut off anywhere, and 500 ms, a good frame is acknowledged.",
    section: "2.4",
    mark: "C",
    *run(t) {
      const whole = emitFrame(MessageType.Basic, Uint8Array.of(BasicOp.QueryState, 0));
      for (const length of [1, 3, 4, 7]) {
        yield* t.calm();
        t.stopIfCrossed(yield* t.say(whole.subarray(0, length), "Query operational state, cut on purpose"));
        yield* t.sleep(AFTER_CUT_MS);
        yield* t.needAlive(`a frame cut after ${length} bytes`);
      }
      return pass("frames cut after 1, 3, 4 and 7 bytes do no harm");
    },
  },
  {
    id: "link.split",
    roles: BOTH,
    requirement: "A frame in pieces, 10 ms apart and within 500 ms, is acknowledged.",
    section: "2.4",
    mark: "C",
    *run(t) {
      const last = yield* inPieces(t, typeQuery(), [1, 2, 4, 5], 10);
      const answer = yield* ackTo(t, last);
      if (answer === undefined) return fail("no link answer to a frame in 5 pieces");
      return answer.code < 0 ? pass("acknowledged") : fail(`${nak(answer.code)} to a frame in 5 pieces`);
    },
  },
  {
    id: "link.split-pause",
    roles: BOTH,
    requirement: "A frame with a pause of 100 ms after its header is acknowledged: only tML bounds it.",
    section: "2.4",
    mark: "I",
    *run(t) {
      const last = yield* inPieces(t, typeQuery(), [4], 100);
      const answer = yield* ackTo(t, last);
      if (answer === undefined) return fail("no link answer to a frame with a pause of 100 ms");
      return answer.code < 0 ? pass("acknowledged") : fail(`${nak(answer.code)} to a frame with a pause`);
    },
  },
  {
    id: "link.next-frame",
    roles: BOTH,
    requirement: "A frame 100 ms after the end of the last link answer (tIM) is acknowledged.",
    section: "2.4",
    mark: "C",
    *run(t) {
      const first = yield* t.ask(typeQuery());
      t.needAck(first);
      yield* t.sleep(Math.max(0, Math.ceil(first.answer!.endMs) + 100 - t.nowMs));
      const request = yield* t.say(typeQuery());
      const answer = yield* ackTo(t, request);
      t.stopIfCrossed(request);
      t.needAck({ request, answer });
      return pass("acknowledged");
    },
  },
  {
    id: "link.burst",
    roles: BOTH,
    requirement: "Two frames without a pause: one may be lost, but the peer goes on.",
    section: "2.4",
    mark: "I",
    *run(t) {
      yield* t.calm();
      const said = yield* t.say(
        Uint8Array.from([...typeQuery(), ...typeQuery()]),
        "Supported? Basic DR, twice in one burst",
      );
      yield* t.sleep(AFTER_CUT_MS);
      t.stopIfCrossed(said);
      yield* t.needAlive("two frames in one burst");
      return pass(`${said.answers.length} link answer(s) to two frames, and it goes on`);
    },
  },
  {
    id: "link.duplicate",
    roles: BOTH,
    requirement: "A frame that comes again, as when its ACK was lost, is acknowledged again.",
    section: "2.4",
    mark: "I",
    *run(t) {
      for (let i = 0; i < 2; i++) {
        const { request, answer } = yield* t.ask(typeQuery(MessageType.DataLink));
        if (answer?.code === NakCode.UnsupportedType)
          return notApplicable("the peer has no data-link messages");
        t.needAck({ request, answer });
      }
      return pass("acknowledged both times");
    },
  },
  {
    id: "link.reserved-bits",
    roles: BOTH,
    requirement: "Reserved bits of the length field are masked, not read as length.",
    section: "2.1",
    mark: "1",
    *run(t) {
      const frame = withReservedBits(typeQuery());
      if (isFault(parseFrame(frame))) return inconclusive("a frame of ours was wrong");
      const { answer } = yield* t.ask(
        frame,
        FRAME_MAX_MS + ANSWER_WAIT_MS,
        "Supported? Basic DR, with reserved bits set",
      );
      if (answer === undefined) return fail("no link answer to a frame with reserved bits set");
      return answer.code < 0 ? pass("acknowledged") : fail(`${nak(answer.code)}, not the ACK`);
    },
  },
];
