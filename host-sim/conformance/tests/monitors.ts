/** What is judged from everything that the peer has said in the whole run. They come last in the plan. */
import { isFault } from "../../../src/base/fault.js";
import { basicName } from "../../../src/wire/basic-words.js";
import { BasicOp, MessageType } from "../../../src/wire/message.js";
import { parseMessage } from "../../../src/wire/payload.js";
import { advice, BOTH, fail, inconclusive, pass, type Outcome, type Steps } from "../plan.js";
import type { TestCase } from "../test-case.js";
import { hexOf, type Entry } from "../probe.js";
import type { Tester } from "../tester.js";
import { typeQuery } from "./link.js";
import { harmless } from "./negotiation.js";

const ACK_MIN_MS = 40;
const ACK_MAX_MS = 200;
/** The quickest that is known of a certified appliance, which other modules work with. */
const ACK_SEEN_MS = 10;
/** A busy computer hears an answer later than it came, never sooner: here only rounding is allowed for. */
const ROUNDING_MS = 2;
const REPLY_MIN_MS = 100;
const REPLY_MAX_MS = 3000;
const GAP_MIN_MS = 100;
/** So much of the peer's there must be to judge from. */
const ENOUGH = 3;

function peers(t: Tester, kind?: Entry["kind"]): readonly Entry[] {
  return t.trace.filter(
    (entry) => entry.who === "peer" && !entry.crossed && (kind === undefined || entry.kind === kind),
  );
}

/** Has the peer say something where it has not yet: when a monitor runs alone. */
function* enough(t: Tester): Steps<void> {
  for (let i = 0; i < ENOUGH && peers(t, "frame").length < ENOUGH; i++) {
    yield* t.ask(typeQuery());
    yield* harmless(t);
  }
}

/** Judges every entry; `judge` tells what is wrong with it. */
function verdictOf(
  entries: readonly Entry[],
  judge: (entry: Entry) => string | undefined,
  good: string,
  none: string,
): Outcome {
  if (entries.length === 0) return inconclusive(none);
  const bad = entries.filter((entry) => judge(entry) !== undefined);
  if (bad.length === 0) return pass(good.replace("%", String(entries.length)));
  const more = bad.length > 1 ? `, and ${bad.length - 1} more of ${entries.length}` : "";
  return fail(`${judge(bad[0]!)!}${more}`, bad.slice(0, 3));
}

function ms(value: number): string {
  return value < 20 ? `${Math.round(value * 10) / 10} ms` : `${Math.round(value)} ms`;
}

function monitor(
  test: Omit<TestCase, "run" | "roles"> & Partial<Pick<TestCase, "roles">>,
  look: (t: Tester) => Outcome,
): TestCase {
  return {
    roles: BOTH,
    ...test,
    *run(t) {
      yield* enough(t);
      // What is still coming in belongs to it.
      yield* t.sleep(600);
      return look(t);
    },
  };
}

/** Noise that is the beginning or the rest of a frame, not something between frames. */
function isBrokenFrame({ fault, bytes }: Entry): boolean {
  if (fault === "frame-timeout" || fault === "too-long") return true;
  return fault === "resync" && bytes.length >= 2 && bytes[0] === 0x08 && bytes[1]! >= 1 && bytes[1]! <= 4;
}

/** How much later than it came the ACK was heard that a reply counts from. */
function blurOfAck({ to }: Entry): number {
  return to?.answers[0]?.blurMs ?? 0;
}

/** The same of what was on the line before an entry. */
function blurBefore(t: Tester, { n }: Entry): number {
  return t.trace[n - 1]?.blurMs ?? 0;
}

/** True where the answer's delay counts from the end of one frame: not to the first of two in a burst. */
function isTimed({ delayMs, to, code }: Entry): boolean {
  // NAK 05 counts from the end of tML, not from the last byte.
  if (delayMs === undefined || to === undefined || code === 5) return false;
  const { bytes } = to;
  return bytes.length < 6 || bytes.length <= (((bytes[2]! << 8) | bytes[3]!) & 0x1fff) + 6;
}

function lowestAndHighest(values: readonly number[]): string {
  return `${ms(Math.min(...values))} to ${ms(Math.max(...values))}`;
}

/** opcode2 that a Basic message cannot have, by section 4. */
function badArgument({ type, payload }: Entry): string | undefined {
  if (type !== MessageType.Basic || payload.length !== 2) return undefined;
  const [op, arg] = [payload[0]!, payload[1]!];
  const bad = (): string =>
    `${basicName(op) ?? op} with opcode2 ${hexOf(payload.subarray(1))}, which is reserved`;
  switch (op) {
    case BasicOp.AppNak:
      return arg > 5 ? bad() : undefined;
    case BasicOp.GridGuidance:
    case BasicOp.OutsideComm:
      return arg > 2 ? bad() : undefined;
    case BasicOp.CustomerOverride:
    case BasicOp.Reboot:
      return arg > 1 ? bad() : undefined;
    case BasicOp.State:
      return arg > 14 && arg < 126 ? bad() : undefined;
    case BasicOp.TimeSync:
      return (arg & 0x1f) > 23 || arg >> 5 > 6 ? bad() : undefined;
    case BasicOp.EndShed:
    case BasicOp.QueryState:
    case BasicOp.Sleep:
    case BasicOp.Wake:
      return arg !== 0 ? bad() : undefined;
    default:
      return undefined;
  }
}

