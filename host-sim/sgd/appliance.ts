/**
 * What the charger's session needs of the thing behind it, whatever it is, and the charger in that shape.
 */
import { BasicOp, type CommodityRecord } from "../../src/wire/message.js";
import { Charger, type ChargerConfig } from "../evse/charger.js";
import type { EvseFault } from "../evse/evse.js";
import type { LoadEvents } from "../evse/load-events.js";
import { pilotInWords } from "../evse/pilot.js";

/** The part of the `state` object of `openucm sgd --json` that the appliance knows. */
export interface ApplianceState {
  readonly opState: number;
  /** Per phase, amperes. */
  readonly currentA: number;
  /** What it allows itself now, amperes. */
  readonly limitA: number;
  readonly contactor: "closed" | "open";
  readonly plugged: boolean;
  readonly override: boolean;
  readonly powerW: number;
}

/** What a page shows beside the state. */
export interface ApplianceDetail {
  readonly energyWh: number;
  /** Of the car's battery, percent; undefined where no car is there. */
  readonly socPercent: number | undefined;
  readonly installerMaxA: number;
  /** SAE J1772: state of the pilot, 1 where it is steady and 2 with the duty cycle where it is not; "" where there is none. */
  readonly pilot: string;
}

/** Faults of the appliance itself, by name; `car-asleep` and `wake-car` are no faults but happen at once. */
export type ApplianceFault = EvseFault | "car-asleep" | "wake-car";

export interface Appliance {
  readonly events: LoadEvents;
  step(nowMs: number): void;
  nextMs(): number;
  state(): ApplianceState;
  detail(): ApplianceDetail;
  /** Faults that are on. */
  readonly faults: readonly string[];
  /** The record of one commodity code; undefined where the appliance has none. */
  commodity(code: number, measured: boolean): CommodityRecord | undefined;
  /** False where a level cannot be kept at all, e.g. one to produce. */
  takesPowerLevel(arg: number): boolean;
  plug(): void;
  unplug(): void;
  fault(name: ApplianceFault): void;
  clearFaults(): void;
}

export class ChargerAppliance implements Appliance {
  readonly charger: Charger;

  constructor(config: ChargerConfig) {
    this.charger = new Charger(config);
  }

  get events(): LoadEvents {
    return this.charger.events;
  }

  step(nowMs: number): void {
    this.charger.step(nowMs);
  }

  nextMs(): number {
    return this.charger.nextMs();
  }

  state(): ApplianceState {
    const { evse, events } = this.charger;
    return {
      opState: this.charger.opState(),
      currentA: Math.round(evse.currentA * 100) / 100,
      limitA: Math.round(evse.offeredA * 100) / 100,
      contactor: evse.contactorClosed ? "closed" : "open",
      plugged: evse.car !== undefined,
      override: events.override,
      powerW: Math.round(evse.powerW),
    };
  }

  detail(): ApplianceDetail {
    const { evse, car } = this.charger;
    return {
      energyWh: Math.round(evse.energyWh),
      socPercent: evse.car === undefined ? undefined : Math.round(car.soc * 1000) / 10,
      installerMaxA: evse.config.installerMaxA,
      pilot: pilotInWords(evse.pilotState, evse.dutyPercent),
    };
  }

  get faults(): readonly string[] {
    return this.charger.evse.faultNames;
  }

  commodity(code: number, measured: boolean): CommodityRecord | undefined {
    const { evse, car } = this.charger;
    const plugged = evse.car !== undefined;
    switch (code) {
      case 0:
        return { code, measured, rate: Math.round(evse.powerW), cumulative: Math.floor(evse.energyWh) };
      case 6:
        return { code, measured: false, rate: undefined, cumulative: plugged ? car.config.capacityWh : 0 };
      case 7:
        return { code, measured: false, rate: undefined, cumulative: plugged ? Math.round(car.roomWh) : 0 };
      case 8:
        return { code, measured: false, rate: Math.round(this.charger.ratedW()), cumulative: undefined };
      default:
        return undefined;
    }
  }

  takesPowerLevel(arg: number): boolean {
    // A J1772 charger cannot produce; zero produced is zero.
    return arg <= 0x80;
  }

  plug(): void {
    this.charger.plug();
  }

  unplug(): void {
    this.charger.unplug();
  }

  fault(name: ApplianceFault): void {
    if (name === "car-asleep") this.charger.car.asleep = true;
    else if (name === "wake-car") this.charger.evse.wakeCar();
    else this.charger.evse.fault(name);
  }

  clearFaults(): void {
    this.charger.evse.clearFaults();
  }
}

/** opcode1 that puts a load event in force. */
export function isLoadEvent(op: number): boolean {
  switch (op) {
    case BasicOp.Shed:
    case BasicOp.CriticalPeak:
    case BasicOp.GridEmergency:
    case BasicOp.LoadUp:
    case BasicOp.PowerLevel:
      return true;
    default:
      return false;
  }
}
