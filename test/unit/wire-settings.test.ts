/** Every open point of the public sources that is about bytes: the value chosen, and its alternatives. */
import { describe, expect, it } from "vitest";
import { isFault } from "../../src/base/fault.js";
import { fromHex, toHex } from "../../src/base/hex.js";
import { loadUpWh, setAdvancedLoadUp } from "../../src/wire/advanced-load-up.js";
import { describe as say, fieldsOf, parseMessage, payloadOf } from "../../src/wire/codec.js";
import { dataLink, maxPayloadBytes, maxPayloadCode, parseDataLink } from "../../src/wire/data-link.js";
import { decodeFrameText, encodeFrame } from "../../src/wire/decode.js";
import { emitFrame } from "../../src/wire/frame.js";
import { parseIntermediate, refusal } from "../../src/wire/intermediate.js";
import { type Layout, U8 } from "../../src/wire/layout.js";
import { DataLinkOp, type IntermediateMessage, type WireMessage } from "../../src/wire/message.js";
import { setPrice } from "../../src/wire/price.js";
import { defaultSettings, refusesOpcode, type WireSettings } from "../../src/wire/settings.js";
import { offsetDegrees, presentDegrees } from "../../src/wire/temperature.js";

const withSettings = (change: Partial<WireSettings>): WireSettings => ({ ...defaultSettings, ...change });

function parsed(hex: string, settings?: WireSettings): WireMessage {
  const message = parseMessage(0x0802, fromHex(hex)!, settings);
  if (isFault(message)) throw new Error(message.text);
  return message;
}

describe("width of the price that we send", () => {
  const price = { price: 12, currency: 840, digits: 2 };
  it("is 32 bit", () => {
    expect(toHex(payloadOf(setPrice(price)).payload, " ")).toBe("03 00 00 00 00 0C 03 48 02");
  });
  it("or 16 bit", () => {
    const narrow = withSettings({ widePrice: false });
    expect(toHex(payloadOf(setPrice(price, narrow)).payload, " ")).toBe("03 00 00 0C 03 48 02");
  });
});

describe("scale of the present temperature", () => {
  const degrees = (raw: number, change: Partial<WireSettings>) =>
    presentDegrees({ deviceType: 0, units: 1, raw }, withSettings(change));
  it("is told by range", () => {
    expect([21, 150, -150, 151, 2150, -2150].map((raw) => degrees(raw, {}))).toEqual([
      21, 150, -150, 1.51, 21.5, -21.5,
    ]);
    expect(degrees(200, { wholeDegreesLimit: 250 })).toBe(200);
  });
  it("or always hundredths, or always whole degrees", () => {
    expect(degrees(21, { presentTemperatureScale: "hundredths" })).toBe(0.21);
    expect(degrees(2150, { presentTemperatureScale: "whole" })).toBe(2150);
  });
  it("reaches words and fields", () => {
    const whole = withSettings({ presentTemperatureScale: "whole" });
    expect(say(parsed("03 84 00 00 03 01 13 88"), whole)).toContain("5000 °C");
    expect(fieldsOf(parsed("03 84 00 00 03 01 13 88"))).toMatchObject({
      temperature: { raw: 5000, degrees: 50, unit: "°C", deviceTypeName: "water heater heat pump" },
    });
  });
});

describe("sign of the temperature offset", () => {
  it("has one", () => {
    expect(offsetDegrees({ offset: -3, units: 0 })).toBe(-3);
    expect(fieldsOf(parsed("03 02 FD 00"))).toEqual({
      offset: { offset: -3, degrees: -3, units: 0, unit: "°F" },
    });
  });
  it("or none", () => {
    const unsigned = withSettings({ temperatureOffsetSigned: false });
    expect(offsetDegrees({ offset: -3, units: 0 }, unsigned)).toBe(253);
    expect(say(parsed("03 02 FD 00"), unsigned)).toBe("Set temperature offset: 253 °F");
  });
});

describe("bit 7 of a commodity code", () => {
  const hex = "06 80 00 80 00 00 00 00 1C 20 00 00 00 00 00 00";
  it.each([
    [1, true],
    [0, false],
  ] as const)("%i means measured", (measuredBit, measured) => {
    const settings = withSettings({ measuredBit });
    const message = parsed(hex, settings);
    expect(message).toMatchObject({ records: [{ code: 0, measured, rate: 7200, cumulative: 0 }] });
    expect(toHex(payloadOf(message, settings).payload, " ")).toBe(hex);
  });
});

