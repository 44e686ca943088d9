import { NEVER, type Now, type RandomPort, type StorePort } from "../ports/time.js";
import { TIER_NONE, TIER_OWNER, type Claim } from "./arbiter.js";
import { isStop } from "./asks.js";
import { fraction, loadClaim, NO_ASK, NO_CLAIM, sameClaim, saveClaim, waitClaim } from "./claims.js";
import { RandomDelay, type DelayOrder, type DelayStatus } from "./delay.js";
import type { EventVerdict, GridEvent } from "./event.js";
import type { Intent, Outlook } from "./intent.js";
import { listed, type GridStats, type ListedEvent } from "./listed.js";
import { OwnerBook, OVERRIDE_MS, type OwnerAnswer, type OwnerOrder } from "./owner.js";
import { Planner, type OneOff, type Plan } from "./planner.js";
import { isRemote, reasonInWords, untilInWords } from "./reason.js";
import { regionOf, type Region } from "./regions.js";
import { Schedule } from "./schedule.js";
import type { GridSettings } from "./settings.js";
import { weekFault } from "./week.js";

export type { GridStats, ListedEvent } from "./listed.js";

/** What the core answers. `oneOffs` are given exactly once: whoever calls `evaluate` carries them out. */
export interface Evaluation {
  readonly intent: Intent;
  readonly outlook: Outlook;
  readonly oneOffs: readonly OneOff[];
}

/** A correction of UTC against the monotonic clock beyond this is a step: every edge is computed anew. */
const STEP_MS = 1000;

/** The claim that is in effect at the charger, as it survives a restart. */
interface Applied {
  /** Within floor and ceiling. */
  readonly claim: Claim;
  /** What won before floor and ceiling; this is remembered. */
  readonly winner: Claim;
  readonly reason: string;
}

/**
 * The demand-response core. It keeps what the sources have said, and answers at any moment which one intent is
 * in force, why, until when, and when to ask again. It has no clock: whoever sees UTC set or stepped calls
 * `evaluate` again.
 */
export class GridCore {
  private readonly region: Region;
  private readonly schedule: Schedule;
  private readonly owner: OwnerBook;
  private readonly delays: RandomDelay;
  private readonly online = new Set<string>();
  private readonly planner: Planner;
  private applied: Applied | undefined;
  private cache: Evaluation | undefined;
  private pending: OneOff[] = [];
  private wakeMs = 0;
  /** UTC minus monotonic as the last plan saw it; undefined = no clock; null = before the first call. */
  private offsetMs: number | undefined | null = null;
  private skipDelay = false;
  private replans = 0;
  private clockSteps = 0;
  private readonly store: StorePort;
  private readonly random: RandomPort;
  private readonly settings: GridSettings;

  /** Restores what the store holds. `settings` from {@link gridSettings}. */
  constructor(world: {
    readonly store: StorePort;
    readonly random: RandomPort;
    readonly settings: GridSettings;
  }) {
    this.store = world.store;
    this.random = world.random;
    this.settings = world.settings;
    this.region = regionOf(world.settings.region);
    this.schedule = new Schedule(world.store, world.random, world.settings);
    this.owner = new OwnerBook(world.store, world.settings);
    this.delays = new RandomDelay(this.owner.delayOn, this.owner.delayMaxMs);
    this.planner = new Planner(this.schedule, this.owner, this.settings, this.region, this.online);
  }

  /**
   * Takes everything that a source now holds; what is absent is cancelled (implied cancel). One verdict an
   * event, in order. The order is kept in flash when this returns.
   */
  replaceEvents(source: string, events: readonly GridEvent[], now: Now): readonly EventVerdict[] {
    this.settle(now);
    this.cache = undefined;
    if (this.owner.consent.get(source) === "dismiss") {
      return events.map((e) => ({
        id: e.id,
        revision: e.revision,
        verdict: e.cancelled ? "cancelled" : "refused",
        why: e.cancelled ? "" : "dismissed",
      }));
    }
    const own = events.map((event) => (event.source === source ? event : { ...event, source }));
    const verdicts = this.schedule.replace(source, own, now);
    return verdicts.map((one, i) => (this.planner.binds(own[i]!) ? { ...one, binding: true } : one));
  }

