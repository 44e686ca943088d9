import { NEVER, type Now } from "../ports/time.js";
import { beats, TIER_EMERGENCY, TIER_EVENT, TIER_SCHEDULE, type Claim } from "./arbiter.js";
import { isStop, levelOf, movesLoad } from "./asks.js";
import { BUTTON, LOCAL_STOP, ownerClaim } from "./claims.js";
import type { Ask, GridEvent } from "./event.js";
import type { Outlook } from "./intent.js";
import { OutlookMaker } from "./outlook.js";
import type { OwnerBook } from "./owner.js";
import type { Region } from "./regions.js";
import type { Schedule } from "./schedule.js";
import type { GridSettings } from "./settings.js";
import { elapsedMs, isOpenEnded, locate, newPosition, type Lost, type Stored } from "./stored.js";
import { weekAt } from "./week.js";

/** An order that is carried out once: reboot, or the customer-override flag. */
export interface OneOff {
  readonly ask: Ask & { readonly ask: "reboot" | "override" };
  readonly source: string;
  readonly eventId: string;
}

/** What all sources together want at a moment. */
export interface Plan {
  winner: Claim | undefined;
  /** The best of those that the winner outranks. */
  second: Claim | undefined;
  /** When the plan may change by itself, monotonic ms. */
  wakeMs: number;
  readonly outlook: Outlook;
  readonly oneOffs: readonly OneOff[];
}

/** A one-off order is given this long after its time even where its interval is shorter. */
const ONE_OFF_GRACE_MS = 60_000;

/** Looks through everything that is stored, once, and answers what is wanted now. */
export class Planner {
  private readonly position = newPosition();
  private oneOffs: OneOff[] = [];
  /** The customer's override at the appliance is on. */
  customer = false;

  constructor(
    private readonly schedule: Schedule,
    private readonly owner: OwnerBook,
    private readonly settings: GridSettings,
    private readonly region: Region,
    /** Sources that can be heard. */
    private readonly online: ReadonlySet<string>,
  ) {}

  /**
   * Linear in the stored events. `held` is the claim last in force: it stands in for events that cannot be
   * placed while there is no clock. Due one-off orders are noted in flash before they are given.
   */
  plan(held: Claim | undefined, now: Now): Plan {
    const { owner, position } = this;
    const overrideLeftMs = owner.leftMs(owner.override, now);
    const boostLeftMs = owner.leftMs(owner.boost, now);
    const plan = {
      winner: undefined,
      second: undefined,
      wakeMs: now.ms + Math.min(overrideLeftMs || NEVER, boostLeftMs || NEVER),
    };
    const outlook = new OutlookMaker();
    this.oneOffs = [];
    for (const stored of this.schedule.events) {
      const { event } = stored;
      locate(stored, now, this.lost(event, now), position);
      wake(plan, now.ms + position.leftMs);
      if (event.test && !this.settings.testEventsMoveLoad) continue;
      const paused = owner.consent.get(event.source) === "pause";
      if (stored.cut === undefined) this.fire(stored, paused, now, plan);
      if (position.state === "waiting" && !paused) outlook.waiting(event, now.ms + position.leftMs);
      const ask = event.intervals[position.index]?.ask;
      if (position.state === "unknown") {
        if (held === undefined || !stands(held, event, now)) continue;
        wake(plan, held.endsMs);
        if (!((overrideLeftMs > 0 || paused) && this.overridable(event, held.ask))) {
          enter(plan, this.heldAs(held, event));
        }
      } else if (position.state === "in" && ask !== undefined) {
        if (!movesLoad(ask)) {
          if (!paused) outlook.running(event, position.index, now.ms + position.leftMs);
        } else if (!((overrideLeftMs > 0 || paused) && this.overridable(event, ask))) {
          enter(plan, this.claimOf(event, ask, now));
        }
      }
    }
    if (owner.override !== undefined && overrideLeftMs > 0) {
      enter(plan, ownerClaim("override", owner.override.forMs, now.ms + overrideLeftMs));
    } else if (owner.boost !== undefined && boostLeftMs > 0) {
      enter(plan, ownerClaim("boost", owner.boost.forMs, now.ms + boostLeftMs));
    }
    this.consultWeek(plan, held, now);
    return { ...plan, outlook: outlook.answer(), oneOffs: this.oneOffs };
  }

  /** The off-peak schedule's claim, or the held one while there is no clock to ask it. */
  private consultWeek(plan: Draft, held: Claim | undefined, now: Now): void {
    const { windows } = this.owner;
    if (windows.length === 0) return;
    if (now.utcMs === undefined) {
      if (held?.tier !== TIER_SCHEDULE || held.endsMs <= now.ms) return;
      wake(plan, held.endsMs);
      this.pause(plan, held);
      return;
    }
    const week = weekAt(windows, now.utcMs, this.settings.zone);
    wake(plan, now.ms + week.wakeMs);
    if (!week.inside) return;
    this.pause(plan, {
      ...LOCAL_STOP,
      tier: TIER_SCHEDULE,
      eventId: "off-peak",
      beganMs: now.ms - week.sinceMs,
      endsMs: now.ms + week.leftMs,
    });
  }

