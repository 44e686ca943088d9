/**
 * Holding a power level against the measured power, and correcting it once. The standard counts levels from the
 * rated power; chargers exist that count from the installer's maximum, and declared ratings are sometimes wrong.
 */
import type { Facts } from "./facts.js";
import type { LoadStep } from "./messages.js";
import { loweredLevel } from "./verify.js";

/** A power reading older than this says nothing about "just before". */
const BASELINE_MS = 90_000;
/** Below this part of what a level should give, the level may be too low. */
const TOO_LOW = 0.85;
/** So near to what a charger of the other kind would give, it is one. */
const LIKE_OTHER = 0.07;

export class LevelCorrection {
  #arg: number | undefined;
  #used = false;
  #baselineW: number | undefined;

  constructor(private readonly facts: Facts) {}

  /** A new wish: nothing is corrected yet, and this is what the appliance takes without it. */
  begin(nowMs: number): void {
    this.#arg = undefined;
    this.#used = false;
    this.#baselineW = nowMs - this.facts.meteredAtMs < BASELINE_MS ? this.facts.powerW : undefined;
  }

  /** The level to send for a step; undefined where the step is no level, or is to be sent as it stands. */
  argFor(step: LoadStep): number | undefined {
    if (step.level === undefined) return undefined;
    return this.#arg ?? (this.facts.alternativeLevels ? step.level.alternativeArg : undefined);
  }

  /** True where a level that is in force should be looked at once more when it has settled. */
  wantsLook(step: LoadStep): boolean {
    return step.level?.alternativeArg !== undefined && !this.#used && this.facts.metersPower;
  }

  /**
   * A level in force gives clearly less than it should: either as little as a charger of the other kind gives,
   * or little although the car took more just before. True: it is to be sent again, raised.
   */
  raise(step: LoadStep, sentArg: number, powerW: number, idleW: number): boolean {
    const { level } = step;
    const other = level?.alternativeArg;
    if (level === undefined || other === undefined || other === sentArg || this.#used) return false;
    if (powerW <= idleW || powerW >= level.targetW * TOO_LOW) return false;
    const otherwiseW = level.otherwiseW ?? 0;
    const likeOther = Math.abs(powerW - otherwiseW) <= otherwiseW * LIKE_OTHER;
    if (!likeOther && (this.#baselineW ?? 0) < level.targetW) return false;
    this.#used = true;
    this.#arg = other;
    this.facts.alternativeLevels = true;
    return true;
  }

  /** A level in force gives too much. True: it is to be sent again, lowered; false: it has been, in vain. */
  lower(step: LoadStep, sentArg: number): boolean {
    const { level } = step;
    const { powerW } = this.facts;
    if (level === undefined || powerW === undefined) return false;
    if (this.facts.alternativeLevels && sentArg === level.alternativeArg) {
      // The other way of counting was wrong after all: back to what keeps the limit.
      this.facts.alternativeLevels = false;
      this.#used = true;
      this.#arg = step.arg;
      return true;
    }
    const lower = loweredLevel(sentArg, level.targetW, powerW);
    if (this.#used || lower === undefined) return false;
    this.#used = true;
    this.#arg = lower;
    return true;
  }
}
