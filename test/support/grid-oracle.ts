import type { Ask, GridEvent } from "../../src/grid/event.js";

/**
 * A second opinion on what is in force, written from docs/arbitration.md and not from src/grid: slow, with
 * whole lists sorted anew at every question, nothing remembered but what was said. It shares only the types.
 */

/** The world's time as the test has it: `trueMs` never stops, UTC may be unknown or wrong. */
export interface World {
  trueMs: number;
  utcMs: number | undefined;
}

/** A moment in the past, as the module can know it. */
class Moment {
  private pending = false;
  private startMs: number;
  private stamp: number | undefined;
  constructor(private readonly world: World) {
    this.startMs = world.trueMs;
    this.stamp = world.utcMs;
  }
  /** ms since, or undefined while only UTC could tell and there is none. */
  get ago(): number | undefined {
    return this.pending ? undefined : this.world.trueMs - this.startMs;
  }
  clockChanged(): void {
    if (this.world.utcMs === undefined) return;
    if (this.pending) {
      this.startMs = this.world.trueMs - Math.max(0, this.world.utcMs - this.stamp!);
      this.pending = false;
    }
    this.stamp = this.world.utcMs - this.ago!;
  }
  rebooted(): void {
    if (this.stamp === undefined) this.startMs = this.world.trueMs;
    else this.pending = true;
  }
}

interface Entry {
  event: GridEvent;
  draw: number;
  began: Moment | undefined;
  cut: { since: Moment; after: number } | undefined;
  listed: boolean;
}

export interface OracleAnswer {
  readonly ask: Ask;
  readonly source: string;
  readonly eventId: string;
}

const DAY_MS = 86_400_000;

export class GridOracle {
  private entries: Entry[] = [];
  private override: { since: Moment; forMs: number } | undefined;
  private boost: { since: Moment; forMs: number } | undefined;
  private readonly consent = new Map<string, string>();
  private readonly online = new Set<string>();
  private lost = new Map<string, Moment>();
  private bootTrueMs: number;
  /** The customer's override at the charger is on. */
  customer = false;
  windows: readonly { days: number; fromMin: number; toMin: number }[] = [];

  constructor(
    private readonly world: World,
    /** The one number that the hardware "draws" for ever. */
    private readonly constant: number,
    private readonly capMs: number,
    private readonly stopIsOverridable: boolean,
  ) {
    this.bootTrueMs = world.trueMs;
  }

  give(source: string, events: readonly GridEvent[]): void {
    if (this.consent.get(source) === "dismiss") return;
    for (const entry of this.entries) {
      if (entry.event.source !== source) continue;
      entry.listed = events.some((e) => e.id === entry.event.id);
      if (!entry.listed) this.cancel(entry);
    }
    this.forget();
    for (const event of events) {
      const old = this.entries.find((e) => e.event.source === source && e.event.id === event.id);
      if (old === undefined) {
        this.entries.push({
          event,
          draw: event.cancelled ? 0 : this.draw(event),
          began: event.start === "now" ? new Moment(this.world) : undefined,
          cut: event.cancelled ? { since: new Moment(this.world), after: 0 } : undefined,
          listed: true,
        });
        continue;
      }
      if (event.revision < old.event.revision) continue;
      if (event.cancelled) {
        if (!old.event.cancelled) {
          old.event = { ...old.event, revision: event.revision };
          this.cancel(old);
        }
        continue;
      }
      if (event.revision === old.event.revision && !old.event.cancelled) continue;
      const over = this.isOver(old);
      const sameDraw =
        JSON.stringify(event.randomise) === JSON.stringify(old.event.randomise) &&
        emergency(event) === emergency(old.event) &&
        (event.start === "now") === (old.event.start === "now");
      if (!sameDraw) old.draw = this.draw(event);
      if (event.start !== "now") old.began = undefined;
      else if (over || old.began === undefined) old.began = new Moment(this.world);
      old.cut = undefined;
      old.event = event;
    }
  }

