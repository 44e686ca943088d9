/** Hot plug, and what falls back to defaults by itself (1.1, 1.2, 2.6). */
import { emitFrame } from "../../../src/wire/frame.js";
import { BasicOp, DataLinkOp, MessageType } from "../../../src/wire/message.js";
import { BOTH, fail, inconclusive, pass, type Steps } from "../plan.js";
import type { TestCase } from "../test-case.js";
import type { Tester } from "../tester.js";
import { harmless } from "./negotiation.js";

const AWAY_MS = 5000;
const DEFAULTS_MS = 15 * 60_000;

/** What a partner that has just been plugged in asks: types, payload limit, something. */
function* startUp(t: Tester): Steps<string | undefined> {
  for (const type of [MessageType.Basic, MessageType.Intermediate, MessageType.DataLink]) {
    const { request, answer } = yield* t.query(type);
    if (answer === undefined) return `no link answer to "${request.text}"`;
  }
  if (yield* t.supports(MessageType.DataLink)) {
    const { reply } = yield* t.exchange(MessageType.DataLink, [DataLinkOp.QueryMaxPayload, 0]);
    if (reply === undefined) return "no answer to the payload query";
  }
  const { reply } = yield* harmless(t);
  return reply === undefined ? "no reply to a Basic request" : undefined;
}

/** Off the line for so long: really where the bench can, else we are deaf and dumb. */
function* away(t: Tester, durationMs: number): Steps<void> {
  const { plug } = t;
  t.probe.dropDebts();
  t.probe.note(plug === undefined ? "we fall silent" : "the plug is pulled");
  plug?.(false);
  yield* t.withManners({ answer: () => undefined }, () => t.sleep(durationMs));
  plug?.(true);
  t.probe.note(plug === undefined ? "we are back" : "the plug is in again");
  t.probe.dropDebts();
}

export const plugTests: readonly TestCase[] = [
  {
    id: "plug.idle",
    roles: BOTH,
    requirement: "A partner that goes and comes back finds the peer ready for its start-up.",
    section: "1.1, 2.6",
    mark: "1",
    *run(t) {
      yield* t.calm();
      yield* away(t, AWAY_MS);
      const problem = yield* startUp(t);
      return problem === undefined ? pass("the start-up is answered") : fail(`${problem} after 5 s away`);
    },
  },
  {
    id: "plug.mid-frame",
    roles: BOTH,
    requirement: "A partner that goes in the middle of its frame and comes back finds the peer ready.",
    section: "1.1, 2.4",
    mark: "1",
    *run(t) {
      yield* t.calm();
      yield* t.say(
        emitFrame(MessageType.Basic, Uint8Array.of(BasicOp.QueryState, 0)).subarray(0, 5),
        "Query operational state, cut on purpose",
      );
      yield* away(t, AWAY_MS);
      const problem = yield* startUp(t);
      return problem === undefined ? pass("the start-up is answered") : fail(`${problem} after a cut frame`);
    },
  },
  {
    id: "plug.mid-exchange",
    roles: BOTH,
    requirement: "A partner that goes between request and reply and comes back finds the peer ready.",
    section: "1.1, 2.6",
    mark: "1",
    *run(t) {
      const op = t.role === "ucm" ? BasicOp.QueryState : BasicOp.CustomerOverride;
      const { answer } = yield* t.ask(emitFrame(MessageType.Basic, Uint8Array.of(op, 0)));
      if (answer === undefined) return inconclusive("no link answer before the plug was pulled");
      yield* away(t, AWAY_MS);
      const problem = yield* startUp(t);
      return problem === undefined
        ? pass("the start-up is answered")
        : fail(`${problem} after a broken exchange`);
    },
  },
  {
    id: "plug.silence",
    roles: BOTH,
    requirement: "After 15 min without valid communication the peer answers at 19,200 bit/s.",
    section: "1.2",
    mark: "C",
    optional: "long",
    *run(t) {
      const request = emitFrame(MessageType.DataLink, Uint8Array.of(DataLinkOp.BitRate, 1));
      const { answer } = yield* t.ask(request);
      const changed = answer !== undefined && answer.code < 0 && t.probe.setBitRate(38_400);
      if (changed) {
        yield* t.sleep(150);
        yield* t.needAlive("the change to 38,400 bit/s");
      }
      yield* away(t, DEFAULTS_MS + 5000);
      t.peerLimit = 0;
      if (changed) t.probe.setBitRate(19_200);
      yield* t.needAlive("15 min of silence");
      const problem = yield* startUp(t);
      if (problem !== undefined) return fail(`${problem} after 15 min of silence`);
      return pass(changed ? "back from 38,400 bit/s" : "the start-up is answered");
    },
  },
];
