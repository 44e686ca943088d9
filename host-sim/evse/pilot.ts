/**
 * The charger, the car and what the grid asks of them: a model after SAE J1772 with enough of the physics that
 * a test can assert amperes instead of acknowledgements. This folder guarantees: no platform in it (Node, XS
 * and the page run it alike), time only as a parameter, the same calls give the same result, and current never
 * exceeds what the pilot offers unless a fault says so.
 *
 * This file: the control pilot. States A–F and the relation of duty cycle to amperes (SAE J1772, the same as
 * IEC 61851-1 annex A).
 */

/**
 * A no car (+12 V), B connected (+9 V), C drawing (+6 V), D drawing, wants ventilation (+3 V),
 * E short or no supply (0 V), F charger not available (−12 V).
 */
export type PilotState = "A" | "B" | "C" | "D" | "E" | "F";

/** Duty of a pilot that does not oscillate: the charger offers nothing (states A1, B1, C1). */
export const PILOT_STEADY = 100;
/** Duty of a pilot at −12 V (state F). */
export const PILOT_OFF = 0;
/** Least current that a pilot can offer, amperes (SAE J1772). */
export const PILOT_MIN_A = 6;
/** Most current that a pilot can offer, amperes. */
export const PILOT_MAX_A = 80;

/** Amperes that a duty cycle (percent) offers; 0 where it offers none. Rounded to the milliampere. */
export function amperesOfDuty(dutyPercent: number): number {
  if (dutyPercent < 8 || dutyPercent > 97) return 0;
  if (dutyPercent < 10) return PILOT_MIN_A;
  if (dutyPercent <= 85) return milli(dutyPercent * 0.6);
  if (dutyPercent <= 96) return milli((dutyPercent - 64) * 2.5);
  return PILOT_MAX_A;
}

/**
 * Duty cycle (percent) that offers so many amperes, never more; {@link PILOT_STEADY} under 6 A, 96 from 80 A.
 * The two formulas leave a gap: 51 A to 52.5 A are offered as 51 A.
 */
export function dutyOfAmperes(amperes: number): number {
  if (amperes < PILOT_MIN_A) return PILOT_STEADY;
  if (amperes <= 51) return amperes / 0.6;
  if (amperes <= 52.5) return 85;
  if (amperes < PILOT_MAX_A) return amperes / 2.5 + 64;
  return 96;
}

/** `C2, 53.3 %`, `B1`, `F`: the state, 1 where the pilot is steady, 2 with its duty cycle where it is not. */
export function pilotInWords(state: PilotState, dutyPercent: number): string {
  if (state === "E" || state === "F") return state;
  return dutyPercent === PILOT_STEADY ? `${state}1` : `${state}2, ${Math.round(dutyPercent * 10) / 10} %`;
}

function milli(value: number): number {
  return Math.round(value * 1000) / 1000;
}
