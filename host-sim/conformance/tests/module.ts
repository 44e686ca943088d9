/** The peer is a module: what it asks, answers and must say again (2.6, 4, 5.1). We play the appliance. */
import { durationSeconds, hasDuration, OpState } from "../../../src/wire/basic.js";
import { AppNakReason, BasicOp, MessageType } from "../../../src/wire/message.js";
import {
  advice,
  fail,
  inconclusive,
  notApplicable,
  pass,
  type Outcome,
  type Role,
  type Steps,
} from "../plan.js";
import type { TestCase } from "../test-case.js";
import { isOwn, type Entry } from "../probe.js";
import type { Tester } from "../tester.js";
import { reboot, unknownBasic } from "./appliance.js";
import { information } from "./intermediate.js";

const SGD: readonly Role[] = ["sgd"];
/** A module refreshes within 10 s of a Wake. */
const REFRESH_MS = 10_000;
/** Five minutes, and a poll more. */
const COMM_MS = 320_000;
const EVENT_WAIT_MS = 600_000;
/** A module that ends an event has said so by then. */
const END_SLACK_MS = 60_000;

const LOADS: readonly number[] = [
  BasicOp.Shed,
  BasicOp.PowerLevel,
  BasicOp.CriticalPeak,
  BasicOp.GridEmergency,
  BasicOp.LoadUp,
];

function isBasic(op: number): (entry: Entry) => boolean {
  return ({ type, payload }) => type === MessageType.Basic && payload.length === 2 && payload[0] === op;
}

/** The first frame of the whole run that fits, waited for so long. */
function* firstOf(t: Tester, fits: (entry: Entry) => boolean, limitMs: number): Steps<Entry | undefined> {
  const find = (): Entry | undefined =>
    t.trace.find((entry) => entry.who === "peer" && entry.kind === "frame" && fits(entry));
  const came = yield* t.until(() => find() !== undefined, limitMs);
  if (!came) t.probe.note(`waited for ${limitMs / 1000} s`);
  return find();
}

/** A word of the appliance's own that a module acknowledges with `03 opcode1`. */
function* saying(t: Tester, op: number, arg: number): Steps<Outcome> {
  const payload = t.needReply(yield* t.basic(op, arg));
  return payload[0] === BasicOp.AppAck ? pass("App ACK") : fail(`App NAK ${payload[1]}`);
}

function saysTest(id: string, op: number, name: string): TestCase {
  return {
    id,
    roles: SGD,
    requirement: `${name} is answered with App ACK.`,
    section: "4",
    mark: "C",
    *run(t) {
      return yield* saying(t, op, 0);
    },
  };
}