describe("the tail of Set Advanced Load Up", () => {
  const hex = "0C 00 00 3C 00 05 03 00 00 00 00 09";
  it("is read as one source has it", () => {
    expect(parsed(hex)).toMatchObject({ name: "SetAdvancedLoadUp", eventId: 9 });
  });
  it("or kept as bytes; the settled forms are read all the same", () => {
    const settings = withSettings({ loadUpTail: false });
    expect(parsed(hex, settings)).toMatchObject({ name: "Other", opcode1: 0x0c, opcode2: 0 });
    expect(parsed("0C 00 00 3C 00 05 03 00", settings)).toMatchObject({ name: "SetAdvancedLoadUp" });
    expect(toHex(payloadOf(parsed(hex, settings), settings).payload, " ")).toBe(hex);
  });
  it("is never sent by our constructor", () => {
    expect(toHex(payloadOf(setAdvancedLoadUp(60, 500)).payload, " ")).toBe("0C 00 00 3C 01 F4 00 00");
    expect(setAdvancedLoadUp(60, 65_534)).toMatchObject({ value: 65_534, units: 0 });
    expect(setAdvancedLoadUp(60, 65_535)).toMatchObject({ value: 6553, units: 1 });
    expect(setAdvancedLoadUp(60, 70_000_000)).toMatchObject({ value: 0xfffe, units: 3 });
    expect(setAdvancedLoadUp(60, Infinity, 10)).toMatchObject({ value: 0xffff, units: 3, efficiency: 10 });
    expect([loadUpWh(5, 0), loadUpWh(5, 3), loadUpWh(0xffff, 1), loadUpWh(5, 4), loadUpWh(0, 255)]).toEqual([
      5,
      5000,
      Infinity,
      undefined,
      undefined,
    ]);
  });
});

describe("layouts from one source", () => {
  it.each([
    ["01 83 00", "SetCapabilityReply"],
    ["03 01 03", "SetTier"],
    ["03 81 00", "TierReply"],
    ["06 01 00 00 3C", "SetSubscription"],
    ["06 81 00", "SubscriptionReply"],
    ["0A 00 01", "GetActivation"],
    ["0A 80 01 00", "ActivationReply"],
    ["0A 01 01 00", "SetActivation"],
    ["0A 81 01 00", "SetActivationReply"],
  ])("%s is %s, or kept as bytes where it is not trusted", (hex, name) => {
    expect(parsed(hex)).toMatchObject({ name });
    const op = parseInt(hex.slice(0, 5).replace(" ", ""), 16);
    const settings = withSettings({ untrusted: [op] });
    const message = parsed(hex, settings);
    expect(message).toMatchObject({ name: "Other" });
    expect(toHex(payloadOf(message, settings).payload, " ")).toBe(hex);
  });
});

describe("message sets whose opcodes are not public", () => {
  const thermostat: readonly Layout[] = [
    { name: "ThermostatModeReply", op: 0x0781, least: 2, fields: { responseCode: U8, mode: U8 } },
  ];
  it("are unknown messages", () => {
    expect(parsed("07 81 00 03")).toMatchObject({ name: "Other" });
    expect(defaultSettings.messageSets).toEqual([]);
  });
  it("plug in as layouts", () => {
    const settings = withSettings({ messageSets: [thermostat] });
    const message = parsed("07 81 00 03", settings);
    expect(message).toEqual({
      family: "intermediate",
      name: "ThermostatModeReply",
      responseCode: 0,
      mode: 3,
    });
    expect(toHex(payloadOf(message, settings).payload, " ")).toBe("07 81 00 03");
    expect(parseIntermediate(fromHex("07 81 00")!, settings)).toMatchObject({ fault: "bad-payload-length" });
    expect(say(parsed("07 81 07 03", settings), settings)).toBe(
      "Thermostat mode reply: customer override in effect (7)",
    );
    const frame = emitFrame(0x0802, fromHex("07 81 00 03")!);
    const object = decodeFrameText(frame, settings);
    expect(object.fields).toEqual({ responseCode: 0, responseName: "success", mode: 3 });
    expect(encodeFrame(object, settings)).toEqual(frame);
    expect(encodeFrame(object)).toMatchObject({ fault: "bad-fields" });
  });
});

