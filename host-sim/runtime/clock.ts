/** The clocks of this computer: a monotonic one in milliseconds since the process began to count, and UTC. */
const startNs = process.hrtime.bigint();

export function monotonicMs(): number {
  return Number(process.hrtime.bigint() - startNs) / 1e6;
}

/** A timer that is armed for a moment of {@link monotonicMs} and can be moved. */
export class WakeUp {
  #timer: NodeJS.Timeout | undefined;
  readonly #run: () => void;
  #atMs = Number.POSITIVE_INFINITY;

  constructor(run: () => void) {
    this.#run = run;
  }

  /** Arms for `atMs`; Infinity = not at all. Never fires early: Node's timers may, by up to a millisecond. */
  at(atMs: number): void {
    if (atMs === this.#atMs && this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#atMs = atMs;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const waitMs = Math.min(Math.max(0, Math.ceil(atMs - monotonicMs())), 0x7fffffff);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (monotonicMs() < atMs) this.at(atMs);
      else this.#run();
    }, waitMs);
  }

  stop(): void {
    this.at(Number.POSITIVE_INFINITY);
  }
}
