import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/base/hex.js";
import { describe as say, nameOf, parseMessage, payloadLength, payloadOf } from "../../src/wire/codec.js";
import type { IntermediateMessage } from "../../src/wire/message.js";
import { MessageType } from "../../src/wire/message.js";

type Body = Record<string, unknown> & { name: IntermediateMessage["name"] };
const head = "00 42 00 0C 22 11 02 00 01 00 00 00 40 00";
const model = "4D 31 00 00 00 00 00 00 00 00 00 00 00 00 00 00";
const serial = "53 4E 2D 37 00 00 00 00 00 00 00 00 00 00 00 00";
const evse = { version: "B", vendorId: 0x0c22, deviceType: 0x1102, revision: 1, capabilities: 0x40 };
const info = (more: object) => ({
  name: "InformationReply",
  responseCode: 0,
  information: { ...evse, ...more },
});
const power = { code: 0, measured: true, rate: 7200, cumulative: 1_234_567_890_123 };

/**
 * Every message in every length, written by hand from the tables of section 5 (payloads, not frames).
 * Read as: these bytes mean this message and this line, and the message is written as these bytes.
 */
const table: [string, Record<string, unknown> & { name: string }, string][] = [
  // 5.1
  ["01 01", { name: "GetInformation" }, "Get information"],
  ["01 81 01", { name: "InformationReply", responseCode: 1 }, "Information reply: not implemented (1)"],
  [
    `01 81 ${head}`,
    info({}),
    'Information reply: version "B", vendor 0C22, EVSE Level 2 (1102), revision 0001, Advanced Load Up',
  ],
  [
    "01 81 00 42 00 0C 22 90 00 00 01 80 00 00 00 7F",
    {
      name: "InformationReply",
      responseCode: 0,
      information: { ...evse, deviceType: 0x9000, capabilities: 0x80000000, reserved: 0x7f },
    },
    'Information reply: version "B", vendor 0C22, manufacturer\'s (9000), revision 0001, bit 31, reserved 7F',
  ],
  [
    `01 81 ${head} ${model}`,
    info({ model: "M1" }),
    'Information reply: version "B", vendor 0C22, EVSE Level 2 (1102), revision 0001, Advanced Load Up, model "M1"',
  ],
  [
    `01 81 ${head} ${model} ${serial}`,
    info({ model: "M1", serial: "SN-7" }),
    'Information reply: version "B", vendor 0C22, EVSE Level 2 (1102), revision 0001, Advanced Load Up, model "M1", serial "SN-7"',
  ],
  [
    `01 81 ${head} ${model} ${serial} 1A 00 1F 02 0B`,
    info({ model: "M1", serial: "SN-7", firmware: { year: 26, month: 0, day: 31, major: 2, minor: 11 } }),
    'Information reply: version "B", vendor 0C22, EVSE Level 2 (1102), revision 0001, Advanced Load Up, model "M1", serial "SN-7", firmware 2.11 of 2026-01-31',
  ],
  [
    `01 81 ${head} ${"00 ".repeat(32)}FF FF FF 01 02`,
    info({ model: "", serial: "", firmware: { year: 255, month: 255, day: 255, major: 1, minor: 2 } }),
    'Information reply: version "B", vendor 0C22, EVSE Level 2 (1102), revision 0001, Advanced Load Up, firmware 1.2',
  ],
  // 5.3
  ["01 02", { name: "GetEfficiency" }, "Get efficiency"],
  ["01 82 00 07", { name: "EfficiencyReply", responseCode: 0, level: 7 }, "Efficiency reply: level 7"],
  ["01 82 08", { name: "EfficiencyReply", responseCode: 8 }, "Efficiency reply: command not enabled (8)"],
  ["01 03 06 01", { name: "SetCapability", bit: 6, value: 1 }, "Set capability: Advanced Load Up on"],
  ["01 03 00 00", { name: "SetCapability", bit: 0, value: 0 }, "Set capability: cycling off"],
  ["01 03 1F 05", { name: "SetCapability", bit: 31, value: 5 }, "Set capability: bit 31 5"],
  ["01 83 02", { name: "SetCapabilityReply", responseCode: 2 }, "Set capability reply: bad value (2)"],
  // 5.4
  ["02 00", { name: "GetTime" }, "Get time"],
  [
    "02 00 1B CE 96 5C E0 04",
    { name: "SetTime", time: { utcSeconds: 0x1bce965c, offsetQuarters: -32, dstQuarters: 4 } },
    "Set time: 2014-10-13T13:55:40Z, zone −8 h, DST +1 h",
  ],
  ["02 80 00", { name: "TimeReply", responseCode: 0 }, "Time reply: success"],
  [
    "02 80 00 FF FF FF FF 17 00",
    {
      name: "TimeReply",
      responseCode: 0,
      time: { utcSeconds: 0xffffffff, offsetQuarters: 23, dstQuarters: 0 },
    },
    "Time reply: 2136-02-07T06:28:15Z, zone +5.75 h, DST +0 h",
  ],
  // 5.5, both widths and all lengths
  ["03 00", { name: "GetPrice" }, "Get energy price"],
  [
    "03 00 00 0C 03 48 02",
    { name: "SetPrice", price: { wide: false, price: 12, currency: 840, digits: 2 } },
    "Set energy price: 0.12 USD",
  ],
  [
    "03 00 00 0C 03 48 02 1B CE 96 5C",
    {
      name: "SetPrice",
      price: { wide: false, price: 12, currency: 840, digits: 2, expirySeconds: 0x1bce965c },
    },
    "Set energy price: 0.12 USD until 2014-10-13T13:55:40Z",
  ],
  [
    "03 00 00 0C 03 48 02 1B CE 96 5C 00 00 00 0F",
    {
      name: "SetPrice",
      price: { wide: false, price: 12, currency: 840, digits: 2, expirySeconds: 0x1bce965c, nextPrice: 15 },
    },
    "Set energy price: 0.12 USD until 2014-10-13T13:55:40Z, then 0.15",
  ],
  [
    "03 00 00 01 00 00 03 D2 04",
    { name: "SetPrice", price: { wide: true, price: 65536, currency: 978, digits: 4 } },
    "Set energy price: 6.5536 EUR",
  ],
  [
    "03 00 00 00 00 05 01 E4 00 00 00 00 00",
    { name: "SetPrice", price: { wide: true, price: 5, currency: 484, digits: 0, expirySeconds: 0 } },
    "Set energy price: 5 MXN until 2000-01-01T00:00:00Z",
  ],
  [
    "03 00 00 00 00 05 00 7C FF 00 00 00 00 00 00 00 06",
    {
      name: "SetPrice",
      price: { wide: true, price: 5, currency: 124, digits: 255, expirySeconds: 0, nextPrice: 6 },
    },
    "Set energy price: 5e-255 CAD until 2000-01-01T00:00:00Z, then 6e-255",
  ],
  ["03 80 05", { name: "PriceReply", responseCode: 5 }, "Energy price reply: busy (5)"],
  [
    "03 80 00 00 0C 00 24 02",
    { name: "PriceReply", responseCode: 0, price: { wide: false, price: 12, currency: 36, digits: 2 } },
    "Energy price reply: 0.12 currency 36",
  ],
  [
    "03 80 00 00 0C 03 48 02 00 00 00 01",
    {
      name: "PriceReply",
      responseCode: 0,
      price: { wide: false, price: 12, currency: 840, digits: 2, expirySeconds: 1 },
    },
    "Energy price reply: 0.12 USD until 2000-01-01T00:00:01Z",
  ],
  [
    "03 80 00 00 0C 03 48 02 00 00 00 01 00 00 00 02",
    {
      name: "PriceReply",
      responseCode: 0,
      price: { wide: false, price: 12, currency: 840, digits: 2, expirySeconds: 1, nextPrice: 2 },
    },
    "Energy price reply: 0.12 USD until 2000-01-01T00:00:01Z, then 0.02",
  ],
  [
    "03 80 00 00 00 00 0C 03 48 02",
    { name: "PriceReply", responseCode: 0, price: { wide: true, price: 12, currency: 840, digits: 2 } },
    "Energy price reply: 0.12 USD",
  ],
  [
    "03 80 00 00 00 00 0C 03 48 02 00 00 00 01",
    {
      name: "PriceReply",
      responseCode: 0,
      price: { wide: true, price: 12, currency: 840, digits: 2, expirySeconds: 1 },
    },
    "Energy price reply: 0.12 USD until 2000-01-01T00:00:01Z",
  ],
  [
    "03 80 00 00 00 00 0C 03 48 02 00 00 00 01 00 00 00 02",
    {
      name: "PriceReply",
      responseCode: 0,
      price: { wide: true, price: 12, currency: 840, digits: 2, expirySeconds: 1, nextPrice: 2 },
    },
    "Energy price reply: 0.12 USD until 2000-01-01T00:00:01Z, then 0.02",
  ],
  // 5.6
  ["03 01", { name: "GetTier" }, "Get tier"],
  ["03 01 03", { name: "SetTier", tier: { tier: 3 } }, "Set tier: tier 3"],
  [
    "03 01 03 00 00 00 3C",
    { name: "SetTier", tier: { tier: 3, expirySeconds: 60 } },
    "Set tier: tier 3 until 2000-01-01T00:01:00Z",
  ],
  [
    "03 01 03 00 00 00 3C 01",
    { name: "SetTier", tier: { tier: 3, expirySeconds: 60, nextTier: 1 } },
    "Set tier: tier 3 until 2000-01-01T00:01:00Z, then 1",
  ],
  ["03 81 00", { name: "TierReply", responseCode: 0 }, "Tier reply: success"],
  ["03 81 00 03", { name: "TierReply", responseCode: 0, tier: { tier: 3 } }, "Tier reply: tier 3"],
  [
    "03 81 00 03 00 00 00 3C 01",
    { name: "TierReply", responseCode: 0, tier: { tier: 3, expirySeconds: 60, nextTier: 1 } },
    "Tier reply: tier 3 until 2000-01-01T00:01:00Z, then 1",
  ],
  // 5.7
  ["03 02", { name: "GetTemperatureOffset" }, "Get temperature offset"],
  [
    "03 02 FD 00",
    { name: "SetTemperatureOffset", offset: { offset: -3, units: 0 } },
    "Set temperature offset: -3 °F",
  ],
  ["03 82 00", { name: "TemperatureOffsetReply", responseCode: 0 }, "Temperature offset reply: success"],
  [
    "03 82 00 02 01",
    { name: "TemperatureOffsetReply", responseCode: 0, offset: { offset: 2, units: 1 } },
    "Temperature offset reply: 2 °C",
  ],
  // 5.8
  ["03 03", { name: "GetSetPoint" }, "Get set point"],
  [
    "03 03 00 03 00 00 78",
    { name: "SetSetPoint", setPoint: { deviceType: 3, units: 0, setPoint1: 120 } },
    "Set set point: water heater heat pump (0003): 120 °F",
  ],
  [
    "03 03 00 03 01 80 00 FF FE",
    { name: "SetSetPoint", setPoint: { deviceType: 3, units: 1, setPoint1: -32768, setPoint2: -2 } },
    "Set set point: water heater heat pump (0003): none, -2 °C",
  ],
  [
    "03 83 07",
    { name: "SetPointReply", responseCode: 7 },
    "Set point reply: customer override in effect (7)",
  ],
  [
    "03 83 00 00 03 02 00 32",
    { name: "SetPointReply", responseCode: 0, setPoint: { deviceType: 3, units: 2, setPoint1: 50 } },
    "Set point reply: water heater heat pump (0003): 50 (units 2)",
  ],
  [
    "03 83 00 00 03 01 00 32 00 2D",
    {
      name: "SetPointReply",
      responseCode: 0,
      setPoint: { deviceType: 3, units: 1, setPoint1: 50, setPoint2: 45 },
    },
    "Set point reply: water heater heat pump (0003): 50 °C, 45 °C",
  ],
  // 5.9
  ["03 04", { name: "GetPresentTemperature" }, "Get present temperature"],
  [
    "03 84 00 00 03 01 13 88",
    { name: "PresentTemperatureReply", responseCode: 0, temperature: { deviceType: 3, units: 1, raw: 5000 } },
    "Present temperature reply: water heater heat pump (0003): 50 °C",
  ],
  [
    "03 84 01",
    { name: "PresentTemperatureReply", responseCode: 1 },
    "Present temperature reply: not implemented (1)",
  ],
  // 5.10
  [
    "04 00 00 00 00 07 00 00 00 00 00 3C 32",
    { name: "StartCycling", eventId: 7, startSeconds: 0, durationMinutes: 60, dutyPercent: 50 },
    "Start cycling: event 7, 50 % for 60 min from now",
  ],
  [
    "04 00 00 00 00 07 00 00 00 3C 01 00 32 05",
    {
      name: "StartCycling",
      eventId: 7,
      startSeconds: 60,
      durationMinutes: 256,
      dutyPercent: 50,
      startRandomMinutes: 5,
    },
    "Start cycling: event 7, 50 % for 256 min from 2000-01-01T00:01:00Z, start within 5 min",
  ],
  [
    "04 00 FF FF FF FF 00 00 00 00 00 3C 32 05 0A 01",
    {
      name: "StartCycling",
      eventId: 0xffffffff,
      startSeconds: 0,
      durationMinutes: 60,
      dutyPercent: 50,
      startRandomMinutes: 5,
      endRandomMinutes: 10,
      criticality: 1,
    },
    "Start cycling: event 4294967295, 50 % for 60 min from now, start within 5 min, end within 10 min, criticality 1",
  ],
  [
    "04 00 00 00 00 07 00 00 00 00 00 3C 32 00 00 01 1E",
    {
      name: "StartCycling",
      eventId: 7,
      startSeconds: 0,
      durationMinutes: 60,
      dutyPercent: 50,
      startRandomMinutes: 0,
      endRandomMinutes: 0,
      criticality: 1,
      periodMinutes: 30,
    },
    "Start cycling: event 7, 50 % for 60 min from now, criticality 1, period 30 min",
  ],
  [
    "04 80 03",
    { name: "StartCyclingReply", responseCode: 3 },
    "Start cycling reply: command length error (3)",
  ],
  ["04 01 00 00 00 07", { name: "TerminateCycling", eventId: 7 }, "Terminate cycling: event 7"],
  [
    "04 01 00 00 00 07 05",
    { name: "TerminateCycling", eventId: 7, endRandomMinutes: 5 },
    "Terminate cycling: event 7, end within 5 min",
  ],
  ["04 81 00", { name: "TerminateCyclingReply", responseCode: 0 }, "Terminate cycling reply: success"],
  // 5.11
  ["06 00", { name: "GetCommodity" }, "Get commodity: all"],
  ["06 00 08", { name: "GetCommodity", code: 8 }, "Get commodity: rated consumption"],
  [
    "06 00 80 00 00 00 00 1C 20 01 1F 71 FB 04 CB",
    { name: "SetCommodity", records: [power] },
    "Set commodity: electricity consumed 7200 W, 1234567890123 Wh (measured)",
  ],
  ["06 80 02", { name: "CommodityReply", responseCode: 2, records: [] }, "Commodity reply: bad value (2)"],
  ["06 80 00", { name: "CommodityReply", responseCode: 0, records: [] }, "Commodity reply: success"],
  [
    "06 80 00 80 00 00 00 00 1C 20 01 1F 71 FB 04 CB 06 FF FF FF FF FF FF 00 00 00 00 EA 60",
    {
      name: "CommodityReply",
      responseCode: 0,
      records: [power, { code: 6, measured: false, rate: undefined, cumulative: 60000 }],
    },
    "Commodity reply: electricity consumed 7200 W, 1234567890123 Wh (measured); total storage capacity 60000 Wh (estimated)",
  ],
  [
    "06 80 00 FE 00 00 00 00 00 05 FF FF FF FF FF FF 09 FF FF FF FF FF FF FF FF FF FF FF FF",
    {
      name: "CommodityReply",
      responseCode: 0,
      records: [
        { code: 126, measured: true, rate: 5, cumulative: undefined },
        { code: 9, measured: false, rate: undefined, cumulative: undefined },
      ],
    },
    "Commodity reply: commodity 126 5 (measured); rated production not supported (estimated)",
  ],
  ["06 01", { name: "GetSubscription" }, "Get subscription"],
  [
    "06 01 00 00 3C 06 0E 10",
    {
      name: "SetSubscription",
      subscriptions: [
        { code: 0, intervalSeconds: 60 },
        { code: 6, intervalSeconds: 3600 },
      ],
    },
    "Set subscription: electricity consumed every 60 s; total storage capacity every 3600 s",
  ],
  [
    "06 81 00",
    { name: "SubscriptionReply", responseCode: 0, subscriptions: [] },
    "Subscription reply: success",
  ],
  [
    "06 81 00 00 00 3C",
    { name: "SubscriptionReply", responseCode: 0, subscriptions: [{ code: 0, intervalSeconds: 60 }] },
    "Subscription reply: electricity consumed every 60 s",
  ],
  // 5.12
  ["0A 00 02", { name: "GetActivation", index: 2 }, "Get activation: index 2"],
  ["0A 80 02 01", { name: "ActivationReply", index: 2, status: 1 }, "Activation reply: index 2, status 1"],
  ["0A 01 02 00", { name: "SetActivation", index: 2, status: 0 }, "Set activation: index 2, status 0"],
  [
    "0A 01 02 01 6B 65 79 00",
    { name: "SetActivation", index: 2, status: 1, key: "key\0" },
    "Set activation: index 2, status 1, with a key",
  ],
  [
    "0A 81 02 03",
    { name: "SetActivationReply", index: 2, response: 3 },
    "Set activation reply: index 2, locked out after too many tries (3)",
  ],
  [
    "0A 81 02 08",
    { name: "SetActivationReply", index: 2, response: 8 },
    "Set activation reply: index 2, reserved (8)",
  ],
  // 5.13
  ["0B 00 01", { name: "GetPreference", preferenceType: 1 }, "Get preference: energy"],
  [
    "0B 80 00 05",
    { name: "PreferenceReply", preferenceType: 0, level: 5 },
    "Preference reply: demand level 5",
  ],
  ["0B 01 02 05", { name: "SetPreference", preferenceType: 2, level: 5 }, "Set preference: type 2 level 5"],
  [
    "0B 81 01 05",
    { name: "SetPreferenceReply", preferenceType: 1, level: 5 },
    "Set preference reply: energy level 5",
  ],
  // 5.14
  ["0C 00", { name: "GetAdvancedLoadUp" }, "Get Advanced Load Up"],
  [
    "0C 00 00 3C 00 05 02",
    { name: "SetAdvancedLoadUp", durationMinutes: 60, value: 5, units: 2 },
    "Set Advanced Load Up: 60 min, 500 Wh",
  ],
  [
    "0C 00 00 3C FF FF 00 0A",
    { name: "SetAdvancedLoadUp", durationMinutes: 60, value: 0xffff, units: 0, efficiency: 10 },
    "Set Advanced Load Up: 60 min, as much as possible, efficiency 10",
  ],
  [
    "0C 00 00 3C 00 00 FF 00 00 00 00 09",
    { name: "SetAdvancedLoadUp", durationMinutes: 60, value: 0, units: 255, efficiency: 0, eventId: 9 },
    "Set Advanced Load Up: 60 min, special value 0, efficiency 0, event 9",
  ],
  [
    "0C 00 00 3C 00 05 04 00 00 00 00 09 00 00 00 00",
    {
      name: "SetAdvancedLoadUp",
      durationMinutes: 60,
      value: 5,
      units: 4,
      efficiency: 0,
      eventId: 9,
      startSeconds: 0,
    },
    "Set Advanced Load Up: 60 min, 5 × reserved units, efficiency 0, event 9 from now",
  ],
  [
    "0C 00 00 3C 00 05 03 00 00 00 00 09 00 00 00 3C 05",
    {
      name: "SetAdvancedLoadUp",
      durationMinutes: 60,
      value: 5,
      units: 3,
      efficiency: 0,
      eventId: 9,
      startSeconds: 60,
      startRandomMinutes: 5,
    },
    "Set Advanced Load Up: 60 min, 5000 Wh, efficiency 0, event 9 from 2000-01-01T00:01:00Z, start within 5 min",
  ],
  [
    "0C 00 00 3C 00 05 03 00 00 00 00 09 00 00 00 3C 05 06",
    {
      name: "SetAdvancedLoadUp",
      durationMinutes: 60,
      value: 5,
      units: 3,
      efficiency: 0,
      eventId: 9,
      startSeconds: 60,
      startRandomMinutes: 5,
      endRandomMinutes: 6,
    },
    "Set Advanced Load Up: 60 min, 5000 Wh, efficiency 0, event 9 from 2000-01-01T00:01:00Z, start within 5 min, end within 6 min",
  ],
  ["0C 80 00", { name: "AdvancedLoadUpReply", responseCode: 0 }, "Advanced Load Up reply: success"],
  [
    "0C 80 00 00 1E 00 05 02",
    { name: "AdvancedLoadUpReply", responseCode: 0, loadUp: { remainingMinutes: 30, value: 5, units: 2 } },
    "Advanced Load Up reply: 30 min, 500 Wh",
  ],
  [
    "0C 80 00 00 00 00 00 FF 05",
    {
      name: "AdvancedLoadUpReply",
      responseCode: 0,
      loadUp: { remainingMinutes: 0, value: 0, units: 255, efficiency: 5 },
    },
    "Advanced Load Up reply: not active",
  ],
  // Not known: kept whole.
  [
    "07 81 00 03",
    { name: "Other", opcode1: 7, opcode2: 0x81, rest: fromHex("00 03")! },
    "Intermediate 07 81: 00 03",
  ],
  ["7F 00", { name: "Other", opcode1: 0x7f, opcode2: 0, rest: fromHex("")! }, "Intermediate 7F 00"],
];

