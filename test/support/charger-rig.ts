import { VirtualLine, type VirtualEnd } from "../../host-sim/line/virtual-line.js";
import { loadProfile, type SgdProfile } from "../../host-sim/sgd/profile.js";
import { SgdSimulator } from "../../host-sim/sgd/simulator.js";
import { Ucm, type UcmEvent } from "../../src/app.js";
import { seededRandom } from "../../src/base/random.js";
import type { EventVerdict, GridEvent } from "../../src/grid/event.js";
import type { Upstream, UpstreamHost, UpstreamStatus } from "../../src/grid/upstream.js";
import { JOURNAL_SECTORS } from "../../src/journal/journal.js";
import type { StartReason } from "../../src/journal/recorder.js";
import { NEVER, type Now } from "../../src/ports/time.js";
import { readConfig, type UcmConfig } from "../../src/setup/config.js";
import { FlashSim } from "./flash-sim.js";
import { T0 } from "./grid.js";

/** A utility without a wire: what it holds is handed to the module's core directly. */
export class FakeUtility {
  host: UpstreamHost | undefined;
  events: readonly GridEvent[] = [];
  online = true;

  constructor(readonly id: string) {}

  upstream(host: UpstreamHost): Upstream {
    this.host = host;
    return {
      id: this.id,
      start: () => undefined,
      poll: () => undefined,
      nextMs: () => NEVER,
      onHttp: () => undefined,
      onSgd: () => undefined,
      status: (): UpstreamStatus => ({
        id: this.id,
        state: this.online ? "online" : "failing",
        fault: this.online ? "" : "timeout",
        text: "",
        nextTryMs: NEVER,
        lastContactMs: undefined,
      }),
    };
  }

  /** Everything that it holds from now on. */
  give(events: readonly GridEvent[], now: Now): readonly EventVerdict[] {
    this.events = events;
    return this.host!.replaceEvents(this.id, events, now);
  }
}

export interface ChargerRigOptions {
  readonly profile?: string | SgdProfile;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly seed?: number;
  /** What the module's random numbers are; default seeded. */
  readonly uint32?: () => number;
  readonly utilities?: readonly string[];
  readonly flashSectors?: number;
}

/** The load commands that the charger took off the line, by opcode1. */
export interface Command {
  readonly atMs: number;
  readonly op: number;
}

/**
 * The whole module on its flash, a line, and the simulated charger, in virtual time; the utilities have no wire.
 * What counts is the charger.
 */
export class ChargerRig {
  nowMs = 0;
  /** UTC minus `nowMs` as the module's clock has it; undefined while it has none. */
  clockMs: number | undefined = T0;
  readonly line: VirtualLine;
  readonly sgd: SgdSimulator;
  readonly flash: FlashSim;
  readonly utilities: Record<string, FakeUtility> = {};
  readonly told: UcmEvent[] = [];
  readonly commands: Command[] = [];
  ucm: Ucm | undefined;
  onModuleStep: (() => void) | undefined;
  onFrame: ((dir: string, bytes: Uint8Array, fault: string) => void) | undefined;
  private readonly config: UcmConfig;
  private readonly module: VirtualEnd;
  private readonly charger: VirtualEnd;
  private wakeMs = 0;
  private readonly uint32: () => number;

  constructor(options: ChargerRigOptions = {}) {
    const random = seededRandom(options.seed ?? 1);
    this.uint32 = options.uint32 ?? (() => random.uint32());
    this.line = new VirtualLine({ bitsPerSecond: 19_200, random, chunkMs: 10 });
    this.module = this.line.end("module", { muted: true });
    this.charger = this.line.end("charger", { muted: true });
    const { profile } = options;
    this.sgd = new SgdSimulator({
      profile: typeof profile === "object" ? profile : loadProfile(profile ?? "evse-level2-32a"),
      line: this.charger,
      random,
      emit: () => undefined,
    });
    this.line.tap(({ from, bytes }) => {
      if (from !== "module") return;
      // A link ACK may go before a frame in one burst.
      const at = bytes[0] === 0x06 ? 2 : 0;
      if (bytes[at] === 0x08 && bytes[at + 1] === 0x01) {
        this.commands.push({ atMs: this.nowMs, op: bytes[at + 4] ?? 0 });
      }
    });
    const names = options.utilities ?? ["utility-a", "utility-b"];
    for (const id of names) this.utilities[id] = new FakeUtility(id);
    const config = readConfig({
      upstreams: names.map((id) => ({ id, protocol: "openadr2b", url: "https://127.0.0.1:1/", venName: id })),
      polling: { stateSeconds: 60, commoditySeconds: 60 },
      ...options.config,
    });
    if (!("upstreams" in config)) throw new Error(config.map((one) => one.text).join("; "));
    this.config = config;
    this.flash = new FlashSim(options.flashSectors ?? JOURNAL_SECTORS + 6);
    this.boot();
  }

