import type { FlashPort } from "../ports/flash.js";
import type { SgdStatus } from "../ports/sgd-status.js";
import type { Now } from "../ports/time.js";
import { EnergyBook } from "./energy.js";
import { EventLog, type EventLevel } from "./event-log.js";
import { FlashLog } from "./flash-log.js";
import { FlashArea } from "./flash-sector.js";
import { SecurityLog, type SecurityCode } from "./security-log.js";
import { SessionBook } from "./sessions.js";

/** Sectors of each ring, in this order; 24 × 4 KB = 96 KB in all. */
const TODAY_SECTORS = 2;
/** 37 days a sector, of which ten are full at any time: 370 days. */
const DAY_SECTORS = 11;
/** 24 bytes a session and 16 a change: two sessions a day and 400 changes a year. */
const SESSION_SECTORS = 7;
const EVENT_SECTORS = 2;
const SECURITY_SECTORS = 2;
export const JOURNAL_SECTORS =
  TODAY_SECTORS + DAY_SECTORS + SESSION_SECTORS + EVENT_SECTORS + SECURITY_SECTORS;

/** Below this the charger's own electronics are all that draws, W. */
const CHARGING_W = 100;
/** Operational states that charge: running in any way, and cycling or variable "on" (CTA-2045 table of states). */
const CHARGING_STATES: readonly number[] = [1, 2, 3, 7, 9, 12];

/** What demand response wants, as the journal needs to know it. */
export interface JournalIntent {
  readonly ask: string;
  /** What is left of the installer's maximum, 0…1 (a stop is 0). */
  readonly level: number;
  readonly source: string;
}

/** The module's memory of what happened, in 96 KB of flash. Lost by a power cut: at most the running half hour. */
export class Journal {
  readonly energy: EnergyBook;
  readonly sessions: SessionBook;
  readonly events: EventLog;
  readonly security: SecurityLog;
  private readonly logs: readonly FlashLog[];
  private level = 1;
  private intent = "";
  private notedHalf = -1;
  /** The meter of a charger that tells power alone, Wh, and when it was last moved. */
  private countedWh: number | undefined;
  private countedAtMs: number | undefined;
  private powerW = 0;

  /** `firstSector`: where the journal's 24 sectors begin. */
  constructor(flash: FlashPort, firstSector = 0) {
    let next = firstSector;
    const ring = (sectors: number, spareBytes?: number): FlashLog => {
      next += sectors;
      return new FlashLog(new FlashArea(flash, next - sectors, sectors), spareBytes);
    };
    const today = ring(TODAY_SECTORS);
    const days = ring(DAY_SECTORS, 216);
    const sessions = ring(SESSION_SECTORS, 96);
    const events = ring(EVENT_SECTORS);
    const security = ring(SECURITY_SECTORS);
    this.logs = [today, days, sessions, events, security];
    this.energy = new EnergyBook(today, days);
    this.sessions = new SessionBook(sessions, today);
    this.events = new EventLog(events);
    this.security = new SecurityLog(security);
  }

  /** The appliance has told something. Call it with every reading, and once at each end of a half hour. */
  onSgd(status: SgdStatus, now: Now): void {
    const energyWh = this.readingOf(status, now);
    if (energyWh === undefined) return;
    this.energy.onMeter(energyWh, now);
    const charging =
      status.powerW === undefined
        ? status.opState !== undefined && CHARGING_STATES.includes(status.opState)
        : status.powerW >= CHARGING_W;
    this.sessions.onReading(charging, energyWh, this.level <= 0, now);
    const half = now.utcMs === undefined ? -1 : Math.floor(now.utcMs / 1_800_000);
    if (half > this.notedHalf) {
      this.notedHalf = half;
      this.sessions.note();
    }
  }

  /** What is in force has changed, or is told again. */
  onIntent(intent: JournalIntent, now: Now): void {
    this.level = intent.level;
    const words = `${intent.ask} ${String(intent.level)} ${intent.source}`;
    if (words === this.intent) return;
    this.intent = words;
    this.sessions.onChange(intent.ask, intent.level * 100, intent.source, now);
  }

  addEvent(level: EventLevel, text: string, now: Now): void {
    this.events.add(level, text, now);
  }

  addSecurity(code: SecurityCode, text: string, now: Now): void {
    this.security.add(code, text, now);
  }

  /** True where a quiet line should be used for `tidy`. */
  get wantsErase(): boolean {
    return this.logs.some((log) => log.wantsErase);
  }

  /** Erases at most one sector. True if it did. */
  tidy(): boolean {
    return this.logs.some((log) => log.tidy());
  }

  get erases(): number {
    return this.logs.reduce((sum, log) => sum + log.erases, 0);
  }

  /** Erasures that could not wait for a quiet line: 0 where `tidy` is called now and then. */
  get forcedErases(): number {
    return this.logs.reduce((sum, log) => sum + log.forcedErases, 0);
  }

  /**
   * Factory reset: forgets sessions, energy and events, which belong to the owner that was. The security log is
   * kept where the law wants it kept (uk), else it is forgotten too; either way it says that there was a reset.
   */
  purge(keepSecurityLog: boolean, now: Now): void {
    while (this.purgeStep(keepSecurityLog)) continue;
    for (const log of this.purgeable(keepSecurityLog)) log.clear();
    this.energy.forget();
    this.sessions.forget();
    this.events.forget();
    this.security.add("factory-reset", keepSecurityLog ? "" : "the log before this entry was purged", now);
  }

  /** Erases one sector of what `purge` forgets; false where nothing is left. Record nothing between it and `purge`. */
  purgeStep(keepSecurityLog: boolean): boolean {
    return this.purgeable(keepSecurityLog).some((log) => log.clearStep());
  }

  /** The security log is the last of the list. */
  private purgeable(keepSecurityLog: boolean): readonly FlashLog[] {
    return keepSecurityLog ? this.logs.slice(0, -1) : this.logs;
  }

  /** The charger's meter, or one that is counted here from its power. */
  private readingOf(status: SgdStatus, now: Now): number | undefined {
    if (status.energyWh !== undefined) return status.energyWh;
    if (status.powerW === undefined) return undefined;
    this.countedWh ??= this.energy.lastReadingWh ?? 0;
    if (this.countedAtMs !== undefined) {
      this.countedWh += (this.powerW * (now.ms - this.countedAtMs)) / 3_600_000;
    }
    this.countedAtMs = now.ms;
    this.powerW = status.powerW;
    return this.countedWh;
  }
}
