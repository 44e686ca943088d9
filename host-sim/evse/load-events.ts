/**
 * What an appliance has been asked by its module: the load event in force with its one countdown, grid
 * guidance, the customer's override and the watch over silence. The same for every kind of appliance; how many
 * watts that means is the appliance's business (cta2045 4 and 4.5).
 */
import { NEVER } from "../../src/ports/time.js";
import { BasicOp } from "../../src/wire/message.js";

export interface LoadEventOptions {
  /** Ends an event by itself after its duration 2·b² s, where b is neither 00 nor FF. */
  readonly ownClock: boolean;
  /** How long the customer's override lasts. */
  readonly overrideHours: number;
  /** opcode1 of the events that the override opts out of; never Grid Emergency. */
  readonly overridable: readonly number[];
  /** Ends an event after so long without an outside comm status (0E), once one has come; undefined: never. */
  readonly silenceS: number | undefined;
}

export interface LoadEvent {
  /** opcode1: Shed, CriticalPeak, GridEmergency, LoadUp or PowerLevel. */
  readonly op: number;
  readonly arg: number;
  /** Monotonic ms; NEVER where no end is known. */
  readonly endsAtMs: number;
}

/** Grid guidance, opcode 0C. */
export type Guidance = 0 | 1 | 2;

const HOUR_MS = 3_600_000;

export class LoadEvents {
  /** As told, whether the customer opted out of it or not. */
  event: LoadEvent | undefined;
  guidance: Guidance = 1;
  /** Last outside communication status, opcode 0E; undefined until told. */
  outsideComm: number | undefined;

  private overrideEndsMs = -1;
  private silenceEndsMs = NEVER;

  constructor(readonly options: LoadEventOptions) {}

  /** Starts or replaces the event in force. `arg` is a duration byte, or a level for PowerLevel. */
  start(op: number, arg: number, nowMs: number): void {
    const timed = op !== BasicOp.PowerLevel && this.options.ownClock && arg > 0 && arg < 0xff;
    this.event = { op, arg, endsAtMs: timed ? nowMs + 2000 * arg * arg : NEVER };
  }

  /** End Shed / Run Normal: nothing is in force any more. */
  end(): void {
    this.event = undefined;
  }

  /** Outside comm status came: silence counts from here. A module that never sends one is not watched. */
  comm(status: number, nowMs: number): void {
    const { silenceS } = this.options;
    this.outsideComm = status;
    this.silenceEndsMs = silenceS === undefined ? NEVER : nowMs + silenceS * 1000;
  }

  setOverride(on: boolean, nowMs: number): void {
    this.overrideEndsMs = on ? nowMs + this.options.overrideHours * HOUR_MS : -1;
  }

  get override(): boolean {
    return this.overrideEndsMs >= 0;
  }

  /** True where the customer's override keeps `op` from having an effect. */
  optsOutOf(op: number): boolean {
    return this.override && op !== BasicOp.GridEmergency && this.options.overridable.includes(op);
  }

  /** The event that binds the appliance, after the customer has had their say. */
  inForce(): LoadEvent | undefined {
    return this.event === undefined || this.optsOutOf(this.event.op) ? undefined : this.event;
  }

  step(nowMs: number): void {
    if (this.event !== undefined && nowMs >= this.event.endsAtMs) this.event = undefined;
    if (this.override && nowMs >= this.overrideEndsMs) this.overrideEndsMs = -1;
    if (nowMs >= this.silenceEndsMs) {
      this.event = undefined;
      this.guidance = 1;
      this.silenceEndsMs = NEVER;
    }
  }

  nextMs(): number {
    const overrideMs = this.override ? this.overrideEndsMs : NEVER;
    return Math.min(this.event?.endsAtMs ?? NEVER, overrideMs, this.silenceEndsMs);
  }

  /** Back to how it left the factory; the override goes too. */
  clear(): void {
    this.event = undefined;
    this.guidance = 1;
    this.outsideComm = undefined;
    this.overrideEndsMs = -1;
    this.silenceEndsMs = NEVER;
  }
}
