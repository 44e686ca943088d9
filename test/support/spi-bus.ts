/**
 * Both sides of the DC form in virtual time: the appliance's controller (it clocks, 24 µs a byte as the public
 * sketches do) as a byte line of its own, wired to the module's {@link SpiLine}.
 */
import { SpiLine, type SpiPeripheralPort } from "../../src/link/spi.js";
import { LinkStack } from "../../src/link/stack.js";
import { linkTiming, type LinkTiming } from "../../src/link/timing.js";
import type { LinkEvent } from "../../src/link/messages.js";
import type { ByteLine, ByteLineEvent } from "../../src/ports/line.js";
import { hex, seeded } from "./wire-pair.js";

const BYTES_PER_MS = 41;
const PARTNER_MS = 100;
const GUARD_MS = 500;
const RESET_MS = 500;

interface Due {
  atMs: number;
  run: () => void;
}

export class SpiBus {
  nowMs = 0;
  attention = false;
  select = false;
  moduleInside = true;
  /** The appliance ignores ATTENTION: a fault. */
  deaf = false;
  /** The appliance stops in the middle of a transfer: a fault. */
  stuck = false;
  readonly log: string[] = [];
  readonly events: [LinkEvent[], LinkEvent[]] = [[], []];
  /** 0: the module; 1: the appliance. */
  readonly stacks: readonly [LinkStack, LinkStack];
  readonly on: [(e: LinkEvent) => void, (e: LinkEvent) => void] = [() => undefined, () => undefined];
  readonly spi: SpiLine;

  #loaded: Uint8Array = new Uint8Array(0);
  #loadedAt = 0;
  #due: Due[] = [];
  readonly #queue: Uint8Array[] = [];
  #busy = false;

  constructor(seed = 1, timing: Partial<LinkTiming> = {}) {
    const next = seeded(seed);
    const random = { uint32: next };
    const port: SpiPeripheralPort = {
      attention: (on) => {
        if (on !== this.attention) this.log.push(`${this.nowMs} attention ${on ? "low" : "high"}`);
        this.attention = on;
      },
      load: (bytes) => {
        this.#loaded = bytes;
        this.#loadedAt = 0;
      },
    };
    this.spi = new SpiLine({
      port,
      timing: linkTiming(timing),
      emit: (e, nowMs) => this.stacks[0].onByteLine(e, nowMs),
    });
    const controller: ByteLine = {
      write: (bytes) => void this.#queue.push(bytes),
      setBitRate: () => false,
    };
    const emit = (side: 0 | 1) => (e: LinkEvent) => {
      this.events[side].push(e);
      this.on[side](e);
    };
    this.stacks = [
      new LinkStack({ line: this.spi, random, emit: emit(0), timing, bitRates: 0 }),
      new LinkStack({ line: controller, random, emit: emit(1), timing, bitRates: 0 }),
    ];
  }

  /** Pulls the module out, or puts it in: RESET is held for 500 ms. */
  insert(inside: boolean): void {
    this.moduleInside = inside;
    this.#due = [];
    this.#busy = false;
    this.#queue.length = 0;
    this.select = false;
    this.spi.onSpi({ ev: "reset", on: true, atMs: this.nowMs }, this.nowMs);
    if (!inside) return this.#tell({ ev: "carrier", on: false, atMs: this.nowMs });
    this.#in(RESET_MS, () => {
      this.spi.onSpi({ ev: "reset", on: false, atMs: this.nowMs }, this.nowMs);
      this.#tell({ ev: "carrier", on: true, atMs: this.nowMs });
    });
  }

  run(untilMs: number): void {
    let steps = 0;
    for (;;) {
      const next = Math.min(
        ...this.#due.map((d) => d.atMs),
        ...[this.spi, ...this.stacks].map((s) => Math.max(s.nextMs(), this.nowMs)),
        this.#wants() ? this.nowMs : Infinity,
      );
      if (next > untilMs) break;
      steps = next > this.nowMs ? 0 : steps + 1;
      if (steps > 1000) throw new Error(`time stands still at ${this.nowMs} ms`);
      this.nowMs = next;
      const due = this.#due.filter((d) => d.atMs <= this.nowMs);
      this.#due = this.#due.filter((d) => d.atMs > this.nowMs);
      for (const d of due) d.run();
      if (this.spi.nextMs() <= this.nowMs) this.spi.poll(this.nowMs);
      for (const s of this.stacks) if (s.nextMs() <= this.nowMs) s.poll(this.nowMs);
      if (this.#wants()) this.#begin();
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  // ---- the controller

  #wants(): boolean {
    if (!this.moduleInside || this.#busy) return false;
    return this.#queue.length > 0 || (this.attention && !this.deaf);
  }

  #begin(): void {
    this.#busy = true;
    const ours = this.#queue.shift();
    const reading = ours === undefined;
    this.#setSelect(true);
    if (reading) return this.#clock(undefined, 0, []);
    const begun = this.nowMs;
    const wait = (): void => {
      if (this.attention) return this.#clock(ours, 0, []);
      if (this.nowMs - begun >= PARTNER_MS) return this.#finish(true, []);
      this.#in(1, wait);
    };
    wait();
  }

  /** A millisecond's worth of bytes, both ways at once. */
  #clock(ours: Uint8Array | undefined, at: number, got: number[]): void {
    if (this.stuck) return;
    const out: number[] = [];
    let done = false;
    for (let i = 0; i < BYTES_PER_MS && !done; i++) {
      out.push(ours?.[at] ?? 0xff);
      at++;
      if (this.#loadedAt < this.#loaded.length) got.push(this.#loaded[this.#loadedAt++]!);
      done = ours !== undefined ? at >= ours.length : this.#loadedAt >= this.#loaded.length;
    }
    const emptied = this.#loaded.length > 0 && this.#loadedAt >= this.#loaded.length;
    if (emptied) {
      this.#loaded = new Uint8Array(0);
      this.#loadedAt = 0;
    }
    this.spi.onSpi({ ev: "in", bytes: Uint8Array.from(out), atMs: this.nowMs }, this.nowMs);
    if (emptied) this.spi.onSpi({ ev: "out", atMs: this.nowMs }, this.nowMs);
    if (done || at > BYTES_PER_MS * GUARD_MS) this.#in(1, () => this.#finish(ours !== undefined, got));
    else this.#in(1, () => this.#clock(ours, at, got));
  }

  #finish(wasOurs: boolean, got: number[]): void {
    this.#loaded = new Uint8Array(0);
    this.#loadedAt = 0;
    this.#setSelect(false);
    this.#busy = false;
    if (wasOurs) this.#tell({ ev: "sent", atMs: this.nowMs });
    if (!wasOurs && got.length > 0) {
      const bytes = Uint8Array.from(got);
      this.log.push(`${this.nowMs} appliance reads ${hex(bytes)}`);
      this.#tell({ ev: "rx", bytes, atMs: this.nowMs });
    }
  }

  #setSelect(on: boolean): void {
    this.select = on;
    this.log.push(`${this.nowMs} select ${on ? "low" : "high"}`);
    this.spi.onSpi({ ev: "select", on, atMs: this.nowMs }, this.nowMs);
  }

  #tell(e: ByteLineEvent): void {
    this.stacks[1].onByteLine(e, this.nowMs);
  }

  #in(ms: number, run: () => void): void {
    this.#due.push({ atMs: this.nowMs + ms, run });
  }
}
