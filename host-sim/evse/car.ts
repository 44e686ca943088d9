/**
 * The electric car on the cable: battery, charger on board, and the habits that matter to demand response.
 * It follows the pilot within 5 s, tapers near full, and may fall asleep in a pause and stay so.
 */
import { amperesOfDuty, PILOT_OFF } from "./pilot.js";

export interface CarConfig {
  /** Battery, watt hours. */
  readonly capacityWh: number;
  /** State of charge at start, 0–1. */
  readonly soc: number;
  /** Where it stops by itself, 0–1. */
  readonly targetSoc: number;
  /** Most that its own charger takes per phase, amperes. */
  readonly maxCurrentA: number;
  /** Phases of its own charger. */
  readonly phases: 1 | 3;
  /** From this state of charge on the current falls linearly to a tenth at 1. */
  readonly taperFromSoc: number;
  /** From cable to battery, 0–1. */
  readonly efficiency: number;
  /** From an offer on the pilot to state C. */
  readonly readyMs: number;
  /** From a new duty to the first change of current. */
  readonly followMs: number;
  /** Speed of a change of current; with `followMs` it must stay under the 5 s of SAE J1772. */
  readonly rampAPerS: number;
  /** Falls asleep when the pilot offers nothing for so long; only a re-plug or state F wakes it. Undefined: never. */
  readonly sleepsAfterPauseMs: number | undefined;
  /** Asks for ventilation: state D in place of C. */
  readonly ventilation: boolean;
}

/** A car with a large battery, half full, that takes what a 48 A charger gives. */
export const DEFAULT_CAR: CarConfig = {
  capacityWh: 75_000,
  soc: 0.3,
  targetSoc: 1,
  maxCurrentA: 48,
  phases: 1,
  taperFromSoc: 0.85,
  efficiency: 0.92,
  readyMs: 1000,
  followMs: 500,
  rampAPerS: 10,
  sleepsAfterPauseMs: undefined,
  ventilation: false,
};

/** State F must last so long to wake a sleeping car. */
const WAKE_MS = 3000;
/** When the offer ends the car unloads at this speed, so that the contactor opens at zero load within 3 s. */
const STOP_A_PER_S = 40;

/** What the car sees of the charger for the length of a step. */
export interface CarSupply {
  readonly dutyPercent: number;
  /** The contactor is closed. */
  readonly energised: boolean;
  /** Phase voltage. */
  readonly voltageV: number;
  readonly phases: 1 | 3;
}

export class Car {
  /** State of charge, 0–1. */
  soc: number;
  /** Current per phase, amperes. */
  currentA = 0;
  asleep = false;
  /** Fault switch: keeps what current it has, whatever the pilot says. */
  ignoresPilot = false;

  private ready = false;
  private offeredA = 0;
  private offeredForMs = 0;
  private offMs = 0;
  /** What is followed now; lags `offeredA` by `followMs`. */
  private followedA = 0;

  constructor(readonly config: CarConfig) {
    this.soc = config.soc;
  }

  /** Has room in the battery. A sleeping car wants energy too; it does not ask for it. */
  get wantsEnergy(): boolean {
    return this.soc < this.config.targetSoc - 1e-9;
  }

  /** Watt hours that the battery holds and could still take, for commodity 6 and 7. */
  get roomWh(): number {
    return Math.max(0, (this.config.targetSoc - this.soc) * this.config.capacityWh);
  }

  /** B, or C (D) while its own switch is closed. */
  get pilotState(): "B" | "C" | "D" {
    if (!this.ready) return "B";
    return this.config.ventilation ? "D" : "C";
  }

  /** The cable was pulled or put in: whatever it was doing is over. */
  replugged(): void {
    this.currentA = 0;
    this.asleep = false;
    this.ready = false;
    this.offeredA = 0;
    this.offeredForMs = 0;
    this.offMs = 0;
    this.followedA = 0;
  }

  /** Advances by `dtMs` (short: the caller cuts time at every change) and gives the energy taken, watt hours. */
  step(dtMs: number, supply: CarSupply): number {
    this.watchPilot(dtMs, supply.dutyPercent);
    const volts = supply.voltageV * Math.min(supply.phases, this.config.phases);
    const before = this.currentA;
    const target = this.targetA(supply);
    const speed = target === 0 && this.offeredA === 0 ? STOP_A_PER_S : this.config.rampAPerS;
    this.currentA = supply.energised ? approach(before, target, (speed * dtMs) / 1000) : 0;
    if (this.ready && this.currentA === 0 && !this.mayDraw()) this.ready = false;
    const energyWh = (((before + this.currentA) / 2) * volts * dtMs) / 3_600_000;
    this.soc = Math.min(1, this.soc + (energyWh * this.config.efficiency) / this.config.capacityWh);
    return energyWh;
  }

  /** True while current or readiness are on the move, so that the caller steps finely. */
  isMoving(supply: CarSupply): boolean {
    if (amperesOfDuty(supply.dutyPercent) !== this.offeredA) return true;
    if (this.offeredA !== this.followedA) return true;
    if (!this.ready && this.mayDraw()) return true;
    return supply.energised && Math.abs(this.currentA - this.targetA(supply)) > 0.05;
  }

  private mayDraw(): boolean {
    return this.offeredA > 0 && this.wantsEnergy && !this.asleep;
  }

  private targetA(supply: CarSupply): number {
    if (this.ignoresPilot && supply.energised && this.currentA > 0) return this.currentA;
    if (!this.ready || !this.mayDraw()) return 0;
    const { maxCurrentA, taperFromSoc } = this.config;
    const into = (this.soc - taperFromSoc) / (1 - taperFromSoc);
    const taper = this.soc <= taperFromSoc ? 1 : 1 - 0.9 * Math.min(1, into);
    return Math.min(this.followedA, maxCurrentA * taper);
  }

  private watchPilot(dtMs: number, dutyPercent: number): void {
    const offered = amperesOfDuty(dutyPercent);
    if (offered !== this.offeredA) {
      this.offeredA = offered;
      this.offeredForMs = 0;
    }
    this.offeredForMs += dtMs;
    if (this.offeredA === 0 || this.offeredForMs >= this.config.followMs) this.followedA = this.offeredA;
    this.offMs = offered === 0 ? this.offMs + dtMs : 0;
    if (offered > 0) {
      if (!this.ready && this.mayDraw() && this.offeredForMs >= this.config.readyMs) this.ready = true;
    } else if (dutyPercent === PILOT_OFF) {
      if (this.offMs >= WAKE_MS) {
        this.asleep = false;
        this.offMs = 0;
      }
    } else {
      const limitMs = this.config.sleepsAfterPauseMs;
      if (limitMs !== undefined && this.offMs >= limitMs) this.asleep = true;
    }
  }
}

function approach(from: number, to: number, by: number): number {
  return from < to ? Math.min(to, from + by) : Math.max(to, from - by);
}
