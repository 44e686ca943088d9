/**
 * A message as plain JSON for programs (`fields` of `openucm decode --json`): its members under their own
 * names, bytes as hex, and beside every number that stands for something the name of it. What was not in the
 * bytes is missing; a meter value that is not supported is null.
 */
import { toHex } from "../base/hex.js";
import { formatDateTime } from "../base/iso8601.js";
import { loadUpWh } from "./advanced-load-up.js";
import { basicFields } from "./basic-words.js";
import { commodityWords } from "./commodity-words.js";
import { deviceTypeName } from "./device-type.js";
import {
  activationName,
  capabilitiesOf,
  currencyName,
  degreeUnit,
  firmwareDate,
  responseName,
} from "./intermediate-words.js";
import { dataLinkFields, typeName } from "./link-words.js";
import type { DeviceInformation, WireMessage } from "./message.js";
import { defaultSettings, type WireSettings } from "./settings.js";
import { offsetDegrees, presentDegrees } from "./temperature.js";
import { utcMsOf } from "./time.js";

type Values = Record<string, unknown>;

function utc(seconds: number): string {
  return formatDateTime(utcMsOf(seconds));
}

/** The members of `values`, and under further names what they stand for. */
function plain(values: Values, settings: WireSettings): Values {
  const out: Values = {};
  for (const key in values) {
    const value = values[key];
    if (key === "family" || key === "name" || key === "opcode1" || key === "opcode2") continue;
    if (value === undefined) {
      if (key === "rate" || key === "cumulative") out[key] = null;
    } else if (value instanceof Uint8Array) out[key] = toHex(value, " ");
    else if (Array.isArray(value)) out[key] = value.map((item) => plain(item as Values, settings));
    else if (typeof value === "object") out[key] = plain(value as Values, settings);
    else {
      out[key] = value;
      if (typeof value === "number") nameNumber(key, value, values, out, settings);
    }
  }
  return out;
}

function nameNumber(key: string, value: number, values: Values, out: Values, settings: WireSettings): void {
  switch (key) {
    case "responseCode":
      out["responseName"] = responseName(value, settings);
      break;
    case "deviceType":
      out["deviceTypeName"] = deviceTypeName(value);
      break;
    case "capabilities":
      out["capabilityNames"] = capabilitiesOf(value);
      break;
    case "minor": {
      const date = firmwareDate(values as unknown as NonNullable<DeviceInformation["firmware"]>);
      if (date !== undefined) out["date"] = date;
      break;
    }
    case "code": {
      const words = commodityWords(value & 0x7f);
      out["commodity"] = words.name;
      if ("rate" in values) {
        out["rateUnit"] = words.rateUnit;
        out["cumulativeUnit"] = words.cumulativeUnit;
      }
      break;
    }
    case "utcSeconds":
      out["utc"] = utc(value);
      break;
    case "expirySeconds":
      out["expiryUtc"] = utc(value);
      break;
    case "startSeconds":
      out["startUtc"] = value === 0 ? null : utc(value);
      break;
    case "currency":
      out["currencyName"] = currencyName(value) ?? null;
      break;
    case "response":
      out["responseName"] = activationName(value);
      break;
    case "units":
      if ("value" in values) out["energyWh"] = finite(loadUpWh(values["value"] as number, value));
      else out["unit"] = degreeUnit(value);
      break;
    case "offset":
      out["degrees"] = offsetDegrees({ offset: value, units: 0 }, settings);
      break;
    case "raw":
      out["degrees"] = presentDegrees({ deviceType: 0, units: 0, raw: value }, settings);
      break;
  }
}

/** JSON has no Infinity. */
function finite(value: number | undefined): number | null {
  return value === undefined || value === Infinity ? null : value;
}

/** The fields of a message. Never throws. */
export function fieldsOf(message: WireMessage, settings = defaultSettings): Values {
  switch (message.family) {
    case "basic":
      return basicFields(message, settings);
    case "data-link":
      return dataLinkFields(message, settings);
    case "intermediate":
      return plain(message as unknown as Values, settings);
    case "type-query":
      return { typeName: typeName(message.type) };
    case "raw":
      return { typeName: typeName(message.type), payload: toHex(message.payload, " ") };
  }
}
