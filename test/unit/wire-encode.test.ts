import { describe, expect, it } from "vitest";
import { isFault } from "../../src/base/fault.js";
import { fromHex, toHex } from "../../src/base/hex.js";
import { describe as say, fieldsOf, nameOf, parseMessage, payloadOf, typeOf } from "../../src/wire/codec.js";
import { commodityOf, commodityReply, getCommodity, setCommodity } from "../../src/wire/commodity.js";
import { setCapability } from "../../src/wire/capability.js";
import { terminateCycling } from "../../src/wire/cycling.js";
import { decodeFrameText, encodeFrame } from "../../src/wire/decode.js";
import { deviceTypeName } from "../../src/wire/device-type.js";
import { emitFrame } from "../../src/wire/frame.js";
import { Capability, getInformation, hasCapability, informationReply } from "../../src/wire/information.js";
import { describeAnswer, nakName } from "../../src/wire/link-words.js";
import type { WireMessage } from "../../src/wire/message.js";
import { setTier } from "../../src/wire/price.js";
import { kindOfType, raw } from "../../src/wire/raw.js";
import { getTime, secondsSince2000, setTime, timeReply, utcMsOf } from "../../src/wire/time.js";

const bytesOf = (message: WireMessage) => toHex(payloadOf(message).payload, " ");
const encoded = (object: unknown) => {
  const frame = encodeFrame(object);
  return isFault(frame) ? frame.fault : toHex(frame, " ");
};

describe("encodeFrame", () => {
  it.each<[unknown, string]>([
    [{ type: "08 01", opcode1: 1, opcode2: 0 }, "08 01 00 02 01 00 0C 3D"],
    [{ type: "0801", opcode1: 1 }, "08 01 00 02 01 00 0C 3D"],
    [{ name: "Shed", opcode2: 0x1e }, toHex(emitFrame(0x0801, fromHex("01 1E")!), " ")],
    [{ type: null, name: "QueryMaxPayload" }, "08 03 00 02 18 00 BA 75"],
    [{ name: "GetInformation" }, "08 02 00 02 01 01 04 43"],
    [{ type: "08 02", name: "GetCommodity", fields: {} }, "08 02 00 02 06 00 F6 4C"],
    [
      { name: "SetSubscription", fields: { subscriptions: [{ code: 0, intervalSeconds: 60 }] } },
      "08 02 00 05 06 01 00 00 3C 2E D4",
    ],
    [{ type: "08 01", name: "TypeQuery" }, "08 01 00 00 7E CD"],
    [{ type: "08 32", fields: { payload: "01 01" } }, "08 32 00 02 01 01 E2 34"],
    [{ type: "08 02", name: "Unknown", opcode1: 1, opcode2: 1 }, "08 02 00 02 01 01 04 43"],
    [{ type: "08 02", opcode1: 3, opcode2: 0x80, fields: { rest: "00" } }, "08 02 00 03 03 80 00 BF 05"],
    [{ name: "LinkAck" }, "06 00"],
    [{ name: "LinkNak", fields: { code: 7 } }, "15 07"],
  ])("%j", (object, hex) => {
    expect(encoded(object)).toBe(hex);
  });

  it("writes null as not supported", () => {
    const record = { code: 8, measured: false, rate: 7200, cumulative: null };
    const frame = encodeFrame({ name: "CommodityReply", fields: { responseCode: 0, records: [record] } });
    expect(decodeFrameText(frame as Uint8Array).fields["records"]).toEqual([
      { ...record, commodity: "rated consumption", rateUnit: "W", cumulativeUnit: "" },
    ]);
  });

  it.each<[unknown, string]>([
    [undefined, "bad-object"],
    [null, "bad-object"],
    ["08 01", "bad-object"],
    [[], "bad-object"],
    [{}, "no-meaning"],
    [{ hex: "08 01 00 02 01 00 0C 3D" }, "no-meaning"],
    [{ name: "Unknown" }, "no-meaning"],
    [{ type: 0x0801, opcode1: 1, opcode2: 1 }, "bad-type"],
    [{ type: "08", opcode1: 1, opcode2: 1 }, "bad-type"],
    [{ type: "zz zz", opcode1: 1, opcode2: 1 }, "bad-type"],
    [{ type: "08 01" }, "bad-opcode"],
    [{ type: "08 01", name: "toString" }, "bad-opcode"],
    [{ type: "08 01", opcode1: 256, opcode2: 0 }, "bad-opcode"],
    [{ type: "08 01", opcode1: 1, opcode2: "0" }, "bad-opcode"],
    [{ type: "08 03", opcode1: -1, opcode2: 0 }, "bad-opcode"],
    [{ type: "08 02", opcode1: 1 }, "bad-opcode"],
    [{ type: "08 02", opcode1: 1, opcode2: 1, fields: { rest: "xx" } }, "bad-opcode"],
    [{ type: "08 02", name: "SetTier" }, "bad-fields"],
    [{ name: "NoSuchMessage", fields: {} }, "bad-fields"],
    [{ name: "GetInformation", fields: [] }, "bad-fields"],
    [{ name: "GetInformation", fields: 5 }, "bad-fields"],
    [{ name: "LinkNak" }, "bad-fields"],
    [{ name: "LinkNak", fields: { code: 256 } }, "bad-fields"],
    [{ type: "F0 01" }, "no-meaning"],
    [{ type: "F0 01", fields: { payload: "" } }, "no-meaning"],
    [{ type: "F0 01", fields: { payload: "00".repeat(8192) } }, "too-long"],
  ])("%j is refused: %s", (object, code) => {
    expect(encoded(object)).toBe(code);
  });

  it("survives objects nested deeper than any message", () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = { deep };
    expect(encoded({ name: "SetTier", fields: { tier: deep } })).toBe("bad-fields");
  });
});

