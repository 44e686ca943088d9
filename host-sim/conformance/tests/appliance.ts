/** The peer is an appliance: Basic DR as a module uses it (4). We play the module. */
import { isOptedOut, OpState } from "../../../src/wire/basic.js";
import { basicName, stateName } from "../../../src/wire/basic-words.js";
import { AppNakReason, BasicOp, MessageType, NakCode } from "../../../src/wire/message.js";
import {
  fail,
  inconclusive,
  notApplicable,
  pass,
  Verdicted,
  type Outcome,
  type Role,
  type Steps,
} from "../plan.js";
import type { TestCase } from "../test-case.js";
import { nak, type Tester } from "../tester.js";

const UCM: readonly Role[] = ["ucm"];
/** A charger with a car takes so long to follow: contactor, ramp of the car. */
const SETTLE_MS = 60_000;
const LOOK_MS = 2000;

/** The operational state, asked. */
function* state(t: Tester): Steps<number> {
  return t.needReply(yield* t.basic(BasicOp.QueryState))[1]!;
}

function isCurtailed(value: number): boolean {
  return value === OpState.RunningCurtailed || value === OpState.IdleCurtailed;
}

/** Asks until the state fits, for at most so long; the last one. */
function* stateUntil(t: Tester, fits: (value: number) => boolean, limitMs: number): Steps<number> {
  const untilMs = t.nowMs + limitMs;
  for (;;) {
    const value = yield* state(t);
    if (fits(value) || t.nowMs >= untilMs) return value;
    yield* t.sleep(LOOK_MS);
  }
}

/** A command must be answered by App ACK of its own opcode, or App NAK with a reason that exists. */
function* command(t: Tester, op: number, arg: number): Steps<"ack" | number> {
  const payload = t.needReply(yield* t.basic(op, arg));
  if (payload[0] === BasicOp.AppAck) return "ack";
  return payload[1]!;
}

/** Back to what it was, whatever the last test did. */
function* rest(t: Tester): Steps<void> {
  yield* t.basic(BasicOp.EndShed);
}

function opTest(id: string, op: number, arg: number, isMandatory = false): TestCase {
  const name = basicName(op)!;
  return {
    id,
    roles: UCM,
    requirement: isMandatory
      ? `${name} (${hex(op)}) is answered with App ACK 03 ${hex(op)}, or App NAK 03 or 05.`
      : `${name} (${hex(op)}) is answered with App ACK 03 ${hex(op)} or App NAK, or refused with NAK 06 or 07.`,
    section: "4",
    mark: "C",
    *run(t) {
      const exchange = yield* t.basic(op, arg);
      const code = exchange.answer?.code ?? -1;
      if (isMandatory && (code === NakCode.UnsupportedType || code === NakCode.NotSupported)) {
        return fail(`${nak(code)} to ${name}, which every appliance must take`);
      }
      const payload = t.needReply(exchange);
      yield* rest(t);
      if (payload[0] === BasicOp.AppAck) return pass("App ACK");
      const reason = payload[1]!;
      if (reason > AppNakReason.CustomerOverride) return fail(`App NAK with the reserved reason ${reason}`);
      if (isMandatory && reason !== AppNakReason.Busy && reason !== AppNakReason.CustomerOverride) {
        return fail(`App NAK ${reason} to ${name}, which every appliance must take`);
      }
      return reason === AppNakReason.Opcode1Unsupported
        ? notApplicable("App NAK 01: not supported")
        : pass(`App NAK ${reason}`);
    },
  };
}

function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, "0");
}

/** Sheds; ends the test where the appliance does not show it. Gives the state. */
function* shed(t: Tester, arg: number): Steps<number> {
  const answer = yield* command(t, BasicOp.Shed, arg);
  if (answer !== "ack") throw new Verdicted(inconclusive(`Shed was refused with App NAK ${answer}`));
  const seen = yield* stateUntil(t, isCurtailed, SETTLE_MS);
  if (!isCurtailed(seen)) {
    yield* rest(t);
    throw new Verdicted(inconclusive(`Shed does not show: state ${seen}, ${stateName(seen)}`));
  }
  return seen;
}

