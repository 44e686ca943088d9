import { expect } from "vitest";
import type { DRILLED } from "./outage-drill.js";
import { OUTAGES, outageDrill } from "./outage-drill.js";

/** A drill and what it must come to. */
export async function drilled(kind: string, seed: number, protocol: (typeof DRILLED)[number]): Promise<void> {
  const { backMs, restarts, reinits, hours } = await outageDrill(kind, seed, protocol);
  expect(backMs).toHaveLength(OUTAGES[kind]!.times);
  expect(restarts).toBe(0);
  if (kind === "radio driver hung") expect(reinits).toBeGreaterThan(0);
  expect(hours).toBeGreaterThanOrEqual(72);
}