export const moduleTests: readonly TestCase[] = [
  {
    id: "module.starts",
    roles: SGD,
    requirement: "The module begins a dialogue within 60 s of being spoken to.",
    section: "2.6",
    mark: "1",
    *run(t) {
      const first = yield* firstOf(t, isOwn, 60_000);
      return first ? pass(`"${first.text}"`) : fail("it said nothing of its own within 60 s");
    },
  },
  {
    id: "module.asks-state",
    roles: SGD,
    requirement: "The module asks for the operational state, which alone shows that a command is obeyed.",
    section: "2.6, 4",
    mark: "1",
    *run(t) {
      const asked = yield* firstOf(t, isBasic(BasicOp.QueryState), 90_000);
      return asked ? pass(asked.text) : fail("no query of the state within 90 s");
    },
  },
  {
    id: "module.state-report",
    roles: SGD,
    requirement: "A state that the appliance tells by itself (13) is answered with App ACK 03 13.",
    section: "4",
    mark: "X",
    *run(t) {
      const exchange = yield* t.basic(BasicOp.State, OpState.RunningNormal);
      t.needAck(exchange);
      const { n } = exchange.request;
      const isAck = ({ who, type, payload }: Entry): boolean =>
        who === "peer" &&
        type === MessageType.Basic &&
        payload[0] === BasicOp.AppAck &&
        payload[1] === BasicOp.State;
      const came = yield* t.until(() => t.trace.slice(n).some(isAck), 3300);
      return came ? pass("App ACK") : advice("link ACK alone; sources disagree whether more is due");
    },
  },
  {
    id: "module.override",
    roles: SGD,
    requirement: "Customer override, on and off (11 01, 11 00), is answered with App ACK.",
    section: "4",
    mark: "C",
    *run(t) {
      const on = yield* saying(t, BasicOp.CustomerOverride, 1);
      const off = yield* saying(t, BasicOp.CustomerOverride, 0);
      return on.verdict === "pass" ? off : on;
    },
  },
  saysTest("module.sleep", BasicOp.Sleep, "Sleep (14)"),
  saysTest("module.wake", BasicOp.Wake, "Wake (15)"),
  {
    id: "module.refresh",
    roles: SGD,
    requirement:
      "Within 10 s of Wake the module tells everything again: at least the outside comm status (0E).",
    section: "4",
    mark: "C",
    *run(t) {
      const exchange = yield* t.basic(BasicOp.Wake);
      t.needReply(exchange);
      const { n } = exchange.request;
      const told = (): Entry | undefined =>
        t.trace.slice(n).find((entry) => entry.who === "peer" && isBasic(BasicOp.OutsideComm)(entry));
      const came = yield* t.until(() => told() !== undefined, REFRESH_MS);
      return came ? pass(`"${told()!.text}"`) : fail("no outside comm status within 10 s");
    },
  },
  {
    id: "module.unknown",
    roles: SGD,
    requirement: "An unknown Basic opcode earns NAK 06 or 07, or ACK and App NAK 01.",
    section: "2.3, 4",
    mark: "X",
    *run(t) {
      return yield* unknownBasic(t, 0x7f);
    },
  },
  {
    id: "module.not-for-it",
    roles: SGD,
    requirement: "A load command, which only a module may send, is refused.",
    section: "4",
    mark: "I",
    *run(t) {
      return yield* unknownBasic(t, BasicOp.Shed);
    },
  },
  {
    id: "module.bad-argument",
    roles: SGD,
    requirement: "Customer override with a reserved opcode2 is not acknowledged: App NAK 02.",
    section: "4",
    mark: "I",
    *run(t) {
      const payload = t.needReply(yield* t.basic(BasicOp.CustomerOverride, 7));
      if (payload[0] === BasicOp.AppAck) return fail("App ACK to override 07");
      return payload[1] === AppNakReason.Opcode1Unsupported
        ? notApplicable("override is not supported")
        : pass(`App NAK ${payload[1]}`);
    },
  },
  {
    id: "module.info",
    roles: SGD,
    requirement: "GetInformation (01 01) is answered with 01 81, code 00 and a module's device type (40xx).",
    section: "5.1, 5.2",
    mark: "C",
    *run(t) {
      return yield* information(t, (type) => type >> 12 === 4);
    },
  },
  {
    id: "module.reboot",
    roles: SGD,
    requirement: "Reboot (1A 00) is acknowledged, and the peer answers again within 60 s.",
    section: "2.6, 4",
    mark: "C",
    optional: "disruptive",
    *run(t) {
      return yield* reboot(t);
    },
  },
  {
    id: "module.comm-status",
    roles: SGD,
    requirement: "The outside comm status is told at least every 5 min.",
    section: "4",
    mark: "X",
    optional: "long",
    *run(t) {
      const from = t.trace.length;
      const startMs = t.nowMs;
      yield* t.sleep(COMM_MS);
      const told = t.trace
        .slice(from)
        .filter((entry) => entry.who === "peer" && isBasic(BasicOp.OutsideComm)(entry));
      if (told.length === 0) return fail(`not once in ${COMM_MS / 1000} s`);
      const first = Math.round((told[0]!.startMs - startMs) / 1000);
      return pass(`${told.length} times, the first after ${first} s`);
    },
  },
  {
    id: "module.end-shed",
    roles: SGD,
    requirement:
      "After a load command, End Shed (02) is sent when the event is over, a duration given or not.",
    section: "4, 4.1",
    mark: "C",
    optional: "long",
    *run(t) {
      const isLoad = (entry: Entry): boolean =>
        entry.who === "peer" && entry.type === MessageType.Basic && LOADS.includes(entry.payload[0] ?? 0);
      if (!(yield* t.until(() => t.trace.some(isLoad), EVENT_WAIT_MS))) {
        return inconclusive("no load command within 10 min: have the utility send the module a short event");
      }
      const giveUpMs = t.nowMs + EVENT_WAIT_MS;
      for (;;) {
        const loads = t.trace.filter(isLoad);
        const last = loads[loads.length - 1]!;
        const [op, arg] = [last.payload[0]!, last.payload[1]!];
        const seconds = hasDuration(op) ? durationSeconds(arg) : undefined;
        const isOver = (): boolean =>
          t.trace.slice(last.n).some((entry) => entry.who === "peer" && isBasic(BasicOp.EndShed)(entry));
        const isKnown = seconds !== undefined && seconds * 1000 <= EVENT_WAIT_MS;
        const untilMs = last.endMs + (isKnown ? seconds * 1000 + END_SLACK_MS : EVENT_WAIT_MS);
        const ended = yield* t.until(
          () => isOver() || t.trace.slice(last.n + 1).some(isLoad),
          Math.max(0, untilMs - t.nowMs),
        );
        if (isOver()) return pass(`End Shed after "${last.text}"`);
        // Told again or changed: the event goes on.
        if (ended && t.nowMs < giveUpMs) continue;
        if (ended || !isKnown) return inconclusive(`"${last.text}" is still in force`);
        return fail(`"${last.text}" is over, and no End Shed within 60 s after it`, [last]);
      }
    },
  },
];
