import { BasicOp } from "../wire/message.js";

/**
 * What the appliance may be carrying out: whether End Shed is owed, and which command it has taken for which
 * wish. Owed from the moment of sending, because the appliance may have taken a command whose answer was lost.
 */
export class Obligation {
  #taken: { readonly op: number; readonly key: string } | undefined;

  constructor(
    public owed: boolean,
    private readonly changed: (owed: boolean) => void,
  ) {}

  sent(op: number): void {
    if (op !== BasicOp.EndShed) this.set(true);
  }

  /** The appliance has acknowledged a command of the wish named `key`. */
  taken(op: number, key: string): void {
    this.#taken = { op, key };
  }

  /** End Shed was seen to be done. */
  met(): void {
    this.set(false);
    this.#taken = undefined;
  }

  /** End Shed was taken for an older command; what is owed stays owed until it is seen. */
  released(): void {
    this.#taken = undefined;
  }

  /** What comes back may be another appliance, or a rebooted one: nobody knows what is in force there. */
  unknown(): void {
    this.set(true);
    this.#taken = undefined;
  }

  /** The command that the appliance has acknowledged last, and may carry out. */
  get inForce(): number | undefined {
    return this.#taken?.op;
  }

  /** The command that the appliance still carries out for another wish than `key`. */
  outlived(key: string): number | undefined {
    return this.#taken !== undefined && this.#taken.key !== key ? this.#taken.op : undefined;
  }

  private set(owed: boolean): void {
    if (this.owed === owed) return;
    this.owed = owed;
    this.changed(owed);
  }
}