describe("constructors", () => {
  it("make what sessions send", () => {
    expect(bytesOf(getInformation())).toBe("01 01");
    expect(bytesOf(informationReply(undefined, 5))).toBe("01 81 05");
    expect(bytesOf(getCommodity())).toBe("06 00");
    expect(bytesOf(getCommodity(8))).toBe("06 00 08");
    const record = { code: 0, measured: true, rate: 1, cumulative: undefined };
    expect(bytesOf(commodityReply([record]))).toBe("06 80 00 80 00 00 00 00 00 01 FF FF FF FF FF FF");
    expect(bytesOf(setCommodity([record]))).toBe("06 00 80 00 00 00 00 00 01 FF FF FF FF FF FF");
    expect(commodityOf([record], 0)).toBe(record);
    expect(commodityOf([record], 8)).toBeUndefined();
    expect(bytesOf(setCapability(6, true))).toBe("01 03 06 01");
    expect(bytesOf(setCapability(6, false))).toBe("01 03 06 00");
    expect(bytesOf(terminateCycling(7))).toBe("04 01 00 00 00 07");
    expect(bytesOf(setTier({ tier: 3 }))).toBe("03 01 03");
    expect(bytesOf(getTime())).toBe("02 00");
    const time = { utcSeconds: secondsSince2000(1_413_208_540_999), offsetQuarters: -32, dstQuarters: 4 };
    expect(bytesOf(setTime(time))).toBe("02 00 1B CE 96 5C E0 04");
    expect(bytesOf(timeReply(0, time))).toBe("02 80 00 1B CE 96 5C E0 04");
    expect(utcMsOf(time.utcSeconds)).toBe(1_413_208_540_000);
    expect(secondsSince2000(0)).toBe(0);
    expect(secondsSince2000(9e15)).toBe(0xffffffff);
    expect([0, 5, 6, 31].map((bit) => hasCapability(0x80000040, bit))).toEqual([false, false, true, true]);
    expect(hasCapability(0x40, Capability.AdvancedLoadUp)).toBe(true);
  });
});

