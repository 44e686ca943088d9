/** Basic DR in words: one line for people, and fields for programs. */
import {
  durationSeconds,
  hasDuration,
  MAX_DURATION_SECONDS,
  powerPercent,
  powerProduced,
  relativePrice,
  syncHour,
  syncWeekday,
} from "./basic.js";
import { type BasicMessage, BasicOp } from "./message.js";
import { defaultSettings } from "./settings.js";
import { durationText, hexByte, keyOf, named, pick } from "./words.js";

const stateNames = `Idle Normal
Running Normal
Running Curtailed
Running Heightened
Idle Curtailed
SGD Error Condition
Idle Heightened
Cycling On
Cycling Off
Variable Following
Variable Not Following
Idle, Opted Out
Running, Opted Out
Running, Price Stream
Idle, Price Stream`;

const appNakReasons = `no reason
opcode1 not supported
opcode2 invalid
busy
length invalid
customer override`;

const weekdays = `Sunday
Monday
Tuesday
Wednesday
Thursday
Friday
Saturday`;

const guidances = `bad
neutral
good`;
const commStates = `lost
good
poor`;
const switches = `off
on`;
const reboots = `soft
factory defaults`;

/** Name of an operational state; never empty. */
export function stateName(state: number, settings = defaultSettings): string {
  if (state >= 126) return "manufacturer's";
  if (state >= 13 && !settings.revisionBNames) return "reserved";
  return pick(stateNames, state) ?? "reserved";
}

/** Name of the reason of an application NAK; never empty. */
export function appNakName(reason: number): string {
  return pick(appNakReasons, reason) ?? "reserved";
}

/** `BasicOp`'s own word for an opcode: "Shed"; undefined for an opcode that no source knows. */
export function basicName(op: number): string | undefined {
  return keyOf(BasicOp, op);
}

/** By opcode, from 00; "" = no source knows it. */
const titles = `
Shed
End Shed / Run Normal
App ACK
App NAK

Power level
Present relative price
Next period relative price
Time remaining in price period
Critical Peak Event
Grid Emergency
Grid guidance

Outside comm


Customer override
Query operational state
State
Sleep
Wake / refresh request
Time sync
Load Up
Time until pending event
Pending event type
Reboot`;

/** The field's words for an opcode: "Critical Peak Event"; with its number where nobody knows it. */
export function basicTitle(op: number): string {
  return pick(titles, op) || `Basic ${hexByte(op)}`;
}

/** A command with a duration reads as a sentence, a time as a value. */
function describeDuration(op: number, arg: number): string {
  const seconds = durationSeconds(arg);
  const isTime = op === BasicOp.PriceTimeRemaining || op === BasicOp.PendingEventTime;
  if (seconds === undefined) return isTime ? ": unknown" : ", duration unknown";
  const text =
    seconds === Infinity ? `more than ${durationText(MAX_DURATION_SECONDS)}` : durationText(seconds);
  return isTime ? `: ${text}` : ` for ${text}`;
}

function describePrice(arg: number): string {
  const price = relativePrice(arg);
  if (price === undefined) return "unknown";
  return price === Infinity ? "too large to show" : `${Math.round(price * 1000) / 1000} of normal`;
}

/** One line: "Shed for 30 min", "State: Running Curtailed (2)". */
export function describeBasic({ op, arg }: BasicMessage, settings = defaultSettings): string {
  const title = basicTitle(op);
  if (hasDuration(op)) return title + describeDuration(op, arg);
  switch (op) {
    case BasicOp.AppAck:
      return `${title} of ${basicTitle(arg)}`;
    case BasicOp.AppNak:
      return `${title}: ${named(appNakName(arg), arg)}`;
    case BasicOp.PowerLevel:
      return `${title} ${onePlace(powerPercent(arg))} % ${direction(arg)}`;
    case BasicOp.PresentPrice:
    case BasicOp.NextPrice:
      return `${title}: ${describePrice(arg)}`;
    case BasicOp.GridGuidance:
      return `${title}: ${word(guidances, arg)}`;
    case BasicOp.OutsideComm:
      return `${title}: ${word(commStates, arg)}`;
    case BasicOp.CustomerOverride:
      return `${title}: ${word(switches, arg)}`;
    case BasicOp.State:
      return `${title}: ${named(stateName(arg, settings), arg)}`;
    case BasicOp.TimeSync:
      return `${title}: ${pick(weekdays, syncWeekday(arg)) ?? "weekday 7"} ${syncHour(arg)} h`;
    case BasicOp.PendingEventType:
      return `${title}: ${basicTitle(arg)}`;
    case BasicOp.Reboot:
      return `${title}: ${word(reboots, arg)}`;
    default:
      return arg === 0 && pick(titles, op) ? title : `${title} ${hexByte(arg)}`;
  }
}

function word(words: string, arg: number): string {
  return pick(words, arg) ?? named("reserved", arg);
}

function direction(arg: number): string {
  return powerProduced(arg) ? "produced" : "absorbed";
}

function onePlace(value: number): number {
  return Math.round(value * 10) / 10;
}

/** A number that may be unknown or beyond what the byte can tell: null, and which of both. */
function bounded(name: string, value: number | undefined): Record<string, unknown> {
  if (value === undefined) return { [name]: null, range: "unknown" };
  return value === Infinity ? { [name]: null, range: "beyond" } : { [name]: value, range: "known" };
}

/** What opcode2 says, for programs; docs/protocol/cta2045.md lists the members. */
export function basicFields({ op, arg }: BasicMessage, settings = defaultSettings): Record<string, unknown> {
  if (hasDuration(op)) return bounded("durationSeconds", durationSeconds(arg));
  switch (op) {
    case BasicOp.AppAck:
    case BasicOp.PendingEventType:
      return { opcode: arg, opcodeName: basicName(arg) ?? null };
    case BasicOp.AppNak:
      return { reason: arg, reasonName: appNakName(arg) };
    case BasicOp.PowerLevel:
      return { percent: onePlace(powerPercent(arg)), direction: direction(arg) };
    case BasicOp.PresentPrice:
    case BasicOp.NextPrice:
      return bounded("relativePrice", relativePrice(arg));
    case BasicOp.GridGuidance:
      return { guidance: arg, guidanceName: pick(guidances, arg) ?? "reserved" };
    case BasicOp.OutsideComm:
      return { status: arg, statusName: pick(commStates, arg) ?? "reserved" };
    case BasicOp.CustomerOverride:
      return { override: arg, on: arg > 1 ? null : arg === 1 };
    case BasicOp.State:
      return { state: arg, stateName: stateName(arg, settings) };
    case BasicOp.TimeSync:
      return {
        weekday: syncWeekday(arg),
        weekdayName: pick(weekdays, syncWeekday(arg)) ?? null,
        hour: syncHour(arg),
      };
    case BasicOp.Reboot:
      return { kind: arg, kindName: pick(reboots, arg) ?? "reserved" };
    default:
      return arg === 0 ? {} : { argument: arg };
  }
}