  get now(): Now {
    return { ms: this.nowMs, utcMs: this.clockMs === undefined ? undefined : this.nowMs + this.clockMs };
  }

  get amperes(): number {
    return this.sgd.state().currentA;
  }

  boot(startReason: StartReason = "power"): void {
    while (this.module.take());
    this.ucm = new Ucm(
      {
        line: this.module,
        http: { request: () => undefined, abort: () => undefined },
        random: { uint32: this.uint32 },
        store: { get: () => undefined, set: () => undefined, delete: () => undefined },
        flash: this.flash,
        startReason,
        connect: (config, host) => this.utilities[config.id]?.upstream(host),
        restart: (why) => this.boot(why),
        emit: (event) => {
          if (event.event === "frame") this.onFrame?.(event.dir, event.bytes, event.fault);
          else if (event.event !== "sgd") this.told.push(event);
        },
      },
      this.config,
    );
    this.ucm.start(this.now);
    this.wakeMs = this.nowMs;
  }

  /** The module loses power. */
  cut(): void {
    this.ucm = undefined;
    this.wakeMs = NEVER;
  }

  /** The module is pulled out of its socket, and loses power by that. */
  pull(): void {
    this.module.unplug(this.nowMs);
    this.cut();
  }

  plugIn(): void {
    this.module.plug(this.nowMs);
    this.boot();
  }

  give(id: string, events: readonly GridEvent[]): readonly EventVerdict[] {
    const verdicts = this.utilities[id]!.give(events, this.now);
    this.wake();
    return verdicts;
  }

  owner(order: unknown): ReturnType<Ucm["owner"]> {
    const answer = this.ucm!.owner(order, this.now);
    this.wake();
    return answer;
  }

  /** Something was done to the module or the world: it looks at once. */
  wake(): void {
    if (this.ucm) this.wakeMs = this.nowMs;
  }

  run(durationMs: number): void {
    const end = this.nowMs + durationMs;
    for (let next = this.nextMs(); next <= end; next = this.nextMs()) this.stepAt(next);
    this.nowMs = end;
  }

  until(what: string, done: () => boolean, limitMs = 60_000): number {
    const from = this.nowMs;
    while (!done()) {
      const next = this.nextMs();
      if (next > from + limitMs) throw new Error(`not within ${String(limitMs)} ms: ${what}`);
      this.stepAt(next);
    }
    return this.nowMs - from;
  }

  private nextMs(): number {
    return Math.max(this.nowMs, Math.ceil(Math.min(this.line.nextMs(), this.sgd.nextMs(), this.wakeMs)));
  }

  private stepAt(ms: number): void {
    this.nowMs = ms;
    this.line.poll(ms);
    for (let event = this.charger.take(); event; event = this.charger.take()) this.sgd.onByteLine(event, ms);
    if (this.sgd.nextMs() <= ms) this.sgd.poll(ms);
    let due = ms >= this.wakeMs;
    for (let event = this.module.take(); event; event = this.module.take()) {
      if (!this.ucm) continue;
      this.ucm.onLine(event, this.now);
      due = true;
    }
    if (!due || !this.ucm) return;
    this.ucm.poll(this.now);
    this.wakeMs = this.ucm?.nextMs() ?? NEVER;
    this.onModuleStep?.();
  }
}
