import { openJson, sealJson } from "../base/json.js";
import type { Now, StorePort } from "../ports/time.js";
import { anchorAt, settleAnchor, sinceAnchor, type Anchor } from "./anchor.js";
import type { WeekWindow } from "./regions.js";
import type { GridSettings } from "./settings.js";

/** How long an owner's override lasts where nothing else is said: CTA-2045 keeps an override for 12 h. */
export const OVERRIDE_MS = 12 * 3_600_000;

/** What the owner may say. */
export type OwnerOrder =
  /** Charge as usual, whatever utility and schedule say, where the region lets the owner override. */
  | { readonly verb: "override"; readonly durationMs?: number }
  /** Charge now, whatever the schedule says; the utility's events still hold. */
  | { readonly verb: "boost"; readonly durationMs: number }
  /** Back to normal: ends override, boost and "stay off after a power cut". */
  | { readonly verb: "resume" }
  /** Ends the running random delay. */
  | { readonly verb: "skip-delay" }
  /** Consent to a remote agent: obey it, keep its events without obeying, or have nothing to do with it. */
  | { readonly verb: "admit" | "pause" | "dismiss"; readonly source: string }
  /** The off-peak schedule offered at first use: take it, replace it (empty = no windows), or remove it. */
  | { readonly verb: "accept-schedule" | "remove-schedule" }
  | { readonly verb: "change-schedule"; readonly windows: readonly WeekWindow[] };

/** An answer that the owner's page can show. */
export interface OwnerAnswer {
  readonly ok: boolean;
  /** Stable code where not ok, "" otherwise. */
  readonly why: string;
  readonly text: string;
}

/** Something that lasts for a while from an anchor on. */
export interface Spell {
  readonly anchor: Anchor;
  readonly forMs: number;
}

export type ScheduleState = "offered" | "accepted" | "changed" | "removed";

/** What is kept beside the events: the owner's will, the delay's settings, and since when sources are silent. */
export class OwnerBook {
  override: Spell | undefined;
  boost: Spell | undefined;
  /** After a power cut where the region says "stay off". */
  heldOff = false;
  scheduleState: ScheduleState = "offered";
  windows: readonly WeekWindow[];
  delayOn: boolean;
  delayMaxMs: number;
  /** Somebody has set the delay from outside; until then the configuration rules it. */
  private delaySet = false;
  readonly consent = new Map<string, "pause" | "dismiss">();
  readonly lost = new Map<string, Anchor>();

  private bootMs: number | undefined;

  constructor(
    private readonly store: StorePort,
    settings: GridSettings,
  ) {
    this.windows = settings.offPeak;
    this.delayOn = settings.delayOn;
    this.delayMaxMs = settings.delayMaxMs;
    this.load();
  }

  /** Milliseconds that a spell lasts on, 0 for none. After a restart without a clock it counts from the restart. */
  leftMs(spell: Spell | undefined, now: Now): number {
    if (spell === undefined) return 0;
    return Math.max(0, spell.forMs - (sinceAnchor(spell.anchor, now) ?? this.sinceBootMs(now)));
  }

  /** How long a source has been silent, ms; one never heard is silent from the first question on. */
  silentMs(source: string, now: Now): number {
    let anchor = this.lost.get(source);
    if (anchor === undefined) {
      anchor = anchorAt(now);
      this.lost.set(source, anchor);
      this.save();
    }
    return sinceAnchor(anchor, now) ?? this.sinceBootMs(now);
  }

  private sinceBootMs(now: Now): number {
    return now.ms - (this.bootMs ?? now.ms);
  }

  /** Anchors what needs it to this run's clock, and drops what is over. */
  settle(now: Now): void {
    this.bootMs ??= now.ms;
    let changed = false;
    for (const spell of [this.override, this.boost]) {
      if (spell !== undefined && settleAnchor(spell.anchor, now)) changed = true;
    }
    for (const anchor of this.lost.values()) if (settleAnchor(anchor, now)) changed = true;
    if (this.override !== undefined && this.leftMs(this.override, now) === 0) {
      this.override = undefined;
      changed = true;
    }
    if (this.boost !== undefined && this.leftMs(this.boost, now) === 0) {
      this.boost = undefined;
      changed = true;
    }
    if (changed) this.save();
  }

  begin(kind: "override" | "boost", forMs: number, now: Now): void {
    this[kind] = { anchor: anchorAt(now), forMs };
    this.save();
  }

  setDelay(on: boolean, maxMs: number): void {
    this.delayOn = on;
    this.delayMaxMs = maxMs;
    this.delaySet = true;
    this.save();
  }

  save(): void {
    const spell = (s: Spell | undefined): unknown =>
      s === undefined ? null : [s.anchor.utcMs ?? null, s.forMs];
    this.store.set(
      "grid.owner",
      sealJson([
        1,
        spell(this.override),
        spell(this.boost),
        this.heldOff,
        [this.scheduleState, this.scheduleState === "changed" ? this.windows : null],
        this.delaySet ? [this.delayOn, this.delayMaxMs] : null,
        [...this.consent],
        [...this.lost].map(([source, anchor]) => [source, anchor.utcMs ?? null]),
      ]),
    );
  }

  private load(): void {
    type PackedSpell = [number | null, number] | null;
    const value = openJson(this.store.get("grid.owner")) as
      | [
          number,
          PackedSpell,
          PackedSpell,
          boolean,
          [ScheduleState, WeekWindow[] | null],
          [boolean, number] | null,
          [string, "pause" | "dismiss"][],
          [string, number | null][],
        ]
      | undefined;
    if (!Array.isArray(value) || value[0] !== 1) return;
    const spell = (packed: PackedSpell): Spell | undefined =>
      packed === null
        ? undefined
        : { anchor: { ms: undefined, utcMs: packed[0] ?? undefined }, forMs: packed[1] };
    this.override = spell(value[1]);
    this.boost = spell(value[2]);
    this.heldOff = value[3];
    this.scheduleState = value[4][0];
    if (value[4][1] !== null) this.windows = value[4][1];
    if (this.scheduleState === "removed") this.windows = [];
    if (value[5] !== null) {
      [this.delayOn, this.delayMaxMs] = value[5];
      this.delaySet = true;
    }
    for (const [source, word] of value[6]) this.consent.set(source, word);
    for (const [source, utcMs] of value[7]) {
      this.lost.set(source, { ms: undefined, utcMs: utcMs ?? undefined });
    }
  }
}
