/**
 * An EVSE under load control: power part, car and the grid's wishes together. The mapping is that of the one
 * EVSE measured in public (Siemens VersiCharge, EPRI 2017): Shed half, Critical Peak a quarter of the
 * installer's maximum and never under 6 A, Grid Emergency opens the contactor.
 */
import { BasicOp } from "../../src/wire/message.js";
import { Car, type CarConfig } from "./car.js";
import { Evse, type EvseConfig } from "./evse.js";
import { LoadEvents, type LoadEventOptions } from "./load-events.js";
import { PILOT_MIN_A } from "./pilot.js";

/** How a charger reads what the standard leaves open. */
export interface ChargerPolicy {
  /** What 100 % of a power level means; the standard says rated. */
  readonly powerLevelOf: "rated" | "installer-maximum";
  /** A power level under 6 A: up to 6 A (as measured), or stop. */
  readonly powerLevelFloor: "clamp" | "stop";
  /** Grid guidance "bad" is taken as a Shed, or left alone. */
  readonly guidance: "follow" | "ignore";
  /** State reported during a reduction while no car is there: 0 Idle Normal or 4 Idle Curtailed. */
  readonly idleWithoutCar: 0 | 4;
  /** What the owner set on the charger; Load Up lifts it to the installer's maximum. Undefined: no limit. */
  readonly ownerLimitA: number | undefined;
}

export interface ChargerConfig {
  readonly evse: EvseConfig;
  readonly car: CarConfig;
  readonly policy: ChargerPolicy;
  readonly events: LoadEventOptions;
  readonly pluggedAtStart: boolean;
}

/** Less is no "significant consumption" of the operational states. */
const SIGNIFICANT_A = 0.5;
/** How far over its limit a current may be and still follow. */
const FOLLOWING_A = 0.5;

export class Charger {
  readonly evse: Evse;
  readonly events: LoadEvents;
  /** The car that `plug()` brings; keeps its battery between plugs. */
  readonly car: Car;

  constructor(readonly config: ChargerConfig) {
    this.evse = new Evse(config.evse);
    this.events = new LoadEvents(config.events);
    this.car = new Car(config.car);
    if (config.pluggedAtStart) this.evse.plug(this.car);
  }

  plug(): void {
    if (this.evse.car === undefined) this.evse.plug(this.car);
  }

  unplug(): void {
    this.evse.unplug();
  }

  step(nowMs: number): void {
    this.evse.step(nowMs);
    this.events.step(nowMs);
    this.evse.setLimit(this.limitA());
    this.evse.step(nowMs);
  }

  nextMs(): number {
    return Math.min(this.evse.nextMs(), this.events.nextMs());
  }

  /** What the charger allows now, amperes per phase; 0 = the contactor is to open. */
  limitA(): number {
    const { installerMaxA, ratedA } = this.config.evse;
    const { policy } = this.config;
    const ownA = Math.min(installerMaxA, policy.ownerLimitA ?? installerMaxA);
    const event = this.events.inForce();
    if (event === undefined) return this.badGuidance ? Math.min(ownA, part(installerMaxA, 0.5)) : ownA;
    switch (event.op) {
      case BasicOp.Shed:
        return Math.min(ownA, part(installerMaxA, 0.5));
      case BasicOp.CriticalPeak:
        return Math.min(ownA, part(installerMaxA, 0.25));
      case BasicOp.GridEmergency:
        return 0;
      case BasicOp.PowerLevel: {
        const fullA = policy.powerLevelOf === "rated" ? ratedA : installerMaxA;
        const wantedA = ((event.arg & 0x7f) * fullA) / 127;
        if (wantedA < PILOT_MIN_A && policy.powerLevelFloor === "stop") return 0;
        return Math.min(ownA, Math.max(PILOT_MIN_A, wantedA));
      }
      case BasicOp.LoadUp:
        return this.car.wantsEnergy && this.evse.car !== undefined ? installerMaxA : ownA;
      default:
        return ownA;
    }
  }

  /** Operational state code, cta2045 4.4 with the mapping of 4.5. */
  opState(): number {
    if (this.evse.isFaulted) return 5;
    const running = this.evse.currentA > SIGNIFICANT_A;
    const event = this.events.inForce();
    if (event?.op !== BasicOp.GridEmergency && this.events.override) return running ? 12 : 11;
    if (event === undefined) {
      if (this.badGuidance) return running ? 2 : this.idleCurtailed();
      return running ? 1 : 0;
    }
    if (event.op === BasicOp.PowerLevel) {
      return running && this.evse.currentA <= this.limitA() + FOLLOWING_A ? 9 : 10;
    }
    if (event.op === BasicOp.LoadUp) {
      if (running) return 3;
      return this.evse.car !== undefined && this.car.wantsEnergy ? 6 : 0;
    }
    return running ? 2 : this.idleCurtailed();
  }

  /** Commodity 8, watts. */
  ratedW(): number {
    const { ratedA, voltageV, phases } = this.config.evse;
    return ratedA * voltageV * phases;
  }

  private get badGuidance(): boolean {
    return this.config.policy.guidance === "follow" && this.events.guidance === 0 && !this.events.override;
  }

  private idleCurtailed(): number {
    return this.evse.car === undefined ? this.config.policy.idleWithoutCar : 4;
  }
}

/** A part of the installer's maximum, not under what a pilot can offer. */
function part(installerMaxA: number, factor: number): number {
  return Math.max(PILOT_MIN_A, installerMaxA * factor);
}
