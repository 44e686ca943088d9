import { openJson, sealJson } from "../base/json.js";
import { NEVER, type Now, type RandomPort, type StorePort } from "../ports/time.js";
import { anchorAt } from "./anchor.js";
import {
  beats,
  TIER_EMERGENCY,
  TIER_EVENT,
  TIER_NONE,
  TIER_OWNER,
  TIER_SCHEDULE,
  type Claim,
  type Tier,
} from "./arbiter.js";
import { isStop, levelOf, movesLoad, sameAsk } from "./asks.js";
import { RandomDelay, type DelayOrder, type DelayStatus } from "./delay.js";
import type { Ask, EventVerdict, GridEvent } from "./event.js";
import type { Intent, Outlook } from "./intent.js";
import { OwnerBook, OVERRIDE_MS, type OwnerAnswer, type OwnerOrder } from "./owner.js";
import { isRemote, reasonInWords, untilInWords } from "./reason.js";
import { OutlookMaker } from "./outlook.js";
import { regionOf, type Region } from "./regions.js";
import { Schedule } from "./schedule.js";
import type { GridSettings } from "./settings.js";
import { elapsedMs, isOpenEnded, locate, newPosition, packAsk, unpackAsk, type Stored } from "./stored.js";
import { weekAt, weekFault } from "./week.js";

/** An order that is carried out once: reboot, or the customer-override flag. */
export interface OneOff {
  readonly ask: Ask & { readonly ask: "reboot" | "override" };
  readonly source: string;
  readonly eventId: string;
}

/** What the core answers. `oneOffs` are given exactly once: whoever calls `evaluate` carries them out. */
export interface Evaluation {
  readonly intent: Intent;
  readonly outlook: Outlook;
  readonly oneOffs: readonly OneOff[];
}

export interface GridStats {
  readonly events: number;
  readonly intervals: number;
  /** Refusal code → how often. */
  readonly refusals: ReadonlyMap<string, number>;
  /** Stored records that failed their seal at start. */
  readonly brokenRecords: number;
  readonly writes: number;
  /** Full re-plans; answers from the cache do not count. */
  readonly replans: number;
  readonly clockSteps: number;
}

/** A correction of UTC against the monotonic clock beyond this is a step: every edge is computed anew. */
const STEP_MS = 1000;
/** A one-off order is given this long after its time even where its interval is shorter. */
const ONE_OFF_GRACE_MS = 60_000;

/** The claim that is in effect at the charger, as it survives a restart. */
interface Applied {
  readonly claim: Claim;
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
  private readonly position = newPosition();
  private applied: Applied | undefined;
  /** What the last claim before the restart had left, ms, until the first call tells the time. */
  private heldLeftMs: number | undefined;
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
    this.loadHeld();
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
    return this.schedule.replace(source, own, now);
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
        if (owner.scheduleState === "removed") owner.windows = this.settings.offPeak;
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

  /** Tells whether a source can be heard. Until the first call it counts as silent. */
  sourceHealth(source: string, online: boolean, now: Now): void {
    if (online === this.online.has(source) && (online || this.owner.lost.has(source))) return;
    this.settle(now);
    this.cache = undefined;
    if (online) {
      this.online.add(source);
      if (this.owner.lost.delete(source)) this.owner.save();
      return;
    }
    this.online.delete(source);
    this.owner.lost.set(source, anchorAt(now));
    this.owner.save();
  }

  /**
   * The charger begins by itself: a car was plugged in, or power came back. Where the region wants it, nothing
   * is charged before a random delay. After a power cut, call it once at start.
   */
  started(cause: "plug-in" | "power-restored", now: Now): void {
    this.settle(now);
    if (cause === "power-restored" && this.region.resume === "off") {
      this.owner.heldOff = true;
      this.owner.save();
      this.cache = undefined;
      return;
    }
    const delayed = cause === "plug-in" ? !this.region.plugInExempt : this.region.resume === "delay";
    if (!delayed || !this.delays.active) return;
    this.cache = undefined;
    const wanted = this.plan(now).winner;
    if (this.isExempt(wanted)) return;
    this.delays.begin(cause, this.random, now);
    this.apply(stopClaim(now, this.delays.endsMs, cause), "", now);
  }

