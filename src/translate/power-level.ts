/**
 * Limits to power levels. Request for Power Level is a percentage of the appliance's *rated* power on 7 bits
 * (S4 2074), not of the installer's maximum; so a limit is first made a fraction of that.
 */
import type { Ask } from "../grid/event.js";
import { isCharger } from "./device.js";
import type { Abilities, Site } from "./settings.js";

export const FULL_LEVEL = 127;

export type Level =
  /** Nothing to limit. */
  | { readonly is: "free" }
  /** Under what can be charged with. */
  | { readonly is: "stop" }
  | {
      readonly is: "level";
      /** opcode2, 0–127, absorbed. */
      readonly arg: number;
      readonly targetW: number;
      /** The same for a charger that counts from its installer's maximum; undefined where that is no other. */
      readonly alternativeArg: number | undefined;
      /** What such a charger makes of `arg`, watts: not less than its smallest current. */
      readonly otherwiseW: number | undefined;
    }
  | { readonly is: "senseless" };

type Limit = Ask & { readonly ask: "limit" };

/** The power level for a limit. Rounded down, but see {@link levelFor} at the 6 A that a charger needs. */
export function levelOf(limit: Limit, abilities: Abilities, site: Site): Level {
  const { value } = limit;
  const rated = ratedOf(abilities, site);
  if (limit.unit === "change-W") {
    // Without a meter nobody knows what it used before: the most that it may use is the one bound there is.
    const beforeW = abilities.dynamicW ?? (site.installerMaxA / rated.A) * rated.W;
    return levelOf({ ...limit, unit: "W", value: Math.max(0, beforeW + value) }, abilities, site);
  }
  if (!(value >= 0)) return { is: "senseless" };
  // "All of what it may take" is no limit, whichever way the charger counts.
  const whole = limit.unit === "fraction" && limit.reference !== "dynamic" && value >= 1;
  const part = fractionOfRated(limit, abilities, site, rated);
  if (whole || part >= 1) return { is: "free" };
  const amperes = part * rated.A;
  const minimumA = isCharger(abilities) ? site.minimumA : 0;
  if (value === 0 || amperes < minimumA - 1e-6) return { is: "stop" };
  const arg = levelFor(amperes, rated.A, minimumA);
  const other = Math.min(FULL_LEVEL, levelFor(amperes, site.installerMaxA, minimumA));
  const targetW = part * rated.W;
  if (!isCharger(abilities) || other === arg) {
    return { is: "level", arg, targetW, alternativeArg: undefined, otherwiseW: undefined };
  }
  const otherwiseA = Math.max(minimumA, (arg / FULL_LEVEL) * site.installerMaxA);
  return { is: "level", arg, targetW, alternativeArg: other, otherwiseW: (otherwiseA / rated.A) * rated.W };
}

/**
 * The level that gives `amperes` of `fullA`, rounded down, so that a limit is kept. One exception: where
 * rounding down would fall under the least that a charger can offer, the next level is taken, because the lower
 * one means a stop to some chargers. At 32 A a limit of 6 A becomes 24/127 = 6.05 A and not 23/127 = 5.80 A.
 */
export function levelFor(amperes: number, fullA: number, minimumA: number): number {
  const level = Math.floor((amperes / fullA) * FULL_LEVEL + 1e-6);
  const least = Math.ceil((minimumA / fullA) * FULL_LEVEL - 1e-6);
  return Math.max(level, least);
}

/**
 * Rated amperes and watts: what the appliance says (commodity 8), unless that is just the declared current at
 * another mains voltage.
 */
function ratedOf(abilities: Abilities, site: Site): { readonly A: number; readonly W: number } {
  const declaredW = site.ratedA * site.voltage * site.phases;
  const { ratedW } = abilities;
  if (ratedW === undefined || ratedW <= 0) return { A: site.ratedA, W: declaredW };
  const off = ratedW / declaredW;
  return { A: off > 0.87 && off < 1.13 ? site.ratedA : site.ratedA * off, W: ratedW };
}

function fractionOfRated(
  limit: Limit,
  abilities: Abilities,
  site: Site,
  rated: { readonly A: number; readonly W: number },
): number {
  const { value } = limit;
  if (limit.unit === "A") return value / rated.A;
  if (limit.unit === "W") return (value * (site.phases / (limit.phases ?? site.phases))) / rated.W;
  if (limit.reference === "rated") return value;
  if (limit.reference === "dynamic" && abilities.dynamicW !== undefined) {
    return (value * abilities.dynamicW) / rated.W;
  }
  // No mean is known without a meter: the installer's maximum is the reference that always is.
  return (value * site.installerMaxA) / rated.A;
}
