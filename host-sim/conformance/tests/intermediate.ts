/** Intermediate DR: who the peer is, what it meters, its clock, and opcodes that nobody has (5). */
import { isFault } from "../../../src/base/fault.js";
import { BasicOp, MessageType, NakCode } from "../../../src/wire/message.js";
import { ResponseCode, parseIntermediate } from "../../../src/wire/intermediate.js";
import { payloadOf } from "../../../src/wire/payload.js";
import { BOTH, fail, notApplicable, pass, Verdicted, type Outcome, type Role, type Steps } from "../plan.js";
import type { TestCase } from "../test-case.js";
import { nak, type Tester } from "../tester.js";

const UCM: readonly Role[] = ["ucm"];

function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, "0");
}

/** An Intermediate exchange; ends the test where the peer does not do it. */
function* ask(t: Tester, payload: readonly number[]): Steps<Uint8Array> {
  yield* t.needType(MessageType.Intermediate, "Intermediate DR");
  const exchange = yield* t.exchange(MessageType.Intermediate, payload);
  const reply = t.needReply(exchange);
  const appAck = exchange.others.find(
    (entry) => entry.type === MessageType.Basic && entry.payload[0] === BasicOp.AppAck,
  );
  if (appAck !== undefined) throw new Verdicted(fail("an App ACK to an Intermediate request"));
  if (reply[2] === ResponseCode.NotImplemented) {
    throw new Verdicted(notApplicable("response code 01: not implemented"));
  }
  return reply;
}

export function* information(t: Tester, isRight: (deviceType: number) => boolean): Steps<Outcome> {
  const reply = yield* ask(t, [0x01, 0x01]);
  const message = parseIntermediate(reply);
  if (isFault(message)) return fail(`${message.text} (${reply.length} bytes)`);
  if (message.name !== "InformationReply") return fail("the reply is not one to GetInformation");
  const { information: told, responseCode } = message;
  if (responseCode !== ResponseCode.Success) return fail(`response code ${responseCode}`);
  if (told === undefined) return fail("no information");
  const type = `device type ${hex(told.deviceType >> 8)}${hex(told.deviceType & 0xff)}`;
  return isRight(told.deviceType)
    ? pass(`${type}, ${reply.length} bytes`)
    : fail(`${type} is of the other side`);
}

function* unknownIntermediate(t: Tester): Steps<Outcome> {
  yield* t.needType(MessageType.Intermediate, "Intermediate DR");
  const { answer, reply } = yield* t.exchange(MessageType.Intermediate, [0x7f, 0x00]);
  if (answer === undefined) return fail("no link answer");
  if (answer.code === NakCode.NotSupported || answer.code === NakCode.UnsupportedType)
    return pass(nak(answer.code));
  if (answer.code >= 0) return fail(`${nak(answer.code)}, not NAK 07`);
  if (reply === undefined) return fail("ACK, and no reply with response code 01");
  const code = reply.payload[2];
  return code === ResponseCode.NotImplemented ? pass("response code 01") : fail(`response code ${code}`);
}

export const intermediateTests: readonly TestCase[] = [
  {
    id: "info.get",
    roles: UCM,
    requirement: "GetInformation (01 01) is answered with 01 81, code 00 and an appliance's device type.",
    section: "5.1, 5.2",
    mark: "C",
    *run(t) {
      return yield* information(t, (type) => type < 0x4000 || type >= 0x5000);
    },
  },
  {
    id: "commodity.get",
    roles: UCM,
    requirement: "Get commodities (06 00) is answered with 06 80, a response code and records of 13 bytes.",
    section: "5.11",
    mark: "C",
    *run(t) {
      const reply = yield* ask(t, [0x06, 0x00]);
      const message = parseIntermediate(reply);
      if (isFault(message) || message.name !== "CommodityReply")
        return fail(`a reply of ${reply.length} bytes`);
      if (message.responseCode !== ResponseCode.Success) return fail(`response code ${message.responseCode}`);
      return pass(`commodities ${message.records.map(({ code }) => code).join(", ")}`);
    },
  },
  {
    id: "commodity.one",
    roles: UCM,
    requirement: "Get one commodity (06 00 00) is answered with that commodity alone.",
    section: "5.11",
    mark: "1",
    *run(t) {
      yield* t.needType(MessageType.Intermediate, "Intermediate DR");
      if ((yield* t.limit()) < 3) return notApplicable("the peer takes Basic DR alone");
      const reply = yield* ask(t, [0x06, 0x00, 0x00]);
      const message = parseIntermediate(reply);
      if (isFault(message) || message.name !== "CommodityReply")
        return fail(`a reply of ${reply.length} bytes`);
      if (message.responseCode === ResponseCode.BadValue)
        return notApplicable("response code 02: no such commodity");
      const codes = message.records.map(({ code }) => code);
      return codes.length === 1 && codes[0] === 0
        ? pass("commodity 0")
        : fail(`commodities ${codes.join(", ") || "none"}`);
    },
  },
  {
    id: "time.set",
    roles: UCM,
    requirement: "Set UTC time (02 00, 8 bytes) is answered with 02 80 and a response code.",
    section: "5.4",
    mark: "C",
    *run(t) {
      yield* t.needType(MessageType.Intermediate, "Intermediate DR");
      if ((yield* t.limit()) < 8) return notApplicable("the peer takes no 8 bytes");
      const time = { utcSeconds: 830_000_000, offsetQuarters: 0, dstQuarters: 0 };
      const { payload } = payloadOf({ family: "intermediate", name: "SetTime", time });
      const reply = yield* ask(t, [...payload]);
      return reply.length === 3
        ? pass(`response code ${reply[2]}`)
        : fail(`a reply of ${reply.length} bytes, not 3`);
    },
  },
  {
    id: "intermediate.unknown",
    roles: BOTH,
    requirement: "An unknown Intermediate opcode earns NAK 07, or a reply with response code 01.",
    section: "5",
    mark: "C",
    *run(t) {
      return yield* unknownIntermediate(t);
    },
  },
];