  setOverride(forMs: number): void {
    this.override = { since: new Moment(this.world), forMs };
  }
  setBoost(forMs: number): void {
    this.boost = { since: new Moment(this.world), forMs };
  }
  resume(): void {
    this.override = undefined;
    this.boost = undefined;
  }
  setConsent(source: string, word: "admit" | "pause" | "dismiss"): void {
    this.consent.set(source, word);
    if (word === "dismiss") this.entries = this.entries.filter((e) => e.event.source !== source);
  }
  health(source: string, online: boolean): void {
    if (online) {
      this.online.add(source);
      this.lost.delete(source);
    } else this.online.delete(source);
  }
  clockChanged(): void {
    for (const moment of this.moments()) moment.clockChanged();
  }
  rebooted(): void {
    for (const moment of this.moments()) moment.rebooted();
    // Who still lists what is not kept: the source's next word tells.
    for (const entry of this.entries) entry.listed = true;
    this.online.clear();
    this.bootTrueMs = this.world.trueMs;
  }

  /** What should be in force; `held` is what was before the clock was lost. Call it at every wake. */
  answer(held?: OracleAnswer): OracleAnswer {
    this.forget();
    for (const { event } of this.entries) {
      const silent = this.openEnded(event) && !this.online.has(event.source);
      if (silent && !this.lost.has(event.source)) this.lost.set(event.source, new Moment(this.world));
    }
    const list: { key: (number | string)[]; answer: OracleAnswer }[] = [];
    const overriding = this.left(this.override) > 0;
    for (const entry of this.entries) {
      const { event } = entry;
      if (event.test) continue;
      let ask = this.askNow(entry);
      if (ask === "unknown") {
        const mine = held?.source === event.source && held.eventId === event.id && !event.cancelled;
        if (!mine) continue;
        ({ ask } = held);
      }
      if (ask === undefined || ["price", "guidance", "reboot", "override"].includes(ask.ask)) continue;
      if ((overriding || this.consent.get(event.source) === "pause") && this.mayOverride(event, ask))
        continue;
      list.push({
        key: [
          ask.ask === "emergency" ? 0 : 1,
          -event.rank,
          strictness(ask, event.emergencyPermitted),
          -event.createdUtcMs,
          event.source,
          event.id,
        ],
        answer: { ask, source: event.source, eventId: event.id },
      });
    }
    if (overriding || this.left(this.boost) > 0) {
      const eventId = overriding ? "override" : "boost";
      list.push({ key: [2, eventId], answer: { ask: { ask: "normal" }, source: "owner", eventId } });
    }
    const pause: Ask = { ask: "limit", unit: "fraction", value: 0, reference: "installer" };
    const { utcMs } = this.world;
    const paused =
      utcMs === undefined ? held?.eventId === "off-peak" : this.windows.some((w) => within(w, utcMs));
    if (paused) {
      list.push({ key: [3], answer: { ask: pause, source: "local", eventId: "off-peak" } });
      if (this.customer)
        list.push({
          key: [2, "button"],
          answer: { ask: { ask: "normal" }, source: "owner", eventId: "button" },
        });
    }
    list.push({ key: [4], answer: { ask: { ask: "normal" }, source: "none", eventId: "" } });
    list.sort((a, b) => {
      for (let i = 0; i < a.key.length; i++) {
        const [x, y] = [a.key[i]!, b.key[i]!];
        if (x !== y) return x < y ? -1 : 1;
      }
      return 0;
    });
    return list[0]!.answer;
  }

  /** Whether the source has spread it over at least so long, or says so. */
  spread({ source, eventId }: OracleAnswer, delayMs: number): boolean {
    const event = this.entries.find((e) => e.event.source === source && e.event.id === eventId)?.event;
    const window = Math.min(event?.randomise?.windowMs ?? 0, 1_800_000);
    return event?.delayApplied === true || (window > 0 && window >= delayMs);
  }

  /** Whether the programme of the event in force permits Grid Emergency; the module's own stop always does. */
  permits(answer: OracleAnswer): boolean {
    if (answer.source === "local") return true;
    const { source, eventId } = answer;
    const entry = this.entries.find(({ event }) => event.source === source && event.id === eventId);
    return entry?.event.emergencyPermitted === true;
  }

