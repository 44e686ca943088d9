/** The module over a frame line that is reached by text (src/bridged-line.ts), as on the chip and the emulated one. */
import { describe, expect, it } from "vitest";
import { ByteFrameLine } from "../../src/link/byte-frame-line.js";
import { linkTiming } from "../../src/link/timing.js";
import { Machine, type Input, type Output } from "../../src/runtime.js";
import type { FrameLineEvent } from "../../src/ports/line.js";
import { emitFrame } from "../../src/wire/frame.js";
import { fromHex, toHex } from "../../src/base/hex.js";
import { readConfig, type UcmConfig } from "../../src/setup/config.js";

const config = readConfig({ upstreams: [] }) as UcmConfig;

/** The machine, with the receiver on the other side of the text. */
class Chip {
  readonly machine = new Machine();
  readonly line: ByteFrameLine;
  readonly wrote: string[] = [];
  readonly settings: Extract<Output, { k: "line" }>[] = [];
  #inputs: Input[] = [];
  #sentMs = Infinity;
  #wakeMs = Infinity;
  nowMs = 0;

  constructor() {
    this.line = new ByteFrameLine({
      line: {
        write: (bytes) => {
          this.wrote.push(`${this.nowMs} ${toHex(bytes)}`);
          this.#sentMs = this.nowMs + 2;
        },
        setBitRate: () => true,
      },
      timing: linkTiming(),
      settings: { types: [], maxPayload: 2, bitsPerSecond: 19_200 },
      emit: (e) => this.#inputs.push(inputOf(e)),
    });
    this.step([{ k: "boot", config, store: {}, seed: [1, 2, 3, 4], line: "frame" }]);
  }

  step(inputs: Input[]): void {
    const { out, wakeMs } = this.machine.step({ nowMs: this.nowMs, utcMs: null, in: inputs });
    this.#wakeMs = wakeMs ?? Infinity;
    for (const o of out) {
      if (o.k === "frame") this.line.sendFrame(fromHex(o.hex)!);
      else if (o.k === "line") {
        this.settings.push(o);
        this.line.configure(o);
      } else if (o.k === "tx" || o.k === "rate") throw new Error(`a byte line's ${o.k} on a frame line`);
    }
  }

  to(ms: number): void {
    for (; this.nowMs < ms; this.nowMs++) {
      if (this.nowMs >= this.#sentMs) {
        this.#sentMs = Infinity;
        this.line.onLine({ ev: "sent", atMs: this.nowMs }, this.nowMs);
      }
      this.line.poll(this.nowMs);
      if (this.#inputs.length > 0 || this.nowMs >= this.#wakeMs) this.step(this.#inputs.splice(0));
    }
  }

  counters(): unknown {
    const { out } = this.machine.step({ nowMs: this.nowMs, utcMs: null, in: [{ k: "state" }] });
    for (const o of out) if (o.k === "state") return o.state["counters"];
    return undefined;
  }

  rx(bytes: Uint8Array): void {
    this.line.onLine({ ev: "rx", bytes, atMs: this.nowMs }, this.nowMs);
  }
}

function inputOf(e: FrameLineEvent): Input {
  if (e.ev === "frame") {
    const { type, payload, endMs, answer } = e;
    return { k: "frame", type, hex: toHex(payload), endMs, answer };
  }
  if (e.ev === "noise") return { k: "noise", fault: e.fault, hex: toHex(e.bytes), atMs: e.atMs };
  const { ev, ...rest } = e;
  return { k: ev, ...rest } as Input;
}

describe("the module over a frame line behind text", () => {
  it("tells the line first what it acknowledges", () => {
    const { settings } = new Chip();
    expect(settings[0]).toMatchObject({ bitsPerSecond: 19_200, bitRates: 1 });
    expect(settings.at(-1)?.types).toEqual([0x0801, 0x0802, 0x0803]);
    expect(settings.at(-1)?.maxPayload).toBeGreaterThanOrEqual(64);
  });

  it("sends its first question, takes its ACK, and answers the appliance's own", () => {
    const chip = new Chip();
    chip.to(2000);
    const [first] = chip.wrote;
    expect(first).toMatch(/ 0803|0801|0802/);
    chip.to(4000);
    const before = chip.wrote.length;
    chip.rx(emitFrame(0x0803, Uint8Array.of(0x18, 0)));
    chip.to(8000);
    const answers = chip.wrote.slice(before).map((l) => l.split(" ")[1]!);
    expect(answers[0]).toBe("0600");
    expect(answers.some((hex) => hex.startsWith("0803000219"))).toBe(true);
    expect(chip.counters()).toMatchObject({ framesReceived: 1, acksSent: 1 });
  });

  it("counts what the receiver threw away", () => {
    const chip = new Chip();
    chip.to(300);
    chip.rx(Uint8Array.of(1, 2, 3));
    chip.to(400);
    expect(chip.counters()).toMatchObject({ resyncs: 1, bytesDiscarded: 3 });
  });
});