export const monitorTests: readonly TestCase[] = [
  monitor(
    {
      id: "link.ack-earliest",
      requirement:
        "A link answer begins not before 40 ms after the frame (tMA). 10 ms and more is advice alone.",
      section: "2.4",
      mark: "C",
    },
    (t) => {
      const answers = peers(t, "answer").filter(isTimed);
      if (answers.length === 0) return inconclusive("no link answer of the peer");
      const delays = answers.map((entry) => entry.delayMs!);
      const least = Math.min(...delays);
      const first = answers.find((entry) => entry.delayMs === least)!;
      const shown = [first.to!, first];
      if (least >= ACK_MIN_MS - ROUNDING_MS) return pass(lowestAndHighest(delays));
      if (least >= ACK_SEEN_MS - ROUNDING_MS) {
        return advice(`after ${ms(least)}; a certified appliance is as quick, but the rule is 40 ms`, shown);
      }
      return fail(`after ${ms(least)}, sooner than any certified device`, shown);
    },
  ),
  monitor(
    {
      id: "link.ack-latest",
      requirement: "A link answer begins not later than 200 ms after the frame (tMA).",
      section: "2.4",
      mark: "C",
    },
    (t) => {
      const answers = peers(t, "answer").filter(isTimed);
      return verdictOf(
        answers,
        (e) => (e.delayMs! > ACK_MAX_MS + t.slackMs + e.blurMs ? `after ${ms(e.delayMs!)}` : undefined),
        "all of %",
        "no link answer of the peer",
      );
    },
  ),
  monitor(
    {
      id: "reply.earliest",
      requirement: "An application reply begins not before 100 ms after the end of the peer's own ACK (tAR).",
      section: "2.4",
      mark: "C",
    },
    (t) => {
      const replies = peers(t, "frame").filter((entry) => entry.delayMs !== undefined);
      return verdictOf(
        replies,
        (e) =>
          e.delayMs! + blurOfAck(e) < REPLY_MIN_MS - t.slackMs
            ? `${ms(e.delayMs!)} after its ACK`
            : undefined,
        "all of %",
        "no application reply of the peer",
      );
    },
  ),
  monitor(
    {
      id: "reply.latest",
      requirement: "An application reply begins not later than 3 s after the peer's own ACK (tAR).",
      section: "2.4",
      mark: "C",
    },
    (t) => {
      const replies = peers(t, "frame").filter((entry) => entry.delayMs !== undefined);
      return verdictOf(
        replies,
        (e) =>
          e.delayMs! > REPLY_MAX_MS + t.slackMs + e.blurMs ? `${ms(e.delayMs!)} after its ACK` : undefined,
        "all of %",
        "no application reply of the peer",
      );
    },
  ),
  monitor(
    {
      id: "frames.checksum",
      requirement: "Every frame of the peer has the check bytes that belong to it.",
      section: "2.2",
      mark: "C",
    },
    (t) =>
      verdictOf(
        peers(t).filter((e) => e.kind === "frame" || e.fault === "bad-checksum"),
        (e) => (e.fault === "bad-checksum" ? `wrong check bytes: ${hexOf(e.bytes, 24)}` : undefined),
        "all of %",
        "the peer has sent no frame",
      ),
  ),
  monitor(
    {
      id: "frames.whole",
      requirement:
        "Every frame of the peer is as long as its length field tells, and is whole within 500 ms (tML).",
      section: "2.1, 2.4",
      mark: "C",
    },
    (t) =>
      verdictOf(
        peers(t).filter((e) => e.kind === "frame" || isBrokenFrame(e)),
        (e) => (isBrokenFrame(e) ? `broken off: ${hexOf(e.bytes, 24)}` : undefined),
        "all of %",
        "the peer has sent no frame",
      ),
  ),
  monitor(
    {
      id: "frames.noise",
      requirement: "The peer puts nothing on the line but frames and link answers.",
      section: "2.1, 2.3",
      mark: "C",
    },
    (t) =>
      verdictOf(
        peers(t),
        (e) =>
          e.kind === "noise" && e.fault !== "bad-checksum" && !isBrokenFrame(e) && e.bytes.length > 1
            ? `${e.bytes.length} bytes that are neither: ${hexOf(e.bytes, 16)}`
            : undefined,
        "nothing else in % things heard",
        "nothing was heard",
      ),
  ),
  monitor(
    {
      id: "frames.layout",
      requirement:
        "Basic and data-link messages have 2 bytes, Intermediate ones a length that they can have.",
      section: "4, 5, 6",
      mark: "C",
    },
    (t) =>
      verdictOf(
        peers(t, "frame"),
        (e) => {
          const message = parseMessage(e.type, e.payload);
          return isFault(message) ? `${message.text} ${hexOf(e.bytes, 24)}` : undefined;
        },
        "all of %",
        "the peer has sent no frame",
      ),
  ),
  monitor(
    {
      id: "frames.values",
      requirement: "No reserved value of opcode2 in Basic DR.",
      section: "4, 4.4",
      mark: "C",
    },
    (t) => verdictOf(peers(t, "frame"), badArgument, "none in % frames", "the peer has sent no frame"),
  ),
  monitor(
    {
      id: "frames.reserved-bits",
      requirement: "The three upper bits of the length field are 0.",
      section: "2.1",
      mark: "C",
    },
    (t) =>
      verdictOf(
        peers(t, "frame"),
        (e) => ((e.bytes[2]! & 0xe0) === 0 ? undefined : `length field ${hexOf(e.bytes.subarray(2, 4))}`),
        "0 in % frames",
        "the peer has sent no frame",
      ),
  ),
  monitor(
    {
      id: "frames.direction",
      requirement: "The peer sends no Basic command that only its partner may send.",
      section: "4",
      mark: "C",
    },
    (t) =>
      verdictOf(
        peers(t, "frame"),
        (e) =>
          isPartners(t, e) ? `"${e.text}" from ${t.role === "ucm" ? "an appliance" : "a module"}` : undefined,
        "none in % frames",
        "the peer has sent no frame",
      ),
  ),
  monitor(
    {
      id: "frames.gap",
      requirement: "A frame that is no reply begins not before 100 ms of silence (tIM).",
      section: "2.4",
      mark: "C",
    },
    (t) =>
      verdictOf(
        peers(t, "frame").filter((e) => e.to === undefined && e.n > 0),
        (e) =>
          e.gapMs + blurBefore(t, e) < GAP_MIN_MS - t.slackMs
            ? `${ms(e.gapMs)} of silence before "${e.text}"`
            : undefined,
        "all of %",
        "the peer has begun no dialogue",
      ),
  ),
  monitor(
    {
      id: "frames.repeat",
      requirement: "A frame that was acknowledged in time is not sent again at once.",
      section: "2.4",
      mark: "I",
    },
    (t) =>
      verdictOf(
        peers(t, "frame"),
        (e) => (isNeedless(t, e) ? `"${e.text}" again, though it was acknowledged` : undefined),
        "none of % frames",
        "the peer has sent no frame",
      ),
  ),
  monitor(
    {
      id: "payload.respected",
      requirement: "The peer sends no payload longer than the limit that it was told.",
      section: "2.5",
      mark: "C",
    },
    (t) =>
      verdictOf(
        t.probe.toldLimit === 0 ? [] : peers(t, "frame"),
        (e) =>
          e.payload.length > t.probe.toldLimit
            ? `${e.payload.length} bytes with a limit of ${t.probe.toldLimit}`
            : undefined,
        "all of %",
        "the peer never asked for our limit",
      ),
  ),
  monitor(
    {
      id: "answers.stray",
      requirement: "A link answer of the peer answers a frame.",
      section: "2.3",
      mark: "C",
    },
    (t) =>
      verdictOf(
        peers(t, "answer"),
        (e) => (e.to === undefined || e.to.kind === "answer" ? `"${e.text}" to nothing` : undefined),
        "all of %",
        "no link answer of the peer",
      ),
  ),
];

