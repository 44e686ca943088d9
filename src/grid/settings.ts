import type { PosixZone } from "../base/posix-tz.js";
import type { Site } from "./asks.js";
import { regionOf, type RegionId, type WeekWindow } from "./regions.js";

/** What the core is told once, at start. Make it with {@link gridSettings}, which fills in the defaults. */
export interface GridSettings {
  readonly region: RegionId;
  /** Stored events of all sources, and of one. Four more are kept free for emergencies. */
  readonly maxEvents: number;
  readonly maxEventsPerSource: number;
  readonly maxIntervals: number;
  /** Longest stored record, characters: it must fit one flash sector. */
  readonly maxRecordChars: number;
  /** All stored records together, characters: what the store has room for. */
  readonly maxStoredChars: number;
  /** A source's random window is cut to this, ms. Default 1800 s (PAS 1878). */
  readonly maxRandomMs: number;
  /** An open-ended event ends so long after communication with its source was lost, ms. */
  readonly openEndCapMs: number;
  /** A cancelled event that had a start-after window ends within the same window instead of at once. */
  readonly spreadCancelledEnd: boolean;
  /** Test events move the load like real ones. */
  readonly testEventsMoveLoad: boolean;
  /** A remote factory reset (reboot 1) is passed on. */
  readonly remoteFactoryReset: boolean;
  readonly site: Site;
  /** Never more than this part of the installer's maximum (0…1); undefined = no ceiling. */
  readonly ceiling: number | undefined;
  /** Never less than this part, emergencies and what the region forbids to override excepted. */
  readonly floor: number | undefined;
  readonly delayOn: boolean;
  readonly delayMaxMs: number;
  /** No charging in these local hours unless the owner has changed or removed them. */
  readonly offPeak: readonly WeekWindow[];
  /** What happens when power returns; undefined = as the region has it. */
  readonly resume: "off" | "delay" | "at-once" | undefined;
  /** The owner's time zone, for the schedule and for sentences; undefined = UTC. */
  readonly zone: PosixZone | undefined;
}

/** The settings of a region with its defaults, and whatever is given instead of them. */
export function gridSettings(given: Partial<GridSettings> = {}): GridSettings {
  const region = regionOf(given.region ?? "us");
  return {
    region: region.id,
    maxEvents: 64,
    maxEventsPerSource: 48,
    maxIntervals: 128,
    maxRecordChars: 3800,
    maxStoredChars: 32_000,
    maxRandomMs: 1_800_000,
    openEndCapMs: 4 * 3_600_000,
    spreadCancelledEnd: true,
    testEventsMoveLoad: false,
    remoteFactoryReset: false,
    site: { installerA: 32, ratedA: 32, phases: 1, voltageV: region.id === "us" ? 240 : 230 },
    ceiling: undefined,
    floor: undefined,
    delayOn: region.delayOn,
    delayMaxMs: region.delayMaxMs,
    offPeak: region.offPeak,
    resume: undefined,
    zone: undefined,
    ...given,
  };
}