/** Refusals of an opcode that nobody has. */
export function* unknownBasic(t: Tester, op: number): Steps<Outcome> {
  const { answer, reply } = yield* t.basic(op);
  if (answer === undefined) return fail("no link answer");
  if (answer.code === NakCode.UnsupportedType || answer.code === NakCode.NotSupported) {
    return pass(nak(answer.code));
  }
  if (answer.code >= 0) return fail(`${nak(answer.code)}, not NAK 06 or 07`);
  if (reply === undefined) return fail("ACK, and no application reply");
  if (reply.payload[0] === BasicOp.AppNak) return pass(`ACK and App NAK ${reply.payload[1]}`);
  return fail(`ACK, and "${reply.text}"`);
}

export const applianceTests: readonly TestCase[] = [
  {
    id: "basic.state",
    roles: UCM,
    requirement: "Query operational state (12) is answered with 13 and a state that exists.",
    section: "4, 4.4",
    mark: "C",
    *run(t) {
      const exchange = yield* t.basic(BasicOp.QueryState);
      const { answer } = exchange;
      if (answer !== undefined && answer.code >= 0)
        return fail(`${nak(answer.code)} to a query that is mandatory`);
      const [op, value] = t.needReply(exchange);
      if (op !== BasicOp.State) return fail(`App NAK ${value}`);
      const exists = value! <= 14 || value! >= 126;
      return exists
        ? pass(`state ${value}, ${stateName(value!)}`)
        : fail(`state ${value}, which is reserved`);
    },
  },
  opTest("basic.end-shed", BasicOp.EndShed, 0, true),
  opTest("basic.shed", BasicOp.Shed, 0, true),
  opTest("basic.load-up", BasicOp.LoadUp, 0),
  opTest("basic.critical-peak", BasicOp.CriticalPeak, 0),
  opTest("basic.grid-emergency", BasicOp.GridEmergency, 0),
  opTest("basic.power-level", BasicOp.PowerLevel, 0x40),
  opTest("basic.present-price", BasicOp.PresentPrice, 0x41),
  opTest("basic.next-price", BasicOp.NextPrice, 0x41),
  opTest("basic.price-time", BasicOp.PriceTimeRemaining, 0x1e),
  opTest("basic.guidance", BasicOp.GridGuidance, 1),
  opTest("basic.outside-comm", BasicOp.OutsideComm, 1),
  opTest("basic.time-sync", BasicOp.TimeSync, 0x2c),
  opTest("basic.pending-time", BasicOp.PendingEventTime, 0x1e),
  opTest("basic.pending-type", BasicOp.PendingEventType, BasicOp.EndShed),
  {
    id: "basic.shed-state",
    roles: UCM,
    requirement: "After Shed the state is curtailed (2 or 4), or opted out, or idle with nothing to shed.",
    section: "4.4, 4.5",
    mark: "1",
    *run(t) {
      const answer = yield* command(t, BasicOp.Shed, 0);
      if (answer !== "ack") return notApplicable(`Shed is refused with App NAK ${answer}`);
      const seen = yield* stateUntil(t, isCurtailed, SETTLE_MS);
      yield* rest(t);
      const text = `state ${seen}, ${stateName(seen)}`;
      if (isCurtailed(seen) || isOptedOut(seen)) return pass(text);
      return seen === OpState.IdleNormal ? pass(`${text}: nothing to shed`) : fail(text);
    },
  },
  {
    id: "basic.end-shed-state",
    roles: UCM,
    requirement: "After End Shed the state is no longer curtailed.",
    section: "4",
    mark: "C",
    *run(t) {
      yield* shed(t, 0);
      const answer = yield* command(t, BasicOp.EndShed, 0);
      if (answer !== "ack") return fail(`End Shed is refused with App NAK ${answer}`);
      const seen = yield* stateUntil(t, (value) => !isCurtailed(value), SETTLE_MS);
      const text = `state ${seen}, ${stateName(seen)}`;
      return isCurtailed(seen) ? fail(`${text}, 60 s after End Shed`) : pass(text);
    },
  },
  {
    id: "basic.duration",
    roles: UCM,
    requirement: "A Shed with a duration (2·b² s) does not end before it is over.",
    section: "4.1",
    mark: "C",
    *run(t) {
      const startMs = t.nowMs;
      // 05: 50 s.
      const answer = yield* command(t, BasicOp.Shed, 5);
      if (answer !== "ack") return notApplicable(`Shed is refused with App NAK ${answer}`);
      const first = yield* stateUntil(t, isCurtailed, 30_000);
      if (!isCurtailed(first)) {
        yield* rest(t);
        return inconclusive(`Shed does not show: state ${first}, ${stateName(first)}`);
      }
      yield* t.sleep(Math.max(0, startMs + 42_000 - t.nowMs));
      const late = yield* state(t);
      yield* t.sleep(Math.max(0, startMs + 62_000 - t.nowMs));
      const after = yield* state(t);
      yield* rest(t);
      if (!isCurtailed(late)) return fail(`state ${late}, ${stateName(late)}, after 42 of 50 s`);
      return pass(isCurtailed(after) ? "still curtailed: it waits for End Shed" : "ended by its own clock");
    },
  },
  {
    id: "basic.override",
    roles: UCM,
    requirement:
      "Customer override (11) is acknowledged; a Shed under it gets NAK 05, or ACK and no curtailment.",
    section: "4, 4.5",
    mark: "C",
    *run(t) {
      const on = yield* command(t, BasicOp.CustomerOverride, 1);
      if (on === AppNakReason.Opcode1Unsupported)
        return notApplicable("override from the module is not supported");
      if (on !== "ack") return fail(`App NAK ${on} to override on`);
      const answer = yield* command(t, BasicOp.Shed, 0);
      yield* t.sleep(5000);
      const seen = yield* state(t);
      yield* rest(t);
      const off = yield* command(t, BasicOp.CustomerOverride, 0);
      if (off !== "ack") return fail(`App NAK ${off} to override off`);
      if (answer !== "ack" && answer !== AppNakReason.CustomerOverride) {
        return fail(`Shed under override: App NAK ${answer}, not 05`);
      }
      const text = `${answer === "ack" ? "ACK" : "NAK 05"} and state ${seen}, ${stateName(seen)}`;
      return isCurtailed(seen) ? fail(`Shed under override: ${text}`) : pass(text);
    },
  },
  {
    id: "basic.unknown",
    roles: UCM,
    requirement: "An unknown Basic opcode earns NAK 06 or 07, or ACK and App NAK 01.",
    section: "2.3, 4",
    mark: "X",
    *run(t) {
      return yield* unknownBasic(t, 0x7f);
    },
  },
  {
    id: "basic.bad-argument",
    roles: UCM,
    requirement: "Grid guidance with a reserved opcode2 is not acknowledged: App NAK 02.",
    section: "4",
    mark: "I",
    *run(t) {
      const answer = yield* command(t, BasicOp.GridGuidance, 7);
      if (answer === AppNakReason.Opcode1Unsupported) return notApplicable("grid guidance is not supported");
      yield* t.basic(BasicOp.GridGuidance, 1);
      return answer === "ack" ? fail("App ACK to guidance 07") : pass(`App NAK ${answer}`);
    },
  },
  {
    id: "basic.no-reply-to-reply",
    roles: UCM,
    requirement: "An App ACK gets a link ACK and no application reply.",
    section: "4",
    mark: "I",
    *run(t) {
      const exchange = yield* t.basic(BasicOp.AppAck, BasicOp.State);
      t.needAck(exchange);
      const from = exchange.request.n;
      yield* t.sleep(1500);
      const reply = t.trace
        .slice(from)
        .find(
          ({ who, type, payload }) =>
            who === "peer" &&
            type === MessageType.Basic &&
            payload[0] === BasicOp.AppAck &&
            payload[1] === BasicOp.AppAck,
        );
      return reply === undefined ? pass("none") : fail("App ACK to an App ACK");
    },
  },
  {
    id: "basic.reboot",
    roles: UCM,
    requirement: "Reboot (1A 00) is acknowledged, and the peer answers again within 60 s.",
    section: "2.6, 4",
    mark: "C",
    optional: "disruptive",
    *run(t) {
      return yield* reboot(t);
    },
  },
];

/** Says Reboot and waits for the peer to be there again. */
export function* reboot(t: Tester): Steps<Outcome> {
  const [op, arg] = t.needReply(yield* t.basic(BasicOp.Reboot));
  if (op === BasicOp.AppNak) return notApplicable(`App NAK ${arg}`);
  t.peerLimit = 0;
  const startMs = t.nowMs;
  yield* t.sleep(2000);
  while (t.nowMs - startMs < 60_000) {
    const { answer } = yield* t.query(MessageType.Basic);
    if (answer?.code === -1) return pass(`there again after ${Math.round((t.nowMs - startMs) / 1000)} s`);
    yield* t.sleep(1000);
  }
  return fail("no link answer within 60 s after Reboot");
}