  /** The schedule's pause, which the customer's button at the charger outranks for as long as it is on. */
  private pause(plan: Draft, claim: Claim): void {
    enter(plan, claim);
    if (this.customer) enter(plan, BUTTON);
  }

  private claimOf(event: GridEvent, ask: Ask, now: Now): Claim {
    const window = event.randomise?.windowMs ?? 0;
    return {
      tier: ask.ask === "emergency" ? TIER_EMERGENCY : TIER_EVENT,
      rank: event.rank,
      level: this.levelIn(event, ask),
      createdUtcMs: event.createdUtcMs,
      ask,
      source: event.source,
      eventId: event.id,
      revision: event.revision,
      emergencyPermitted: event.emergencyPermitted,
      beganMs: now.ms - this.position.sinceMs,
      endsMs: now.ms + this.position.leftMs,
      spread: event.delayApplied || (window > 0 && window >= this.owner.delayMaxMs),
    };
  }

  /** The held claim, with what the source has said of its event since. */
  private heldAs(held: Claim, event: GridEvent): Claim {
    const { rank, createdUtcMs, emergencyPermitted } = event;
    return { ...held, rank, createdUtcMs, emergencyPermitted, level: this.levelIn(event, held.ask) };
  }

  private levelIn(event: GridEvent, ask: Ask): number {
    // Where the contactor must stay closed, an emergency is done as Critical Peak.
    const soft = ask.ask === "emergency" && !event.emergencyPermitted;
    return levelOf(soft ? { ask: "critical-peak" } : ask, this.settings.site);
  }

  /** True where the owner may override nothing of what the event asks for. */
  binds(event: GridEvent): boolean {
    const asked = event.intervals.filter(({ ask }) => movesLoad(ask));
    return asked.length > 0 && !asked.some(({ ask }) => this.overridable(event, ask));
  }

  private overridable(event: GridEvent, ask: Ask): boolean {
    if (ask.ask === "emergency") {
      return !event.emergencyPermitted && this.region.ownerMayOverrideSoftEmergency;
    }
    return !isStop(ask) || this.region.ownerMayOverrideStop;
  }

  /** For an open-ended event: how long its source has been silent. */
  private lost(event: GridEvent, now: Now): Lost {
    const { source } = event;
    const local = source === "local" || source === "owner";
    if (local || this.online.has(source) || !isOpenEnded(event)) return undefined;
    return { sinceMs: this.owner.silentMs(source, now), capMs: this.settings.openEndCapMs };
  }

  /** Gathers the one-off orders of an event that have become due, each once. */
  private fire(stored: Stored, paused: boolean, now: Now, plan: Draft): void {
    const { intervals, source, id } = stored.event;
    const elapsed = elapsedMs(stored, now);
    if (elapsed === undefined || elapsed < 0) return;
    const before = this.oneOffs.length;
    let index = stored.firedTo;
    for (; index < intervals.length; index++) {
      const { offsetMs, durationMs, ask } = intervals[index]!;
      if (offsetMs > elapsed) {
        wake(plan, now.ms + offsetMs - elapsed);
        break;
      }
      if (ask.ask !== "reboot" && ask.ask !== "override") continue;
      const late = elapsed >= offsetMs + Math.max(durationMs, ONE_OFF_GRACE_MS);
      const barred = ask.ask === "reboot" && ask.kind === 1 && !this.settings.remoteFactoryReset;
      if (!late && !barred && !paused) this.oneOffs.push({ ask, source, eventId: id });
    }
    if (this.oneOffs.length > before) this.schedule.markFired(stored, index);
    else stored.firedTo = index;
  }
}

type Draft = Pick<Plan, "winner" | "second" | "wakeMs">;

function enter(plan: Draft, claim: Claim): void {
  if (plan.winner === undefined || beats(claim, plan.winner)) {
    plan.second = plan.winner;
    plan.winner = claim;
  } else if (plan.second === undefined || beats(claim, plan.second)) plan.second = claim;
}

function wake(plan: Draft, atMs: number): void {
  if (atMs < plan.wakeMs) plan.wakeMs = atMs;
}

/** True where what was in force before the clock was lost is this event's, and the event still stands. */
function stands(held: Claim, event: GridEvent, now: Now): boolean {
  return (
    held.source === event.source && held.eventId === event.id && !event.cancelled && held.endsMs > now.ms
  );
}
