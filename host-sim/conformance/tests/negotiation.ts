/** Types, payload limits and bit rate (1.2, 2.5, 2.6), and the time of replies (2.4). */
import { emitFrame } from "../../../src/wire/frame.js";
import { BIT_RATES, PAYLOAD_LIMITS, airMs } from "../../../src/link/timing.js";
import { BasicOp, DataLinkOp, MessageType, NakCode } from "../../../src/wire/message.js";
import { BOTH, fail, inconclusive, notApplicable, pass, type Steps } from "../plan.js";
import type { TestCase } from "../test-case.js";
import { nak, type Exchange, type Tester } from "../tester.js";
import { typeQuery } from "./link.js";

const OPTIONAL_TYPES = [
  0x0802, 0x0803, 0x0804, 0x0901, 0x0902, 0x0903, 0x0904, 0x0905, 0x0906, 0x0907, 0x0908, 0x0909, 0x090a,
  0x090b, 0x090c,
];
/** A frame must not take longer than tML. */
const FRAME_MAX_MS = 500;

/** An exchange with an application reply that changes nothing in the peer. */
export function* harmless(t: Tester): Steps<Exchange> {
  return t.role === "ucm" ? yield* t.basic(BasicOp.QueryState) : yield* t.basic(BasicOp.CustomerOverride, 0);
}

