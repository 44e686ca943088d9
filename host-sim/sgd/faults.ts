/**
 * Every misbehaviour that `SgdSimulator.fault(name)` and `POST /fault` know, in one table. `NAME:N` hits only
 * the next N frames or answers; `none` ends them all.
 */
import { LINE_FAULTS, type LineFault } from "../line/fault-names.js";
import type { ApplianceFault } from "./appliance.js";

export type AnswerFault = keyof typeof ANSWER_FAULTS;

/** Faults of the application: the link works. */
export const ANSWER_FAULTS = {
  "never-replies": "Link ACK, but no application reply.",
  "late-reply": "Application replies come after 5 s, past the 3 s allowed.",
  "wrong-reply": "Replies name another opcode than the one asked.",
  "duplicate-state": "Operational states are sent twice.",
  "app-nak-busy": "Load commands get application NAK 03 (busy).",
  "app-nak-refused": "Every Basic command but a query gets application NAK 01 (not supported).",
  "ack-only": "Load commands are acknowledged and nothing happens.",
  "stuck-state": "The state last reported is reported for ever.",
  "overstates-payload": "Refuses with link NAK 02 what its payload limit allows (more than 8 bytes).",
} as const;

/** Faults of charger and car, and things that happen to them. */
export const APPLIANCE_FAULTS = {
  "ground-fault": "Residual current: the contactor opens under load, state 5.",
  "pilot-short": "The pilot is shorted: J1772 state E, the contactor opens, state 5.",
  "contactor-welded": "The contactor does not open; state 5 once it should have.",
  "car-ignores-pilot": "The car keeps its current whatever the pilot says.",
  "meter-stuck": "The meter shows the present power for ever.",
  "car-asleep": "The car falls asleep now: no current until it is re-plugged or woken.",
  "wake-car": "The charger toggles the pilot, which wakes a sleeping car.",
} as const satisfies Record<ApplianceFault, string>;

/** Things that the simulator does once when told. */
export const ACTIONS = {
  none: "Ends every fault.",
  reboot: "Loses power for a moment and starts anew: the event is forgotten, the customer's override stays.",
  sleep: "Says Sleep.",
  wake: "Says Wake: the module must send everything in force within 10 s.",
} as const;

/** All names with what each does. */
export const FAULTS: Readonly<
  Record<LineFault | AnswerFault | ApplianceFault | keyof typeof ACTIONS, string>
> = {
  ...ACTIONS,
  ...LINE_FAULTS,
  ...ANSWER_FAULTS,
  ...APPLIANCE_FAULTS,
};

/** Every name of the table. */
export function faultNames(): readonly string[] {
  return Object.keys(FAULTS);
}

export function isAnswerFault(name: string): name is AnswerFault {
  return Object.hasOwn(ANSWER_FAULTS, name);
}

export function isApplianceFault(name: string): name is ApplianceFault {
  return Object.hasOwn(APPLIANCE_FAULTS, name);
}

/** Counts answer faults down; a fault without a number lasts. */
export class AnswerFaults {
  private readonly left = new Map<AnswerFault, number>();

  start(name: AnswerFault, times = Number.POSITIVE_INFINITY): void {
    this.left.set(name, times);
  }

  get names(): readonly AnswerFault[] {
    return [...this.left.keys()];
  }

  clear(): void {
    this.left.clear();
  }

  /** True while the fault is on; does not count. */
  has(name: AnswerFault): boolean {
    return this.left.has(name);
  }

  /** True where the fault strikes now; counts. */
  hits(name: AnswerFault): boolean {
    const left = this.left.get(name);
    if (left === undefined) return false;
    if (left <= 1) this.left.delete(name);
    else this.left.set(name, left - 1);
    return true;
  }
}
