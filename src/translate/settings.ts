/** What translation has to know of the site, and the choices that no source settles. */
export interface TranslateSettings {
  /** What the installer has set the charger to, and what it is built for, amperes a phase. */
  readonly installerMaxA: number;
  readonly ratedA: number;
  readonly phases: 1 | 2 | 3;
  /** Volts a phase: line to neutral, in North America line to line. */
  readonly voltage: number;
  /** Smallest current that a J1772 pilot can offer; a limit under it is a stop. Default 6. */
  readonly minimumA?: number;
  /** False: Grid Emergency is never sent, whatever a programme permits. Default true. */
  readonly emergencyAllowed?: boolean;
  /**
   * Greatest part of the installer's maximum at which Shed and Critical Peak count as obeyed. The one charger
   * measured gives 50 % and 25 % but not under 6 A (EPRI 2017, S4 2209). Defaults 0.6 and 0.35.
   */
  readonly shedMaxFraction?: number;
  readonly criticalMaxFraction?: number;
  /** Mains voltage and meters differ from what is declared by so much. Default 0.1. */
  readonly powerTolerance?: number;
  /** At or under this a charger has stopped, watts. Default 100. */
  readonly idleW?: number;
  /** Time to obey: the car follows a new pilot within 5 s (SAE J1772), appliances report late. Default 20,000. */
  readonly settleMs?: number;
}

export const TRANSLATE_DEFAULTS = {
  minimumA: 6,
  emergencyAllowed: true,
  shedMaxFraction: 0.6,
  criticalMaxFraction: 0.35,
  powerTolerance: 0.1,
  idleW: 100,
  settleMs: 20_000,
} as const;

/** With every default filled in. */
export type Site = Required<TranslateSettings>;

export function siteOf(settings: TranslateSettings): Site {
  return { ...TRANSLATE_DEFAULTS, ...settings };
}

/** What is known of this appliance; a `SgdStatus` will do. */
export interface Abilities {
  /** Commodity 8, watts. */
  readonly ratedW: number | undefined;
  readonly identity?: { readonly deviceType: number } | undefined;
  /** Mean power of the 5 min before the event, watts: the dynamic reference (src/translate/reference.ts). */
  readonly dynamicW?: number | undefined;
}