export const negotiationTests: readonly TestCase[] = [
  {
    id: "type.optional",
    roles: BOTH,
    requirement: "A query for any other known type is answered with ACK or NAK 06.",
    section: "2.6, 3",
    mark: "C",
    *run(t) {
      const yes: string[] = [];
      for (const type of OPTIONAL_TYPES) {
        const { request, answer } = yield* t.query(type);
        if (answer === undefined) return fail(`no link answer to "${request.text}"`);
        if (answer.code >= 0 && answer.code !== NakCode.UnsupportedType) {
          return fail(`${nak(answer.code)} to "${request.text}"`);
        }
        t.types.set(type, answer.code < 0);
        if (answer.code < 0) yes.push(request.text.replace("Supported? ", ""));
      }
      return pass(yes.length > 0 ? `supported: ${yes.join(", ")}` : "supports Basic DR alone");
    },
  },
  {
    id: "type.no-reply",
    roles: BOTH,
    requirement: "A type query gets a link answer and no application response.",
    section: "2.6",
    mark: "C",
    *run(t) {
      const { request, answer } = yield* t.ask(typeQuery());
      t.needAck({ request, answer });
      yield* t.sleep(1500);
      const reply = t.trace
        .slice(request.n)
        .find(
          ({ who, kind, type, payload }) =>
            who === "peer" &&
            kind === "frame" &&
            type === MessageType.Basic &&
            (payload[0] === 3 || payload[0] === 4),
        );
      return reply ? fail(`"${reply.text}" to a type query`, [request, reply]) : pass("none");
    },
  },
  {
    id: "payload.answer",
    roles: BOTH,
    requirement: "Query max payload (18) is acknowledged and answered with 19 and a code 0–13.",
    section: "2.5",
    mark: "C",
    *run(t) {
      yield* t.needType(MessageType.DataLink, "data-link messages");
      const exchange = yield* t.exchange(MessageType.DataLink, [DataLinkOp.QueryMaxPayload, 0]);
      const code = t.needReply(exchange)[1]!;
      const bytes = PAYLOAD_LIMITS[code];
      if (bytes === undefined) return fail(`max-payload code ${code}, which is none`);
      t.peerLimit = bytes;
      if (airMs(bytes + 6, t.probe.bitsPerSecond) > FRAME_MAX_MS) {
        return fail(`${bytes} bytes, which take longer than 500 ms at ${t.probe.bitsPerSecond} bit/s`);
      }
      return pass(`${bytes} bytes (code ${code})`);
    },
  },
  {
    id: "payload.level2",
    roles: ["sgd"],
    requirement: "A Level 2 module offers at least 256 bytes (code 7).",
    section: "2.5",
    mark: "1",
    *run(t) {
      if (!(yield* t.supports(MessageType.Intermediate))) return notApplicable("not a Level 2 module");
      const limit = yield* t.limit();
      return limit >= 256 ? pass(`${limit} bytes`) : fail(`${limit} bytes`);
    },
  },
  {
    id: "payload.holds",
    roles: BOTH,
    requirement: "A frame as long as the limit that the peer told is taken: no NAK 02.",
    section: "2.5",
    mark: "C",
    *run(t) {
      yield* t.needType(MessageType.Intermediate, "Intermediate DR");
      const limit = yield* t.limit();
      if (limit <= 2) return notApplicable("the peer takes Basic DR alone");
      // An opcode that nobody has: refused as such, but not for its length.
      const payload = new Uint8Array(limit).fill(0x55);
      payload.set([0x7f, 0x00]);
      for (const length of [Math.min(limit, 16), limit]) {
        const { answer } = yield* t.ask(emitFrame(MessageType.Intermediate, payload.subarray(0, length)));
        if (answer === undefined)
          return fail(`no link answer to ${length} bytes, within its limit of ${limit}`);
        if (answer.code === NakCode.InvalidLength || answer.code === NakCode.Checksum) {
          return fail(`${nak(answer.code)} to ${length} bytes, within its limit of ${limit}`);
        }
        yield* t.sleep(600);
      }
      return pass(`${limit} bytes are taken`);
    },
  },
  {
    id: "payload.too-long",
    roles: BOTH,
    requirement: "A frame longer than the limit that the peer told earns NAK 02.",
    section: "2.3, 2.5",
    mark: "1",
    *run(t) {
      yield* t.needType(MessageType.Intermediate, "Intermediate DR");
      const limit = yield* t.limit();
      const length = limit + 16;
      if (airMs(length + 6, t.probe.bitsPerSecond) > FRAME_MAX_MS) {
        return notApplicable(`nothing longer than ${limit} bytes fits into 500 ms`);
      }
      const payload = new Uint8Array(length).fill(0x55);
      payload.set([0x7f, 0x00]);
      const { answer } = yield* t.ask(emitFrame(MessageType.Intermediate, payload), 1200);
      yield* t.needAlive("a frame that was too long");
      if (answer === undefined) return fail(`no link answer to ${length} bytes with a limit of ${limit}`);
      if (answer.code === NakCode.InvalidLength) return pass(nak(answer.code));
      return fail(
        `${answer.code < 0 ? "ACK" : nak(answer.code)} to ${length} bytes with a limit of ${limit}`,
      );
    },
  },
  {
    id: "rate.unknown",
    roles: BOTH,
    requirement: "A bit-rate code that does not exist is refused with NAK 07 (or 01), and the rate stays.",
    section: "1.2, 2.3",
    mark: "1",
    *run(t) {
      yield* t.needType(MessageType.DataLink, "data-link messages");
      const { answer } = yield* t.exchange(MessageType.DataLink, [DataLinkOp.BitRate, 0x0f]);
      yield* t.needAlive("a refused bit rate");
      if (answer === undefined) return fail("no link answer");
      const isRefused = answer.code === NakCode.NotSupported || answer.code === NakCode.InvalidByte;
      return isRefused ? pass(nak(answer.code)) : fail(answer.code < 0 ? "ACK" : nak(answer.code));
    },
  },
  {
    id: "rate.change",
    roles: BOTH,
    requirement:
      "A bit rate that is acknowledged is in force after the ACK; one that is refused changes nothing.",
    section: "1.2",
    mark: "1",
    *run(t) {
      yield* t.needType(MessageType.DataLink, "data-link messages");
      const { answer } = yield* t.ask(emitFrame(MessageType.DataLink, Uint8Array.of(DataLinkOp.BitRate, 1)));
      if (answer === undefined) return fail("no link answer");
      if (answer.code >= 0) {
        yield* t.needAlive("a refused bit rate");
        if (answer.code === NakCode.NotSupported) return notApplicable(`refused with ${nak(answer.code)}`);
        return fail(`refused with ${nak(answer.code)}, not NAK 07`);
      }
      yield* t.sleep(Math.max(0, Math.ceil(answer.endMs) + 100 - t.nowMs));
      if (!t.probe.setBitRate(BIT_RATES[1]!)) {
        // Until it gives the new rate up.
        yield* t.sleep(20_000);
        return inconclusive("this line has no bit rate to change");
      }
      const there = yield* t.ask(typeQuery());
      if (there.answer?.code === -1) {
        yield* t.ask(emitFrame(MessageType.DataLink, Uint8Array.of(DataLinkOp.BitRate, 0)));
        t.probe.setBitRate(BIT_RATES[0]!);
        yield* t.sleep(150);
        yield* t.needAlive("going back to 19,200 bit/s");
        return pass("38,400 bit/s and back");
      }
      t.probe.setBitRate(BIT_RATES[0]!);
      yield* t.sleep(20_000);
      return fail("acknowledged, but no ACK at 38,400 bit/s after it");
    },
  },
  {
    id: "reply.unacknowledged",
    roles: BOTH,
    requirement: "A reply of the peer's that nobody acknowledges does not stop it.",
    section: "2.4",
    mark: "I",
    *run(t) {
      const isReply = (type: number): boolean => type === MessageType.Basic;
      yield* t.withManners(
        { answer: (heard) => (isReply(heard.type) ? undefined : t.probe.goodManners.answer(heard)) },
        function* () {
          const exchange = yield* harmless(t);
          t.needReply(exchange);
          // Its repetitions.
          yield* t.sleep(8000);
        },
      );
      const again = yield* harmless(t);
      t.needReply(again);
      return pass("the next request is answered");
    },
  },
  {
    id: "reply.refused",
    roles: BOTH,
    requirement: "A reply that earns NAK 03 is sent again, or given up; the peer goes on.",
    section: "2.3, 2.4",
    mark: "1",
    *run(t) {
      let refused = 0;
      let again = false;
      yield* t.withManners(
        {
          answer: (heard) => {
            if (heard.type !== MessageType.Basic || heard.payload.length === 0)
              return t.probe.goodManners.answer(heard);
            again = refused > 0;
            return refused++ === 0
              ? { code: NakCode.Checksum, delayMs: 60 }
              : t.probe.goodManners.answer(heard);
          },
        },
        function* () {
          t.needReply(yield* harmless(t));
          yield* t.sleep(4000);
        },
      );
      t.needReply(yield* harmless(t));
      return pass(again ? "sent again" : "given up, and it goes on");
    },
  },
];
