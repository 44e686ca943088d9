/**
 * Basic DR (08 01, section 4): always two bytes, opcode1 and opcode2. What opcode2 means depends on opcode1
 * and is asked for by the functions here; nothing is lost, because the message keeps the byte itself.
 */
import { fault, type Fault } from "../base/fault.js";
import { type BasicMessage, BasicOp } from "./message.js";

/** Fault: `bad-payload-length`, where the payload is not two bytes. */
export function parseBasic(payload: Uint8Array): BasicMessage | Fault {
  if (payload.length !== 2)
    return fault("wire", "bad-payload-length", `Basic DR has 2 bytes, not ${payload.length}.`);
  return { family: "basic", op: payload[0]!, arg: payload[1]! };
}

/** Any Basic DR message. */
export function basic(op: number, arg = 0): BasicMessage {
  return { family: "basic", op, arg };
}

/** The longest duration that the byte can tell: FE, 35 h 50 min 32 s. */
export const MAX_DURATION_SECONDS = 129_032;

/**
 * The duration byte (section 4.1): 2·b² seconds, rounded up so that it never ends an event early. undefined =
 * unknown (00); beyond {@link MAX_DURATION_SECONDS} FF; 0 or less gives the shortest, 01.
 */
export function encodeDuration(seconds: number | undefined): number {
  if (seconds === undefined || Number.isNaN(seconds)) return 0;
  if (seconds > MAX_DURATION_SECONDS) return 0xff;
  return Math.max(1, Math.ceil(Math.sqrt(Math.max(0, seconds) / 2)));
}

/** Seconds of a duration byte; undefined for 00 (unknown), Infinity for FF (longer than can be shown). */
export function durationSeconds(arg: number): number | undefined {
  if (arg === 0) return undefined;
  return arg === 0xff ? Infinity : 2 * arg * arg;
}

/** True for the opcodes whose opcode2 is a duration byte. */
export function hasDuration(op: number): boolean {
  switch (op) {
    case BasicOp.Shed:
    case BasicOp.PriceTimeRemaining:
    case BasicOp.CriticalPeak:
    case BasicOp.GridEmergency:
    case BasicOp.LoadUp:
    case BasicOp.PendingEventTime:
      return true;
    default:
      return false;
  }
}

/**
 * The relative-price byte (section 4.2) of price / normal price: rounded down to the next that can be told;
 * undefined = unknown (00), beyond FE's 9.79 FF, 0 or less 01.
 */
export function encodePrice(ratio: number | undefined): number {
  if (ratio === undefined || Number.isNaN(ratio)) return 0;
  if (ratio <= 0) return 1;
  // The root of (b − 1)(b + 63) = 8192 · ratio.
  const b = Math.floor(-31 + Math.sqrt(1024 + 8192 * ratio));
  return b > 0xfe ? 0xff : b;
}

/** Price / normal price; undefined for 00 (unknown), Infinity for FF (too large to show). */
export function relativePrice(arg: number): number | undefined {
  if (arg === 0) return undefined;
  return arg === 0xff ? Infinity : ((arg - 1) * (arg + 63)) / 8192;
}

/** The power-level byte (section 4.3): percent of the rated power, 0…100, to the nearest of 127 steps. */
export function encodePower(percent: number, produced = false): number {
  const level = Math.round((Math.min(100, Math.max(0, percent)) * 127) / 100);
  return produced ? level | 0x80 : level;
}

/** Percent of the rated power in a power-level byte, without its direction. */
export function powerPercent(arg: number): number {
  return ((arg & 0x7f) * 100) / 127;
}

/** True where a power-level byte means produced (exported), false for absorbed. */
export function powerProduced(arg: number): boolean {
  return arg >= 0x80;
}

/** The time-sync byte: weekday 0 = Sunday … 6, hour 0–23, local with daylight saving. */
export function encodeTimeSync(weekday: number, hour: number): number {
  return (weekday << 5) | hour;
}

export function syncWeekday(arg: number): number {
  return arg >> 5;
}

export function syncHour(arg: number): number {
  return arg & 0x1f;
}

/** Operational states (section 4.4); 15–125 are reserved, 126–255 the manufacturer's. */
export const OpState = {
  IdleNormal: 0,
  RunningNormal: 1,
  RunningCurtailed: 2,
  RunningHeightened: 3,
  IdleCurtailed: 4,
  Error: 5,
  IdleHeightened: 6,
  CyclingOn: 7,
  CyclingOff: 8,
  VariableFollowing: 9,
  VariableNotFollowing: 10,
  IdleOptedOut: 11,
  RunningOptedOut: 12,
  RunningPriceStream: 13,
  IdlePriceStream: 14,
} as const;

/** True for the states in which the customer has opted out of every event. */
export function isOptedOut(state: number): boolean {
  return state === OpState.IdleOptedOut || state === OpState.RunningOptedOut;
}

/** Opcode2 of Reboot. */
export const RebootKind = { Soft: 0, FactoryDefaults: 1 } as const;
