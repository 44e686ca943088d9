import { uniformInt } from "../base/random.js";
import type { Now, RandomPort, StorePort } from "../ports/time.js";
import { anchorAt, settleAnchor } from "./anchor.js";
import { eventFault } from "./check.js";
import type { EventVerdict, GridEvent } from "./event.js";
import type { GridSettings } from "./settings.js";
import { locate, newPosition, packStored, unpackStored, type Stored } from "./stored.js";

/** Slots beyond the cap that only emergencies may take. */
const EMERGENCY_SLOTS = 4;

/**
 * The stored events of all sources: bounded, kept with their random draws, and equal to what the sources last
 * said. Which of them is obeyed is the arbiter's business (core.ts).
 */
export class Schedule {
  readonly events: Stored[] = [];
  /** How often each refusal code was given, and records that were not to be believed at start. */
  readonly refusals = new Map<string, number>();
  broken = 0;
  writes = 0;
  private readonly used: Uint8Array;
  private readonly counts = new Map<string, number>();
  /** Length of the record in each slot, and of all. */
  private readonly sizes: Uint16Array;
  private storedChars = 0;
  private readonly scratch = newPosition();

  constructor(
    private readonly store: StorePort,
    private readonly random: RandomPort,
    private readonly settings: GridSettings,
  ) {
    this.used = new Uint8Array(settings.maxEvents + EMERGENCY_SLOTS);
    this.sizes = new Uint16Array(this.used.length);
    for (let slot = 0; slot < this.used.length; slot++) {
      const stored = unpackStored(store.get(keyOf(slot)), slot);
      if (stored === undefined) continue;
      if (stored === "broken") {
        this.broken++;
        store.delete(keyOf(slot));
        continue;
      }
      this.insert(stored);
      this.measure(slot, store.get(keyOf(slot))?.length ?? 0);
    }
  }

  /** Anchors what began "now", and cancelled ends, to the clock of this run. */
  settle(now: Now): void {
    for (const stored of this.events) {
      let changed = stored.began !== undefined && settleAnchor(stored.began, now);
      if (stored.cut !== undefined && settleAnchor(stored.cut.anchor, now)) changed = true;
      if (changed) this.write(stored);
    }
  }

  /** Takes all that a source holds; what is absent is cancelled. One verdict an event, in order. */
  replace(source: string, events: readonly GridEvent[], now: Now): EventVerdict[] {
    const mine = new Map<string, Stored>();
    for (const stored of this.events) {
      if (stored.event.source === source) mine.set(stored.event.id, stored);
    }
    const named = new Set<string>();
    for (const event of events) named.add(event.id);
    for (const [id, stored] of mine) {
      stored.listed = named.has(id);
      if (!stored.listed) this.cancel(stored, now);
    }
    this.sweep(now);
    named.clear();
    return events.map((event) => {
      const [verdict, why] = named.has(event.id)
        ? (["refused", "duplicate-id"] as const)
        : this.take(event, mine.get(event.id), now);
      named.add(event.id);
      if (why !== "") this.refusals.set(why, (this.refusals.get(why) ?? 0) + 1);
      return { id: event.id, revision: event.revision, verdict, why };
    });
  }

  /** Removes all events of a source at once, without any spreading. */
  removeSource(source: string): void {
    for (let i = this.events.length - 1; i >= 0; i--) {
      if (this.events[i]!.event.source === source) this.remove(i);
    }
  }

  /**
   * Forgets events that are over and that no source lists any more. What began "now" or was cancelled is noted
   * as ended: no restart, and no clock that goes wrong, may begin it again.
   */
  sweep(now: Now): void {
    for (let i = this.events.length - 1; i >= 0; i--) {
      const stored = this.events[i]!;
      if (!this.isOver(stored, now)) continue;
      if (!stored.listed) {
        this.remove(i);
        continue;
      }
      const { cut } = stored;
      if (cut === undefined ? stored.began === undefined : cut.afterMs === 0) continue;
      stored.cut = { anchor: anchorAt(now), afterMs: 0 };
      this.write(stored);
    }
  }

  /** Marks one-off orders as given, before they are. */
  markFired(stored: Stored, firedTo: number): void {
    stored.firedTo = firedTo;
    this.write(stored);
  }

  private isOver(stored: Stored, now: Now): boolean {
    locate(stored, now, undefined, this.scratch);
    return this.scratch.state === "over";
  }

  private take(
    event: GridEvent,
    old: Stored | undefined,
    now: Now,
  ): readonly [EventVerdict["verdict"], string] {
    const why = eventFault(event, this.settings);
    if (why !== "") {
      // The source no longer wants what it said before, and we cannot do what it says now.
      if (old !== undefined) this.cancel(old, now);
      return ["refused", why];
    }
    if (old === undefined) return this.add(event, now);
    if (event.revision < old.event.revision) return ["stale", ""];
    if (event.cancelled) {
      if (old.event.cancelled) return ["unchanged", ""];
      old.event = { ...old.event, revision: event.revision };
      this.cancel(old, now);
      return ["cancelled", ""];
    }
    // An event that was missing or cancelled and is there again has changed, whatever its number says.
    if (event.revision === old.event.revision && !old.event.cancelled) return ["unchanged", ""];
    const over = this.isOver(old, now);
    const changed: Stored = {
      event,
      slot: old.slot,
      drawMs: sameWindow(event, old.event) ? old.drawMs : this.draw(event),
      // What runs keeps its beginning; what was over begins anew.
      began: event.start === "now" && !over ? old.began : undefined,
      cut: undefined,
      listed: true,
      firedTo: over || event.start !== old.event.start ? 0 : old.firedTo,
    };
    if (event.start === "now") changed.began ??= anchorAt(now);
    const tooMuch = this.tooMuch(changed);
    if (tooMuch !== "") {
      this.cancel(old, now);
      return ["refused", tooMuch];
    }
    Object.assign(old, changed);
    this.write(old);
    return ["changed", ""];
  }