  /** Carries out what the owner says, or tells why not. */
  setOwner(order: OwnerOrder, now: Now): OwnerAnswer {
    this.settle(now);
    this.cache = undefined;
    const { owner } = this;
    switch (order.verb) {
      case "override":
      case "boost": {
        const forMs = order.durationMs ?? OVERRIDE_MS;
        if (!(forMs > 0 && forMs <= 7 * 86_400_000)) return refusal("bad-duration", "Choose up to 7 days.");
        owner.heldOff = false;
        owner.begin(order.verb, forMs, now);
        this.skipDelay = true;
        break;
      }
      case "resume":
        owner.override = undefined;
        owner.boost = undefined;
        owner.heldOff = false;
        this.skipDelay = true;
        break;
      case "skip-delay":
        if (!this.region.ownerMaySkipDelay) {
          return refusal("not-in-region", "The random delay cannot be skipped here.");
        }
        this.delays.end();
        this.skipDelay = true;
        break;
      case "admit":
        owner.consent.delete(order.source);
        break;
      case "pause":
        owner.consent.set(order.source, "pause");
        break;
      case "dismiss":
        owner.consent.set(order.source, "dismiss");
        this.schedule.removeSource(order.source);
        break;
      case "accept-schedule":
        owner.windows = this.settings.offPeak;
        owner.scheduleState = "accepted";
        break;
      case "remove-schedule":
        owner.windows = [];
        owner.scheduleState = "removed";
        break;
      case "change-schedule": {
        const why = weekFault(order.windows);
        if (why !== "") return refusal(why, "The schedule has a window that makes no sense.");
        owner.windows = order.windows;
        owner.scheduleState = "changed";
        break;
      }
    }
    owner.save();
    return { ok: true, why: "", text: "Done." };
  }

  /**
   * The customer's override at the appliance began or ended. While it is on, nothing that is the module's own (off-peak
   * pause, random delay, "off" after a power cut) holds the charger back; utilities' events stay, and are reported overridden.
   */
  customerOverride(on: boolean, now: Now): void {
    if (on === this.planner.customer) return;
    this.settle(now);
    this.cache = undefined;
    this.planner.customer = on;
    if (!on || !this.owner.heldOff) return;
    this.owner.heldOff = false;
    this.owner.save();
  }

  /**
   * Until when the owner does not follow a source, by an override in force (monotonic ms) or a pause (NEVER); undefined
   * where he does, also where what he may not override is in force.
   */
  overrideEndsMs(source: string, now: Now): number | undefined {
    this.answer(now);
    const { winner } = this.applied!;
    const overrides = winner.tier === TIER_OWNER && winner.eventId === "override";
    // While a random delay holds back what follows, it is still the winner.
    if (overrides && winner.endsMs > now.ms) return winner.endsMs;
    const paused = this.owner.consent.get(source) === "pause";
    return paused && !(isRemote(winner) && winner.source === source) ? NEVER : undefined;
  }

  /** What the owner's page shows: remaining override and boost, the off-peak schedule, consent. */
  ownerStatus(now: Now): {
    readonly overrideLeftMs: number;
    readonly boostLeftMs: number;
    readonly heldOff: boolean;
    readonly schedule: OwnerBook["scheduleState"];
    readonly windows: OwnerBook["windows"];
    readonly consent: ReadonlyMap<string, "pause" | "dismiss">;
  } {
    const { owner } = this;
    return {
      overrideLeftMs: owner.leftMs(owner.override, now),
      boostLeftMs: owner.leftMs(owner.boost, now),
      heldOff: owner.heldOff,
      schedule: owner.scheduleState,
      windows: owner.windows,
      consent: owner.consent,
    };
  }

  /**
   * Tells whether a source can be heard. Until the first call it counts as silent. While it is silent, its
   * open-ended events run on for `openEndCapMs` from the next evaluation, and no longer.
   */
  sourceHealth(source: string, online: boolean, now: Now): void {
    if (online === this.online.has(source)) return;
    this.settle(now);
    this.cache = undefined;
    if (!online) this.online.delete(source);
    else {
      this.online.add(source);
      if (this.owner.lost.delete(source)) this.owner.save();
    }
  }

