/**
 * A scripted appliance behind a link that never loses anything by itself: it takes the session's link commands
 * and answers link events in virtual time. For tests of the session alone; the real charger is host-sim's.
 */
import { seededRandom } from "../../src/base/random.js";
import type { LinkCommand, LinkEvent, LinkOutcome } from "../../src/link/messages.js";
import type { SgdStatus } from "../../src/ports/sgd-status.js";
import type { Now } from "../../src/ports/time.js";
import { SgdSession, type SgdSessionEvent, type SgdSessionOptions } from "../../src/sgd/session.js";
import type { SgdSettings } from "../../src/sgd/settings.js";
import { commodityReply } from "../../src/wire/commodity.js";
import { informationReply } from "../../src/wire/information.js";
import { payloadOf } from "../../src/wire/payload.js";

/** What the appliance does with a request: reply bytes, a link NAK, or nothing; `forgotten`: the link fails us. */
export type Reaction =
  readonly number[] | Uint8Array | { nak: number } | "silent" | "mute" | "ack" | "forgotten";

type Request = LinkCommand & { cmd: "request" };

export interface ApplianceOptions {
  settings?: Partial<SgdSettings>;
  previousLoad?: SgdSessionOptions["previousLoad"];
  /** Unix ms of monotonic 0; undefined = the clock is not known. */
  utcAtZeroMs?: number;
}

export class FakeAppliance {
  nowMs = 0;
  utcAtZeroMs: number | undefined;
  /** Answers nothing at all while false. */
  present = true;
  /** One exchange, ms. */
  exchangeMs = 300;

  state = 1;
  /** Power by operational state, watts; others 7,200. */
  powers: Record<number, number> = { 0: 0, 2: 3600, 4: 0, 5: 0, 11: 0 };
  /** Fixed power, or by state. */
  powerW: number | undefined;
  ratedW: number | undefined = 7680;
  /** State that a load command brings; by opcode1. */
  becomes: Record<number, number> = { 1: 2, 2: 1, 6: 9, 10: 2, 11: 4, 23: 3 };
  /** Overrules what is done with a Basic message: by opcode1. */
  readonly basic = new Map<number, (arg: number) => Reaction | undefined>();
  /** Overrules everything; undefined = as usual. */
  react: (request: Request) => Reaction | undefined = () => undefined;

  readonly requests: { atMs: number; type: number; payload: number[] }[] = [];
  readonly responses: { atMs: number; type: number; payload: number[] }[] = [];
  readonly commands: LinkCommand[] = [];
  readonly statuses: SgdStatus[] = [];
  readonly events: SgdSessionEvent[] = [];
  readonly session: SgdSession;
  readonly #due: { atMs: number; what: () => void }[] = [];

  constructor(options: ApplianceOptions = {}) {
    this.utcAtZeroMs = options.utcAtZeroMs;
    this.session = new SgdSession({
      emit: (command) => this.#take(command),
      settings: options.settings ?? {},
      random: seededRandom(7),
      onStatus: (status) => this.statuses.push(status),
      onEvent: (event) => this.events.push(event),
      ...(options.previousLoad === undefined ? {} : { previousLoad: options.previousLoad }),
    });
  }

  get now(): Now {
    const utcMs = this.utcAtZeroMs === undefined ? undefined : this.utcAtZeroMs + this.nowMs;
    return { ms: this.nowMs, utcMs };
  }

  get status(): SgdStatus {
    return this.session.status();
  }

  /** Basic messages that reached the line, `[opcode1, opcode2]`. */
  basicSent(...ops: number[]): number[][] {
    return this.requests
      .filter((r) => r.type === 0x0801 && r.payload.length === 2)
      .filter((r) => ops.length === 0 || ops.includes(r.payload[0]!))
      .map((r) => r.payload);
  }

  /** Load commands that reached the line. */
  get loads(): number[][] {
    return this.basicSent(1, 2, 6, 10, 11, 23);
  }

  at(delayMs: number, what: () => void): void {
    this.#due.push({ atMs: this.nowMs + delayMs, what });
  }

