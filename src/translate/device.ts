import type { Abilities } from "./settings.js";

/**
 * True for electric vehicles and chargers, device types 1000–11FF (cta2045 5.2), and for what has not told its
 * type: this module is made for chargers. Amperes and their 6 A mean nothing to a water heater.
 */
export function isCharger(abilities: Abilities): boolean {
  const type = abilities.identity?.deviceType ?? 0;
  return type === 0 || (type >= 0x1000 && type < 0x1200);
}
