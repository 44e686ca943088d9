/**
 * Everything that the public sources on CTA-2045 leave open (sections 5.7 and 12 of docs/protocol/cta2045.md)
 * and that this folder had to choose: the value, its source, and what the alternative is. When the standard
 * itself is at hand, this file is what is put right. Open points that are behaviour and not bytes (back-off,
 * idle times) sit in the timing file of src/link.
 */
import type { Layout } from "./layout.js";

export interface WireSettings {
  /** Width of the present price in what we send (read: told by length). */
  readonly widePrice: boolean;
  /** `auto` takes a value for hundredths where whole degrees would be beyond ±`wholeDegreesLimit`. */
  readonly presentTemperatureScale: "auto" | "whole" | "hundredths";
  readonly wholeDegreesLimit: number;
  readonly temperatureOffsetSigned: boolean;
  /** Value of bit 7 of a commodity code that means "measured". */
  readonly measuredBit: 0 | 1;
  /** Takes the members after the efficiency of Set Advanced Load Up for what one source says they are. */
  readonly loadUpTail: boolean;
  /** opcode1 << 8 | opcode2 of Intermediate messages whose layout is not to be trusted: kept as `Other`. */
  readonly untrusted: readonly number[];
  /** Further message sets of Intermediate DR: .1 firmware, .2 display, .3 thermostat, price stream. */
  readonly messageSets: readonly (readonly Layout[])[];
  /** Watts of power modes 0–5 of the DC form; empty = unknown. */
  readonly powerModeWatts: readonly number[];
  /** What opcode2 of "available slots" (data-link 1D) is. */
  readonly slotList: "unknown" | "count" | "bitmap";
  /** Bit/s by the code of data-link 17. */
  readonly bitRates: readonly number[];
  /** Names operational states 13 and 14 and response code 08; otherwise they are reserved. */
  readonly revisionBNames: boolean;
  /** What to answer to a Basic opcode that we do not know: a link NAK code, or −1 for ACK and application NAK 01. */
  readonly unknownBasicAnswer: -1 | 6 | 7;
}

export const defaultSettings: WireSettings = {
  // 32 bits: EPRI-SIM, the newer. 16: EPRI-LIB, INTWINE.
  widePrice: true,
  // Hundredths: RINNAI, quoting 11.1.7.2. Whole: INTWINE. Whole degrees outside ±150 do not occur in a home.
  presentTemperatureScale: "auto",
  wholeDegreesLimit: 150,
  // int8: EPRI-SIM. uint8: EPRI-LIB. An offset that cannot lower would be of little use.
  temperatureOffsetSigned: true,
  // 1: EPRI-SIM in both directions, RINNAI, GRIDCUBE. 0: PYCTA.
  measuredBit: 1,
  // GRIDCUBE alone has it. We send the 8-byte form without it.
  loadUpTail: true,
  // Candidates, each from one source or inferred: 0183 (reply to SetCapabilityBit), 0301 0381 (tier),
  // 0601 0681 (subscription), 0A00 0A80 0A01 0A81 (activation).
  untrusted: [],
  // Opcodes not public; the thermostat's replies 07 81–83 (CTARES) come without requests. So: none.
  messageSets: [],
  // Modes 0–5 are in EPRI-SIM; no source says what they stand for.
  powerModeWatts: [],
  slotList: "unknown",
  // EPRI-SIM's switch; its drop-down list has 256,000 for code 4. INTWINE confirms code 0 alone.
  bitRates: [19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600, 1_843_200, 3_686_400],
  // 13, 14: GRIDCUBE. 08: PYCTA. One source each.
  revisionBNames: true,
  // Table 15 has reason 01 for it; EPRI-LIB sends link NAK 06, EPRI-SIM 07. All three are accepted.
  unknownBasicAnswer: -1,
};

/** Bytes by the code of data-link 19 (section 2.5, several sources). */
export const maxPayloads: readonly number[] = [
  2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1280, 1500, 2048, 4096,
];

/** True for the link NAK codes with which peers refuse an opcode (open point 7): both are in use. */
export function refusesOpcode(nak: number): boolean {
  return nak === 6 || nak === 7;
}
