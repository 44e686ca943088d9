/** Levels of the SIMPLE signal, as asks of the grid (OpenADR 2.0b SIMPLE, OpenADR 3 SIMPLE). */
import type { Ask } from "./event.js";

/** The ask for a level, 0 to 3; undefined for what is none. Level 3 opens the contactor only where `emergency` permits it. */
export function simpleAsk(level: number, emergency: boolean): Ask | undefined {
  switch (level) {
    case 0:
      return { ask: "normal" };
    case 1:
      return { ask: "shed" };
    case 2:
      return { ask: "critical-peak" };
    case 3:
      return { ask: emergency ? "emergency" : "critical-peak" };
    default:
      return undefined;
  }
}
