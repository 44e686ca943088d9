/** What the module's one lamp can say, the most urgent first (docs/owner-page.md tells the customer). */
export type Lamp =
  "fault" | "setup" | "updating" | "no-network" | "no-utility" | "no-appliance" | "curtailed" | "well";

export interface LampFacts {
  /** A part is stuck, or the flash is gone. */
  readonly fault: boolean;
  readonly setup: boolean;
  readonly updating: boolean;
  readonly network: boolean;
  readonly utility: boolean;
  readonly appliance: boolean;
  /** Somebody other than the owner holds the charger down. */
  readonly curtailed: boolean;
}

/** One lamp, one word. */
export function lampOf(facts: LampFacts): Lamp {
  if (facts.fault) return "fault";
  if (facts.setup) return "setup";
  if (facts.updating) return "updating";
  if (!facts.appliance) return "no-appliance";
  if (!facts.network) return "no-network";
  if (!facts.utility) return "no-utility";
  return facts.curtailed ? "curtailed" : "well";
}

/** A pattern as pairs of ms on and ms off, repeated. Told apart without colours. */
export function patternOf(lamp: Lamp): readonly number[] {
  switch (lamp) {
    case "fault":
      return [100, 100];
    case "setup":
      return [500, 500];
    case "updating":
      return [900, 100];
    case "no-appliance":
      return [100, 200, 100, 200, 100, 1300];
    case "no-network":
      return [100, 1900];
    case "no-utility":
      return [100, 200, 100, 1600];
    case "curtailed":
      return [1500, 1500];
    case "well":
      return [1, 0];
  }
}
