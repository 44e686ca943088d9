/** Intermediate DR in words: one line for people. Fields for programs are in fields.ts. */
import { formatDateTime } from "../base/iso8601.js";
import { LOAD_UP_SPECIAL, loadUpWh } from "./advanced-load-up.js";
import { commodityWords } from "./commodity-words.js";
import { deviceTypeName } from "./device-type.js";
import { hasCapability } from "./information.js";
import {
  type EnergyPrice,
  type LoadUpState,
  NO_SET_POINT,
  type PriceTier,
  type SetPoint,
  type UtcTime,
} from "./intermediate-message.js";
import type { CommodityRecord, DeviceInformation, IntermediateMessage } from "./message.js";
import { defaultSettings, type WireSettings } from "./settings.js";
import { offsetDegrees, presentDegrees } from "./temperature.js";
import { utcMsOf } from "./time.js";
import { toHex } from "../base/hex.js";
import { hexByte, hexNumber, named, pick, quoted } from "./words.js";

const responseNames = `success
not implemented
bad value
command length error
response length error
busy
other error
customer override in effect
command not enabled`;

/** Name of a response code; never empty. */
export function responseName(code: number, settings = defaultSettings): string {
  if (code === 8 && !settings.revisionBNames) return "reserved";
  return pick(responseNames, code) ?? "reserved";
}

const capabilityNames = `cycling
tier mode
price mode
temperature offset
continuously variable power
discretely variable power
Advanced Load Up
Price Stream
efficiency level`;

/** Names of the set bits of a capability bitmap, "bit 12" for one without a name. */
export function capabilitiesOf(bitmap: number): string[] {
  const names: string[] = [];
  for (let bit = 0; bit < 32; bit++) {
    if (hasCapability(bitmap, bit)) names.push(pick(capabilityNames, bit) ?? `bit ${bit}`);
  }
  return names;
}

const activationResponses = `activated
already active
wrong key, not activated
locked out after too many tries
deactivated
cannot be deactivated
already inactive
wrong key, not deactivated`;

/** Name of the response to Set Activation; never empty. */
export function activationName(response: number): string {
  return pick(activationResponses, response) ?? "reserved";
}

/** Degree sign and letter of a units byte. */
export function degreeUnit(units: number): string {
  return units === 0 ? "°F" : units === 1 ? "°C" : `(units ${units})`;
}

/** Word of a currency number, undefined for one that is not in North American or European use. */
export function currencyName(number: number): string | undefined {
  switch (number) {
    case 840:
      return "USD";
    case 978:
      return "EUR";
    case 484:
      return "MXN";
    case 124:
      return "CAD";
    default:
      return undefined;
  }
}