  /**
   * The charger begins by itself: a car was plugged in, or power came back. Where the region wants it, nothing
   * is charged before a random delay. After a power cut, call it once at start.
   */
  started(cause: "plug-in" | "power-restored", now: Now): void {
    this.settle(now);
    const resume = this.settings.resume ?? this.region.resume;
    if (cause === "power-restored" && resume === "off") {
      this.owner.heldOff = true;
      this.owner.save();
      this.cache = undefined;
      return;
    }
    const delayed = cause === "plug-in" ? !this.region.plugInExempt : resume === "delay";
    if (!delayed || !this.delays.active) return;
    this.cache = undefined;
    const plan = this.plan(now);
    // A pause of the schedule goes on as it is; its end is delayed like every change.
    if (plan.winner !== undefined && (needsNoDelay(plan.winner) || plan.winner.level === 0)) return;
    this.delays.begin(cause, this.random, now);
    const wait = waitClaim(now, this.delays.endsMs, cause);
    this.apply(wait, wait, "", now);
  }

  /** Enable, disable, cancel the running one, or set the greatest length of the random delay. False if refused. */
  setDelay(order: DelayOrder, now: Now): boolean {
    this.settle(now);
    if (!this.delays.order(order)) return false;
    this.cache = undefined;
    this.owner.setDelay(this.delays.enabled, this.delays.maxMs);
    if (order.verb === "cancel" || order.verb === "disable") this.skipDelay = true;
    return true;
  }

  /** The random delay: on or off, and the countdown. */
  delay(now: Now): DelayStatus {
    return this.delays.status(now);
  }

  /** When the answer may change by itself, monotonic ms; NEVER where it will not. */
  nextMs(now: Now): number {
    this.answer(now);
    return this.wakeMs;
  }

  /**
   * What is in force now. Linear in the stored events, and free while nothing changes. Gives each one-off
   * order once, after noting it in flash: a power cut may lose one, but never repeats a reboot for ever.
   */
  evaluate(now: Now): Evaluation {
    const answer = this.answer(now);
    if (this.pending.length === 0) return answer;
    const oneOffs = this.pending;
    this.pending = [];
    return { ...answer, oneOffs };
  }

  /** What is stored of all sources, for the owner's page; in no order. */
  listEvents(now: Now): readonly ListedEvent[] {
    return listed(this.schedule.events, now);
  }

  stats(): GridStats {
    const { events, refusals, broken, writes } = this.schedule;
    return {
      events: events.length,
      intervals: events.reduce((sum, stored) => sum + stored.event.intervals.length, 0),
      refusals,
      brokenRecords: broken,
      writes,
      replans: this.replans,
      clockSteps: this.clockSteps,
    };
  }

  private answer(now: Now): Evaluation {
    this.settle(now);
    if (this.cache !== undefined && now.ms < this.wakeMs) return this.cache;
    this.replans++;
    this.owner.settle(now);
    this.schedule.sweep(now);
    if (now.utcMs !== undefined) this.offsetMs = now.utcMs - now.ms;
    const plan = this.plan(now);
    this.wakeMs = plan.wakeMs;
    this.gate(plan, now);
    if (this.delays.running) this.wakeMs = Math.min(this.wakeMs, this.delays.endsMs);
    this.cache = { intent: this.intentOf(now), outlook: plan.outlook, oneOffs: NOTHING };
    return this.cache;
  }

  /** Notes the time: the first call, a clock that came, went or stepped. */
  private settle(now: Now): void {
    const offsetMs = now.utcMs === undefined ? undefined : now.utcMs - now.ms;
    const before = this.offsetMs;
    const stepped =
      before === null || before === undefined || offsetMs === undefined
        ? before !== offsetMs
        : Math.abs(offsetMs - before) > STEP_MS;
    if (!stepped) return;
    if (typeof before === "number" && offsetMs !== undefined) this.clockSteps++;
    this.offsetMs = offsetMs;
    this.cache = undefined;
    this.schedule.settle(now);
    if (before === null) this.restore(now);
  }

  /** Takes up what was in force before the restart: it may have gone on for as long as it had left. */
  private restore(now: Now): void {
    const saved = loadClaim(this.store);
    if (saved === undefined) return;
    const capMs = saved.tier === TIER_NONE ? NEVER : this.settings.openEndCapMs;
    const leftMs = saved.endsMs === NEVER ? capMs : saved.endsMs;
    const winner = { ...saved, beganMs: now.ms, endsMs: now.ms + leftMs };
    this.applied = { claim: this.limited(winner, now), winner, reason: "" };
  }

  private plan(now: Now): Plan {
    const plan = this.planner.plan(this.applied?.winner, now);
    this.pending.push(...plan.oneOffs);
    return plan;
  }

