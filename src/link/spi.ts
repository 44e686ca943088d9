import type { ByteLine, ByteLineEvent } from "../ports/line.js";
import { NEVER } from "../ports/time.js";
import { ACK_BYTE, FRAME_OVERHEAD, MAX_PAYLOAD, NAK_BYTE } from "../wire/frame.js";
import type { LinkTiming } from "./timing.js";

/** What the module's SPI peripheral and its two signals must do (docs/protocol/cta2045.md 1.3). */
export interface SpiPeripheralPort {
  /** Drives ATTENTION; asserted is low. A driver may release it by itself at the last byte. */
  attention(asserted: boolean): void;
  /** Bytes to be clocked out next; when they are out, or with nothing loaded, FF goes out. */
  load(bytes: Uint8Array): void;
}

export type SpiEvent =
  /** SELECT was pulled low (`on`) or released. */
  | { readonly ev: "select"; readonly on: boolean; readonly atMs: number }
  /** Bytes that the appliance clocked in. */
  | { readonly ev: "in"; readonly bytes: Uint8Array; readonly atMs: number }
  /** The last loaded byte has been clocked out. */
  | { readonly ev: "out"; readonly atMs: number }
  /** RESET was pulled low (`on`) or released. */
  | { readonly ev: "reset"; readonly on: boolean; readonly atMs: number };

export interface SpiLineOptions {
  readonly port: SpiPeripheralPort;
  readonly timing: LinkTiming;
  readonly emit: (e: ByteLineEvent, nowMs: number) => void;
  /** Longest message that can come in, bytes; 518 if not given. */
  readonly capacity?: number;
}

/** Writes that wait; the link has one frame and one answer under way. What finds no room is lost, as on a wire. */
const MAX_WAITING = 4;
/** On the wire where nobody says anything; a message that begins with it (vendor types FF xx) cannot be told. */
const FILLER = 0xff;

/**
 * The DC form of the link: the module is the SPI peripheral, the appliance clocks. The frame bytes, link
 * answers and their times are those of RS-485, so this is a byte line like any other, for the receiver and the
 * link of this folder; its `emit` goes to `LinkStack.onByteLine`, with `bitRates: 0`.
 *
 * Sending: load, pull ATTENTION, be clocked, release ATTENTION, SELECT goes up. Receiving: SELECT goes down,
 * pull ATTENTION within 100 ms, be clocked, SELECT goes up, release ATTENTION. When both begin at once, bytes
 * run both ways; what came in is taken, and what went out counts as sent: the link notices that nobody answers.
 * A transfer that the appliance does not begin or end within 500 ms is given up, and counts as sent as well.
 */
export class SpiLine implements ByteLine {
  readonly #o: SpiLineOptions;
  readonly #in: Uint8Array;
  #inLength = 0;
  readonly #queue: Uint8Array[] = [];
  /**
   * `idle`; `offering`: ATTENTION is low, our bytes wait for the clock; `sending`: they are being clocked;
   * `receiving`: the appliance clocks its own; `closing`: waiting for SELECT to go up; `reset`: held in reset.
   */
  #state: "idle" | "offering" | "sending" | "receiving" | "closing" | "reset" = "idle";
  #untilMs = NEVER;
  /** Something of ours is on its way and has not been reported `sent`. */
  #ours = false;

  constructor(options: SpiLineOptions) {
    this.#o = options;
    this.#in = new Uint8Array(options.capacity ?? 518);
  }

  /** Takes effect at the next {@link poll}, which `nextMs()` asks for. */
  write(bytes: Uint8Array): void {
    if (this.#state !== "reset" && this.#queue.length < MAX_WAITING) this.#queue.push(bytes);
  }

  /** The appliance's clock is its own affair. */
  setBitRate(): boolean {
    return false;
  }

  nextMs(): number {
    if (this.#state === "idle" && this.#queue.length > 0) return 0;
    return this.#untilMs;
  }

  poll(nowMs: number): void {
    if (nowMs >= this.#untilMs) {
      // The appliance did not begin, or did not end.
      const selected = this.#state !== "offering";
      this.#release(selected ? "closing" : "idle");
      this.#tellSent(nowMs, nowMs);
    }
    const next = this.#queue[0];
    if (this.#state !== "idle" || next === undefined) return;
    this.#queue.shift();
    this.#ours = true;
    this.#state = "offering";
    this.#untilMs = nowMs + this.#o.timing.spiGuardMs;
    this.#o.port.load(next);
    this.#o.port.attention(true);
  }

  onSpi(e: SpiEvent, nowMs: number): void {
    switch (e.ev) {
      case "select":
        if (e.on) this.#onSelect(e.atMs, nowMs);
        else this.#onDeselect(e.atMs, nowMs);
        break;
      case "in":
        this.#take(e.bytes);
        break;
      case "out":
        if (this.#state !== "sending") break;
        this.#release("closing");
        this.#tellSent(e.atMs, nowMs);
        break;
      case "reset":
        this.#onReset(e.on, e.atMs, nowMs);
        break;
    }
    this.poll(nowMs);
  }

  #onSelect(atMs: number, nowMs: number): void {
    this.#inLength = 0;
    if (this.#state === "offering") {
      this.#state = "sending";
      this.#untilMs = nowMs + this.#o.timing.spiGuardMs;
    } else if (this.#state === "idle") {
      // Too late, and the appliance has already given up: it will let SELECT go.
      if (nowMs - atMs >= this.#o.timing.spiPartnerMs) return this.#release("closing");
      this.#state = "receiving";
      this.#untilMs = nowMs + this.#o.timing.spiGuardMs;
      this.#o.port.attention(true);
    }
  }

  #onDeselect(atMs: number, nowMs: number): void {
    if (this.#state === "reset" || this.#state === "idle" || this.#state === "offering") return;
    this.#release("idle");
    const bytes = this.#message();
    // What was not clocked to its end is told as sent all the same; nobody will answer it.
    this.#tellSent(atMs, nowMs);
    if (bytes.length > 0) this.#o.emit({ ev: "rx", bytes, atMs }, nowMs);
  }

  #onReset(on: boolean, atMs: number, nowMs: number): void {
    if (on === (this.#state === "reset")) return;
    this.#queue.length = 0;
    this.#ours = false;
    this.#inLength = 0;
    this.#release(on ? "reset" : "idle");
    this.#o.emit({ ev: "carrier", on: !on, atMs }, nowMs);
  }

  #release(state: "idle" | "closing" | "reset"): void {
    this.#state = state;
    this.#untilMs = NEVER;
    this.#o.port.attention(false);
  }

  #tellSent(atMs: number, nowMs: number): void {
    if (!this.#ours) return;
    this.#ours = false;
    this.#o.emit({ ev: "sent", atMs }, nowMs);
  }

  /** Filler before the message is dropped here, what follows it in {@link #message}. */
  #take(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      const b = bytes[i]!;
      if (this.#inLength === 0 && b === FILLER) continue;
      if (this.#inLength < this.#in.length) this.#in[this.#inLength++] = b;
    }
  }

  /** What came in between SELECT's edges, without the filler behind the message. */
  #message(): Uint8Array {
    const got = this.#inLength;
    this.#inLength = 0;
    const lead = this.#in[0];
    let whole = got;
    if (lead === ACK_BYTE || lead === NAK_BYTE) whole = 2;
    else if (got >= 4) whole = (((this.#in[2]! << 8) | this.#in[3]!) & MAX_PAYLOAD) + FRAME_OVERHEAD;
    let end = got;
    while (end > whole && this.#in[end - 1] === FILLER) end--;
    return this.#in.slice(0, end);
  }
}
