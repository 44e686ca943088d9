/**
 * A module and its charger on a line of their own: the unit of which a fleet is made. All of it is the code that
 * runs alone elsewhere; this file only passes bytes and requests, and says when it wants to be looked at next.
 */
import { fromHex } from "../../src/base/hex.js";
import type { HttpEvent, HttpPort } from "../../src/ports/http.js";
import { NEVER, type RandomPort } from "../../src/ports/time.js";
import { Machine, type Input, type PlainEvent } from "../../src/runtime.js";
import type { UcmConfig } from "../../src/setup/config.js";
import { captureVirtualLine, type ToUtc } from "../capture/line-capture.js";
import type { CaptureSink } from "../capture/record.js";
import { nextTurnMs, passBytes, type Wired } from "../line/pass-bytes.js";
import { VirtualLine } from "../line/virtual-line.js";
import { httpInput, lineInput } from "../runtime/inputs.js";
import type { SgdProfile } from "../sgd/profile.js";
import { SgdSimulator } from "../sgd/simulator.js";
import { AnswerJudge } from "./answers.js";

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

export class Pair {
  readonly name: string;
  readonly sgd: SgdSimulator;
  readonly answers = new AnswerJudge();
  readonly #options: PairOptions;
  readonly #machine = new Machine();
  readonly #wired: Wired;
  #inputs: Input[] = [];
  #wakeMs = 0;

  constructor(options: PairOptions) {
    this.#options = options;
    this.name = options.name;
    const { random } = options;
    const line = new VirtualLine({ bitsPerSecond: 19_200, random });
    const moduleEnd = line.end("module", { muted: true });
    const chargerEnd = line.end("charger", { muted: true });
    this.sgd = new SgdSimulator({
      profile: options.profile,
      line: chargerEnd,
      random,
      emit: () => undefined,
    });
    this.#wired = { line, moduleEnd, chargerEnd, appliance: this.sgd };
    if (options.capture) captureVirtualLine(line, options.capture.sink, options.capture.toUtc);
    line.tap((tap) => {
      const gapMs = this.answers.onTap(tap);
      if (gapMs !== undefined) options.onAnswerGap(gapMs);
    });
    const seed = [0, 1, 2, 3].map(() => random.uint32());
    this.#inputs.push({ k: "boot", config: options.config, store: {}, seed });
    this.sgd.plug();
  }

  onHttp(event: HttpEvent): void {
    this.#inputs.push(httpInput(event));
  }

  nextMs(): number {
    if (this.#inputs.length > 0) return 0;
    return Math.min(nextTurnMs(this.#wired), this.#wakeMs);
  }

  poll(nowMs: number, utcMs: number): void {
    passBytes(this.#wired, nowMs, (event) => this.#inputs.push(lineInput(event)));
    if (this.#inputs.length === 0 && nowMs < this.#wakeMs) return;
    const inputs = this.#inputs;
    this.#inputs = [];
    const reply = this.#machine.step({ nowMs, utcMs, in: inputs });
    this.#wakeMs = reply.wakeMs ?? NEVER;
    for (const output of reply.out) {
      if (output.k === "tx") this.#wired.moduleEnd.write(fromHex(output.hex)!);
      else if (output.k === "http") this.#options.http.request(output.request);
      else if (output.k === "abort") this.#options.http.abort(output.id);
      else if (output.k === "event") this.#options.onEvent(output.event, nowMs);
    }
  }
}