  private left(spell: { since: Moment; forMs: number } | undefined): number {
    return spell === undefined ? 0 : spell.forMs - (spell.since.ago ?? this.world.trueMs - this.bootTrueMs);
  }

  private mayOverride(event: GridEvent, ask: Ask): boolean {
    if (ask.ask === "emergency") return !event.emergencyPermitted && this.stopIsOverridable;
    if (ask.ask === "limit" && ask.value === 0) return this.stopIsOverridable;
    return true;
  }

  private elapsed({ event, began, draw }: Entry): number | undefined {
    if (event.start === "now") return began!.ago === undefined ? undefined : began!.ago - draw;
    return this.world.utcMs === undefined ? undefined : this.world.utcMs - event.start - draw;
  }

  /** The intervals as a flat list of spans, repeated or cut as `totalMs` says. */
  private spans(event: GridEvent): { from: number; to: number; ask: Ask }[] {
    const last = event.intervals.at(-1);
    const cycle = last === undefined ? 0 : last.offsetMs + last.durationMs;
    const total = event.totalMs ?? cycle;
    const spans = [];
    for (let base = 0; base < total && base < 400 * DAY_MS; base += cycle) {
      for (const { offsetMs, durationMs, ask } of event.intervals) {
        spans.push({ from: base + offsetMs, to: Math.min(total, base + offsetMs + durationMs), ask });
      }
      if (cycle === Infinity) break;
    }
    return spans;
  }

  private endOf(event: GridEvent): number {
    const last = event.intervals.at(-1);
    return event.totalMs ?? (last === undefined ? 0 : last.offsetMs + last.durationMs);
  }

  private askNow(entry: Entry): Ask | "unknown" | undefined {
    if (entry.cut !== undefined && (entry.cut.since.ago ?? Infinity) >= entry.cut.after) return undefined;
    const elapsed = this.elapsed(entry);
    if (elapsed === undefined) return "unknown";
    const since = this.openEnded(entry.event) ? this.lost.get(entry.event.source) : undefined;
    if (since !== undefined) {
      // Silent for as long as the cap, and running for as long as the cap.
      const silent = since.ago ?? this.world.trueMs - this.bootTrueMs;
      if (silent >= this.capMs && elapsed >= this.capMs) return undefined;
    }
    return this.spans(entry.event).find((span) => elapsed >= span.from && elapsed < span.to)?.ask;
  }

  private openEnded(event: GridEvent): boolean {
    return this.endOf(event) > 366 * DAY_MS;
  }

  private isOver(entry: Entry): boolean {
    if (entry.cut !== undefined && (entry.cut.since.ago ?? Infinity) >= entry.cut.after) return true;
    const elapsed = this.elapsed(entry);
    return elapsed !== undefined && elapsed >= this.endOf(entry.event);
  }

  private cancel(entry: Entry): void {
    if (entry.event.cancelled) return;
    const elapsed = this.elapsed(entry);
    const { randomise } = entry.event;
    const over = this.isOver(entry);
    entry.event = { ...entry.event, cancelled: true };
    if (over) return;
    const spread =
      elapsed !== undefined && elapsed >= 0 && randomise?.law === "after" && !emergency(entry.event);
    entry.cut = {
      since: new Moment(this.world),
      after: spread ? this.constant % (Math.min(randomise.windowMs, 1_800_000) + 1) : 0,
    };
  }

  private draw(event: GridEvent): number {
    if (event.randomise === undefined || emergency(event)) return 0;
    const window = Math.min(event.randomise.windowMs, 1_800_000);
    return event.randomise.law === "after" || event.start === "now"
      ? this.constant % (window + 1)
      : (this.constant % (2 * window + 1)) - window;
  }

