/**
 * Puts a frame line (src/ports/line.ts) between a byte line of this computer and an engine: the part that is interrupt
 * code on the chip (drivers/rs485) and to which its TypeScript twin is held equal. The engine then runs what the device
 * runs: JavaScript gets whole frames, and owes the link nothing in less than 100 ms. The caller notices nothing.
 */
import { fromHex, toHex } from "../../src/base/hex.js";
import { ByteFrameLine } from "../../src/link/byte-frame-line.js";
import { linkTiming } from "../../src/link/timing.js";
import { NEVER } from "../../src/ports/time.js";
import type { FrameLineEvent } from "../../src/ports/line.js";
import type { Batch, Input, Output, Reply } from "../../src/runtime.js";
import type { Engine } from "./ucm-host.js";

/** As interrupt code starts: nothing is acknowledged until JavaScript has said what. */
const nothingYet = { types: [], maxPayload: 2, bitsPerSecond: 19_200 };

/** An event of a frame line as the input that tells of it. */
export function frameLineInput(event: FrameLineEvent): Input {
  switch (event.ev) {
    case "frame": {
      const { type, payload, endMs, answer } = event;
      return { k: "frame", type, hex: toHex(payload), endMs, answer };
    }
    case "answer":
    case "answered":
      return { k: event.ev, code: event.code, atMs: event.atMs };
    case "sent":
      return { k: "sent", atMs: event.atMs };
    case "unsent":
      return { k: "unsent", why: event.why, atMs: event.atMs };
    case "noise":
      return { k: "noise", fault: event.fault, hex: toHex(event.bytes), atMs: event.atMs };
    case "carrier":
      return { k: "carrier", on: event.on, atMs: event.atMs };
  }
}

class FrameLined implements Engine {
  readonly name: string;
  readonly #engine: Engine;
  #line: ByteFrameLine | undefined;
  #inputs: Input[] = [];
  #out: Output[] = [];
  /** When JavaScript wants to be called. */
  #wakeMs = NEVER;

  constructor(engine: Engine) {
    this.name = engine.name;
    this.#engine = engine;
  }

  get holdsFlash(): boolean {
    return this.#engine.holdsFlash === true;
  }

  close(): void | Promise<void> {
    return this.#engine.close();
  }

  #boot(): void {
    this.#line = new ByteFrameLine({
      line: {
        write: (bytes) => this.#out.push({ k: "tx", hex: toHex(bytes) }),
        setBitRate: (bitsPerSecond) => {
          this.#out.push({ k: "rate", bitsPerSecond });
          return true;
        },
      },
      timing: linkTiming({}),
      settings: nothingYet,
      emit: (event) => this.#inputs.push(frameLineInput(event)),
    });
  }

  #take(input: Input, nowMs: number): void {
    switch (input.k) {
      case "boot":
        this.#boot();
        this.#inputs.push({ ...input, line: "frame" });
        break;
      case "rx":
        this.#line?.onLine(
          { ev: "rx", bytes: fromHex(input.hex) ?? new Uint8Array(0), atMs: input.atMs },
          nowMs,
        );
        break;
      case "sent":
        this.#line?.onLine({ ev: "sent", atMs: input.atMs }, nowMs);
        break;
      case "carrier":
        this.#line?.onLine({ ev: "carrier", on: input.on, atMs: input.atMs }, nowMs);
        break;
      default:
        this.#inputs.push(input);
    }
  }

  #carryOut(output: Output): void {
    if (output.k === "frame") this.#line?.sendFrame(fromHex(output.hex) ?? new Uint8Array(0));
    else if (output.k === "line") this.#line?.configure(output);
    else this.#out.push(output);
  }

  async step({ nowMs, utcMs, in: inputs }: Batch): Promise<Reply> {
    this.#out = [];
    for (const input of inputs) this.#take(input, nowMs);
    this.#line?.poll(nowMs);
    while (this.#inputs.length > 0 || nowMs >= this.#wakeMs) {
      const batch = { nowMs, utcMs, in: this.#inputs };
      this.#inputs = [];
      const reply = await this.#engine.step(batch);
      for (const output of reply.out) this.#carryOut(output);
      this.#line?.poll(nowMs); // may have something to say at once
      this.#wakeMs = reply.wakeMs ?? NEVER;
      if (this.#wakeMs <= nowMs && this.#inputs.length === 0) break; // the caller comes again
    }
    const wakeMs = Math.min(this.#wakeMs, this.#line?.nextMs() ?? NEVER);
    return { wakeMs: wakeMs === NEVER ? null : wakeMs, out: this.#out };
  }
}

/** The engine behind a frame line, to whoever has a byte line. Not for one that has a UART of its own. */
export const withFrameLine = (engine: Engine): Engine => new FrameLined(engine);