describe("data-link", () => {
  it("power modes have no watts, or those of the settings", () => {
    expect(say(dataLink(DataLinkOp.PowerMode, 2))).toBe("Request power mode 2");
    const settings = withSettings({ powerModeWatts: [0.5, 1, 2] });
    expect(say(dataLink(DataLinkOp.PowerMode, 2), settings)).toBe("Request power mode 2: 2 W");
    expect(fieldsOf(dataLink(DataLinkOp.PowerMode, 2), settings)).toEqual({ mode: 2, watts: 2 });
  });

  it.each([
    ["unknown", "Available slots: 05", { argument: 5 }],
    ["count", "Available slots: 5", { count: 5 }],
    ["bitmap", "Available slots: 0, 2", { slots: [0, 2] }],
  ] as const)("the slot list is %s", (slotList, text, fields) => {
    const settings = withSettings({ slotList });
    expect(say(dataLink(DataLinkOp.Slots, 5), settings)).toBe(text);
    expect(fieldsOf(dataLink(DataLinkOp.Slots, 5), settings)).toEqual(fields);
  });

  it("a slot list of another length is carried whole", () => {
    const payload = fromHex("1D 01 02 03")!;
    expect(parseDataLink(payload)).toEqual({ family: "raw", type: 0x0803, payload });
    expect(parseDataLink(fromHex("1C 01 02")!)).toMatchObject({ fault: "bad-payload-length" });
    expect(decodeFrameText(emitFrame(0x0803, payload))).toMatchObject({
      name: "Slots",
      opcode1: null,
      fields: { payload: "1D 01 02 03" },
    });
  });

  it("bit-rate code 4 is 230,400, or 256,000", () => {
    expect(say(dataLink(DataLinkOp.BitRate, 4))).toBe("Request bit rate: 230400 bit/s (4)");
    const bitRates = defaultSettings.bitRates.map((rate, code) => (code === 4 ? 256_000 : rate));
    expect(fieldsOf(dataLink(DataLinkOp.BitRate, 4), withSettings({ bitRates }))).toEqual({
      code: 4,
      bitsPerSecond: 256_000,
    });
    expect(say(dataLink(DataLinkOp.BitRate, 9))).toBe("Request bit rate: unknown bit/s (9)");
  });

  it.each([
    [0x18, 0, "Query max payload", {}],
    [0x18, 1, "Query max payload (01)", { argument: 1 }],
    [0x19, 13, "Max payload: 4096 bytes (13)", { code: 13, bytes: 4096 }],
    [0x19, 0x23, "Max payload: unknown bytes (35)", { code: 35, bytes: null }],
    [0x1a, 0, "Get slot number", {}],
    [0x1b, 3, "Slot number 3", { slot: 3 }],
    [0x1c, 0, "Get available slots", {}],
    [0x1e, 3, "Next command to slot 3", { slot: 3 }],
    [0x01, 2, "Data-link 01 02", { argument: 2 }],
  ])("%i %i is %s", (op, arg, text, fields) => {
    expect(say(dataLink(op, arg))).toBe(text);
    expect(fieldsOf(dataLink(op, arg))).toEqual(fields);
  });

  it("payload codes and bytes", () => {
    expect([0, 3, 7, 9, 10, 11, 12, 13, 14].map(maxPayloadBytes)).toEqual([
      2,
      16,
      256,
      1024,
      1280,
      1500,
      2048,
      4096,
      undefined,
    ]);
    expect([0, 2, 3, 4, 63, 64, 512, 1279, 1280, 9000].map(maxPayloadCode)).toEqual([
      0, 0, 0, 1, 4, 5, 8, 9, 10, 13,
    ]);
  });
});

describe("unknown opcodes", () => {
  it("both link NAK codes in use refuse one", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8].filter(refusesOpcode)).toEqual([6, 7]);
    expect(defaultSettings.unknownBasicAnswer).toBe(-1);
  });

  it("an Intermediate request is refused with its own opcodes", () => {
    const message = refusal(fromHex("06 01 00 00 3C")!, 1);
    expect(toHex(payloadOf(message).payload, " ")).toBe("06 81 01");
    expect(parsed("06 81 01")).toMatchObject({ name: "SubscriptionReply", responseCode: 1 });
  });

  it("response code 08 has a name only where the settings believe it", () => {
    const message = parsed("0C 80 08") as IntermediateMessage;
    expect(say(message)).toBe("Advanced Load Up reply: command not enabled (8)");
    expect(say(message, withSettings({ revisionBNames: false }))).toBe(
      "Advanced Load Up reply: reserved (8)",
    );
  });
});