  private forget(): void {
    this.entries = this.entries.filter((entry) => entry.listed || !this.isOver(entry));
    // What has ended by its own doing stays ended.
    for (const entry of this.entries) {
      if (!this.isOver(entry) || (entry.began === undefined && entry.cut === undefined)) continue;
      entry.cut = { since: new Moment(this.world), after: 0 };
    }
    if (this.left(this.override) <= 0) this.override = undefined;
    if (this.left(this.boost) <= 0) this.boost = undefined;
  }

  private *moments(): Generator<Moment> {
    for (const { began, cut } of this.entries) {
      if (began !== undefined) yield began;
      if (cut !== undefined) yield cut.since;
    }
    if (this.override !== undefined) yield this.override.since;
    if (this.boost !== undefined) yield this.boost.since;
    yield* this.lost.values();
  }
}

function emergency(event: GridEvent): boolean {
  return event.intervals.some((i) => i.ask.ask === "emergency");
}

/** How little is left of a 32 A, one-phase, 230 or 240 V charger: lower is stricter. */
export function strictness(ask: Ask, emergencyPermitted: boolean): number {
  if (ask.ask === "emergency") return emergencyPermitted ? -1 : 0.25;
  if (ask.ask === "critical-peak") return 0.25;
  if (ask.ask === "shed") return 0.5;
  if (ask.ask === "load-up") return 2;
  if (ask.ask !== "limit") return 1;
  if (ask.unit === "fraction") return ask.value;
  return Math.min(1, ask.unit === "A" ? ask.value / 32 : ask.value / (32 * 240));
}

function within(window: { days: number; fromMin: number; toMin: number }, utcMs: number): boolean {
  const date = new Date(utcMs);
  const minute = date.getUTCHours() * 60 + date.getUTCMinutes();
  const day = (window.days >> date.getUTCDay()) & 1;
  return day === 1 && minute >= window.fromMin && minute < window.toMin;
}

/**
 * The random delay of docs/regions.md, as naive: what is applied follows what is wanted after a delay, unless the one or
 * the other needs none.
 */
export class DelayOracle {
  applied: OracleAnswer | undefined;
  /** Of what is applied, as it was then: Grid Emergency permitted, level, spread by its source. */
  permitted = false;
  private appliedLevel = 1;
  private appliedSpread = false;
  private untilMs: number | undefined;
  /** The owner has just spoken: the next change is at once. */
  skip = false;

  constructor(
    private readonly oracle: GridOracle,
    private readonly delayMs: number,
    private readonly maxMs: number,
  ) {}

  /** Power has returned. */
  restarted(wanted: OracleAnswer, nowMs: number): void {
    this.untilMs = undefined;
    if (isEvent(wanted) || wanted.source === "owner" || this.level(wanted) === 0) return;
    this.untilMs = nowMs + this.delayMs;
    const ask: Ask = { ask: "limit", unit: "fraction", value: 0, reference: "installer" };
    this.apply({ ask, source: "local", eventId: "power-restored" });
  }

  /** What is in effect now. */
  see(wanted: OracleAnswer, nowMs: number): OracleAnswer {
    const { applied, skip } = this;
    this.skip = false;
    const changes = applied !== undefined && this.appliedLevel !== this.level(wanted);
    const free =
      skip ||
      this.oracle.customer ||
      isEvent(wanted) ||
      wanted.source === "owner" ||
      (applied !== undefined && isEvent(applied) && this.appliedSpread);
    if (!changes || free || (this.untilMs !== undefined && nowMs >= this.untilMs)) {
      this.untilMs = undefined;
      return this.apply(wanted);
    }
    this.untilMs ??= nowMs + this.delayMs;
    return this.untilMs <= nowMs ? this.apply(wanted) : applied;
  }

  private apply(answer: OracleAnswer): OracleAnswer {
    this.applied = answer;
    this.permitted = this.oracle.permits(answer);
    this.appliedLevel = this.level(answer);
    this.appliedSpread = this.oracle.spread(answer, this.maxMs);
    return answer;
  }

  private level(answer: OracleAnswer): number {
    return strictness(answer.ask, this.oracle.permits(answer));
  }
}

function isEvent({ source }: OracleAnswer): boolean {
  return source !== "local" && source !== "owner" && source !== "none";
}
