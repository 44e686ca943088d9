/**
 * One module session, its link, a bad line and a simulated charger, in virtual time: no files, no sockets, made to be
 * run tens of thousands of times. Platform-free and seeded. The code on both sides is the one that runs in service.
 */
import { VirtualLine, type VirtualEnd } from "../../host-sim/line/virtual-line.js";
import { DEFAULT_PROFILE } from "../../host-sim/sgd/profile-model.js";
import { SgdSimulator } from "../../host-sim/sgd/simulator.js";
import { seededRandom } from "../../src/base/random.js";
import { LinkStack } from "../../src/link/stack.js";
import type { LinkCounters } from "../../src/link/counters.js";
import type { LinkResult } from "../../src/link/messages.js";
import type { ByteLine } from "../../src/ports/line.js";
import type { Now, RandomPort } from "../../src/ports/time.js";
import { SgdSession } from "../../src/sgd/session.js";
import { wishOf } from "../../test/support/wishes.js";

export type Kind = "none" | "byte-loss" | "bit-flips" | "lost-acks" | "duplicated-acks";

/** What is wrong with the line: of every byte, or of every link answer, this share. */
export interface Condition {
  readonly kind: Kind;
  readonly rate: number;
}

const rates = [0.001, 0.01, 0.05];
const kinds: readonly Kind[] = ["byte-loss", "bit-flips", "lost-acks", "duplicated-acks"];

/** A good line, and four faults at three rates each. */
export const conditions: readonly Condition[] = [
  { kind: "none", rate: 0 },
  ...kinds.flatMap((kind) => rates.map((rate) => ({ kind, rate }))),
];

export function nameOf({ kind, rate }: Condition): string {
  return kind === "none" ? "none" : `${kind} ${rate * 100} %`;
}

/** The way out of one end, on which link answers are lost or said twice. */
class AnswerFaults implements ByteLine {
  constructor(
    private readonly end: VirtualEnd,
    private readonly condition: Condition,
    private readonly random: RandomPort,
    private readonly later: (end: VirtualEnd) => void,
  ) {}

  write(bytes: Uint8Array): void {
    const { kind, rate } = this.condition;
    const strikes = bytes.length === 2 && this.random.uint32() < rate * 0x1_0000_0000;
    if (strikes && kind === "lost-acks") {
      this.later(this.end);
    } else if (strikes && kind === "duplicated-acks") this.end.write(Uint8Array.of(...bytes, ...bytes));
    else this.end.write(bytes);
  }

  setBitRate(bitsPerSecond: number): boolean {
    return this.end.setBitRate(bitsPerSecond);
  }
}

/** Two ends of a line that loses what its condition says; who is at the ends, the runs below say. */
export abstract class BadLine {
  nowMs = 0;
  readonly line: VirtualLine;
  protected readonly random: RandomPort;
  protected readonly ends: readonly [VirtualEnd, VirtualEnd];
  protected readonly ways: readonly [ByteLine, ByteLine];
  /** Lost link answers whose sender has to be told that they have left. */
  #later: { readonly atMs: number; readonly end: VirtualEnd }[] = [];

  constructor(seed: number, condition: Condition) {
    this.random = seededRandom(seed);
    // The line's luck is its own, so that a change in the code does not change what is lost.
    this.line = new VirtualLine({ bitsPerSecond: 19_200, random: seededRandom(seed ^ 0x5eed_0000) });
    const { kind, rate } = condition;
    if (kind === "byte-loss") this.line.noise.losePerByte = rate;
    if (kind === "bit-flips") this.line.noise.flipPerBit = 1 - (1 - rate) ** (1 / 8);
    this.ends = [
      this.line.end("module", { muted: true, carrier: true }),
      this.line.end("charger", { muted: true }),
    ];
    const faults = seededRandom(seed ^ 0x0acc_0000);
    // Two bytes that nobody hears take as long as any other two.
    const later = (end: VirtualEnd): void => void this.#later.push({ atMs: this.nowMs + 2, end });
    this.ways = [
      new AnswerFaults(this.ends[0], condition, faults, later),
      new AnswerFaults(this.ends[1], condition, faults, later),
    ];
  }

