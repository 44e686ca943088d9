import { VirtualLine, type LineTap, type VirtualEnd } from "../../host-sim/line/virtual-line.js";
import { loadProfile, type SgdProfile } from "../../host-sim/sgd/profile.js";
import { SgdSimulator, type SgdEvent } from "../../host-sim/sgd/simulator.js";
import { seededRandom } from "../../src/base/random.js";
import type { LinkEvent, LinkResult } from "../../src/link/messages.js";
import { LinkStack } from "../../src/link/stack.js";
import type { RandomPort } from "../../src/ports/time.js";
import { basic } from "../../src/wire/basic.js";
import { BasicOp, MessageType, type WireMessage } from "../../src/wire/message.js";
import { parseMessage, payloadOf } from "../../src/wire/payload.js";

/** A charger on a virtual line with a bare link on the module's side, in virtual time. */
export class SgdRig {
  nowMs = 0;
  readonly random: RandomPort;
  readonly line: VirtualLine;
  readonly sgd: SgdSimulator;
  readonly module: LinkStack;
  readonly events: SgdEvent[] = [];
  /** What the charger said on its own, or asked. */
  readonly heard: { readonly atMs: number; readonly message: WireMessage }[] = [];
  readonly asked: { readonly atMs: number; readonly type: number }[] = [];
  readonly taps: LineTap[] = [];
  /** Answers spontaneous messages by App ACK, as a module should. */
  polite = true;

  readonly #results = new Map<number, LinkResult>();
  readonly #chargerEnd: VirtualEnd;
  readonly #moduleEnd: VirtualEnd;
  #nextId = 1;

  constructor(profile: string | SgdProfile, seed = 1, modulePayload = 512) {
    this.random = seededRandom(seed);
    this.line = new VirtualLine({ bitsPerSecond: 19_200, random: this.random });
    this.line.tap((tap) => this.taps.push(tap));
    this.#chargerEnd = this.line.end("charger", { muted: true });
    this.#moduleEnd = this.line.end("module", { muted: true, carrier: true });
    this.sgd = new SgdSimulator({
      profile: typeof profile === "string" ? loadProfile(profile) : profile,
      line: this.#chargerEnd,
      random: this.random,
      emit: (event) => this.events.push(event),
    });
    this.module = new LinkStack({
      line: this.#moduleEnd,
      random: this.random,
      maxPayload: modulePayload,
      emit: (event) => this.#onModule(event),
    });
  }

  /** Lets time pass. */
  run(durationMs: number): void {
    this.#until(() => false, this.nowMs + durationMs);
  }

  /** Lets time pass until `done`; throws after `limitMs`. */
  until(what: string, done: () => boolean, limitMs = 60_000): void {
    if (!this.#until(done, this.nowMs + limitMs)) throw new Error(`not within ${limitMs} ms: ${what}`);
  }

  /** Sends a message as the module and waits for what becomes of it. */
  ask(message: WireMessage): LinkResult {
    return this.await(this.send(message));
  }

  send(message: WireMessage): number {
    const id = this.#nextId++;
    this.module.command({ cmd: "request", id, ...payloadOf(message) }, this.nowMs);
    return id;
  }

  await(id: number): LinkResult {
    this.until(`result ${id}`, () => this.#results.has(id));
    return this.#results.get(id)!;
  }

  /** A Basic message; gives the reply's two bytes, or the outcome where there was none. */
  basic(op: number, arg = 0): readonly number[] | string {
    const { outcome, nak, reply } = this.ask(basic(op, arg));
    if (reply !== undefined) return [...reply];
    return outcome === "nak" ? `nak ${nak}` : outcome;
  }

  /** The operational state as the module gets it. */
  query(): number {
    const reply = this.basic(BasicOp.QueryState);
    return typeof reply === "string" ? -1 : reply[1]!;
  }

  /** Asks for the payload limits both ways, as a module does at start. */
  negotiate(): void {
    const id = this.#nextId++;
    this.module.command({ cmd: "query-max-payload", id }, this.nowMs);
    this.await(id);
  }

  pullModule(): void {
    this.#moduleEnd.unplug(this.nowMs);
  }

  insertModule(): void {
    this.#moduleEnd.plug(this.nowMs);
  }

  get states(): Extract<SgdEvent, { event: "state" }>[] {
    return this.events.filter((event) => event.event === "state");
  }

  #until(done: () => boolean, endMs: number): boolean {
    let stuck = 0;
    while (!done()) {
      const next = Math.max(
        this.nowMs,
        Math.ceil(Math.min(endMs, this.line.nextMs(), this.sgd.nextMs(), this.module.nextMs())),
      );
      stuck = next === this.nowMs ? stuck + 1 : 0;
      if (stuck > 1000) throw new Error(`time stands still at ${next} ms`);
      this.nowMs = next;
      this.line.poll(next);
      for (let e = this.#chargerEnd.take(); e !== undefined; e = this.#chargerEnd.take()) {
        this.sgd.onByteLine(e, next);
      }
      this.sgd.poll(next);
      for (let e = this.#moduleEnd.take(); e !== undefined; e = this.#moduleEnd.take()) {
        this.module.onByteLine(e, next);
      }
      this.module.poll(next);
      if (
        next === endMs &&
        this.line.nextMs() > next &&
        this.sgd.nextMs() > next &&
        this.module.nextMs() > next
      ) {
        return done();
      }
    }
    return true;
  }

  #onModule(event: LinkEvent): void {
    if (event.ev === "result") this.#results.set(event.id, event);
    if (event.ev === "asked") this.asked.push({ atMs: event.atMs, type: event.type });
    if (event.ev !== "message") return;
    const message = parseMessage(event.type, event.payload);
    // A charger with a fault may say anything.
    if ("blame" in message) return;
    this.heard.push({ atMs: event.atMs, message });
    if (this.polite && message.family === "basic") {
      const ack = {
        cmd: "respond",
        id: this.#nextId++,
        ...payloadOf(basic(BasicOp.AppAck, message.op)),
      } as const;
      if (message.op !== BasicOp.AppAck && message.op !== BasicOp.AppNak)
        this.module.command(ack, this.nowMs);
    }
  }
}

/** Basic messages with this opcode1 that the charger said on its own: their opcode2. */
export function said(rig: SgdRig, op: number): number[] {
  return rig.heard.flatMap(({ message }) =>
    message.family === "basic" && message.op === op ? [message.arg] : [],
  );
}

export const TYPES = [MessageType.Basic, MessageType.Intermediate, MessageType.DataLink] as const;
