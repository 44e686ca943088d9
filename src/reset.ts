import type { World } from "./world.js";
import type { OwnerAnswer } from "./grid/owner.js";
import { FactoryReset, isResetting } from "./journal/factory-reset.js";
import type { Recorder } from "./journal/recorder.js";
import type { WebResponse } from "./ports/http-server.js";
import { NEVER, type Now } from "./ports/time.js";

/** Between two steps, ms. */
const STEP_MS = 20;
/** No flash has so many sectors to erase: a factory reset that takes more steps is stuck. */
const MOST_STEPS = 5000;

/** Factory reset of the whole module: while it goes on nothing else is done, and then the module starts anew. */
export class Reset {
  #going: FactoryReset | undefined;
  #done = false;
  #steps = 0;

  constructor(
    private readonly world: World,
    private readonly recorder: Recorder | undefined,
    private readonly keepSecurityLog: boolean,
  ) {}

  get going(): boolean {
    return this.#going !== undefined;
  }

  /** Forgets what belongs to the owner, and starts anew. Takes a second or two, a sector at a time. */
  begin(): OwnerAnswer {
    const { recorder } = this;
    if (!recorder)
      return { ok: false, why: "no-flash", text: "There is nothing here that could be forgotten." };
    if (!this.#going) {
      this.#going = new FactoryReset(recorder.journal, recorder.store, this.keepSecurityLog);
      this.world.forget?.();
    }
    return { ok: true, why: "", text: "The module forgets everything and starts anew." };
  }

  /** Goes on with one that a power cut has interrupted; false where there is none. */
  resume(): boolean {
    const { recorder } = this;
    if (!recorder || !isResetting(recorder.store)) return false;
    return this.begin().ok;
  }

  /** The next sector. */
  step(now: Now): void {
    if (this.#done) return;
    if (++this.#steps <= MOST_STEPS) this.world.feed?.();
    if (this.#going!.step(now)) return;
    this.#done = true;
    this.world.restart?.("factory-reset");
  }

  nextMs(now: Now): number {
    return this.#done ? NEVER : now.ms + STEP_MS;
  }
}

/** To whoever asks for a page while everything is forgotten; without an answer his connection would stay. */
export function resetting(id: number): WebResponse {
  const headers = [
    ["content-type", "text/plain"],
    ["retry-after", "5"],
  ] as const;
  return { id, status: 503, headers, body: "The module forgets everything and starts anew.\n" };
}
