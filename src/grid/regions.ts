/**
 * What differs from country to country, as data (docs/regions.md). A region changes defaults and who may
 * override what; it changes no mechanism.
 */
export type RegionId = "us" | "au" | "uk";

/** A span of local time on some weekdays. */
export interface WeekWindow {
  /** Bit 0 = Sunday … bit 6 = Saturday. */
  readonly days: number;
  /** Minutes from local midnight, 0…1440; `fromMin` included, `toMin` not. A span over midnight is two windows. */
  readonly fromMin: number;
  readonly toMin: number;
}

export interface Region {
  readonly id: RegionId;
  /**
   * Whether the owner may override "no charging" (DRM 1). Grid Emergency where the programme permits it is
   * nowhere overridable (CTA-2045; S4:968, 2211).
   */
  readonly ownerMayOverrideStop: boolean;
  /** Whether the owner may override an emergency that the programme does not let open the contactor. */
  readonly ownerMayOverrideSoftEmergency: boolean;
  /** Whether the owner may skip the random delay. */
  readonly ownerMaySkipDelay: boolean;
  /** Random delay: on by default, its default and its greatest length, ms. */
  readonly delayOn: boolean;
  readonly delayMaxMs: number;
  /** Whether a start for a local cause (plug-in) needs no delay. */
  readonly plugInExempt: boolean;
  /** What happens when power returns: stay off until the owner says so, go on after a random delay, or at once. */
  readonly resume: "off" | "delay" | "at-once";
  /** Whether the law wants the security log kept over a factory reset (UK Regulations 2021, schedule 1). */
  readonly keepSecurityLog: boolean;
  /** No charging in these windows, offered to the owner at first use. */
  readonly offPeak: readonly WeekWindow[];
}

/** Every region can delay as long as this: UK Regulations 2021 and PAS 1878, 1800 s. */
export const DELAY_CAPABILITY_MS = 1_800_000;

const WEEKDAYS = 0b0111110;

const US: Region = {
  id: "us",
  ownerMayOverrideStop: true,
  ownerMayOverrideSoftEmergency: true,
  ownerMaySkipDelay: true,
  delayOn: false,
  delayMaxMs: 0,
  plugInExempt: true,
  resume: "at-once",
  keepSecurityLog: false,
  offPeak: [],
};

const AU: Region = {
  ...US,
  id: "au",
  ownerMayOverrideStop: false,
  ownerMayOverrideSoftEmergency: false,
};

const UK: Region = {
  ...US,
  id: "uk",
  delayOn: true,
  delayMaxMs: 600_000,
  plugInExempt: false,
  resume: "delay",
  keepSecurityLog: true,
  offPeak: [
    { days: WEEKDAYS, fromMin: 8 * 60, toMin: 11 * 60 },
    { days: WEEKDAYS, fromMin: 16 * 60, toMin: 22 * 60 },
  ],
};

export function regionOf(id: RegionId): Region {
  return id === "uk" ? UK : id === "au" ? AU : US;
}
