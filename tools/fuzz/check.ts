/**
 * What must hold for every input, whatever the bytes (the guarantees of src/wire/message.ts and src/link/receiver.ts):
 * nothing throws; a payload is a fault or comes back byte for byte, with words, a name and JSON fields; a frame is
 * taken apart as the formula of its check bytes says; the receiver tells every byte once, does what its document
 * says event by event (model.ts), comes to rest by itself, and takes the next good frame after a silence.
 *
 * Platform-free and seeded: the same seed and count give the same inputs.
 */
import { isFault } from "../../src/base/fault.js";
import { linkAnswer } from "../../src/link/link-answer.js";
import { Receiver, type ReceiverSink } from "../../src/link/receiver.js";
import { DEFAULT_TIMING } from "../../src/link/timing.js";
import type { FrameLineEvent, FrameLineSettings } from "../../src/ports/line.js";
import { decodeFrameText, encodeFrame } from "../../src/wire/decode.js";
import { describe, nameOf } from "../../src/wire/describe.js";
import { fieldsOf } from "../../src/wire/fields.js";
import { checkBytes, parseAnswer, parseFrame } from "../../src/wire/frame.js";
import { kindOfType } from "../../src/wire/raw.js";
import { isReply, replyTo } from "../../src/wire/reply.js";
import type { WireMessage } from "../../src/wire/message.js";
import { emitMessage, parseMessage, payloadLength, typeOf } from "../../src/wire/payload.js";
import { defaultSettings, type WireSettings } from "../../src/wire/settings.js";
import { Dice, LineSource, LONGEST_FRAME, PayloadSource } from "./generate.js";
import {
  answerOf,
  checkOf,
  earned,
  Events,
  faultCodes,
  isMessage,
  ModelReceiver,
  type Tape,
} from "./model.js";

/** An input for which something does not hold. */
export class FuzzFailure extends Error {
  constructor(
    what: string,
    readonly seed: number,
    readonly index: number,
    bytes: Uint8Array,
  ) {
    super(`seed ${seed}, input ${index}: ${what}; ${hexOf(bytes)}`);
  }
}

function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (const b of bytes) text += b.toString(16).padStart(2, "0");
  return text;
}

/** The readings of what the sources leave open; inputs take turns. */
const readings: readonly WireSettings[] = [
  defaultSettings,
  {
    ...defaultSettings,
    measuredBit: 0,
    presentTemperatureScale: "whole",
    slotList: "count",
    widePrice: false,
  },
  { ...defaultSettings, loadUpTail: false, slotList: "bitmap", revisionBNames: false },
  {
    ...defaultSettings,
    temperatureOffsetSigned: false,
    presentTemperatureScale: "hundredths",
    untrusted: [0x0183, 0x0301, 0x0a00, 0x0600],
  },
];

const lines: readonly FrameLineSettings[] = [
  { types: [0x0801, 0x0802, 0x0803], maxPayload: 64, bitsPerSecond: 19_200 },
  { types: [0x0801, 0x0802, 0x0803, 0x0901], maxPayload: 16, bitsPerSecond: 19_200, bitRates: 0b1001 },
  { types: [0x0801, 0x0803], maxPayload: 512, bitsPerSecond: 19_200, bitRates: 0x1ff },
  { types: [], maxPayload: 2, bitsPerSecond: 19_200 },
];
/** Longest payload that the fuzzed receiver is made for: short, so that it overflows often. */
const capacity = 96;
const good = Uint8Array.of(0x08, 0x01, 0x00, 0x02, 0x01, 0x00, 0x0c, 0x3d);
/** After so long whatever was in progress is over. */
const restMs = 560;

export interface FuzzCounts {
  inputs: number;
  /** Payloads that were messages. */
  messages: number;
  /** Frames and link answers that the receiver found, and bytes that were neither. */
  frames: number;
  answers: number;
  discarded: number;
}

/** Writes the receiver's events as numbers. */
class TapeSink implements ReceiverSink {
  constructor(private readonly tape: Tape) {}

  onReceived(e: FrameLineEvent): void {
    const { tape } = this;
    if (e.ev === "frame") {
      tape.push(Events.frame, e.type, e.answer, e.endMs, e.payload.length);
      for (let i = 0; i < e.payload.length; i++) tape.push(e.payload[i]!);
    } else if (e.ev === "answer") tape.push(Events.answer, e.code, e.atMs);
    else if (e.ev === "noise") {
      tape.push(Events.noise, faultCodes.indexOf(e.fault), e.atMs, e.bytes.length);
      for (let i = 0; i < e.bytes.length; i++) tape.push(e.bytes[i]!);
    }
  }