  private add(event: GridEvent, now: Now): readonly [EventVerdict["verdict"], string] {
    const slot = this.room(event, now);
    if (slot < 0) return ["refused", "too-many-events"];
    const stored: Stored = {
      event,
      slot,
      drawMs: event.cancelled ? 0 : this.draw(event),
      began: event.start === "now" ? anchorAt(now) : undefined,
      // Never seen and cancelled already: remembered while listed, so that it is answered once.
      cut: event.cancelled ? { anchor: anchorAt(now), afterMs: 0 } : undefined,
      listed: true,
      firedTo: 0,
    };
    const tooMuch = this.tooMuch(stored);
    if (tooMuch !== "") return ["refused", tooMuch];
    this.insert(stored);
    this.write(stored);
    return [event.cancelled ? "cancelled" : "new", ""];
  }

  /** A free slot, made by forgetting a finished event where need be; −1 for none. */
  private room(event: GridEvent, now: Now): number {
    const { maxEvents, maxEventsPerSource } = this.settings;
    const emergency = isEmergency(event);
    const limit = maxEvents + (emergency ? EMERGENCY_SLOTS : 0);
    const { source } = event;
    const full = (): boolean => this.events.length >= limit;
    const fullOfSource = (): boolean => !emergency && (this.counts.get(source) ?? 0) >= maxEventsPerSource;
    while (full() || fullOfSource()) {
      const own = fullOfSource();
      const finished = this.events.findIndex(
        (s) => (!own || s.event.source === source) && this.isOver(s, now),
      );
      if (finished < 0) return -1;
      this.remove(finished);
    }
    return this.used.indexOf(0);
  }

  private cancel(stored: Stored, now: Now): void {
    if (stored.event.cancelled) return;
    locate(stored, now, undefined, this.scratch);
    const { state } = this.scratch;
    stored.event = { ...stored.event, cancelled: true };
    if (state === "over") {
      this.write(stored);
      return;
    }
    const running = state === "in" || state === "gap";
    const random = stored.event.randomise;
    const spread =
      running && this.settings.spreadCancelledEnd && random?.law === "after" && !isEmergency(stored.event);
    const afterMs = spread ? uniformInt(this.random, this.windowOf(random.windowMs)) : 0;
    stored.cut = { anchor: anchorAt(now), afterMs };
    this.write(stored);
  }

  /** The delay of an event's start: 0…w, or −w…+w, whole ms; none for emergencies. */
  private draw(event: GridEvent): number {
    const random = event.randomise;
    if (random === undefined || isEmergency(event)) return 0;
    const windowMs = this.windowOf(random.windowMs);
    // What begins when it comes cannot have begun before.
    if (random.law === "after" || event.start === "now") return uniformInt(this.random, windowMs);
    return uniformInt(this.random, 2 * windowMs) - windowMs;
  }

  private windowOf(windowMs: number): number {
    return Math.floor(Math.min(windowMs, this.settings.maxRandomMs));
  }

  /** "" where the record can be kept, else the refusal code. */
  private tooMuch(stored: Stored): string {
    const { length } = packStored(stored);
    if (length > this.settings.maxRecordChars) return "too-big";
    const others = this.storedChars - this.sizes[stored.slot]!;
    return others + length > this.settings.maxStoredChars && !isEmergency(stored.event) ? "no-room" : "";
  }

  private write(stored: Stored): void {
    const text = packStored(stored);
    this.measure(stored.slot, text.length);
    this.writes++;
    this.store.set(keyOf(stored.slot), text);
  }

  private measure(slot: number, length: number): void {
    this.storedChars += length - this.sizes[slot]!;
    this.sizes[slot] = length;
  }

  private insert(stored: Stored): void {
    const { source } = stored.event;
    this.used[stored.slot] = 1;
    this.counts.set(source, (this.counts.get(source) ?? 0) + 1);
    this.events.push(stored);
  }

  private remove(index: number): void {
    const [stored] = this.events.splice(index, 1);
    if (stored === undefined) return;
    const { source } = stored.event;
    this.used[stored.slot] = 0;
    this.measure(stored.slot, 0);
    this.counts.set(source, (this.counts.get(source) ?? 1) - 1);
    this.writes++;
    this.store.delete(keyOf(stored.slot));
  }
}

/** True where any part of an event is an emergency: then nothing of it waits for chance. */
export function isEmergency(event: GridEvent): boolean {
  return event.intervals.some((interval) => interval.ask.ask === "emergency");
}

/** True where a changed event keeps its draw: a customer should not see it jump for no reason. */
function sameWindow(a: GridEvent, b: GridEvent): boolean {
  return (
    a.randomise?.windowMs === b.randomise?.windowMs &&
    a.randomise?.law === b.randomise?.law &&
    (a.start === "now") === (b.start === "now") &&
    isEmergency(a) === isEmergency(b)
  );
}

function keyOf(slot: number): string {
  return `grid.e${String(slot)}`;
}