/** "SetTemperatureOffset" → "Set temperature offset", with two names in the field's own form. */
function title(name: string): string {
  return name
    .replace("Price", "EnergyPrice")
    .replace(/(?!^)[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .replace(/advanced load up/i, "Advanced Load Up");
}

/** UTC of seconds since 2000. */
function utc(seconds: number): string {
  return formatDateTime(utcMsOf(seconds));
}

function hours(quarters: number): string {
  return `${quarters < 0 ? "−" : "+"}${Math.abs(quarters) / 4} h`;
}

function timeText(time: UtcTime): string {
  return `${utc(time.utcSeconds)}, zone ${hours(time.offsetQuarters)}, DST ${hours(time.dstQuarters)}`;
}

function priceText(value: EnergyPrice): string {
  const currency = currencyName(value.currency) ?? `currency ${value.currency}`;
  // A byte of digits can be 255: nothing that toFixed would take.
  const amount = (price: number) =>
    value.digits > 12 ? `${price}e-${value.digits}` : (price / 10 ** value.digits).toFixed(value.digits);
  let text = `${amount(value.price)} ${currency}`;
  if (value.expirySeconds !== undefined) text += ` until ${utc(value.expirySeconds)}`;
  if (value.nextPrice !== undefined) text += `, then ${amount(value.nextPrice)}`;
  return text;
}

function tierText(value: PriceTier): string {
  let text = `tier ${value.tier}`;
  if (value.expirySeconds !== undefined) text += ` until ${utc(value.expirySeconds)}`;
  if (value.nextTier !== undefined) text += `, then ${value.nextTier}`;
  return text;
}

function setPointText(value: SetPoint): string {
  const degrees = (point: number) =>
    point === NO_SET_POINT ? "none" : `${point} ${degreeUnit(value.units)}`;
  const text = `${deviceText(value.deviceType)}: ${degrees(value.setPoint1)}`;
  return value.setPoint2 === undefined ? text : `${text}, ${degrees(value.setPoint2)}`;
}

function deviceText(type: number): string {
  return `${deviceTypeName(type)} (${hexNumber(type, 4)})`;
}

function informationText(value: DeviceInformation): string {
  const capabilities = capabilitiesOf(value.capabilities);
  let text =
    `version ${quoted(value.version)}, vendor ${hexNumber(value.vendorId, 4)}, ` +
    `${deviceText(value.deviceType)}, revision ${hexNumber(value.revision, 4)}, ` +
    (capabilities.length === 0 ? "no capabilities" : capabilities.join(" + "));
  if (value.reserved !== undefined) text += `, reserved ${hexByte(value.reserved)}`;
  if (value.model) text += `, model ${quoted(value.model)}`;
  if (value.serial) text += `, serial ${quoted(value.serial)}`;
  if (value.firmware) text += `, firmware ${firmwareText(value.firmware)}`;
  if (value.tail !== undefined) text += `, cut short: ${quoted(value.tail)}`;
  return text;
}

function firmwareText(firmware: NonNullable<DeviceInformation["firmware"]>): string {
  const date = firmwareDate(firmware);
  return `${firmware.major}.${firmware.minor}${date === undefined ? "" : ` of ${date}`}`;
}

/** ISO date of the firmware; undefined where the appliance does not tell one (255) or it is none. */
export function firmwareDate(firmware: NonNullable<DeviceInformation["firmware"]>): string | undefined {
  const { year, month, day } = firmware;
  if (year === 255 || month > 11 || day < 1 || day > 31) return undefined;
  const two = (value: number) => `${value}`.padStart(2, "0");
  return `${2000 + year}-${two(month + 1)}-${two(day)}`;
}

function recordText(record: CommodityRecord): string {
  const { name, rateUnit, cumulativeUnit } = commodityWords(record.code);
  const parts: string[] = [];
  // An unused number is left out, unless somebody uses it all the same.
  if (record.rate !== undefined && (rateUnit !== "" || record.rate !== 0)) {
    parts.push(`${record.rate}${rateUnit && ` ${rateUnit}`}`);
  }
  if (record.cumulative !== undefined && (cumulativeUnit !== "" || record.cumulative !== 0)) {
    parts.push(`${record.cumulative}${cumulativeUnit && ` ${cumulativeUnit}`}`);
  }
  return `${name} ${parts.join(", ") || "not supported"} ${record.measured ? "(measured)" : "(estimated)"}`;
}

function recordsText(records: readonly CommodityRecord[]): string {
  return records.map(recordText).join("; ");
}

function loadUpText(minutes: number, value: LoadUpState): string {
  const energyWh = loadUpWh(value.value, value.units);
  let text = `${minutes} min, `;
  if (energyWh === undefined) {
    text +=
      value.units === LOAD_UP_SPECIAL ? `special value ${value.value}` : `${value.value} × reserved units`;
  } else text += energyWh === Infinity ? "as much as possible" : `${energyWh} Wh`;
  if (value.efficiency !== undefined) text += `, efficiency ${value.efficiency}`;
  return text;
}

/** Random shifts, where given. */
function randomText(start: number | undefined, end: number | undefined): string {
  let text = "";
  if (start) text += `, start within ${start} min`;
  if (end) text += `, end within ${end} min`;
  return text;
}

function startText(seconds: number): string {
  return seconds === 0 ? "from now" : `from ${utc(seconds)}`;
}

/** What the message says behind its title; "" for nothing. */
function details(message: IntermediateMessage, settings: WireSettings): string {
  switch (message.name) {
    case "InformationReply":
      return message.information ? informationText(message.information) : "";
    case "GetCommodity":
      return message.code === undefined ? "all" : commodityWords(message.code & 0x7f).name;
    case "SetCommodity":
    case "CommodityReply":
      return recordsText(message.records);
    case "EfficiencyReply":
      return message.level === undefined ? "" : `level ${message.level}`;
    case "SetCapability":
      return `${pick(capabilityNames, message.bit) ?? `bit ${message.bit}`} ${
        message.value > 1 ? message.value : message.value === 1 ? "on" : "off"
      }`;
    case "SetTime":
    case "TimeReply":
      return message.time ? timeText(message.time) : "";
    case "SetPrice":
    case "PriceReply":
      return message.price ? priceText(message.price) : "";
    case "SetTier":
    case "TierReply":
      return message.tier ? tierText(message.tier) : "";
    case "SetTemperatureOffset":
    case "TemperatureOffsetReply": {
      const value = message.offset;
      return value ? `${offsetDegrees(value, settings)} ${degreeUnit(value.units)}` : "";
    }
    case "SetSetPoint":
    case "SetPointReply":
      return message.setPoint ? setPointText(message.setPoint) : "";
    case "PresentTemperatureReply": {
      const value = message.temperature;
      if (value === undefined) return "";
      return `${deviceText(value.deviceType)}: ${presentDegrees(value, settings)} ${degreeUnit(value.units)}`;
    }
    case "StartCycling":
      return (
        `event ${message.eventId}, ${message.dutyPercent} % for ${message.durationMinutes} min ` +
        startText(message.startSeconds) +
        randomText(message.startRandomMinutes, message.endRandomMinutes) +
        (message.criticality === undefined ? "" : `, criticality ${message.criticality}`) +
        (message.periodMinutes === undefined ? "" : `, period ${message.periodMinutes} min`)
      );
    case "TerminateCycling":
      return `event ${message.eventId}${randomText(undefined, message.endRandomMinutes)}`;
    case "SetSubscription":
    case "SubscriptionReply":
      return message.subscriptions
        .map(({ code, intervalSeconds }) => `${commodityWords(code & 0x7f).name} every ${intervalSeconds} s`)
        .join("; ");
    case "GetActivation":
      return `index ${message.index}`;
    case "ActivationReply":
      return `index ${message.index}, status ${message.status}`;
    case "SetActivation":
      // The key stays out of logs and traces.
      return `index ${message.index}, status ${message.status}${message.key === undefined ? "" : ", with a key"}`;
    case "SetActivationReply":
      return `index ${message.index}, ${named(activationName(message.response), message.response)}`;
    case "GetPreference":
      return preferenceText(message.preferenceType);
    case "PreferenceReply":
    case "SetPreference":
    case "SetPreferenceReply":
      return `${preferenceText(message.preferenceType)} level ${message.level}`;
    case "SetAdvancedLoadUp":
      return (
        loadUpText(message.durationMinutes, { ...message, remainingMinutes: 0 }) +
        (message.eventId === undefined ? "" : `, event ${message.eventId}`) +
        (message.startSeconds === undefined ? "" : ` ${startText(message.startSeconds)}`) +
        randomText(message.startRandomMinutes, message.endRandomMinutes)
      );
    case "AdvancedLoadUpReply": {
      const value = message.loadUp;
      if (value === undefined) return "";
      if (value.units === LOAD_UP_SPECIAL) return "not active";
      return loadUpText(value.remainingMinutes, value);
    }
    default:
      return "";
  }
}

function preferenceText(type: number): string {
  return type === 0 ? "demand" : type === 1 ? "energy" : `type ${type}`;
}

/** One line: "Commodity reply: electricity consumed 242 W, 0 Wh (estimated)", "Price reply: busy (5)". */
export function describeIntermediate(message: IntermediateMessage, settings = defaultSettings): string {
  if (message.name === "Other") {
    const rest = toHex(message.rest, " ");
    return `Intermediate ${hexByte(message.opcode1)} ${hexByte(message.opcode2)}${rest && `: ${rest}`}`;
  }
  const said = details(message, settings);
  let text = title(message.name);
  if ("responseCode" in message) {
    const code = message.responseCode;
    if (code !== 0) text += `: ${named(responseName(code, settings), code)}`;
    else if (said === "") text += ": success";
  }
  return said === "" ? text : `${text}: ${said}`;
}