  /** Enable, disable, cancel the running one, or set the greatest length of the random delay. False if refused. */
  setDelay(order: DelayOrder, now: Now): boolean {
    this.settle(now);
    if (!this.delays.order(order)) return false;
    this.cache = undefined;
    this.owner.delayOn = this.delays.enabled;
    this.owner.delayMaxMs = this.delays.maxMs;
    this.owner.save();
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
    this.owner.settle(now);
    if (this.heldLeftMs === undefined || this.applied === undefined) return;
    const { claim, reason } = this.applied;
    this.applied = { claim: { ...claim, beganMs: now.ms, endsMs: now.ms + this.heldLeftMs }, reason };
    this.heldLeftMs = undefined;
  }

  private plan(now: Now): Plan {
    const { owner, settings } = this;
    const overrideLeftMs = owner.leftMs(owner.override, now);
    const boostLeftMs = owner.leftMs(owner.boost, now);
    const plan: Plan = {
      winner: undefined,
      second: undefined,
      wakeMs: Math.min(soon(overrideLeftMs), soon(boostLeftMs)) + now.ms,
      outlook: { price: undefined, nextPrice: undefined, guidance: undefined, next: undefined },
    };
    const outlook = new OutlookMaker();
    const { position } = this;
    for (const stored of this.schedule.events) {
      const { event } = stored;
      locate(stored, now, this.lostLeftMs(stored, now), position);
      plan.wakeMs = Math.min(plan.wakeMs, now.ms + position.leftMs);
      const paused = owner.consent.get(event.source) === "pause";
      const idle = event.test && !settings.testEventsMoveLoad;
      if (stored.cut === undefined && !idle) this.fire(stored, paused, now, plan);
      if (idle) continue;
      if (position.state === "waiting" && !paused) outlook.waiting(event, now.ms + position.leftMs);
      if (position.state === "unknown") {
        const claim = this.heldClaim(event, now);
        if (claim !== undefined) enter(plan, claim);
        continue;
      }
      if (position.state !== "in") continue;
      const { ask } = event.intervals[position.index]!;
      if (movesLoad(ask)) {
        if ((overrideLeftMs > 0 || paused) && this.overridable(event, ask)) continue;
        enter(plan, this.claimOf(stored, ask, now));
      } else if (!paused) {
        outlook.running(stored, position.index, now.ms + position.leftMs);
      }
    }
    if (overrideLeftMs > 0) enter(plan, ownerClaim("override", now, overrideLeftMs));
    else if (boostLeftMs > 0) enter(plan, ownerClaim("boost", now, boostLeftMs));
    this.consultWeek(plan, now);
    return { ...plan, outlook: outlook.answer() };
  }

  /** The off-peak schedule's claim, or the held one while there is no clock to ask it. */
  private consultWeek(plan: Plan, now: Now): void {
    const { windows } = this.owner;
    if (windows.length === 0) return;
    if (now.utcMs === undefined) {
      const held = this.applied?.claim;
      if (held?.tier === TIER_SCHEDULE && held.endsMs > now.ms && held.eventId === "off-peak") {
        plan.wakeMs = Math.min(plan.wakeMs, held.endsMs);
        enter(plan, held);
      }
      return;
    }
    const week = weekAt(windows, now.utcMs, this.settings.localOffsetMs);
    plan.wakeMs = Math.min(plan.wakeMs, now.ms + week.wakeMs);
    if (!week.inside) return;
    enter(plan, {
      ...NO_CLAIM,
      tier: TIER_SCHEDULE,
      level: 0,
      ask: STOP,
      source: "local",
      eventId: "off-peak",
      beganMs: now.ms - week.sinceMs,
      endsMs: now.ms + week.leftMs,
    });
  }

  /** What was in force before the clock was lost, where it is this event's and the event still stands. */
  private heldClaim(event: GridEvent, now: Now): Claim | undefined {
    const claim = this.applied?.claim;
    if (claim === undefined || event.cancelled || claim.endsMs <= now.ms) return undefined;
    if (claim.source !== event.source || claim.eventId !== event.id) return undefined;
    return claim.revision === event.revision ? claim : undefined;
  }

