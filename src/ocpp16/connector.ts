/**
 * What the charger shows, in OCPP's words (docs/ocpp16.md, "Status"). CTA-2045 knows neither "cable connected" nor a
 * transaction, so this is a table of what is told and, where nothing is told, an admitted guess.
 */
import type { SgdStatus } from "../ports/sgd-status.js";

export type ConnectorStatus =
  | "Available"
  | "Preparing"
  | "Charging"
  | "SuspendedEVSE"
  | "SuspendedEV"
  | "Finishing"
  | "Unavailable"
  | "Faulted";

/** Above this a car charges, watts. */
export const CHARGING_W = 100;
/** How long a charger may be silent before it counts as faulted, ms. */
const SILENCE_MS = 60_000;

/** What else the status depends on. */
export interface Situation {
  readonly operative: boolean;
  readonly inTransaction: boolean;
  /** A remote start waits for its car. */
  readonly starting: boolean;
  /** A transaction has ended, and the car has not been seen to leave. */
  readonly finishing: boolean;
  /** This client holds the charger at no current. */
  readonly held: boolean;
}

export interface Told {
  readonly status: ConnectorStatus;
  readonly errorCode: "NoError" | "OtherError";
  readonly info: string;
}

const RUNNING: readonly number[] = [1, 2, 3, 7, 12, 13];
const IDLE: readonly number[] = [0, 6, 14];

/** Follows the charger and knows what it has shown. */
export class Connector {
  /** The charger draws current. */
  charging = false;
  /** A car is there (true), is not (false), or nothing tells (undefined). */
  plugged: boolean | undefined;
  private status: SgdStatus | undefined;
  private silentSinceMs: number | undefined;
  private silent = true;
  /** Commodity 6 has told of a car once: from then on its zero means that there is none. */
  private tellsCar = false;

  constructor(private readonly evidence: "auto" | "storage" | "none") {}

  onSgd(status: SgdStatus, nowMs: number): void {
    this.status = status;
    if (status.link === "online") {
      this.silentSinceMs = undefined;
      this.silent = false;
    } else this.silentSinceMs ??= nowMs;
    const { storageTotalWh } = status;
    if (storageTotalWh !== undefined && storageTotalWh > 0) this.tellsCar = true;
    const tells = this.evidence === "storage" || (this.evidence === "auto" && this.tellsCar);
    this.plugged = tells && storageTotalWh !== undefined ? storageTotalWh > 0 : undefined;
    this.charging = isCharging(status);
    if (this.charging && this.plugged === false) this.plugged = true;
  }

  /** When silence becomes a fault; undefined while the charger is heard, or is faulted already. */
  dueMs(nowMs: number): number | undefined {
    this.silentSinceMs ??= this.status === undefined ? nowMs : undefined;
    if (this.silentSinceMs === undefined || this.isLost(nowMs)) return undefined;
    return this.silentSinceMs + SILENCE_MS;
  }

  tell(situation: Situation, nowMs: number): Told {
    const { status } = this;
    if (this.isLost(nowMs)) return fault("the charger does not answer");
    if (!situation.operative) return told("Unavailable");
    // Nothing is known yet, and nothing is claimed.
    if (status === undefined || this.silent) return told("Unavailable");
    if (status.opState === 5) return fault("the charger reports a fault");
    if (this.charging) return told(situation.finishing && situation.held ? "Finishing" : "Charging");
    if (situation.inTransaction) {
      return told(isPaused(status) || situation.held ? "SuspendedEVSE" : "SuspendedEV");
    }
    if (situation.starting) return told("Preparing");
    if (this.plugged === true) return told(situation.finishing ? "Finishing" : "Preparing");
    return told("Available");
  }

  private isLost(nowMs: number): boolean {
    return this.silentSinceMs !== undefined && nowMs - this.silentSinceMs >= SILENCE_MS;
  }
}

function told(status: ConnectorStatus): Told {
  return { status, errorCode: "NoError", info: "" };
}

function fault(info: string): Told {
  return { status: "Faulted", errorCode: "OtherError", info };
}

/** The state says so, and no power reading contradicts a state that leaves it open. */
function isCharging({ opState, powerW }: SgdStatus): boolean {
  if (opState !== undefined && RUNNING.includes(opState)) return true;
  const open = opState === undefined || opState === 9 || opState === 10 || opState > 14;
  if (opState === 9 && powerW === undefined) return true;
  return open && powerW !== undefined && powerW > CHARGING_W;
}

/** The module, or the charger on its behalf, keeps the car from charging. */
function isPaused({ opState, load }: SgdStatus): boolean {
  if (opState === 4 || opState === 8 || opState === 11) return true;
  if (opState !== undefined && !IDLE.includes(opState) && opState !== 10) return false;
  return load?.command === "GridEmergency" || (load?.command === "PowerLevel" && load.arg === 0);
}