  /** Runs virtual time on by `ms`. Fails on a session that wants to be polled without end. */
  run(ms: number): void {
    const endMs = this.nowMs + ms;
    let still = 0;
    for (;;) {
      this.#due.sort((a, b) => a.atMs - b.atMs);
      const nextMs = Math.max(this.nowMs, Math.min(this.#due[0]?.atMs ?? Infinity, this.session.nextMs()));
      if (nextMs > endMs) break;
      still = nextMs === this.nowMs ? still + 1 : 0;
      if (still > 1000) throw new Error("the session spins without time passing");
      this.nowMs = Math.ceil(nextMs);
      if (this.#due[0] !== undefined && this.#due[0].atMs <= this.nowMs) this.#due.shift()!.what();
      else this.session.poll(this.now);
    }
    this.nowMs = endMs;
  }

  /** Runs until `done`, at most `ms`; answers the time it took. */
  until(done: () => boolean, ms: number): number {
    const startMs = this.nowMs;
    while (!done()) {
      if (this.nowMs - startMs >= ms) throw new Error(`not within ${ms} ms: ${String(done)}`);
      this.run(10);
    }
    return this.nowMs - startMs;
  }

  /** The appliance says something on its own. */
  says(type: number, ...payload: number[]): void {
    this.#give({ ev: "message", type, payload: new Uint8Array(payload), atMs: this.nowMs });
  }

  asks(type: number): void {
    this.#give({ ev: "asked", type, atMs: this.nowMs });
  }

  peer(state: "lost" | "heard" | "unplugged" | "plugged"): void {
    this.#give({ ev: "peer", state, atMs: this.nowMs });
  }

  limits(sendPayload: number): void {
    this.#give({ ev: "limits", sendPayload, receivePayload: 512, bitsPerSecond: 19_200, atMs: this.nowMs });
  }

  #give(event: LinkEvent): void {
    this.session.onLink(event, this.now);
  }

  #take(command: LinkCommand): void {
    this.commands.push(command);
    if (command.cmd === "respond") {
      this.responses.push({ atMs: this.nowMs, type: command.type, payload: [...command.payload] });
      this.at(this.exchangeMs, () => this.#result(command.id, "ok"));
    } else if (command.cmd === "query-max-payload") {
      if (this.present) {
        this.at(this.exchangeMs - 1, () => this.limits(64));
        this.at(this.exchangeMs, () => this.#result(command.id, "ok"));
      } else this.at(4_000, () => this.#result(command.id, "no-ack"));
    } else if (command.cmd === "request") {
      this.requests.push({ atMs: this.nowMs, type: command.type, payload: [...command.payload] });
      const reaction = this.present ? (this.react(command) ?? this.#usual(command)) : "silent";
      this.#carryOut(command.id, reaction);
    }
  }

  #carryOut(id: number, reaction: Reaction): void {
    if (reaction === "forgotten") return;
    if (reaction === "silent") this.at(4_000, () => this.#result(id, "no-ack"));
    else if (reaction === "mute") this.at(3_200, () => this.#result(id, "no-reply"));
    else if (reaction === "ack") this.at(60, () => this.#result(id, "ok"));
    else if ("nak" in reaction) this.at(60, () => this.#result(id, "nak", reaction.nak));
    else this.at(this.exchangeMs, () => this.#result(id, "ok", -1, Uint8Array.from(reaction)));
  }

  #result(id: number, outcome: LinkOutcome, nak = -1, reply?: Uint8Array): void {
    this.#give({ ev: "result", id, outcome, nak, reply, tries: 1, atMs: this.nowMs });
  }

  #usual(request: Request): Reaction {
    const [op, arg] = request.payload;
    if (op === undefined) return "ack";
    if (request.type === 0x0801) return this.basic.get(op)?.(arg!) ?? this.#usualBasic(op);
    if (op === 1) {
      return payloadOf(
        informationReply({
          version: "B",
          vendorId: 0x1234,
          deviceType: 0x1102,
          revision: 1,
          capabilities: 0x10,
          model: "FAKE",
          serial: "7",
        }),
      ).payload;
    }
    if (op === 6) return payloadOf(commodityReply(this.#records())).payload;
    return { nak: 7 };
  }

  #usualBasic(op: number): Reaction {
    if (op === 0x12) return [0x13, this.state];
    this.state = this.becomes[op] ?? this.state;
    return [0x03, op];
  }

  #records() {
    const rate = this.powerW ?? this.powers[this.state] ?? 7200;
    const records = [{ code: 0, measured: true, rate, cumulative: 1000 }];
    if (this.ratedW === undefined) return records;
    return [...records, { code: 8, measured: false, rate: this.ratedW, cumulative: 0 }];
  }
}