  private claimOf(stored: Stored, ask: Ask, now: Now): Claim {
    const { event } = stored;
    const { position, settings } = this;
    const emergency = ask.ask === "emergency";
    const window = event.randomise?.windowMs ?? 0;
    return {
      tier: emergency ? TIER_EMERGENCY : TIER_EVENT,
      rank: event.rank,
      // Where the contactor must stay closed, an emergency is done as Critical Peak.
      level: emergency && !event.emergencyPermitted ? 0.25 : levelOf(ask, settings.site),
      createdUtcMs: event.createdUtcMs,
      ask,
      source: event.source,
      eventId: event.id,
      revision: event.revision,
      emergencyPermitted: event.emergencyPermitted,
      beganMs: now.ms - position.sinceMs,
      endsMs: now.ms + position.leftMs,
      spread: event.delayApplied || (window > 0 && window >= this.delays.maxMs),
    };
  }

  private overridable(event: GridEvent, ask: Ask): boolean {
    if (ask.ask === "emergency") {
      return !event.emergencyPermitted && this.region.ownerMayOverrideSoftEmergency;
    }
    return !isStop(ask) || this.region.ownerMayOverrideStop;
  }

  /** How long an open-ended event of this source may still run, ms; NEVER while the source is heard. */
  private lostLeftMs(stored: Stored, now: Now): number {
    const { source } = stored.event;
    if (!isOpenEnded(stored.event) || this.online.has(source) || source === "local" || source === "owner") {
      return NEVER;
    }
    return this.owner.lostLeftMs(source, this.settings.openEndCapMs, now);
  }

  /** Notes the one-off orders of an event that have become due, and hands them to `evaluate`. */
  private fire(stored: Stored, paused: boolean, now: Now, plan: Plan): void {
    const elapsed = elapsedMs(stored, now);
    if (elapsed === undefined || elapsed < 0) return;
    const { intervals, source, id } = stored.event;
    const due: OneOff[] = [];
    let index = stored.firedTo;
    for (; index < intervals.length; index++) {
      const { offsetMs, durationMs, ask } = intervals[index]!;
      if (offsetMs > elapsed) {
        plan.wakeMs = Math.min(plan.wakeMs, now.ms + offsetMs - elapsed);
        break;
      }
      if (ask.ask !== "reboot" && ask.ask !== "override") continue;
      const late = elapsed >= offsetMs + Math.max(durationMs, ONE_OFF_GRACE_MS);
      const barred = ask.ask === "reboot" && ask.kind === 1 && !this.settings.remoteFactoryReset;
      if (!late && !barred && !paused) due.push({ ask, source, eventId: id });
    }
    if (due.length > 0) this.schedule.markFired(stored, index);
    else stored.firedTo = index;
    this.pending.push(...due);
  }

  /** Lets a change of load through, or holds it back for a random delay. */
  private gate(plan: Plan, now: Now): void {
    const { delays } = this;
    const wanted = this.limited(plan.winner, now);
    const before = this.applied?.claim;
    const changes = before !== undefined && before.level !== wanted.level;
    const free = this.skipDelay || !delays.active || this.isExempt(plan.winner);
    this.skipDelay = false;
    if (delays.running && (!changes || free || now.ms >= delays.endsMs)) delays.end();
    else if (!delays.running && changes && !free) {
      delays.begin("change", this.random, now);
      if (delays.endsMs <= now.ms) delays.end();
    }
    if (!delays.running) this.apply(wanted, this.reasonOf(plan, wanted, now), now);
  }

