/**
 * Deliberate misbehaviour of the VTN, by name. The first group is in what is said and works in virtual time
 * too; the second needs the TLS server (`server.ts`).
 */
export const CORE_MISBEHAVIOURS = [
  "http-500",
  "truncated-body",
  "invalid-xml",
  "wrong-order",
  "duplicate-events",
  "absent-event",
  "unknown-signal",
  "huge-answer",
  "require-signatures",
  "empty-body",
  "response-500",
  "revoke-tokens",
] as const;

export const SERVER_MISBEHAVIOURS = [
  "slow-bytes",
  "no-answer",
  "reset",
  "clock-off",
  "expired-certificate",
  "not-yet-valid-certificate",
  "wrong-host",
  "forged-chain",
  "self-signed",
] as const;

export type CoreMisbehaviour = (typeof CORE_MISBEHAVIOURS)[number];
export type ServerMisbehaviour = (typeof SERVER_MISBEHAVIOURS)[number];
export type Misbehaviour = CoreMisbehaviour | ServerMisbehaviour;

export const MISBEHAVIOURS: readonly Misbehaviour[] = [...CORE_MISBEHAVIOURS, ...SERVER_MISBEHAVIOURS];

/** Bytes of `huge-answer`. */
export const HUGE_BYTES = 1_048_576;

/** Which misbehaviours are on, each for a number of answers or until switched off. */
export class MisbehaviourSet {
  readonly #left = new Map<Misbehaviour, number>();

  /** @param times answers that it spoils; Infinity = until cleared */
  add(name: Misbehaviour, times = Number.POSITIVE_INFINITY): void {
    this.#left.set(name, times);
  }

  clear(name?: Misbehaviour): void {
    if (name === undefined) this.#left.clear();
    else this.#left.delete(name);
  }

  has(name: Misbehaviour): boolean {
    return this.#left.has(name);
  }

  names(): readonly Misbehaviour[] {
    return [...this.#left.keys()];
  }

  /** True while it is on; counts down one of its answers. */
  take(name: Misbehaviour): boolean {
    const left = this.#left.get(name);
    if (left === undefined) return false;
    if (left <= 1) this.#left.delete(name);
    else this.#left.set(name, left - 1);
    return true;
  }
}

/** Mistakes in an event list. */
export const LIST_MISTAKES = ["wrong-order", "duplicate-events", "absent-event", "unknown-signal"] as const;

/** Spoils a finished document by what is on; a mistake in the list counts for lists, others for every answer. */
export function spoil(set: MisbehaviourSet, document: string): string {
  if (document.includes("<oadr:oadrDistributeEvent")) for (const name of LIST_MISTAKES) set.take(name);
  if (set.take("empty-body")) return "";
  if (set.take("huge-answer")) {
    const at = document.indexOf("<oadr:oadrSignedObject>");
    const comment = `<!--${"x".repeat(Math.max(0, HUGE_BYTES - document.length - 7))}-->`;
    return document.slice(0, at) + comment + document.slice(at);
  }
  if (set.take("truncated-body")) return document.slice(0, document.length >> 1);
  if (set.take("invalid-xml")) {
    return document.replace("</oadr:oadrSignedObject>", "</oadr:oadrSingedObject> & <");
  }
  return document;
}

/** The same for the JSON of OpenADR 3.1. */
export function spoilJson(set: MisbehaviourSet, document: string): string {
  if (set.take("empty-body")) return "";
  if (set.take("huge-answer")) return document + " ".repeat(Math.max(0, HUGE_BYTES - document.length));
  if (set.take("truncated-body")) return document.slice(0, document.length >> 1);
  if (set.take("invalid-xml")) return `${document.slice(0, -1)},}`;
  return document;
}