  /** Runs until `done`, or up to `limitMs` from now; true where it was done. */
  protected runUntil(limitMs: number, done: () => boolean): boolean {
    const endMs = this.nowMs + limitMs;
    while (!done()) {
      let dueMs = Math.ceil(Math.min(this.line.nextMs(), this.dueMs()));
      for (const { atMs } of this.#later) dueMs = Math.min(dueMs, atMs);
      if (dueMs > endMs) {
        this.nowMs = endMs;
        return false;
      }
      this.nowMs = Math.max(this.nowMs, dueMs);
      this.line.poll(this.nowMs);
      for (const { atMs, end } of this.#later) if (atMs <= this.nowMs) end.tell({ ev: "sent", atMs });
      this.#later = this.#later.filter(({ atMs }) => atMs > this.nowMs);
      this.step();
    }
    return true;
  }

  protected abstract dueMs(): number;
  protected abstract step(): void;
}

/** A session with its link at one end and the simulated charger at the other: what is in service. */
export abstract class ServiceRun extends BadLine {
  protected readonly sgd: SgdSimulator;
  protected readonly link: LinkStack;
  protected readonly session: SgdSession;

  constructor(seed: number, condition: Condition, previousLoad?: "normal") {
    super(seed, condition);
    const { random } = this;
    this.sgd = new SgdSimulator({
      profile: DEFAULT_PROFILE,
      line: this.ways[1],
      random,
      emit: () => undefined,
    });
    this.link = new LinkStack({
      line: this.ways[0],
      random,
      emit: (event) => this.session.onLink(event, this.now),
    });
    this.session = new SgdSession({
      emit: (command) => this.link.command(command, this.nowMs),
      settings: {},
      random,
      onStatus: () => undefined,
      ...(previousLoad === undefined ? {} : { previousLoad }),
    });
    this.sgd.plug();
  }

  protected get now(): Now {
    return { ms: this.nowMs, utcMs: 1_780_315_200_000 + this.nowMs };
  }

  get counters(): LinkCounters {
    return this.link.counters;
  }

  protected dueMs(): number {
    return Math.min(this.sgd.nextMs(), this.link.nextMs(), this.session.nextMs());
  }

  protected step(): void {
    const [module, charger] = this.ends;
    for (let e = charger.take(); e !== undefined; e = charger.take()) this.sgd.onByteLine(e, this.nowMs);
    if (this.sgd.nextMs() <= this.nowMs) this.sgd.poll(this.nowMs);
    for (let e = module.take(); e !== undefined; e = module.take()) this.link.onByteLine(e, this.nowMs);
    this.session.poll(this.now);
    this.link.poll(this.nowMs);
  }
}

/** A Shed from the wish to its proof. */
export class ShedRun extends ServiceRun {
  constructor(seed: number, condition: Condition) {
    super(seed, condition, "normal");
  }

  /** What the load command came to. */
  get load() {
    return this.session.status().load;
  }

  /**
   * Discovery on the bad line, a Shed for an hour at a random moment after it, and its proof: ms from the wish,
   * undefined where it took longer than `limitMs`. Called once.
   */
  run(limitMs = 60_000): number | undefined {
    const { random, session } = this;
    this.runUntil(120_000, () => session.status().link === "online");
    this.runUntil(1 + (random.uint32() % 65_000), () => false);
    const wishMs = this.nowMs;
    const wish = wishOf("shed", { endsAtMs: wishMs + 3_600_000, abilities: session.status() });
    session.wish(wish, this.now);
    const done = this.runUntil(limitMs, () => {
      const { load } = session.status();
      return load?.wish === wish.key && load.result === "verified";
    });
    return done ? this.nowMs - wishMs : undefined;
  }
}

/** One exchange of two links: a command with its reply. */
export class ExchangeRun extends BadLine {
  readonly #links: readonly [LinkStack, LinkStack];
  #result: LinkResult | undefined;

  constructor(seed: number, condition: Condition, tries: number) {
    super(seed, condition);
    const { random } = this;
    const module = new LinkStack({
      line: this.ways[0],
      random,
      timing: { tries },
      emit: (e) => {
        if (e.ev === "result") this.#result = e;
      },
    });
    const charger = new LinkStack({
      line: this.ways[1],
      random,
      timing: { tries },
      emit: (e) => {
        if (e.ev !== "message") return;
        charger.command(
          { cmd: "respond", id: 1, type: e.type, payload: Uint8Array.of(3, e.payload[0]!) },
          this.nowMs,
        );
      },
    });
    this.#links = [module, charger];
  }

  /** True where the command got its reply. Called once. */
  run(): boolean {
    const [module] = this.#links;
    module.command({ cmd: "request", id: 1, type: 0x0801, payload: Uint8Array.of(1, 0) }, 0);
    this.runUntil(60_000, () => this.#result !== undefined);
    return this.#result?.outcome === "ok";
  }

  protected dueMs(): number {
    return Math.min(this.#links[0].nextMs(), this.#links[1].nextMs());
  }

  protected step(): void {
    this.#links.forEach((link, side) => {
      const end = this.ends[side]!;
      for (let e = end.take(); e !== undefined; e = end.take()) link.onByteLine(e, this.nowMs);
      link.poll(this.nowMs);
    });
  }
}

/**
 * What theory says of one exchange with a single try: the eight bytes of the command and the eight of the reply
 * must arrive. The link ACK between them may get lost: the reply says more, and comes while it is waited for.
 */
export function expectedSuccess({ kind, rate }: Condition): number {
  return kind === "byte-loss" || kind === "bit-flips" ? (1 - rate) ** 16 : 1;
}
