import type { World } from "./world.js";
import { lampOf, type Lamp, type LampFacts } from "./health/lamp.js";
import { CrashLoop, MemoryWatch, Watch, type Watched } from "./health/watch.js";
import type { StartReason } from "./journal/recorder.js";
import { NEVER, type Now, type StorePort } from "./ports/time.js";

export interface VitalParts {
  readonly world: World;
  readonly store: StorePort;
  /** What the lamp is to tell; what is stuck is known here. */
  lamp(): Omit<LampFacts, "fault">;
  log(level: "warning" | "error", text: string): void;
}

/** The module's health (src/health) as one part of it: watchdog, lamp, memory, and the wait after crashes in a row. */
export class Vitals {
  readonly memory = new MemoryWatch();
  readonly #watch = new Watch();
  #crashLoop: CrashLoop | undefined;
  /** After crashes in a row the upstreams begin later; 0 = they have begun. */
  #upstreamsFromMs = 0;
  #stuck: Watched | undefined;
  #lamp: Lamp | undefined;

  constructor(private readonly parts: VitalParts) {}

  /** Answers whether the upstreams may begin at once. */
  start(reason: StartReason, now: Now): boolean {
    const { store, log } = this.parts;
    const crashed = reason === "watchdog" || reason === "crash" || reason === "brownout";
    const loop = new CrashLoop(store, crashed, now);
    this.#crashLoop = loop;
    const waitMs = loop.upstreamWaitMs();
    if (waitMs === 0) return true;
    this.#upstreamsFromMs = now.ms + waitMs;
    log("warning", `${loop.count} crashes in a row: utilities wait for ${waitMs / 60_000} min.`);
    return false;
  }

  /** True once, where the upstreams had to wait and may begin now. */
  poll(now: Now): boolean {
    this.#crashLoop?.poll(now);
    if (this.#upstreamsFromMs === 0 || now.ms < this.#upstreamsFromMs) return false;
    this.#upstreamsFromMs = 0;
    return true;
  }

  /** When the upstreams may begin, ms; 0 = they have. */
  get upstreamsFromMs(): number {
    return this.#upstreamsFromMs;
  }

  nextMs(): number {
    return this.#crashLoop?.nextMs() ?? NEVER;
  }

  /** After a poll: when each part wants the next. Feeds the watchdog while everything makes progress. */
  progress(linkMs: number, upstreamsMs: number, storageMs: number, updateMs: number, now: Now): void {
    const watch = this.#watch;
    watch.polled("link", linkMs, now);
    watch.polled("upstreams", upstreamsMs, now);
    watch.polled("storage", storageMs, now);
    watch.polled("update", updateMs, now);
    const stuck = watch.stuck(now);
    if (stuck === undefined) this.parts.world.feed?.();
    if (stuck === this.#stuck) return;
    this.#stuck = stuck;
    if (stuck !== undefined) this.parts.log("error", `The ${stuck} makes no progress: the watchdog starves.`);
    this.showLamp();
  }

  showLamp(): void {
    const { world, lamp: facts } = this.parts;
    if (!world.lamp) return;
    const lamp = lampOf({ ...facts(), fault: this.#stuck !== undefined });
    if (lamp === this.#lamp) return;
    this.#lamp = lamp;
    world.lamp(lamp);
  }
}