const OF_APPLIANCE: readonly number[] = [BasicOp.State, BasicOp.Sleep, BasicOp.Wake];
const OF_BOTH: readonly number[] = [BasicOp.AppAck, BasicOp.AppNak, BasicOp.CustomerOverride, BasicOp.Reboot];

function isPartners(t: Tester, { type, payload }: Entry): boolean {
  if (type !== MessageType.Basic || payload.length !== 2) return false;
  const op = payload[0]!;
  if (OF_BOTH.includes(op) || basicName(op) === undefined) return false;
  return OF_APPLIANCE.includes(op) === (t.role === "sgd");
}

/** The same bytes within 1 s of our ACK, which came in 40 to 200 ms. */
function isNeedless(t: Tester, entry: Entry): boolean {
  let ack: Entry | undefined;
  for (let i = entry.n - 1; i >= 0 && entry.startMs - t.trace[i]!.startMs < 1500; i--) {
    const before = t.trace[i]!;
    if (before.who === "we" && before.kind === "answer") {
      // Refused: to say it again is right.
      if (before.code >= 0) return false;
      ack = before;
    }
    if (before.who === "we" && before.kind === "frame") return false;
    if (before.who !== "peer" || before.kind !== "frame" || hexOf(before.bytes) !== hexOf(entry.bytes))
      continue;
    // Two frames before one ACK are a repetition too.
    if (ack === undefined) return entry.startMs - before.endMs < 200 - t.slackMs;
    return (
      !ack.crossed && ack.startMs - before.endMs <= ACK_MAX_MS && ack.startMs - before.endMs >= ACK_MIN_MS
    );
  }
  return false;
}