describe("types that are only carried (sections 3, 6, 7)", () => {
  it.each([
    [0x0000, "vendor", "vendor 00 00", "Vendor"],
    [0x05ff, "vendor", "vendor 05 FF", "Vendor"],
    [0x0600, "reserved", "reserved type 06 00", "Unknown"],
    [0x0700, "future", "unknown type 07 00", "Unknown"],
    [0x0800, "future", "unknown type 08 00", "Unknown"],
    [0x0804, "commissioning", "commissioning", "Commissioning"],
    [0x0805, "future", "unknown type 08 05", "Unknown"],
    [0x0900, "future", "unknown type 09 00", "Unknown"],
    [0x0901, "pass-through", "USNAP 1.0", "PassThrough"],
    [0x0907, "pass-through", "generic IP", "PassThrough"],
    [0x090c, "pass-through", "BACnet", "PassThrough"],
    [0x090d, "future", "unknown type 09 0D", "Unknown"],
    [0x1400, "future", "unknown type 14 00", "Unknown"],
    [0x1500, "reserved", "reserved type 15 00", "Unknown"],
    [0xefff, "future", "unknown type EF FF", "Unknown"],
    [0xf000, "vendor", "vendor F0 00", "Vendor"],
    [0xffff, "vendor", "vendor FF FF", "Vendor"],
  ])("%i is %s", (type, kind, words, name) => {
    expect(kindOfType(type)).toBe(kind);
    const message = parseMessage(type, fromHex("00 FF")!) as WireMessage;
    expect(message).toEqual(raw(type, fromHex("00 FF")!));
    expect(typeOf(message)).toBe(type);
    expect(nameOf(message)).toBe(name);
    expect(say(message)).toBe(`${words}, 2 bytes: 00 FF`);
    expect(fieldsOf(message)).toEqual({ typeName: words, payload: "00 FF" });
    expect(say({ family: "type-query", type })).toBe(`Supported? ${words}`);
  });

  it("shows the beginning of a long payload", () => {
    expect(say(raw(0x0907, new Uint8Array(1280)))).toBe(`generic IP, 1280 bytes: ${"00 ".repeat(16)}…`);
    expect([0x0801, 0x0802, 0x0803].map(kindOfType)).toEqual(["basic", "intermediate", "data-link"]);
    expect(describeAnswer(fromHex("08 01")!)).toBeUndefined();
  });
});

describe("device types (section 5.2)", () => {
  it.each([
    [0x0000, "unspecified"],
    [0x0003, "water heater heat pump"],
    [0x000d, "clothes dryer gas"],
    [0x0017, "stove electric"],
    [0x0018, "stove gas"],
    [0x001c, "water heater phase change"],
    [0x001d, "unknown"],
    [0x0020, "fan"],
    [0x0032, "hot tub"],
    [0x0041, "clothes dryer heat pump"],
    [0x1000, "electric vehicle"],
    [0x1001, "hybrid vehicle"],
    [0x1100, "EVSE"],
    [0x1103, "EVSE Level 3"],
    [0x1104, "unknown"],
    [0x2000, "in-premises display"],
    [0x4004, "UCM 802.11"],
    [0x400f, "UCM cellular"],
    [0x4011, "UCM AMI PLC"],
    [0x4012, "unknown"],
    [0x5000, "energy manager"],
    [0x6000, "gateway"],
    [0x7002, "battery storage"],
    [0x7fff, "unknown"],
    [0x8000, "manufacturer's"],
    [0xffff, "manufacturer's"],
  ])("%i is %s", (type, name) => {
    expect(deviceTypeName(type)).toBe(name);
  });
});

describe("text from the wire", () => {
  it("cannot break a line or a terminal", () => {
    const text = say({
      family: "intermediate",
      name: "InformationReply",
      responseCode: 0,
      information: {
        version: "\0A",
        vendorId: 0,
        deviceType: 0,
        revision: 0,
        capabilities: 0,
        model: 'a"\n\x1b[2J\\\u00e9',
      },
    });
    expect(text).toContain('version "\\x00A"');
    expect(text).toContain('model "a\\x22\\x0A\\x1B[2J\\x5C\\xE9"');
  });

  it("names link NAK codes", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8].map(nakName)).toEqual([
      "no reason",
      "invalid byte",
      "invalid length",
      "checksum error",
      "reserved",
      "message timeout",
      "unsupported message type",
      "request not supported",
      "unknown",
    ]);
    expect(decodeFrameText("15 09")).toMatchObject({
      ok: true,
      name: "LinkNak",
      text: "Link NAK: unknown (9)",
    });
  });
});

describe("a success that tells nothing", () => {
  it.each(["InformationReply", "EfficiencyReply", "PresentTemperatureReply"])(
    "%s is not sent either",
    (name) => {
      expect(encodeFrame({ name, fields: { responseCode: 0 } })).toMatchObject({ fault: "bad-fields" });
      expect(isFault(encodeFrame({ name, fields: { responseCode: 1 } }))).toBe(false);
    },
  );
});
