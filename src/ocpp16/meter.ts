import type { SgdStatus } from "../ports/sgd-status.js";
import type { Json } from "./frames.js";
import { formatInstant } from "./instant.js";

/**
 * The charger's meter as OCPP wants it: a register that never falls. Commodity 0 gives it; where the charger tells
 * power alone, it is added up here; where it tells neither, there is none.
 */
export class Meter {
  powerW: number | undefined;
  /** True once the charger has told power or energy. */
  known = false;
  private baseWh = 0;
  private lastWh: number | undefined;
  private countedWh = 0;
  private countedMs: number | undefined;

  /** Continues at a register's last value that was written down, after a restart. */
  resume(wh: number): void {
    this.baseWh = wh;
  }

  onSgd(status: SgdStatus, nowMs: number): void {
    const { energyWh } = status;
    if (energyWh !== undefined) {
      this.known = true;
      // The first reading after a restart may be the same register; a lower one is a meter that began anew.
      if (this.lastWh === undefined) this.baseWh = energyWh >= this.baseWh ? 0 : this.baseWh - energyWh;
      else if (energyWh < this.lastWh) this.baseWh += this.lastWh - energyWh;
      this.lastWh = energyWh;
    } else if (status.powerW !== undefined) {
      this.known = true;
      if (this.countedMs !== undefined)
        this.countedWh += ((this.powerW ?? 0) * (nowMs - this.countedMs)) / 3_600_000;
      this.countedMs = nowMs;
    }
    this.powerW = status.powerW;
  }

  /** The register, whole watt hours. */
  get wh(): number {
    return Math.round(this.baseWh + (this.lastWh ?? this.countedWh));
  }
}

/** What there is to sample. */
export interface Reading {
  readonly wh: number | undefined;
  readonly powerW: number | undefined;
  /** What the limit in force offers. */
  readonly offeredA: number;
  readonly offeredW: number;
}

export type SampleContext =
  "Sample.Periodic" | "Sample.Clock" | "Transaction.Begin" | "Transaction.End" | "Trigger";

/** A MeterValue of these measurands; undefined where the charger tells none of them. */
export function meterValue(
  measurands: readonly string[],
  context: SampleContext,
  reading: Reading,
  utcMs: number,
): Json | undefined {
  const sampledValue: Json[] = [];
  for (const measurand of measurands) {
    const [value, unit] = valueOf(measurand, reading);
    if (value === undefined) continue;
    sampledValue.push({
      value: String(Math.round(value * 10) / 10),
      context,
      measurand,
      location: "Outlet",
      unit,
    });
  }
  return sampledValue.length === 0 ? undefined : { timestamp: formatInstant(utcMs), sampledValue };
}

function valueOf(measurand: string, reading: Reading): readonly [number | undefined, string] {
  switch (measurand) {
    case "Energy.Active.Import.Register":
      return [reading.wh, "Wh"];
    case "Power.Active.Import":
      return [reading.powerW, "W"];
    case "Current.Offered":
      return [reading.offeredA, "A"];
    default:
      return [reading.offeredW, "W"];
  }
}
