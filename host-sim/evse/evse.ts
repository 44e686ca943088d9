/**
 * The charger's power part: pilot, contactor, meter, safety. It is told a limit in amperes and carries it out
 * in the order that SAE J1772 wants: to stop, the pilot goes first and the contactor opens at zero load, or
 * after 3 s with load; to start, the pilot offers and the contactor closes when the car asks (state C).
 */
import { NEVER } from "../../src/ports/time.js";
import type { Car, CarSupply } from "./car.js";
import { dutyOfAmperes, PILOT_MIN_A, PILOT_OFF, PILOT_STEADY, type PilotState } from "./pilot.js";

export interface EvseConfig {
  /** What the hardware is built for, amperes. */
  readonly ratedA: number;
  /** What the installer has set, amperes; never above `ratedA`. */
  readonly installerMaxA: number;
  readonly phases: 1 | 3;
  /** Phase voltage (split phase: 240). */
  readonly voltageV: number;
  /** From plugging in to the first offer on the pilot. */
  readonly offerAfterMs: number;
  /** From state C to a closed contactor. */
  readonly closeAfterMs: number;
  /** With load the contactor opens so long after the pilot (SAE J1772: 3 s). */
  readonly openAfterMs: number;
  /** Pulls the pilot to state F for 4 s when a car does not take up an offer within 30 s after a pause. */
  readonly wakesCars: boolean;
}

/** Faults of charger and car. They last until cleared; {@link Evse.clearFaults} or `fault("none")` ends them. */
export type EvseFault =
  /** Residual current: the contactor opens under load at once, the pilot goes to F, state 5. */
  | "ground-fault"
  /** Pilot shorted to earth: state E, the contactor opens at once, state 5. */
  | "pilot-short"
  /** The contactor no longer opens; the charger reports state 5 as soon as it should have. */
  | "contactor-welded"
  /** The car keeps its current whatever the pilot says; the charger does not trip. */
  | "car-ignores-pilot"
  /** The energy meter reports the last power for ever. */
  | "meter-stuck";

/** Longest step of time while something is on the move, and while nothing is. */
const FINE_MS = 100;
const COARSE_MS = 20_000;
const WAKE_TOGGLE_MS = 4000;
const WAKE_PATIENCE_MS = 30_000;

export class Evse {
  /** Energy delivered since it was made, watt hours. */
  energyWh = 0;
  dutyPercent = PILOT_STEADY;
  contactorClosed = false;
  /** The car on the cable. */
  car: Car | undefined;

  private limitA = 0;
  private atMs = NEVER;
  private pluggedForMs = 0;
  /** How long the pilot has offered nothing with the contactor still closed; since the stop. */
  private stoppingMs = 0;
  private askedForMs = 0;
  private toggleLeftMs = 0;
  private unusedOfferMs = 0;
  private paused = false;
  private readonly faults = new Set<EvseFault>();
  private stuckPowerW: number | undefined;

  constructor(readonly config: EvseConfig) {}

  /** The limit to keep, amperes per phase; under 6 A means stop. Takes effect with the next {@link step}. */
  setLimit(amperes: number): void {
    // Down to the milliampere: what is offered never exceeds what is allowed.
    const fineA = Math.floor(amperes * 1000 + 1e-6) / 1000;
    this.limitA = fineA < PILOT_MIN_A ? 0 : Math.min(fineA, this.config.installerMaxA);
  }

  /** What the pilot is to offer, amperes; 0 = stop. */
  get offeredA(): number {
    return this.isTripped ? 0 : this.limitA;
  }

  /** Current per phase, amperes. */
  get currentA(): number {
    return this.car === undefined || !this.contactorClosed ? 0 : this.car.currentA;
  }

  /** Power as its meter shows it, watts. */
  get powerW(): number {
    if (this.stuckPowerW !== undefined) return this.stuckPowerW;
    return this.truePowerW;
  }

  /** What a dangerous fault says: out of service. */
  get isTripped(): boolean {
    return this.faults.has("ground-fault") || this.faults.has("pilot-short");
  }

  /** Out of service: operational state 5. */
  get isFaulted(): boolean {
    const welded = this.faults.has("contactor-welded") && this.contactorClosed && this.stoppingMs > 0;
    return this.isTripped || welded;
  }

  get pilotState(): PilotState {
    if (this.faults.has("pilot-short")) return "E";
    if (this.dutyPercent === PILOT_OFF) return "F";
    return this.car === undefined ? "A" : this.car.pilotState;
  }

  plug(car: Car): void {
    this.car = car;
    car.replugged();
    car.ignoresPilot = this.faults.has("car-ignores-pilot");
    this.pluggedForMs = 0;
    this.paused = false;
    this.unusedOfferMs = 0;
  }

  /** Pulls the cable: the contactor drops within the same moment, under load too. */
  unplug(): void {
    this.car?.replugged();
    this.car = undefined;
    this.openContactor();
    this.dutyPercent = PILOT_STEADY;
    this.toggleLeftMs = 0;
  }

