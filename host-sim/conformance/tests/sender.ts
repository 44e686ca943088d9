/** The peer as the one who speaks first: what it makes of early, late and missing answers of ours (2.4). */
import { BasicOp } from "../../../src/wire/message.js";
import { BOTH, fail, inconclusive, pass, Verdicted, type Outcome, type Steps } from "../plan.js";
import type { TestCase } from "../test-case.js";
import { isOwn, type Entry } from "../probe.js";
import type { Tester } from "../tester.js";

/** A peer says something of its own within this time once it has been provoked. */
const PROVOKED_MS = 30_000;
/** Longer than any back-off that is known. */
const REPEATS_MS = 9000;
/** The longest wait for an ACK and the longest back-off that are known, with room. */
const REPEAT_WITHIN_MS = 2600;

/** Our reply, so late that it cannot stand for an ACK that was not heard. */
const AFTER_ACK_MS = 2500;

/** Makes the peer begin a dialogue: a module by Wake, an appliance by a change of its state. */
function* provoke(t: Tester): Steps<void> {
  if (t.role === "sgd") {
    yield* t.basic(BasicOp.Wake);
    return;
  }
  const before = yield* t.basic(BasicOp.QueryState);
  const curtailed = before.reply !== undefined && [2, 4].includes(before.reply.payload[1]!);
  const { reply } = curtailed ? yield* t.basic(BasicOp.EndShed) : yield* t.basic(BasicOp.Shed, 6);
  if (reply === undefined) throw new Verdicted(inconclusive("the peer does not answer load commands"));
}

/** Repetitions of `first` after it. */
function repeats(t: Tester, first: Entry): readonly Entry[] {
  return t.trace
    .slice(first.n + 1)
    .filter((entry) => entry.who === "peer" && entry.kind === "frame" && sameBytes(entry.bytes, first.bytes));
}

/** A frame of ours to which a peer may well say something again: any but an App ACK. */
function isNews({ who, kind, payload }: Entry): boolean {
  return who === "we" && kind === "frame" && payload[0] !== BasicOp.AppAck;
}

/** True where the peer says things twice although they were acknowledged, as some do: then a repetition tells nothing. */
function isTalkative(t: Tester, before: Entry): boolean {
  return t.trace.some((entry) => {
    if (entry.n >= before.n || !isOwn(entry) || entry.who !== "peer" || entry.kind !== "frame") return false;
    const ack = t.trace.slice(entry.n, entry.n + 4).find((e) => e.who === "we" && e.kind === "answer");
    if (
      ack === undefined ||
      ack.code >= 0 ||
      ack.startMs - entry.endMs > 100 ||
      ack.startMs - entry.endMs < 40
    )
      return false;
    return repeats(t, entry).some(
      (again) =>
        again.n < before.n &&
        again.startMs - entry.endMs < REPEAT_WITHIN_MS &&
        !t.trace.slice(entry.n, again.n).some(isNews),
    );
  });
}

