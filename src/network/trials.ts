/**
 * Which of two sets is used, the current or the next one. This file guarantees: what is in use is given up for something new
 * only when a server has answered over a connection that used the new (and, where HTTP says too little, has taken us by its own word); what a server refuses gives way at once to the other
 * set, where there is one; the next one is tried again a day later, or as soon as the current one is refused. Platform-free.
 */
export type Kind = 0 | 1;
/** A certificate and its key; roots. */
export const PAIR = 0;
export const ROOTS = 1;

export interface TrialStore {
  /** There is a next set that is complete. */
  hasNext(name: string, kind: Kind): boolean;
  /** The next set becomes the current one. */
  confirm(name: string, kind: Kind): void;
  /** From the next connection on: true = the next set. */
  use(name: string, nextPair: boolean, nextRoots: boolean): void;
  log(text: string): void;
  /**
   * True: its servers refuse a certificate by HTTP 200 as well (OpenADR 2.0b), so an answer proves it only when the protocol's
   * own word follows, {@link Trials.word}.
   */
  byWord?(name: string): boolean;
}

/** After a refusal the current set is used for so long. */
export const AGAIN_MS = 86_400_000;

interface Trial {
  /** By kind. */
  readonly isNext: [boolean, boolean];
  readonly againMs: [number, number];
  /** Grows with each change, so that a connection that used something else proves nothing. */
  generation: number;
  /** Of the last answer. */
  heard: number;
}

/** A connection that was opened. */
export interface Token {
  readonly name: string;
  readonly generation: number;
}

export class Trials {
  private readonly trials: Record<string, Trial> = {};

  constructor(private readonly store: TrialStore) {}

  /** Sets come in use: at start, and after one was put beside the current one. */
  renew(name: string): void {
    const { store } = this;
    const isNext: [boolean, boolean] = [store.hasNext(name, PAIR), store.hasNext(name, ROOTS)];
    const generation = (this.trials[name]?.generation ?? 0) + 1;
    this.trials[name] = { isNext, againMs: [0, 0], generation, heard: 0 };
    store.use(name, ...isNext);
  }

  /** A connection with these credentials begins. */
  open(name: string, nowMs: number): Token | undefined {
    const trial = this.trials[name];
    if (trial === undefined) return undefined;
    for (const kind of [PAIR, ROOTS] as const)
      if (!trial.isNext[kind] && trial.againMs[kind] > 0 && nowMs >= trial.againMs[kind])
        this.change(name, kind, true);
    return { name, generation: trial.generation };
  }

  /** The server has answered over it, not only shaken hands: with TLS 1.3 it judges our certificate after that. */
  answered({ name, generation }: Token): void {
    const trial = this.trials[name];
    if (trial?.generation !== generation) return;
    trial.heard = generation;
    this.proved(name, ROOTS);
    if (this.store.byWord?.(name) !== true) this.proved(name, PAIR);
  }

  /** What the protocol says of us, in the answer that came last: it has taken us, or does not know us. */
  word(name: string, isTaken: boolean, nowMs: number): void {
    const trial = this.trials[name];
    // Said over what is not used any more.
    if (trial === undefined || trial.heard !== trial.generation) return;
    if (isTaken) this.proved(name, PAIR);
    else this.failed({ name, generation: trial.heard }, "tls-client-certificate", nowMs);
  }

  private proved(name: string, kind: Kind): void {
    const trial = this.trials[name];
    if (trial?.isNext[kind] !== true) return;
    trial.isNext[kind] = false;
    trial.againMs[kind] = 0;
    this.store.confirm(name, kind);
    this.store.log(`${name}: the new ${words(kind)} has proved itself and is kept`);
  }

  /** It failed; `reason` is an HttpFailure. */
  failed({ name, generation }: Token, reason: string, nowMs: number): void {
    const trial = this.trials[name];
    const kind = reason === "tls-client-certificate" ? PAIR : reason === "tls-untrusted" ? ROOTS : undefined;
    if (kind === undefined || trial?.generation !== generation) return;
    if (trial.isNext[kind]) {
      trial.againMs[kind] = nowMs + AGAIN_MS;
      this.change(name, kind, false);
      this.store.log(`${name}: the server refused with the new ${words(kind)}; the old stays`);
    } else if (this.store.hasNext(name, kind)) this.change(name, kind, true);
  }

  private change(name: string, kind: Kind, isNext: boolean): void {
    const trial = this.trials[name]!;
    trial.isNext[kind] = isNext;
    trial.generation++;
    this.store.use(name, ...trial.isNext);
  }
}

function words(kind: Kind): string {
  return kind === PAIR ? "certificate" : "trust root";
}
