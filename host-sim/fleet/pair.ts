/**
 * A module and its charger on a line of their own: the unit of which a fleet is made. All of it is the code that
 * runs alone elsewhere; this file only passes bytes and requests, and says when it wants to be looked at next.
 */
import { fromHex, toHex } from "../../src/base/hex.js";
import type { HttpEvent, HttpPort } from "../../src/ports/http.js";
import { NEVER, type RandomPort } from "../../src/ports/time.js";
import { Machine, type Input, type PlainEvent } from "../../src/runtime.js";
import type { UcmConfig } from "../../src/setup/config.js";
import { captureVirtualLine, type ToUtc } from "../capture/line-capture.js";
import type { CaptureSink } from "../capture/record.js";
import { VirtualLine, type VirtualEnd } from "../line/virtual-line.js";
import type { SgdProfile } from "../sgd/profile.js";
import { SgdSimulator } from "../sgd/simulator.js";

export interface PairOptions {
  readonly name: string;
  readonly config: UcmConfig;
  readonly profile: SgdProfile;
  readonly random: RandomPort;
  readonly http: HttpPort;
  /** Takes every frame of the line; its times are those of the pair's clock. */
  readonly capture?: { readonly sink: CaptureSink; readonly toUtc: ToUtc };
  onEvent(event: PlainEvent, nowMs: number): void;
  /** Gap from the end of a frame of the charger to the module's link answer, ms; judged on the line itself. */
  onAnswerGap(gapMs: number): void;
}

/** A link answer is two bytes: 06 00 or 15 cc. */
const isAnswer = (bytes: Uint8Array): boolean =>
  bytes.length === 2 && (bytes[0] === 0x06 || bytes[0] === 0x15);
/** Two bytes at 19,200 bit/s take so long. */
const answerAirMs = 20_000 / 19_200;

export class Pair {
  readonly name: string;
  readonly sgd: SgdSimulator;
  /** Exchanges that the module has begun: its frames that are no link answers. */
  moduleFrames = 0;
  readonly #options: PairOptions;
  readonly #machine = new Machine();
  readonly #line: VirtualLine;
  readonly #moduleEnd: VirtualEnd;
  readonly #chargerEnd: VirtualEnd;
  #inputs: Input[] = [];
  #wakeMs = 0;
  #chargerFrameEndMs: number | undefined;

  constructor(options: PairOptions) {
    this.#options = options;
    this.name = options.name;
    this.#line = new VirtualLine({ bitsPerSecond: 19_200, random: options.random });
    this.#moduleEnd = this.#line.end("module", { muted: true });
    this.#chargerEnd = this.#line.end("charger", { muted: true });
    this.sgd = new SgdSimulator({
      profile: options.profile,
      line: this.#chargerEnd,
      random: options.random,
      emit: () => undefined,
    });
    if (options.capture) captureVirtualLine(this.#line, options.capture.sink, options.capture.toUtc);
    this.#line.tap(({ from, bytes, atMs }) => this.#tap(from, bytes, atMs));
    const seed = [0, 1, 2, 3].map(() => options.random.uint32());
    this.#inputs.push({ k: "boot", config: options.config, store: {}, seed });
    this.sgd.plug();
  }

  onHttp(event: HttpEvent): void {
    switch (event.ev) {
      case "head":
        this.#inputs.push({ k: "head", id: event.id, status: event.status, headers: event.headers });
        break;
      case "data":
        this.#inputs.push({ k: "data", id: event.id, hex: toHex(event.bytes) });
        break;
      case "end":
        this.#inputs.push({ k: "end", id: event.id });
        break;
      case "failed":
        this.#inputs.push({ k: "failed", id: event.id, reason: event.reason, text: event.text });
        break;
    }
  }

  nextMs(): number {
    if (this.#inputs.length > 0) return 0;
    return Math.min(this.#line.nextMs(), this.sgd.nextMs(), this.#wakeMs);
  }

  poll(nowMs: number, utcMs: number): void {
    this.#line.poll(nowMs);
    for (let event = this.#chargerEnd.take(); event; event = this.#chargerEnd.take()) {
      this.sgd.onByteLine(event, nowMs);
    }
    this.sgd.poll(nowMs);
    for (let event = this.#moduleEnd.take(); event; event = this.#moduleEnd.take()) {
      if (event.ev === "rx") this.#inputs.push({ k: "rx", hex: toHex(event.bytes), atMs: event.atMs });
      else if (event.ev === "sent") this.#inputs.push({ k: "sent", atMs: event.atMs });
    }
    if (this.#inputs.length === 0 && nowMs < this.#wakeMs) return;
    const inputs = this.#inputs;
    this.#inputs = [];
    const reply = this.#machine.step({ nowMs, utcMs, in: inputs });
    this.#wakeMs = reply.wakeMs ?? NEVER;
    for (const output of reply.out) {
      if (output.k === "tx") this.#moduleEnd.write(fromHex(output.hex)!);
      else if (output.k === "http") this.#options.http.request(output.request);
      else if (output.k === "abort") this.#options.http.abort(output.id);
      else if (output.k === "event") this.#options.onEvent(output.event, nowMs);
    }
  }

  #tap(from: string, bytes: Uint8Array, atMs: number): void {
    if (from === "charger") {
      this.#chargerFrameEndMs = isAnswer(bytes) ? undefined : atMs;
      return;
    }
    if (!isAnswer(bytes)) this.moduleFrames++;
    else if (this.#chargerFrameEndMs !== undefined) {
      this.#options.onAnswerGap(atMs - answerAirMs - this.#chargerFrameEndMs);
      this.#chargerFrameEndMs = undefined;
    }
  }
}
