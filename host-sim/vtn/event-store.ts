/**
 * The events of the VTN: made, modified, cancelled, withdrawn, listed. Every change has a number, so that a
 * poll can tell whether a VEN has seen the latest. Both protocols read from here.
 */
import { readEvent } from "./event-read.js";
import { type EventContent, type FieldError, type VtnEvent, isFieldError, statusOf } from "./event.js";

export interface StoreOptions {
  readonly marketContext: string;
  /** Makes an id that no other event has. */
  readonly newId: () => string;
}

export class EventStore {
  readonly #options: StoreOptions;
  readonly #events = new Map<string, VtnEvent>();
  readonly #withdrawn = new Set<string>();
  #change = 0;
  readonly #listeners = new Set<(event: VtnEvent) => void>();

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /** Grows with every change of any event. */
  get change(): number {
    return this.#change;
  }

  onChange(listener: (event: VtnEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param input as `POST /events` takes it. */
  create(input: unknown, utcMs: number): VtnEvent | FieldError {
    const content = readEvent(input, utcMs, this.#options.marketContext);
    if (isFieldError(content)) return content;
    const id = this.#options.newId();
    return this.#put({
      id,
      modification: 0,
      createdUtcMs: utcMs,
      modifiedUtcMs: utcMs,
      cancelled: false,
      content,
    });
  }

  /** Replaces the given fields; modificationNumber goes up by one. */
  modify(id: string, input: unknown, utcMs: number): VtnEvent | FieldError {
    const event = this.#events.get(id);
    if (event === undefined) return notThere(id);
    if (event.cancelled) return { field: "id", error: `event ${id} is cancelled and cannot be changed` };
    const content = readEvent(input, utcMs, this.#options.marketContext, event.content);
    if (isFieldError(content)) return content;
    return this.#put(changed(event, content, false, utcMs));
  }

  /** The event stays in the list with status cancelled. */
  cancel(id: string, utcMs: number): VtnEvent | FieldError {
    const event = this.#events.get(id);
    if (event === undefined) return notThere(id);
    return event.cancelled ? event : this.#put(changed(event, event.content, true, utcMs));
  }

  /** Takes the event out of what is sent, without a word: an implied cancel. */
  withdraw(id: string): VtnEvent | FieldError {
    const event = this.#events.get(id);
    if (event === undefined) return notThere(id);
    this.#withdrawn.add(id);
    return this.#put(event);
  }

  get(id: string): VtnEvent | undefined {
    return this.#events.get(id);
  }

  withdrawn(id: string): boolean {
    return this.#withdrawn.has(id);
  }

  /** All of them, oldest first. */
  list(): readonly VtnEvent[] {
    return [...this.#events.values()];
  }

  /** Those of the list that may still be sent, in the order of 2.0b rule 15: active, coming, then the rest. */
  current(utcMs: number): readonly VtnEvent[] {
    const rank = (e: VtnEvent): number => ["active", "near", "far", "cancelled"].indexOf(statusOf(e, utcMs));
    const order = (e: VtnEvent): number => (rank(e) === 2 ? 1 : rank(e));
    const priority = (e: VtnEvent): number => e.content.priority || Number.POSITIVE_INFINITY;
    const byPriority = (a: VtnEvent, b: VtnEvent): number =>
      priority(a) === priority(b) ? 0 : priority(a) - priority(b);
    const byStart = (a: VtnEvent, b: VtnEvent): number => a.content.startUtcMs - b.content.startUtcMs;
    return this.list()
      .filter((e) => !this.#withdrawn.has(e.id) && statusOf(e, utcMs) !== "completed")
      .sort((a, b) => {
        if (order(a) !== order(b)) return order(a) - order(b);
        return order(a) === 0 ? byPriority(a, b) || byStart(a, b) : byStart(a, b) || byPriority(a, b);
      });
  }

  #put(event: VtnEvent): VtnEvent {
    this.#change += 1;
    this.#events.set(event.id, event);
    this.#prune(event);
    for (const listener of this.#listeners) listener(event);
    return event;
  }

  /** A bench that runs for days forgets the oldest that are over. */
  #prune(latest: VtnEvent): void {
    if (this.#events.size <= KEEP_EVENTS) return;
    const over = this.list().find(
      (e) => e.id !== latest.id && ["completed", "cancelled"].includes(statusOf(e, latest.modifiedUtcMs)),
    );
    if (over !== undefined) this.#events.delete(over.id);
  }
}

const KEEP_EVENTS = 1000;

function changed(event: VtnEvent, content: EventContent, cancelled: boolean, utcMs: number): VtnEvent {
  return { ...event, content, cancelled, modification: event.modification + 1, modifiedUtcMs: utcMs };
}

function notThere(id: string): FieldError {
  return { field: "id", error: `there is no event ${id}` };
}