  sendAnswer(code: number): void {
    this.tape.push(Events.send, code);
  }
}

export class Fuzz {
  readonly counts: FuzzCounts = { inputs: 0, messages: 0, frames: 0, answers: 0, discarded: 0 };

  readonly #seed: number;
  readonly #dice: Dice;
  readonly #payloads: PayloadSource;
  readonly #line: LineSource;
  readonly #frame = new Uint8Array(LONGEST_FRAME);
  readonly #out = new Uint8Array(LONGEST_FRAME + 8);
  #settings = readings[0]!;
  #bytes: Uint8Array = good;

  readonly #tape: Tape = [];
  readonly #modelTape: Tape = [];
  readonly #receiver: Receiver;
  readonly #model: ModelReceiver;
  #nowMs = 0;
  /** Bytes given to the receiver and not told yet. */
  #open = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#dice = new Dice(seed);
    this.#payloads = new PayloadSource(this.#dice);
    this.#line = new LineSource(this.#dice);
    this.#receiver = new Receiver(DEFAULT_TIMING, lines[0]!, capacity, new TapeSink(this.#tape));
    this.#model = new ModelReceiver(lines[0]!, capacity, this.#modelTape);
  }

  /** Tries `count` further inputs. Throws {@link FuzzFailure} at the first that fails, and whatever the code throws. */
  run(count: number): void {
    for (let i = 0; i < count; i++) this.#one();
  }

  /** A throw of the code under test becomes a failure that tells the input. */
  tell(error: unknown): FuzzFailure {
    if (error instanceof FuzzFailure) return error;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return new FuzzFailure(text, this.#seed, this.counts.inputs, this.#bytes);
  }

  #fail(what: string): never {
    throw new FuzzFailure(what, this.#seed, this.counts.inputs, this.#bytes);
  }

  #one(): void {
    const index = this.counts.inputs;
    const source = this.#payloads;
    source.next();
    const frame = this.#framed(source.type, source.payload);
    this.#bytes = frame;
    this.#settings = readings[(index >> 2) & 3]!;
    this.#payload(source.type, source.payload, index);
    this.#frames(source.type, source.payload, frame);
    this.#line.next(frame);
    this.#receive(index);
    this.counts.inputs++;
  }

  // ---- payloads

  #payload(type: number, payload: Uint8Array, index: number): void {
    const settings = this.#settings;
    const message = parseMessage(type, payload, settings);
    const op = payload.length < 2 || type !== 0x0802 ? -1 : (payload[0]! << 8) | payload[1]!;
    // The longer forms of Advanced Load Up are a matter of the settings as well.
    const trusted = !settings.untrusted.includes(op) && (settings.loadUpTail || op !== 0x0c00);
    if (trusted && isFault(message) === isMessage(type, payload)) this.#fail(`${payload.length} bytes`);
    if (!trusted && settings.untrusted.includes(op) && nameOf(message as WireMessage) !== "Unknown") {
      this.#fail("read by a layout that is not to be trusted");
    }
    if (isFault(message)) {
      if (message.fault !== "bad-payload-length" || message.blame !== "wire") this.#fail(message.fault);
      if (!known(type)) this.#fail("a fault in a type that is only carried");
      return;
    }
    this.counts.messages++;
    const n = payload.length;
    if (n === 0 && message.family !== "type-query") this.#fail("an empty payload is a type query");
    if (typeOf(message) !== type) this.#fail("another type");
    if (payloadLength(message, settings) !== n) this.#fail("another length");
    const out = this.#out;
    out[0] = out[n + 1] = 0xa5;
    if (emitMessage(message, out, 1, settings) !== n) this.#fail("another length written");
    for (let i = 0; i < n; i++) if (out[i + 1] !== payload[i]) this.#fail("other bytes written");
    if (out[0] !== 0xa5 || out[n + 1] !== 0xa5) this.#fail("written beside its place");
    this.#words(describe(message, settings));
    // JSON costs more than all the rest.
    if ((index & 15) !== 0) return;
    if (!/^[A-Z][A-Za-z]+$/.test(nameOf(message))) this.#fail(`the name ${nameOf(message)}`);
    this.#words(JSON.stringify(fieldsOf(message, settings)));
    if (settings !== defaultSettings) return;
    const { hex, ...object } = decodeFrameText(this.#bytes);
    const again = encodeFrame(JSON.parse(JSON.stringify(object)));
    if (isFault(again)) this.#fail(`JSON does not encode: ${again.text}`);
    if (hexOf(again) !== hexOf(this.#bytes) || hex.replaceAll(" ", "").toLowerCase() !== hexOf(again)) {
      this.#fail("JSON gives other bytes");
    }
    this.#changed(JSON.parse(JSON.stringify(object)) as Json, again);
  }

  /** One number of the JSON made another: it is refused, or it is what comes back, or nothing depends on it. */
  #changed(object: Json, frame: Uint8Array): void {
    const places: { readonly of: Json; readonly key: string }[] = [];
    numbersIn(object["fields"] as Json, places);
    if (places.length === 0) return;
    const { of, key } = this.#dice.pick(places);
    const other = this.#dice.pick(others);
    of[key] = other;
    const encoded = encodeFrame(object);
    if (isFault(encoded) || hexOf(encoded) === hexOf(frame)) return;
    const back = JSON.parse(JSON.stringify(decodeFrameText(encoded))) as Json;
    const found: { readonly of: Json; readonly key: string }[] = [];
    numbersIn(back["fields"] as Json, found);
    // A reserved byte is told only where it is not 0.
    if (key === "reserved" && other === 0) return;
    if (!found.some((place) => place.key === key && place.of[key] === Math.round(other))) {
      this.#fail(`${key} = ${other} became ${JSON.stringify(back["fields"])}`);
    }
  }

  #words(text: string): void {
    if (text.length === 0) this.#fail("no words");
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      // JSON leaves 7F as it is.
      if (code < 0x20 || (code === 0x7f && text[0] !== "{")) this.#fail(`a control character in: ${text}`);
    }
    if (text.includes("undefined") || text.includes("NaN") || text.includes("[object")) this.#fail(text);
  }

  // ---- frames

  #framed(type: number, payload: Uint8Array): Uint8Array {
    const frame = this.#frame;
    const n = payload.length;
    frame[0] = type >> 8;
    frame[1] = type;
    frame[2] = n >> 8;
    frame[3] = n;
    frame.set(payload, 4);
    const check = checkOf(frame, 0, n + 4);
    frame[n + 4] = check >> 8;
    frame[n + 5] = check;
    return frame.subarray(0, n + 6);
  }

  #frames(type: number, payload: Uint8Array, frame: Uint8Array): void {
    const n = payload.length;
    if (checkBytes(frame, 0, n + 4) !== checkOf(frame, 0, n + 4)) this.#fail("other check bytes");
    const parsed = parseFrame(frame);
    if (isFault(parsed)) this.#fail(parsed.text);
    if (parsed.type !== type || parsed.payload.length !== n) this.#fail("another frame");
    const at = this.#dice.below(frame.length);
    const was = frame[at]!;
    frame[at] = was ^ (1 << this.#dice.below(8));
    const damaged = parseFrame(frame);
    // The three reserved bits of the length are masked off and still summed: every other bit is caught too.
    if (!isFault(damaged)) this.#fail("one bit turned, and taken as good");
    frame[at] = was;
    if (!isFault(parseFrame(frame.subarray(0, at)))) this.#fail("cut short, and taken as good");
    this.#lenient(frame, n);
    const line = lines[this.counts.inputs & 3]!;
    if (linkAnswer(line, type, payload) !== earned(line, type, payload)) this.#fail("another link answer");
    this.#replies(type, payload);
    const kind = kindOfType(type);
    if (known(type) === (kind === "vendor" || kind === "future" || kind === "reserved")) this.#fail(kind);
  }

  /** Reserved length bits are masked off, and summed as they came; a byte too many is a fault. */
  #lenient(frame: Uint8Array, n: number): void {
    const out = this.#out;
    out.set(frame);
    if (!isFault(parseFrame(out.subarray(0, n + 7)))) this.#fail("a byte too many, and taken as good");
    out[2]! |= 0x20 << this.#dice.below(3);
    const check = checkOf(out, 0, n + 4);
    out[n + 4] = check >> 8;
    out[n + 5] = check;
    const parsed = parseFrame(out.subarray(0, n + 6));
    if (isFault(parsed) || parsed.payload.length !== n) this.#fail("a reserved length bit");
    const answer = out.subarray(0, 2);
    answer[0] = this.#dice.pick([0x06, 0x15, 0x08]);
    answer[1] = this.#dice.below(4) === 0 ? 0 : this.#dice.next();
    if (parseAnswer(answer) !== answerOf(answer[0], answer[1])) this.#fail(`a link answer ${hexOf(answer)}`);
  }

  /** What is owed is answered by what answers it, and by nothing of another kind. */
  #replies(type: number, payload: Uint8Array): void {
    const owed = replyTo(type, payload);
    const [a = 0, b = 0] = payload;
    const out = this.#out;
    const answer = out.subarray(0, 2);
    switch (owed) {
      case "app-ack":
        if (type !== 0x0801 || a === 3 || a === 4 || a === 0x13 || a === 0x12) this.#fail("owes no App ACK");
        answer[0] = 3;
        answer[1] = a;
        break;
      case "state":
        if (type !== 0x0801 || a !== 0x12) this.#fail("owes no state");
        answer[0] = 0x13;
        break;
      case "intermediate":
        if (type !== 0x0802 || b >= 0x80) this.#fail("owes no Intermediate reply");
        answer[0] = a;
        answer[1] = b + 0x80;
        break;
      case "data-link":
        if (type !== 0x0803 || (a !== 0x18 && a !== 0x1a && a !== 0x1c))
          this.#fail("owes no data-link reply");
        answer[0] = a + 1;
        break;
      case "none":
        if (type === 0x0802 && payload.length >= 2 && b < 0x80) this.#fail("owes a reply");
        if (isReply(type, payload, payload)) this.#fail("nothing is owed, and answered");
        return;
    }
    if (!isReply(type, payload, answer)) this.#fail("its reply is not known as one");
    answer[0] ^= 0x40;
    if (isReply(type, payload, answer)) this.#fail("a reply with another opcode");
    answer[0] ^= 0x40;
    answer[1]! ^= 0x41;
    const second = owed === "app-ack" || owed === "intermediate";
    if (second && isReply(type, payload, answer)) this.#fail("a reply with another second opcode");
    if (isReply(type, payload, out.subarray(0, 1))) this.#fail("one byte is no reply");
    if (isReply(type, payload, payload) || isReply(type, payload, payload.subarray(0, 1))) {
      this.#fail("a request is no reply");
    }
  }

  // ---- the receiver

  #receive(index: number): void {
    const { cuts, pausesMs, bytes } = this.#line;
    let from = 0;
    this.#events(index);
    for (let i = 0; i < cuts.length; i++) {
      // Now and then the owner is late, and finds bytes and due times at once.
      if (this.#dice.below(16) === 0) this.#nowMs += pausesMs[i]!;
      else this.#until(this.#nowMs + pausesMs[i]!);
      const part = bytes.subarray(from, cuts[i]);
      this.#receiver.feed(part, this.#nowMs);
      this.#model.feed(part, this.#nowMs);
      this.#open += part.length;
      from = cuts[i]!;
    }
    if ((index & 31) === 31) this.#resync();
    this.#compare();
  }

  /** What else happens at a receiver, now and then: other settings, a reset, an echo of our own. */
  #events(index: number): void {
    const dice = this.#dice;
    switch (dice.below(128)) {
      case 0: {
        const settings = lines[dice.below(lines.length)]!;
        this.#receiver.configure(settings);
        this.#model.configure(settings);
        break;
      }
      case 1:
        this.#receiver.reset();
        this.#model.reset();
        break;
      case 2:
      case 3:
        this.#echo(index);
    }
  }

  #echo(index: number): void {
    const dice = this.#dice;
    const ours = good.slice(0, 1 + dice.below(good.length));
    this.#until(this.#nowMs + dice.below(50));
    this.#receiver.expectEcho(ours, this.#nowMs);
    this.#model.expectEcho(ours, this.#nowMs);
    const back = ours.slice(0, dice.below(8) === 0 ? dice.below(ours.length) : ours.length);
    if (dice.below(8) === 0 && back.length > 0) back[dice.below(back.length)]! ^= 0x10;
    this.#until(this.#nowMs + dice.below(10));
    if (dice.below(2) === 0) {
      // The end is told before the last bytes of the echo have come through the adapter.
      this.#receiver.echoEnds(this.#nowMs);
      this.#model.echoEnds(this.#nowMs);
      this.#until(this.#nowMs + dice.below(29));
    }
    this.#compare();
    const { length } = this.#tape;
    this.#receiver.feed(back, this.#nowMs);
    this.#model.feed(back, this.#nowMs);
    // Bytes of the echo count nowhere; from the first that is none on they do.
    const eaten = eatenBy(ours, back);
    this.#open += back.length - eaten;
    if (eaten === back.length && this.#tape.length !== length) this.#fail(`an echo was told (${index})`);
    if (dice.below(4) > 0) {
      this.#receiver.echoEnds(this.#nowMs);
      this.#model.echoEnds(this.#nowMs);
    } else if (eaten < ours.length) {
      // Nobody says when it ends: what comes next would be compared with it for ever.
      this.#receiver.reset();
      this.#model.reset();
    }
    this.#until(this.#nowMs + 40);
  }

  /** Silence, and then a good frame: it must be taken and acknowledged. */
  #resync(): void {
    this.#until(this.#nowMs + restMs);
    const rest = this.#receiver.nextMs();
    if (rest !== Infinity) this.#fail(`no rest after ${restMs} ms: due at ${rest}, now ${this.#nowMs}`);
    this.#compare();
    if (this.#open !== 0) this.#fail(`${this.#open} bytes were told by nobody, or twice`);
    this.#receiver.configure(lines[0]!);
    this.#model.configure(lines[0]!);
    this.#receiver.feed(good, this.#nowMs);
    this.#model.feed(good, this.#nowMs);
    this.#open += good.length;
    const atMs = this.#nowMs;
    this.#until(atMs + 45);
    const wanted = [Events.frame, 0x0801, -1, atMs, 2, 1, 0, Events.send, -1];
    const told = this.#tape;
    if (told.length !== wanted.length || wanted.some((value, i) => told[i] !== value)) {
      this.#fail(`the frame after the silence: ${told.join(" ")}`);
    }
  }

  /** Polls at every due time, as an owner does; the number of steps is bounded. */
  #until(atMs: number): void {
    let steps = 0;
    for (;;) {
      const next = this.#receiver.nextMs();
      if (next !== this.#model.nextMs()) this.#fail(`due at ${next}, not at ${this.#model.nextMs()}`);
      if (next > atMs) break;
      if (++steps > 64) this.#fail("time stands still");
      this.#nowMs = Math.max(this.#nowMs, next);
      this.#receiver.poll(this.#nowMs);
      this.#model.poll(this.#nowMs);
    }
    this.#nowMs = atMs;
  }

  /** Both have said the same; counts it. */
  #compare(): void {
    const told = this.#tape;
    const wanted = this.#modelTape;
    const same = told.length === wanted.length;
    for (let i = 0; i < wanted.length || !same; i++) {
      if (told[i] !== wanted[i])
        this.#fail(`told ${told.join(" ")}, not ${wanted.join(" ")}, after ${this.#story()}`);
    }
    for (let i = 0; i < told.length;) {
      const kind = told[i]!;
      if (kind === Events.frame) {
        this.counts.frames++;
        this.#open -= told[i + 4]! + 6;
        i += 5 + told[i + 4]!;
      } else if (kind === Events.answer) {
        this.counts.answers++;
        this.#open -= 2;
        i += 3;
      } else if (kind === Events.noise) {
        this.counts.discarded += told[i + 3]!;
        this.#open -= told[i + 3]!;
        i += 4 + told[i + 3]!;
      } else i += 2;
    }
    told.length = 0;
    wanted.length = 0;
    // What is in progress is in the buffer, or the frame is longer than it.
    if (this.#open < 0 || this.#open > capacity + 6) this.#fail(`${this.#open} bytes in progress`);
  }

  #story(): string {
    const { bytes, length, cuts, pausesMs } = this.#line;
    return `${hexOf(bytes.subarray(0, length))} cut at ${cuts.join(",")} after ${pausesMs.join(",")} ms`;
  }
}

/** How many bytes of `back` are taken as echo of `ours`. */
function eatenBy(ours: Uint8Array, back: Uint8Array): number {
  let n = 0;
  while (n < back.length && back[n] === ours[n]) n++;
  return n;
}

type Json = Record<string, unknown>;

/** Values of which most members take only some. */
const others: readonly number[] = [
  -1,
  0,
  127,
  128,
  255,
  256,
  -128,
  -129,
  32_767,
  32_768,
  65_535,
  65_536,
  2 ** 32,
  2 ** 47,
  0.5,
];

/** Every number below `value`, by where it stands. */
function numbersIn(value: Json, places: { readonly of: Json; readonly key: string }[]): void {
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (typeof item === "number") places.push({ of: value, key });
    else if (typeof item === "object" && item !== null) numbersIn(item as Json, places);
  }
}

function known(type: number): boolean {
  return (type >= 0x0801 && type <= 0x0804) || (type >= 0x0901 && type <= 0x090c);
}
