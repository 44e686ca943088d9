/** The module's session and link against a simulated appliance on a virtual line, in virtual time. */
import { VirtualLine, type LineTap, type VirtualEnd } from "../../host-sim/line/virtual-line.js";
import { loadProfile, type SgdProfile } from "../../host-sim/sgd/profile.js";
import { SgdSimulator, type SgdState } from "../../host-sim/sgd/simulator.js";
import { seededRandom } from "../../src/base/random.js";
import type { Ask } from "../../src/grid/event.js";
import { LinkStack } from "../../src/link/stack.js";
import type { SgdStatus } from "../../src/ports/sgd-status.js";
import type { Now } from "../../src/ports/time.js";
import { SgdSession, type SgdSessionEvent } from "../../src/sgd/session.js";
import type { SgdSettings } from "../../src/sgd/settings.js";
import type { TranslateSettings } from "../../src/translate/translate.js";
import { wishOf } from "./wishes.js";

export class SessionRig {
  nowMs = 0;
  readonly profile: SgdProfile;
  readonly line: VirtualLine;
  readonly sgd: SgdSimulator;
  readonly link: LinkStack;
  readonly session: SgdSession;
  readonly events: SgdSessionEvent[] = [];
  readonly states: SgdState[] = [];
  readonly taps: LineTap[] = [];
  readonly #ends: { readonly module: VirtualEnd; readonly charger: VirtualEnd };

  constructor(profile: string, seed = 1, settings: Partial<SgdSettings> = {}) {
    const random = seededRandom(seed);
    this.profile = loadProfile(profile);
    this.line = new VirtualLine({ bitsPerSecond: 19_200, random });
    this.line.tap((tap) => this.taps.push(tap));
    this.#ends = {
      module: this.line.end("module", { muted: true, carrier: true }),
      charger: this.line.end("charger", { muted: true }),
    };
    this.sgd = new SgdSimulator({
      profile: this.profile,
      line: this.#ends.charger,
      random,
      emit: (event) => {
        if (event.event === "state") this.states.push(event);
      },
    });
    this.link = new LinkStack({
      line: this.#ends.module,
      random,
      emit: (event) => this.session.onLink(event, this.now),
    });
    this.session = new SgdSession({
      emit: (command) => this.link.command(command, this.nowMs),
      settings,
      random,
      onStatus: () => undefined,
      onEvent: (event) => this.events.push(event),
    });
  }

  get now(): Now {
    return { ms: this.nowMs, utcMs: 1_780_315_200_000 + this.nowMs };
  }

  get status(): SgdStatus {
    return this.session.status();
  }

  /** What is declared of this charger. */
  get site(): TranslateSettings {
    const { installerMaxA, ratedA, phases, voltageV } = this.profile.charger;
    return { installerMaxA, ratedA, phases, voltage: voltageV };
  }

  /** Wishes as the module does, with what is known of the appliance; the wish's key. */
  wish(ask: Ask | Ask["ask"], more: { permitted?: boolean; lastsMs?: number } = {}): string {
    const { permitted, lastsMs } = more;
    const wish = wishOf(ask, {
      site: this.site,
      abilities: this.status,
      ...(permitted === undefined ? {} : { permitted }),
      ...(lastsMs === undefined ? {} : { endsAtMs: this.nowMs + lastsMs }),
    });
    this.session.wish(wish, this.now);
    return wish.key;
  }

  /** Basic load commands on the wire, `[opcode1, opcode2]`. */
  get loads(): number[][] {
    return this.taps
      .filter(
        ({ from, bytes }) => from === "module" && bytes.length === 8 && bytes[0] === 8 && bytes[1] === 1,
      )
      .map(({ bytes }) => [bytes[4]!, bytes[5]!])
      .filter(([op]) => [1, 2, 6, 10, 11, 23].includes(op!));
  }

  pull(): void {
    this.#ends.module.unplug(this.nowMs);
  }

  insert(): void {
    this.#ends.module.plug(this.nowMs);
  }

  run(ms: number): void {
    this.#until(() => false, this.nowMs + ms);
  }

  /** Runs until `done`; answers how long it took, ms. */
  until(done: () => boolean, limitMs: number): number {
    const startMs = this.nowMs;
    if (!this.#until(done, startMs + limitMs)) {
      throw new Error(`not within ${limitMs} ms: ${String(done)}; ${JSON.stringify(this.status)}`);
    }
    return this.nowMs - startMs;
  }

  #until(done: () => boolean, endMs: number): boolean {
    const { module, charger } = this.#ends;
    let stuck = 0;
    for (;;) {
      if (done()) return true;
      const dueMs = Math.min(
        this.line.nextMs(),
        this.sgd.nextMs(),
        this.link.nextMs(),
        this.session.nextMs(),
      );
      if (dueMs > endMs) break;
      const next = Math.max(this.nowMs, Math.ceil(dueMs));
      stuck = next === this.nowMs ? stuck + 1 : 0;
      if (stuck > 1000) throw new Error(`time stands still at ${next} ms`);
      this.nowMs = next;
      this.line.poll(next);
      for (let e = charger.take(); e !== undefined; e = charger.take()) this.sgd.onByteLine(e, next);
      this.sgd.poll(next);
      for (let e = module.take(); e !== undefined; e = module.take()) this.link.onByteLine(e, next);
      this.session.poll(this.now);
      this.link.poll(next);
    }
    this.nowMs = endMs;
    return done();
  }
}
