import type { LoadStatus, SgdIdentity, SgdStatus } from "../ports/sgd-status.js";

/**
 * What the session knows of the appliance, and what it has learnt not to ask. One object, written by the
 * parts of the session; `changed` asks for a new {@link SgdStatus} to go out.
 */
export class Facts {
  changed = true;
  link: SgdStatus["link"] = "absent";
  identity: SgdIdentity | undefined;
  opState: number | undefined;
  opStateAtMs = 0;
  override = false;
  powerW: number | undefined;
  energyWh: number | undefined;
  meteredAtMs = 0;
  measured = false;
  ratedW: number | undefined;
  storageTotalWh: number | undefined;
  storagePresentWh: number | undefined;
  load: LoadStatus | undefined;

  /** The appliance answered the type query for Intermediate DR: level 2. */
  intermediate = false;
  /** It sleeps (opcode 14) until it wakes (15). */
  asleep = false;
  /** Longest payload that the appliance takes, bytes; 2 before the negotiation (cta2045 2.5). */
  sendPayload = 2;
  /** Basic opcodes refused; not asked again until the next discovery. */
  refusedOps: number[] = [];
  /** It does not take durations: NAK 2 to a command with one, then taken with 00. */
  noDurations = false;
  /** Commodity reads do not work here. */
  noCommodity = false;
  /** Its power levels count from another reference than its rated power; see `LoadStep.level`. */
  alternativeLevels = false;

  refuses(op: number): boolean {
    return this.refusedOps.includes(op);
  }

  learnRefused(op: number): void {
    if (!this.refuses(op)) {
      this.refusedOps.push(op);
      this.changed = true;
    }
  }

  /** True where power can be read from it. */
  get metersPower(): boolean {
    return this.intermediate && !this.noCommodity;
  }

  /** Forgets what belongs to the appliance, as it may be another one now. The load's status stays. */
  forget(): void {
    this.identity = undefined;
    this.opState = undefined;
    this.powerW = undefined;
    this.energyWh = undefined;
    this.ratedW = undefined;
    this.storageTotalWh = undefined;
    this.storagePresentWh = undefined;
    this.override = false;
    this.asleep = false;
    this.forgetLimits();
  }

  /** Forgets what was learnt from refusals: a discovery asks everything again. */
  forgetLimits(): void {
    this.intermediate = false;
    this.refusedOps = [];
    this.noDurations = false;
    this.noCommodity = false;
    this.alternativeLevels = false;
    this.changed = true;
  }

  snapshot(): SgdStatus {
    return {
      link: this.link,
      identity: this.identity,
      opState: this.opState,
      opStateAtMs: this.opStateAtMs,
      override: this.override,
      powerW: this.powerW,
      energyWh: this.energyWh,
      meteredAtMs: this.meteredAtMs,
      measured: this.measured,
      ratedW: this.ratedW,
      storageTotalWh: this.storageTotalWh,
      storagePresentWh: this.storagePresentWh,
      load: this.load,
    };
  }
}
