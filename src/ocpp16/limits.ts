import { HOUR_MS } from "../base/iso8601.js";
import type { GridEvent, GridInterval } from "../grid/event.js";
import type { Mains } from "./config.js";
import { composite, type Limit, limitAt, type ProfileContext, sameLimit, type Stretch } from "./composite.js";
import type { ChargingProfile } from "./profile.js";

/** How far ahead the limits are handed over, and how often they are at the latest. */
const HORIZON_MS = 24 * HOUR_MS;
const RENEW_MS = 12 * HOUR_MS;
const MOST_STRETCHES = 16;
/** No charging at all is not a matter of rank: there is no transaction, or the charge point is out of service. */
const HOLD_RANK = 1_000_000;
const STOP: Limit = { unit: "A", value: 0, phases: 1 };

/** What the limits follow from. */
export interface LimitSources {
  readonly profiles: readonly ChargingProfile[];
  readonly context: ProfileContext;
  readonly held: boolean;
  /** A remote start waits for its car, until this monotonic time. */
  readonly startUntilMs: number | undefined;
  /** Random delay of the changes that a schedule makes, ms. */
  readonly drawMs: number;
}

/**
 * Turns charging profiles into grid events: the limits of the next 24 h, handed over anew when something changes and
 * every 12 h. They have an end, so that they need no platform to go on; the module renews them by itself.
 */
export class LimitPlan {
  private issued: readonly Stretch[] | undefined;
  private issuedToMs = 0;
  private signature = "";
  private offsetMs: number | undefined;
  private renewAtMs = 0;

  constructor(private readonly mains: Mains) {}

  /** When to look again though nothing has changed, monotonic ms. */
  nextMs(): number {
    return this.renewAtMs;
  }

  /** True where the clock has stepped since the limits were made. */
  isStale(ms: number, utcMs: number | undefined): boolean {
    if (ms >= this.renewAtMs) return true;
    if (utcMs === undefined) return false;
    return this.offsetMs === undefined || Math.abs(utcMs - ms - this.offsetMs) > 2000;
  }

  /** The limit in force; undefined for none. */
  now(sources: LimitSources, utcMs: number | undefined): Limit | undefined {
    if (sources.held) return STOP;
    return utcMs === undefined
      ? undefined
      : limitAt(sources.profiles, utcMs, sources.context, this.mains).limit;
  }

  /**
   * The events that stand for all of it; undefined where those handed over before still do. `name` makes ids that no
   * earlier event has had.
   */
  events(
    sources: LimitSources,
    ms: number,
    utcMs: number | undefined,
    source: string,
    name: () => string,
  ): readonly GridEvent[] | undefined {
    this.renewAtMs = ms + RENEW_MS;
    this.offsetMs = utcMs === undefined ? undefined : utcMs - ms;
    // What is stored goes on until there is a clock to ask.
    if (utcMs === undefined && !sources.held && sources.profiles.length > 0) {
      this.renewAtMs = ms + 5_000;
      return undefined;
    }
    const fromMs = utcMs ?? ms;
    const stretches = sources.held ? [{ fromMs, limit: STOP }] : this.stretchesFrom(sources, fromMs);
    const { startUntilMs } = sources;
    const signature = `${String(sources.held)} ${String(startUntilMs ?? "")}`;
    const lasts = fromMs < this.issuedToMs - RENEW_MS;
    if (lasts && signature === this.signature && this.isSame(stretches, fromMs)) return undefined;
    this.signature = signature;
    this.issued = stretches;
    this.issuedToMs = fromMs + HORIZON_MS;
    const rank = sources.held ? HOLD_RANK : 0;
    const delayApplied = sources.drawMs > 0;
    const emergencyPermitted = this.mains.emergency ?? false;
    const made = { source, rank, createdUtcMs: utcMs ?? 0, delayApplied, emergencyPermitted };
    const events: GridEvent[] = [];
    const intervals = intervalsOf(stretches, fromMs, this.mains);
    if (intervals.length > 0) events.push({ ...EVENT, ...made, id: `limit-${name()}`, intervals });
    if (startUntilMs !== undefined && startUntilMs > ms) {
      const loadUp = [{ offsetMs: 0, durationMs: startUntilMs - ms, ask: { ask: "load-up" } as const }];
      events.push({ ...EVENT, ...made, id: `start-${name()}`, intervals: loadUp });
    }
    return events;
  }

  /** Changes to come are delayed at random; what holds now holds at once. */
  private stretchesFrom(sources: LimitSources, fromMs: number): readonly Stretch[] {
    const { profiles, context, drawMs } = sources;
    const { stretches } = composite(
      profiles,
      fromMs,
      fromMs + HORIZON_MS,
      context,
      this.mains,
      MOST_STRETCHES,
    );
    if (drawMs === 0) return stretches;
    return stretches.map((one, i) => (i === 0 ? one : { ...one, fromMs: one.fromMs + drawMs }));
  }

  /** True where the rest of what was handed over says the same. */
  private isSame(stretches: readonly Stretch[], fromMs: number): boolean {
    const { issued } = this;
    if (issued === undefined) return false;
    let begun = 0;
    while (begun + 1 < issued.length && issued[begun + 1]!.fromMs <= fromMs) begun++;
    for (let i = 0; begun + i < issued.length; i++) {
      const before = issued[begun + i]!;
      const after = stretches[i];
      if (after === undefined || !sameLimit(before.limit, after.limit)) return false;
      if (i > 0 && Math.abs(before.fromMs - after.fromMs) > 1500) return false;
    }
    // What lies beyond the old horizon comes with the renewal.
    const more = stretches[issued.length - begun];
    return more === undefined || more.fromMs >= this.issuedToMs;
  }
}

const EVENT = {
  revision: 0,
  programme: "",
  test: false,
  start: "now",
  randomise: undefined,
  rampUpMs: 0,
  notificationMs: 0,
  cancelled: false,
} as const;

function intervalsOf(stretches: readonly Stretch[], fromMs: number, mains: Mains): GridInterval[] {
  const intervals: GridInterval[] = [];
  stretches.forEach(({ fromMs: beginMs, limit }, i) => {
    if (limit === undefined) return;
    const offsetMs = Math.max(0, Math.round(beginMs - fromMs));
    const endMs = Math.round((stretches[i + 1]?.fromMs ?? fromMs + HORIZON_MS) - fromMs);
    if (endMs <= offsetMs) return;
    const { unit, value } = limit;
    const phases = limit.phases < mains.phases ? { phases: limit.phases as 1 | 2 | 3 } : {};
    const ask = { ask: "limit", unit, value, reference: "installer", ...phases } as const;
    intervals.push({ offsetMs, durationMs: endMs - offsetMs, ask });
  });
  return intervals;
}