/** What a repetition after an ACK of ours means. */
function repeatOutcome(t: Tester, first: Entry, again: Entry | undefined, ackMs: number): Outcome {
  if (again === undefined) return pass("not repeated");
  if (isTalkative(t, first)) return inconclusive("the peer repeats itself whatever we answer");
  return fail(`"${first.text}" is repeated though it was acknowledged after ${ackMs} ms`, [first, again]);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Answers the next frame of the peer's own in a way of its own; gives that frame when it has been watched. */
function* treatNext(
  t: Tester,
  treat: Partial<{ ackMs: number | undefined; replyMs: number }>,
  watchMs: number,
): Steps<Entry> {
  let first: Entry | undefined;
  const isTreated = (heard: Entry): boolean => {
    if (first === undefined && isOwn(heard) && treatable(t, heard, !("ackMs" in treat))) first = heard;
    return first !== undefined && sameBytes(first.bytes, heard.bytes);
  };
  const good = t.probe.goodManners;
  // From here on, so that what the provocation itself brings forth counts too.
  return yield* t.withManners(
    {
      answer: (heard) => {
        if (!isTreated(heard)) return good.answer(heard);
        if (!("ackMs" in treat)) return good.answer(heard);
        return treat.ackMs === undefined ? undefined : { code: -1, delayMs: treat.ackMs };
      },
      reply: (heard) => {
        const reply = good.reply(heard);
        if (reply === undefined || !isTreated(heard)) return reply;
        return { ...reply, delayMs: treat.replyMs ?? reply.delayMs };
      },
    },
    function* () {
      yield* provoke(t);
      if (!(yield* t.until(() => first !== undefined, PROVOKED_MS))) {
        throw new Verdicted(inconclusive("the peer began no dialogue within 30 s"));
      }
      yield* t.sleep(watchMs);
      return first!;
    },
  );
}

/** Only what we acknowledge in any case, and, where a reply is to be delayed, only what is owed one. */
function treatable(t: Tester, heard: Entry, owedReply: boolean): boolean {
  const good = t.probe.goodManners;
  if (good.answer(heard)?.code !== -1) return false;
  return !owedReply || good.reply(heard) !== undefined;
}

function* restore(t: Tester): Steps<void> {
  if (t.role === "ucm") yield* t.basic(BasicOp.EndShed);
  yield* t.sleep(1500);
}

export const senderTests: readonly TestCase[] = [
  {
    id: "send.ack-early",
    roles: BOTH,
    requirement: "A link ACK of ours after 12 ms is taken: certified appliances answer so soon.",
    section: "2.4",
    mark: "1",
    *run(t) {
      const first = yield* treatNext(t, { ackMs: 12, replyMs: AFTER_ACK_MS }, REPEAT_WITHIN_MS);
      const again = repeats(t, first).find((entry) => entry.startMs - first.endMs < REPEAT_WITHIN_MS);
      yield* restore(t);
      return repeatOutcome(t, first, again, 12);
    },
  },
  {
    id: "send.ack-late",
    roles: BOTH,
    requirement: "A link ACK of ours after 190 ms is taken: 200 ms are allowed.",
    section: "2.4",
    mark: "C",
    *run(t) {
      const first = yield* treatNext(t, { ackMs: 190, replyMs: AFTER_ACK_MS }, REPEAT_WITHIN_MS);
      const again = repeats(t, first).find((entry) => entry.startMs - first.endMs < REPEAT_WITHIN_MS);
      yield* restore(t);
      return repeatOutcome(t, first, again, 190);
    },
  },
  {
    id: "send.retry",
    roles: BOTH,
    requirement:
      "A frame that nobody acknowledges is sent again, not within 200 ms and 3 times in all at most.",
    section: "2.4",
    mark: "1",
    *run(t) {
      const first = yield* treatNext(t, { ackMs: undefined }, REPEATS_MS);
      const all = [first];
      for (const entry of repeats(t, first)) {
        // What comes later is a new attempt of the application.
        if (entry.startMs - all[all.length - 1]!.endMs < REPEAT_WITHIN_MS) all.push(entry);
      }
      yield* restore(t);
      const quick = all.find((entry, i) => i > 0 && entry.startMs - all[i - 1]!.endMs < 200 - t.slackMs);
      if (quick !== undefined) return fail(`sent again after ${Math.round(quick.gapMs)} ms`, all);
      if (all.length === 1) return fail(`"${first.text}" is not sent again`, all);
      if (all.length > 3 && isTalkative(t, first))
        return inconclusive("the peer repeats itself whatever we answer");
      return all.length > 3 ? fail(`sent ${all.length} times`, all) : pass(`sent ${all.length} times in all`);
    },
  },
  {
    id: "send.reply-late",
    roles: BOTH,
    requirement: "An application reply of ours 2.8 s after our ACK is taken: 3 s are allowed.",
    section: "2.4",
    mark: "C",
    *run(t) {
      const first = yield* treatNext(t, { replyMs: 2800 }, 6000);
      const reply = t.trace
        .slice(first.n + 1)
        .find((e) => e.who === "we" && e.kind === "frame" && e.startMs - first.endMs > 2700);
      const again = repeats(t, first).filter((entry) => reply !== undefined && entry.endMs < reply.startMs);
      yield* restore(t);
      if (reply === undefined) return inconclusive("no reply of ours was due");
      if (again.length > 0 && isTalkative(t, first))
        return inconclusive("the peer repeats itself whatever we answer");
      if (again.length > 0) return fail("asked again before 3 s were over", [first, again[0]!, reply]);
      const [answer] = reply.answers;
      if (answer === undefined) return fail("the reply after 2.8 s gets no link answer", [first, reply]);
      return answer.code < 0
        ? pass("acknowledged")
        : fail(`"${answer.text}" to the reply`, [first, reply, answer]);
    },
  },
];
