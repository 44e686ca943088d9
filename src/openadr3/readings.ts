import type { SgdStatus } from "../ports/sgd-status.js";

/** What a report value is, and how it is described. */
export interface Measure {
  /** Unit of the enumeration; "" where the type has none. */
  readonly units: string;
  readonly readingType: string;
  /** It is a sum or mean over the interval, so it cannot be told of one that has not been. */
  readonly spans: boolean;
}

/** Undefined for a report type that this module cannot serve. */
export function measureOf(payloadType: string): Measure | undefined {
  switch (payloadType) {
    case "USAGE":
      return { units: "KWH", readingType: "DIRECT_READ", spans: true };
    case "DEMAND":
      return { units: "KW", readingType: "MEAN", spans: true };
    case "READING":
      return { units: "KWH", readingType: "DIRECT_READ", spans: true };
    case "SETPOINT":
    case "LOAD_SHED_DELTA_AVAILABLE":
    case "STORAGE_MAX_CHARGE_POWER":
      return { units: "KW", readingType: "ESTIMATED", spans: false };
    case "STORAGE_USABLE_CAPACITY":
      return { units: "KWH", readingType: "DIRECT_READ", spans: false };
    case "STORAGE_CHARGE_LEVEL":
      return { units: "PERCENT", readingType: "DIRECT_READ", spans: false };
    case "OPERATING_STATE":
    case "SIMPLE_LEVEL":
    case "DATA_QUALITY":
      return { units: "", readingType: "", spans: false };
    default:
      return undefined;
  }
}

/** The load as it was over an interval. */
export interface Span {
  readonly usedWh: number | undefined;
  readonly meanW: number | undefined;
}

/** The value of a report type, or undefined where the appliance does not tell what is needed. */
export function valueOf(
  payloadType: string,
  status: SgdStatus,
  span: Span,
  charger: { readonly installerW: number; readonly ratedW: number },
): number | string | undefined {
  const { powerW, energyWh, storageTotalWh, storagePresentWh } = status;
  switch (payloadType) {
    case "USAGE":
      return kilo(span.usedWh);
    case "DEMAND":
      return kilo(span.meanW);
    case "READING":
      return kilo(energyWh);
    case "SETPOINT":
      return kilo(setpointW(status, charger));
    case "LOAD_SHED_DELTA_AVAILABLE":
      // What Shed would take away now, by the tested EVSE's half of the installer's maximum.
      return powerW === undefined ? undefined : kilo(Math.max(0, powerW - charger.installerW / 2));
    case "STORAGE_MAX_CHARGE_POWER":
      return kilo(status.ratedW ?? charger.ratedW);
    case "STORAGE_USABLE_CAPACITY":
      return kilo(storageTotalWh);
    case "STORAGE_CHARGE_LEVEL":
      if (storageTotalWh === undefined || storagePresentWh === undefined || storageTotalWh <= 0)
        return undefined;
      return Math.round(Math.min(1, Math.max(0, 1 - storagePresentWh / storageTotalWh)) * 1000) / 1000;
    case "OPERATING_STATE":
      return operatingState(status);
    case "SIMPLE_LEVEL":
      return simpleLevel(status);
    case "DATA_QUALITY":
      return status.link !== "online" || powerW === undefined
        ? "MISSING"
        : status.measured
          ? "OK"
          : "ESTIMATED";
    default:
      return undefined;
  }
}

/** The CTA-2045 state by the name that OpenADR gives it; states that it has no name for by the nearest. */
export function operatingState(status: SgdStatus): string {
  if (status.link !== "online") return "ERROR";
  const state = status.opState;
  if (status.override && state !== 11 && state !== 12) {
    return (status.powerW ?? 0) > RUNNING_W ? "RUNNING_OPTED_OUT" : "IDLE_OPTED_OUT";
  }
  return STATES[state ?? -1] ?? "NORMAL";
}

/** More than this is significant consumption. */
const RUNNING_W = 100;

/** By code 0 … 14. Cycling, variable and price-stream states have no name of their own. */
const STATES: readonly string[] = [
  "IDLE_NORMAL",
  "RUNNING_NORMAL",
  "RUNNING_CURTAILED",
  "RUNNING_HEIGHTENED",
  "IDLE_CURTAILED",
  "SGD_ERROR_CONDITION",
  "IDLE_HEIGHTENED",
  "RUNNING_CURTAILED",
  "IDLE_CURTAILED",
  "RUNNING_CURTAILED",
  "RUNNING_NORMAL",
  "IDLE_OPTED_OUT",
  "RUNNING_OPTED_OUT",
  "RUNNING_NORMAL",
  "IDLE_NORMAL",
];

function setpointW(
  { load, ratedW }: SgdStatus,
  charger: { readonly installerW: number; readonly ratedW: number },
): number | undefined {
  switch (load?.command) {
    case "EndShed":
    case "LoadUp":
      return charger.installerW;
    case "Shed":
      return charger.installerW / 2;
    case "CriticalPeak":
      return charger.installerW / 4;
    case "GridEmergency":
      return 0;
    case "PowerLevel":
      return (load.arg / 127) * (ratedW ?? charger.ratedW);
    default:
      return undefined;
  }
}

function simpleLevel({ load }: SgdStatus): number | undefined {
  switch (load?.command) {
    case "EndShed":
    case "LoadUp":
      return 0;
    case "Shed":
    case "PowerLevel":
      return 1;
    case "CriticalPeak":
      return 2;
    case "GridEmergency":
      return 3;
    default:
      return undefined;
  }
}

function kilo(value: number | undefined): number | undefined {
  return value === undefined || !Number.isFinite(value) ? undefined : Math.round(value) / 1000;
}
