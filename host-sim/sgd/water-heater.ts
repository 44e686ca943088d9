/**
 * A heat-pump water heater, coarse: a tank of energy between cold and hot, a heat pump with hysteresis, an
 * element that helps when the tank is nearly cold or when asked to load up. Enough to be an appliance of
 * another kind than a charger for a module that expects one.
 */
import { NEVER } from "../../src/ports/time.js";
import { BasicOp, type CommodityRecord } from "../../src/wire/message.js";
import { LoadEvents, type LoadEventOptions } from "../evse/load-events.js";
import type { Appliance, ApplianceDetail, ApplianceFault, ApplianceState } from "./appliance.js";
import type { Profile } from "./profile-model.js";

const STEP_MS = 60_000;
/** Heat pump: three times the heat of the electricity. */
const GAIN = 3;

export class WaterHeater implements Appliance {
  readonly events: LoadEvents;
  private levelWh: number;
  private heating = false;
  private energyWh = 0;
  private faulted = false;
  private atMs = NEVER;

  constructor(
    private readonly config: Profile["heater"],
    events: LoadEventOptions,
  ) {
    this.events = new LoadEvents(events);
    this.levelWh = config.level * config.capacityWh;
  }

  step(nowMs: number): void {
    if (this.atMs === NEVER) this.atMs = nowMs;
    while (this.atMs < nowMs) {
      const dtMs = Math.min(STEP_MS, nowMs - this.atMs);
      this.atMs += dtMs;
      const hours = dtMs / 3_600_000;
      const heatW = this.powerW === 0 ? 0 : this.config.heatPumpW * GAIN + this.elementW;
      this.energyWh += this.powerW * hours;
      const level = this.levelWh + (heatW - this.config.drawW) * hours;
      this.levelWh = Math.min(this.config.capacityWh, Math.max(0, level));
      this.thermostat();
    }
    this.events.step(nowMs);
    this.thermostat();
  }

  nextMs(): number {
    return Math.min(this.atMs + STEP_MS, this.events.nextMs());
  }

  state(): ApplianceState {
    return {
      opState: this.opState(),
      currentA: Math.round((this.powerW / 240) * 100) / 100,
      limitA: 0,
      contactor: this.heating ? "closed" : "open",
      plugged: true,
      override: this.events.override,
      powerW: Math.round(this.powerW),
    };
  }

  detail(): ApplianceDetail {
    return { energyWh: Math.round(this.energyWh), socPercent: undefined, installerMaxA: 0, pilot: "" };
  }

  get faults(): readonly ApplianceFault[] {
    return this.faulted ? ["ground-fault"] : [];
  }

  commodity(code: number, measured: boolean): CommodityRecord | undefined {
    switch (code) {
      case 0:
        return { code, measured, rate: Math.round(this.powerW), cumulative: Math.floor(this.energyWh) };
      case 6:
        return { code, measured, rate: undefined, cumulative: this.config.capacityWh };
      case 7: {
        const room = Math.round(this.config.capacityWh - this.levelWh);
        return { code, measured, rate: undefined, cumulative: room };
      }
      default:
        return undefined;
    }
  }

  takesPowerLevel(): boolean {
    return false;
  }

  plug(): void {
    // A water heater has no cable.
  }

  unplug(): void {
    // As above.
  }

  fault(name: ApplianceFault): void {
    // The others are a charger's.
    if (name === "ground-fault") this.faulted = true;
  }

  clearFaults(): void {
    this.faulted = false;
  }

  private get elementW(): number {
    return this.events.inForce()?.op === BasicOp.LoadUp ? this.config.elementW : 0;
  }

  private get powerW(): number {
    return this.heating && !this.faulted ? this.config.heatPumpW + this.elementW : 0;
  }

  /** Lower thresholds while curtailed; in an emergency nothing. */
  private thermostat(): void {
    const level = this.levelWh / this.config.capacityWh;
    const op = this.events.inForce()?.op;
    if (op === BasicOp.GridEmergency || this.faulted) this.heating = false;
    else if (op === BasicOp.LoadUp) this.heating = level < 1;
    else {
      const curtailed = op === BasicOp.Shed || op === BasicOp.CriticalPeak || this.badGuidance;
      const [on, off] = curtailed ? [0.15, 0.25] : [0.8, 0.98];
      if (level < on) this.heating = true;
      else if (level >= off) this.heating = false;
    }
  }

  private get badGuidance(): boolean {
    return this.events.guidance === 0 && !this.events.override;
  }

  private opState(): number {
    if (this.faulted) return 5;
    const running = this.powerW > 0;
    const op = this.events.inForce()?.op;
    if (op !== BasicOp.GridEmergency && this.events.override) return running ? 12 : 11;
    if (op === BasicOp.LoadUp) return running ? 3 : 6;
    if (op !== undefined || this.badGuidance) return running ? 2 : 4;
    return running ? 1 : 0;
  }
}