  fault(name: EvseFault): void {
    this.faults.add(name);
    if (name === "meter-stuck") this.stuckPowerW ??= this.truePowerW;
    if (this.car !== undefined && name === "car-ignores-pilot") this.car.ignoresPilot = true;
    if (this.isTripped) this.openContactor();
  }

  clearFaults(): void {
    this.faults.clear();
    this.stuckPowerW = undefined;
    if (this.car !== undefined) this.car.ignoresPilot = false;
  }

  /** Faults that are on. */
  get faultNames(): readonly EvseFault[] {
    return [...this.faults];
  }

  /** Pulls the pilot to state F for 4 s, which wakes a sleeping car. */
  wakeCar(): void {
    if (this.car !== undefined) this.toggleLeftMs = WAKE_TOGGLE_MS;
  }

  /** Brings the model to `nowMs`; long steps are cut so that the result does not depend on who polls how often. */
  step(nowMs: number): void {
    if (this.atMs === NEVER) this.atMs = nowMs;
    this.settle(0);
    while (this.atMs < nowMs) {
      const dtMs = Math.min(nowMs - this.atMs, this.isMoving ? FINE_MS : COARSE_MS);
      this.atMs += dtMs;
      if (this.car !== undefined) {
        this.pluggedForMs += dtMs;
        this.energyWh += this.car.step(dtMs, this.supply);
      }
      this.settle(dtMs);
    }
  }

  /** When the model wants to be stepped again. */
  nextMs(): number {
    if (this.atMs === NEVER) return this.atMs;
    if (this.isMoving) return this.atMs + FINE_MS;
    return this.currentA > 0 || this.paused ? this.atMs + COARSE_MS : NEVER;
  }

  private get truePowerW(): number {
    const phases = this.car === undefined ? 0 : Math.min(this.config.phases, this.car.config.phases);
    return this.currentA * this.config.voltageV * phases;
  }

  private get supply(): CarSupply {
    return {
      dutyPercent: this.dutyPercent,
      energised: this.contactorClosed,
      voltageV: this.config.voltageV,
      phases: this.config.phases,
    };
  }

  private get isMoving(): boolean {
    if (this.car === undefined) return false;
    if (this.toggleLeftMs > 0 || this.dutyPercent !== this.wantedDuty()) return true;
    if (this.contactorClosed !== (this.asksForPower() && this.offeredA > 0)) {
      if (!(this.contactorClosed && this.faults.has("contactor-welded"))) return true;
    }
    return this.car.isMoving(this.supply);
  }

  private asksForPower(): boolean {
    // A charger without ventilation refuses state D.
    return this.car?.pilotState === "C";
  }

  private wantedDuty(): number {
    if (this.faults.has("ground-fault") || this.toggleLeftMs > 0) return PILOT_OFF;
    if (this.car === undefined || this.offeredA === 0) return PILOT_STEADY;
    return dutyOfAmperes(this.offeredA);
  }

  /** Pilot and contactor after `dtMs` more: the sequence of SAE J1772. */
  private settle(dtMs: number): void {
    this.toggleLeftMs = Math.max(0, this.toggleLeftMs - dtMs);
    const wanted = this.wantedDuty();
    if (wanted === PILOT_STEADY || wanted === PILOT_OFF || this.pluggedForMs >= this.config.offerAfterMs) {
      this.dutyPercent = wanted;
    }
    const offers = this.dutyPercent !== PILOT_STEADY && this.dutyPercent !== PILOT_OFF;
    this.askedForMs = offers && this.asksForPower() ? this.askedForMs + dtMs : 0;
    if (!this.contactorClosed) {
      if (offers && this.asksForPower() && this.askedForMs >= this.config.closeAfterMs) {
        this.contactorClosed = true;
      }
    } else if (offers && this.asksForPower()) {
      this.stoppingMs = 0;
    } else {
      this.stoppingMs += dtMs;
      if (this.currentA === 0 || this.stoppingMs >= this.config.openAfterMs) this.openContactor();
    }
    this.watchSleeper(dtMs, offers);
  }

  private openContactor(): void {
    if (this.faults.has("contactor-welded") && this.car !== undefined) return;
    this.contactorClosed = false;
    this.stoppingMs = 0;
    if (this.car !== undefined) this.car.currentA = 0;
  }

  private watchSleeper(dtMs: number, offers: boolean): void {
    if (this.car === undefined || !this.config.wakesCars) return;
    if (!offers) {
      if (this.toggleLeftMs === 0) this.paused = true;
    } else if (this.currentA > 0) {
      this.paused = false;
      this.unusedOfferMs = 0;
    } else if (this.paused) {
      this.unusedOfferMs += dtMs;
      if (this.unusedOfferMs >= WAKE_PATIENCE_MS) {
        this.unusedOfferMs = 0;
        this.paused = false;
        this.wakeCar();
      }
    }
  }
}