describe("Intermediate DR, byte by byte", () => {
  it.each(table)("%s", (hex, body, text) => {
    const message = { family: "intermediate", ...body } as unknown as IntermediateMessage;
    const payload = fromHex(hex)!;
    const parsed = parseMessage(MessageType.Intermediate, payload);
    expect(parsed).toEqual(message);
    expect(say(parsed as IntermediateMessage)).toBe(text);
    expect(nameOf(message)).toBe(body.name === "Other" ? "Unknown" : body.name);
    expect(payloadLength(message)).toBe(payload.length);
    const written = payloadOf(message);
    expect(toHex(written.payload, " ")).toBe(hex);
    expect(written.type).toBe(0x0802);
  });

  it("accepts the listed lengths of each opcode and faults on every other", () => {
    const lengths = new Map<string, Set<number>>();
    for (const [hex] of table) {
      const op = hex.slice(0, 5);
      if (!lengths.has(op)) lengths.set(op, new Set());
      lengths.get(op)!.add(fromHex(hex)!.length);
    }
    lengths.delete("07 81");
    lengths.delete("7F 00");
    // Lengths that the rules give and the table above leaves out.
    lengths.get("04 00")!.add(15);
    lengths.get("03 81")!.add(8);
    for (let n = 0; n < 6; n++) {
      lengths.get("06 00")!.add(2 + 13 * n);
      lengths.get("06 80")!.add(3 + 13 * n);
    }
    for (let n = 0; n < 27; n++) {
      lengths.get("06 01")!.add(2 + 3 * n);
      lengths.get("06 81")!.add(3 + 3 * n);
    }
    for (let n = 4; n < 72; n++) lengths.get("0A 01")!.add(n);
    // Cut short inside model, serial or firmware: test/quirks/information-cut.test.ts.
    for (let n = 16; n < 54; n++) lengths.get("01 81")!.add(n);
    expect(lengths.size).toBe(36);
    for (const [op, allowed] of lengths) {
      for (let size = 2; size < 60; size++) {
        const payload = new Uint8Array(size);
        payload.set(fromHex(op)!);
        // A refusal, so that the short form of a get-only reply counts.
        if (payload[1]! & 0x80) payload[2] = 6;
        const parsed = parseMessage(MessageType.Intermediate, payload);
        if (allowed.has(size)) expect(parsed, `${op}, ${size} bytes`).toHaveProperty("family");
        else
          expect(parsed, `${op}, ${size} bytes`).toMatchObject({
            fault: "bad-payload-length",
            blame: "wire",
          });
      }
    }
  });

  it.each(["01 81 00", "01 82 00", "03 84 00"])("a success that tells nothing is too short: %s", (hex) => {
    expect(parseMessage(0x0802, fromHex(hex)!)).toMatchObject({ fault: "bad-payload-length" });
  });

  it("one opcode alone is too short", () => {
    expect(parseMessage(0x0802, fromHex("01")!)).toMatchObject({ fault: "bad-payload-length" });
  });

  it.each<[string, Body]>([
    ["a missing member", { name: "SetCapability", bit: 6 }],
    [
      "a gap in the tail",
      {
        name: "StartCycling",
        eventId: 1,
        startSeconds: 0,
        durationMinutes: 1,
        dutyPercent: 1,
        criticality: 1,
      },
    ],
    ["a byte too big", { name: "GetActivation", index: 256 }],
    ["a negative byte", { name: "GetActivation", index: -1 }],
    ["half a byte", { name: "GetActivation", index: 1.5 }],
    ["a text for a number", { name: "GetActivation", index: "1" }],
    ["an offset beyond a signed byte", { name: "SetTemperatureOffset", offset: { offset: 128, units: 0 } }],
    [
      "a set point beyond 16 bits",
      { name: "SetSetPoint", setPoint: { deviceType: 0, units: 0, setPoint1: -32769 } },
    ],
    ["a number for a value", { name: "SetTier", tier: 3 }],
    ["null for a value", { name: "SetTier", tier: null }],
    [
      "a narrow price too wide",
      { name: "SetPrice", price: { wide: false, price: 65536, currency: 1, digits: 0 } },
    ],
    ["a price of no width", { name: "SetPrice", price: { price: 1, currency: 1, digits: 0 } }],
    ["a list that is none", { name: "SetCommodity", records: 5 }],
    ["a list of numbers", { name: "SetCommodity", records: [5] }],
    ["an empty list where it would be another message", { name: "SetCommodity", records: [] }],
    ["a commodity code with bit 7", { name: "SetCommodity", records: [{ ...power, code: 128 }] }],
    ["a record that is measured by a number", { name: "SetCommodity", records: [{ ...power, measured: 1 }] }],
    ["more than 48 bits", { name: "SetCommodity", records: [{ ...power, rate: 2 ** 48 }] }],
    ["a rate that is no number", { name: "SetCommodity", records: [{ ...power, rate: NaN }] }],
    [
      "a long model",
      { name: "InformationReply", responseCode: 0, information: { ...evse, model: "12345678901234567" } },
    ],
    [
      "a model beyond a byte a letter",
      { name: "InformationReply", responseCode: 0, information: { ...evse, model: "€" } },
    ],
    ["a key that is no text", { name: "SetActivation", index: 1, status: 1, key: 5 }],
    ["a name of nothing", { name: "Nonsense" as "GetTime" }],
  ])("does not write %s", (_, body) => {
    const message = { family: "intermediate", ...body } as unknown as IntermediateMessage;
    expect(payloadLength(message)).toBe(-1);
    expect(() => payloadOf(message)).toThrow(RangeError);
  });

  it("rounds measured values to whole units", () => {
    const message = {
      family: "intermediate",
      name: "SetCommodity",
      records: [{ ...power, rate: 7199.6 }],
    } as const;
    expect(payloadOf(message).payload).toEqual(fromHex("06 00 80 00 00 00 00 1C 20 01 1F 71 FB 04 CB"));
  });
});