  /** Changes that no random delay holds back. */
  private isExempt(winner: Claim | undefined): boolean {
    if (winner !== undefined && (isRemote(winner) || winner.tier === TIER_OWNER)) return true;
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
      return { ...claim, source: "local", eventId: "ceiling", level: ceiling, ask: fraction(ceiling) };
    }
    const mayHold = isRemote(claim) && claim.ask.ask !== "emergency";
    const mustStop = isStop(claim.ask) && !this.region.ownerMayOverrideStop;
    if (floor !== undefined && level < floor && mayHold && !mustStop) {
      return { ...claim, level: floor, ask: fraction(floor) };
    }
    return claim;
  }

  private reasonOf(plan: Plan, wanted: Claim, now: Now): string {
    const { localOffsetMs } = this.settings;
    const reason = reasonInWords(plan.winner, plan.second, now, localOffsetMs);
    if (wanted.ask === (plan.winner?.ask ?? NO_ASK)) return reason;
    if (this.owner.heldOff) {
      return "Charging stays off after the power cut until you switch it on again.";
    }
    const percent = `${String(Math.round(wanted.level * 100))} % of its maximum`;
    return wanted.eventId === "ceiling"
      ? `${reason} The limit set here holds it to ${percent}.`
      : `${reason} The least set here keeps it at ${percent}.`;
  }

  private apply(claim: Claim, reason: string, now: Now): void {
    const before = this.applied?.claim;
    this.applied = { claim, reason };
    if (
      before !== undefined &&
      before.tier === claim.tier &&
      before.source === claim.source &&
      before.eventId === claim.eventId &&
      before.revision === claim.revision &&
      before.level === claim.level &&
      before.endsMs - before.beganMs === claim.endsMs - claim.beganMs &&
      sameAsk(before.ask, claim.ask)
    ) {
      return;
    }
    this.saveHeld(claim, now);
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
        ? `Charging changes at a random moment,${untilInWords(endsMs, now, this.settings.localOffsetMs)} at the latest, so that not all chargers change at once.`
        : reason,
      beganUtcMs: claim.tier === TIER_NONE && claim.source === "none" ? undefined : utc(claim.beganMs),
      endsUtcMs: utc(endsMs),
      endsAtMs: endsMs === NEVER ? undefined : endsMs,
      emergencyPermitted: claim.emergencyPermitted,
    };
  }

  private saveHeld(claim: Claim, now: Now): void {
    const { tier, rank, level, createdUtcMs, source, eventId, revision } = claim;
    const leftMs = claim.endsMs === NEVER ? -1 : Math.max(0, Math.round(claim.endsMs - now.ms));
    this.store.set(
      HELD_KEY,
      sealJson([
        1,
        [tier, rank, level, createdUtcMs, source, eventId, revision],
        [0, 0, ...packAsk(claim.ask)],
        [claim.emergencyPermitted, claim.spread, leftMs, now.utcMs ?? null],
      ]),
    );
  }

  private loadHeld(): void {
    const value = openJson(this.store.get(HELD_KEY)) as
      | [
          number,
          [Tier, number, number, number, string, string, number],
          (string | number | boolean | null)[],
          [boolean, boolean, number, number | null],
        ]
      | undefined;
    if (!Array.isArray(value) || value[0] !== 1) return;
    const [, [tier, rank, level, createdUtcMs, source, eventId, revision], packed, rest] = value;
    const ask = unpackAsk(packed);
    const [emergencyPermitted, spread, leftMs] = rest;
    const cap = this.settings.openEndCapMs;
    this.heldLeftMs = leftMs < 0 ? (tier === TIER_NONE ? NEVER : cap) : leftMs;
    const claim: Claim = {
      ...{ tier, rank, level, createdUtcMs, source, eventId, revision, ask },
      ...{ emergencyPermitted, spread, beganMs: 0, endsMs: NEVER },
    };
    this.applied = { claim, reason: "" };
  }
}

const HELD_KEY = "grid.held";
const NO_ASK: Ask = { ask: "normal" };
const STOP: Ask = fraction(0);
const NOTHING: readonly OneOff[] = [];

/** The claim of nobody. */
const NO_CLAIM: Claim = {
  tier: TIER_NONE,
  rank: 0,
  level: 1,
  createdUtcMs: 0,
  ask: NO_ASK,
  source: "none",
  eventId: "",
  revision: 0,
  emergencyPermitted: false,
  beganMs: 0,
  endsMs: NEVER,
  spread: false,
};

/** A plan under construction. */
interface Plan {
  winner: Claim | undefined;
  second: Claim | undefined;
  wakeMs: number;
  readonly outlook: Outlook;
}

function enter(plan: Plan, claim: Claim): void {
  if (plan.winner === undefined || beats(claim, plan.winner)) {
    plan.second = plan.winner;
    plan.winner = claim;
  } else if (plan.second === undefined || beats(claim, plan.second)) plan.second = claim;
}

function ownerClaim(eventId: "override" | "boost", now: Now, leftMs: number): Claim {
  return {
    ...NO_CLAIM,
    tier: TIER_OWNER,
    source: "owner",
    eventId,
    beganMs: now.ms,
    endsMs: now.ms + leftMs,
  };
}

function stopClaim(now: Now, endsMs: number, eventId: string): Claim {
  return { ...NO_CLAIM, level: 0, ask: STOP, source: "local", eventId, beganMs: now.ms, endsMs };
}

function fraction(value: number): Ask {
  return { ask: "limit", unit: "fraction", value, reference: "installer" };
}

function soon(leftMs: number): number {
  return leftMs > 0 ? leftMs : NEVER;
}

function refusal(why: string, text: string): OwnerAnswer {
  return { ok: false, why, text };
}
