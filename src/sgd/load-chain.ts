import { BasicOp } from "../wire/message.js";
import { loadCommandName } from "./codes.js";
import type { Facts } from "./facts.js";
import type { LoadStep } from "./messages.js";

/** How a wish fares on its way down its steps: what was refused, and whether for good. */
export class Chain {
  /** The last refusal in words; "" for none. */
  text = "";
  /** False where some refusal may have been of the moment: busy, or without a reason. */
  forGood = true;

  constructor(private readonly facts: Facts) {}

  clear(): void {
    this.text = "";
    this.forGood = true;
  }

  refused(step: LoadStep, why: string, forGood: boolean): void {
    this.text = `${loadCommandName(step.op)}: ${why}`;
    this.forGood &&= forGood;
  }

  /**
   * The first step from `from` on that the appliance has not refused before; the number of steps where there is
   * none. End Shed is mandatory and owed: a refusal of it is never believed for good.
   */
  nextStep(steps: readonly LoadStep[], from: number): number {
    let step = from;
    while (step < steps.length) {
      const { op } = steps[step]!;
      if (op === BasicOp.EndShed || !this.facts.refuses(op)) break;
      if (this.text === "") this.text = `${loadCommandName(op)} was refused before`;
      step++;
    }
    return step;
  }
}