  /** Lets a change of load through, or holds it back for a random delay. */
  private gate(plan: Plan, now: Now): void {
    const { delays } = this;
    const wanted = this.limited(plan.winner, now);
    const before = this.applied?.claim;
    const changes = before !== undefined && before.level !== wanted.level;
    const free = this.skipDelay || this.planner.customer || !delays.active || this.isExempt(plan.winner);
    this.skipDelay = false;
    if (delays.running && (!changes || free || now.ms >= delays.endsMs)) delays.end();
    else if (!delays.running && changes && !free) {
      delays.begin("change", this.random, now);
      if (delays.endsMs <= now.ms) delays.end();
    }
    if (delays.running) return;
    this.apply(wanted, plan.winner ?? wanted, this.reasonOf(plan, wanted, now), now);
  }

  /** Changes that no random delay holds back. */
  private isExempt(winner: Claim | undefined): boolean {
    if (winner !== undefined && needsNoDelay(winner)) return true;
    const before = this.applied?.claim;
    return before !== undefined && isRemote(before) && before.spread;
  }

  /** The winner within the local floor and ceiling. */
  private limited(winner: Claim | undefined, now: Now): Claim {
    const { floor, ceiling: declared } = this.settings;
    const ceiling = this.owner.heldOff ? 0 : declared;
    const claim = winner ?? { ...NO_CLAIM, beganMs: now.ms };
    const level = Math.min(1, claim.level);
    if (ceiling !== undefined && level > ceiling) {
      const emergencyPermitted = ceiling === 0;
      return {
        ...{ ...claim, source: "local", eventId: "ceiling" },
        ...{ level: ceiling, ask: fraction(ceiling), emergencyPermitted },
      };
    }
    const mayHold = isRemote(claim) && claim.ask.ask !== "emergency";
    const mustStop = isStop(claim.ask) && !this.region.ownerMayOverrideStop;
    if (floor !== undefined && level < floor && mayHold && !mustStop) {
      return { ...claim, level: floor, ask: fraction(floor) };
    }
    return claim;
  }

  private reasonOf(plan: Plan, wanted: Claim, now: Now): string {
    const reason = reasonInWords(plan.winner, plan.second, now, this.settings.zone);
    if (wanted.ask === (plan.winner?.ask ?? NO_ASK)) return reason;
    if (this.owner.heldOff) {
      return "Charging stays off after the power cut until you switch it on again.";
    }
    const percent = `${String(Math.round(wanted.level * 100))} % of its maximum`;
    return wanted.eventId === "ceiling"
      ? `${reason} The limit set here holds it to ${percent}.`
      : `${reason} The least set here keeps it at ${percent}.`;
  }

  private apply(claim: Claim, winner: Claim, reason: string, now: Now): void {
    const before = this.applied?.winner;
    this.applied = { claim, winner, reason };
    if (before === undefined || !sameClaim(before, winner)) saveClaim(this.store, winner, now);
  }

  private intentOf(now: Now): Intent {
    const { claim, reason } = this.applied!;
    const { delays } = this;
    const endsMs = delays.running ? delays.endsMs : claim.endsMs;
    const utc = (ms: number): number | undefined =>
      now.utcMs === undefined || ms === NEVER ? undefined : now.utcMs + ms - now.ms;
    return {
      ask: claim.ask,
      source: claim.source,
      eventId: claim.eventId,
      revision: claim.revision,
      reason: delays.running
        ? `Charging changes at a random moment,${untilInWords(endsMs, now, this.settings.zone)} at the latest, so that not all chargers change at once.`
        : reason,
      beganUtcMs: claim.tier === TIER_NONE && claim.source === "none" ? undefined : utc(claim.beganMs),
      endsUtcMs: utc(endsMs),
      endsAtMs: endsMs === NEVER ? undefined : endsMs,
      emergencyPermitted: claim.emergencyPermitted,
      binding: (isRemote(claim) && isStop(claim.ask) && !this.region.ownerMayOverrideStop) || undefined,
    };
  }
}

const NOTHING: readonly OneOff[] = [];

/** Claims that no random delay holds back: a utility's event, and the owner's wish. */
function needsNoDelay(claim: Claim): boolean {
  return isRemote(claim) || claim.tier === TIER_OWNER;
}

function refusal(why: string, text: string): OwnerAnswer {
  return { ok: false, why, text };
}
