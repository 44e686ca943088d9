import { describe, expect, it } from "vitest";
import {
  basic,
  durationSeconds,
  encodeDuration,
  encodePower,
  encodePrice,
  encodeTimeSync,
  hasDuration,
  isOptedOut,
  OpState,
  parseBasic,
  powerPercent,
  powerProduced,
  relativePrice,
  syncHour,
  syncWeekday,
} from "../../src/wire/basic.js";
import { appNakName, basicName, stateName } from "../../src/wire/basic-words.js";
import { describe as say, fieldsOf, nameOf } from "../../src/wire/codec.js";
import { BasicOp } from "../../src/wire/message.js";
import { defaultSettings } from "../../src/wire/settings.js";

describe("event duration byte (section 4.1)", () => {
  it.each([
    [60, 0x06, 72],
    [300, 0x0d, 338],
    [600, 0x12, 648],
    [900, 0x16, 968],
    [1800, 0x1e, 1800],
    [3600, 0x2b, 3698],
    [7200, 0x3c, 7200],
    [14_400, 0x55, 14_450],
    [28_800, 0x78, 28_800],
    [86_400, 0xd0, 86_528],
    [129_032, 0xfe, 129_032],
    [1, 0x01, 2],
    [0, 0x01, 2],
    [-5, 0x01, 2],
  ])("%i s is byte %i, shown as %i s", (wanted, byte, shown) => {
    expect(encodeDuration(wanted)).toBe(byte);
    expect(durationSeconds(byte)).toBe(shown);
  });

  it("keeps unknown and too long apart from every duration", () => {
    expect(encodeDuration(undefined)).toBe(0);
    expect(encodeDuration(NaN)).toBe(0);
    expect(encodePrice(NaN)).toBe(0);
    expect(durationSeconds(0)).toBeUndefined();
    expect(encodeDuration(129_032.5)).toBe(0xff);
    expect(encodeDuration(Infinity)).toBe(0xff);
    expect(durationSeconds(0xff)).toBe(Infinity);
  });

  it("never ends an event early, and is the smallest byte that does not", () => {
    for (let seconds = 1; seconds <= 129_032; seconds += 7) {
      const byte = encodeDuration(seconds);
      expect(durationSeconds(byte)).toBeGreaterThanOrEqual(seconds);
      if (byte > 1) expect(durationSeconds(byte - 1)).toBeLessThan(seconds);
    }
  });

  it("belongs to six opcodes", () => {
    const ops = Array.from({ length: 256 }, (_, op) => op).filter(hasDuration);
    expect(ops).toEqual([0x01, 0x09, 0x0a, 0x0b, 0x17, 0x18]);
  });
});

describe("relative price byte (section 4.2)", () => {
  it.each([
    [0x01, 0],
    [0x41, 1],
    [0x65, 2.002],
    [0x99, 4.008],
    [0xfe, 9.79],
  ])("byte %i is %f of the normal price", (byte, ratio) => {
    expect(relativePrice(byte)).toBeCloseTo(ratio, 3);
  });

  it.each([
    [0.5, 0x28],
    [1, 0x41],
    [1.5, 0x54],
    [2, 0x64],
    [4, 0x98],
    [0, 0x01],
    [-1, 0x01],
    [9.8, 0xfe],
    [10, 0xff],
    [Infinity, 0xff],
  ])("%f times the normal price is byte %i", (ratio, byte) => {
    expect(encodePrice(ratio)).toBe(byte);
  });

  it("gives every byte back", () => {
    for (let byte = 0; byte <= 0xff; byte++) expect(encodePrice(relativePrice(byte))).toBe(byte);
  });
});

describe("power level byte (section 4.3)", () => {
  it.each([
    [0x00, 0, false],
    [0x3f, 49.6, false],
    [0x40, 50.4, false],
    [0x7f, 100, false],
    [0x80, 0, true],
    [0xff, 100, true],
  ])("byte %i is %f %%", (byte, percent, produced) => {
    expect(powerPercent(byte)).toBeCloseTo(percent, 1);
    expect(powerProduced(byte)).toBe(produced);
    expect(encodePower(percent, produced)).toBe(byte);
  });

  it("keeps within 0…100 %", () => {
    expect(encodePower(140)).toBe(0x7f);
    expect(encodePower(-3)).toBe(0);
    expect(encodePower(140, true)).toBe(0xff);
  });
});

describe("time sync byte", () => {
  it("is weekday (0 = Sunday) and hour", () => {
    expect(encodeTimeSync(1, 15)).toBe(0x2f);
    expect([syncWeekday(0x2f), syncHour(0x2f)]).toEqual([1, 15]);
    expect([syncWeekday(0xd7), syncHour(0xd7)]).toEqual([6, 23]);
  });
});

describe("operational states (section 4.4)", () => {
  it("are named 0 to 14, reserved to 125, then the manufacturer's", () => {
    const names = Object.values(OpState).map((state) => stateName(state));
    expect(names).toEqual([
      "Idle Normal",
      "Running Normal",
      "Running Curtailed",
      "Running Heightened",
      "Idle Curtailed",
      "SGD Error Condition",
      "Idle Heightened",
      "Cycling On",
      "Cycling Off",
      "Variable Following",
      "Variable Not Following",
      "Idle, Opted Out",
      "Running, Opted Out",
      "Running, Price Stream",
      "Idle, Price Stream",
    ]);
    expect([15, 125, 126, 255].map((state) => stateName(state))).toEqual([
      "reserved",
      "reserved",
      "manufacturer's",
      "manufacturer's",
    ]);
  });

  it("11 and 12 are opted out", () => {
    expect(Array.from({ length: 256 }, (_, state) => state).filter(isOptedOut)).toEqual([11, 12]);
  });

  it("names 13 and 14 only where the settings believe them", () => {
    const old = { ...defaultSettings, revisionBNames: false };
    expect([12, 13, 14].map((state) => stateName(state, old))).toEqual([
      "Running, Opted Out",
      "reserved",
      "reserved",
    ]);
    expect(say(basic(BasicOp.State, 14), old)).toBe("State: reserved (14)");
  });
});

describe("Basic DR in words", () => {
  it.each([
    [0x01, 0x1e, "Shed", "Shed for 30 min", { durationSeconds: 1800, range: "known" }],
    [0x01, 0x00, "Shed", "Shed, duration unknown", { durationSeconds: null, range: "unknown" }],
    [0x01, 0xff, "Shed", "Shed for more than 35 h 50 min 32 s", { durationSeconds: null, range: "beyond" }],
    [0x02, 0x00, "EndShed", "End Shed / Run Normal", {}],
    [0x02, 0x07, "EndShed", "End Shed / Run Normal 07", { argument: 7 }],
    [0x03, 0x01, "AppAck", "App ACK of Shed", { opcode: 1, opcodeName: "Shed" }],
    [0x03, 0x05, "AppAck", "App ACK of Basic 05", { opcode: 5, opcodeName: null }],
    [0x04, 0x03, "AppNak", "App NAK: busy (3)", { reason: 3, reasonName: "busy" }],
    [0x04, 0x06, "AppNak", "App NAK: reserved (6)", { reason: 6, reasonName: "reserved" }],
    [0x06, 0x40, "PowerLevel", "Power level 50.4 % absorbed", { percent: 50.4, direction: "absorbed" }],
    [0x06, 0xbf, "PowerLevel", "Power level 49.6 % produced", { percent: 49.6, direction: "produced" }],
    [0x07, 0x41, "PresentPrice", "Present relative price: 1 of normal", { relativePrice: 1, range: "known" }],
    [
      0x07,
      0x00,
      "PresentPrice",
      "Present relative price: unknown",
      { relativePrice: null, range: "unknown" },
    ],
    [
      0x08,
      0xff,
      "NextPrice",
      "Next period relative price: too large to show",
      { relativePrice: null, range: "beyond" },
    ],
    [
      0x09,
      0x12,
      "PriceTimeRemaining",
      "Time remaining in price period: 10 min 48 s",
      { durationSeconds: 648, range: "known" },
    ],
    [
      0x09,
      0x00,
      "PriceTimeRemaining",
      "Time remaining in price period: unknown",
      { durationSeconds: null, range: "unknown" },
    ],
    [0x0a, 0x3c, "CriticalPeak", "Critical Peak Event for 2 h", { durationSeconds: 7200, range: "known" }],
    [
      0x0b,
      0x2b,
      "GridEmergency",
      "Grid Emergency for 1 h 1 min 38 s",
      { durationSeconds: 3698, range: "known" },
    ],
    [0x0c, 0x00, "GridGuidance", "Grid guidance: bad", { guidance: 0, guidanceName: "bad" }],
    [0x0c, 0x02, "GridGuidance", "Grid guidance: good", { guidance: 2, guidanceName: "good" }],
    [0x0c, 0x03, "GridGuidance", "Grid guidance: reserved (3)", { guidance: 3, guidanceName: "reserved" }],
    [0x0e, 0x00, "OutsideComm", "Outside comm: lost", { status: 0, statusName: "lost" }],
    [0x0e, 0x09, "OutsideComm", "Outside comm: reserved (9)", { status: 9, statusName: "reserved" }],
    [0x11, 0x01, "CustomerOverride", "Customer override: on", { override: 1, on: true }],
    [0x11, 0x02, "CustomerOverride", "Customer override: reserved (2)", { override: 2, on: null }],
    [0x12, 0x00, "QueryState", "Query operational state", {}],
    [0x13, 0x02, "State", "State: Running Curtailed (2)", { state: 2, stateName: "Running Curtailed" }],
    [0x13, 0x80, "State", "State: manufacturer's (128)", { state: 128, stateName: "manufacturer's" }],
    [0x14, 0x00, "Sleep", "Sleep", {}],
    [0x15, 0x00, "Wake", "Wake / refresh request", {}],
    [0x16, 0xd7, "TimeSync", "Time sync: Saturday 23 h", { weekday: 6, weekdayName: "Saturday", hour: 23 }],
    [0x16, 0xe0, "TimeSync", "Time sync: weekday 7 0 h", { weekday: 7, weekdayName: null, hour: 0 }],
    [0x17, 0x05, "LoadUp", "Load Up for 50 s", { durationSeconds: 50, range: "known" }],
    [
      0x18,
      0x0d,
      "PendingEventTime",
      "Time until pending event: 5 min 38 s",
      { durationSeconds: 338, range: "known" },
    ],
    [
      0x19,
      0x0a,
      "PendingEventType",
      "Pending event type: Critical Peak Event",
      { opcode: 10, opcodeName: "CriticalPeak" },
    ],
    [0x1a, 0x01, "Reboot", "Reboot: factory defaults", { kind: 1, kindName: "factory defaults" }],
    [0x1a, 0x02, "Reboot", "Reboot: reserved (2)", { kind: 2, kindName: "reserved" }],
    [0x05, 0x00, "Unknown", "Basic 05 00", {}],
    [0xfe, 0x33, "Unknown", "Basic FE 33", { argument: 0x33 }],
  ])("%i %i is %s: %s", (op, arg, name, text, fields) => {
    const message = basic(op, arg);
    expect(nameOf(message)).toBe(name);
    expect(say(message)).toBe(text);
    expect(fieldsOf(message)).toStrictEqual(fields);
  });

  it("names the 22 opcodes of the table and no other", () => {
    const known = Array.from({ length: 256 }, (_, op) => op).filter((op) => basicName(op) !== undefined);
    expect(known).toEqual([
      1, 2, 3, 4, 6, 7, 8, 9, 0x0a, 0x0b, 0x0c, 0x0e, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19,
      0x1a,
    ]);
    expect([0, 1, 2, 4, 5].map(appNakName)).toEqual([
      "no reason",
      "opcode1 not supported",
      "opcode2 invalid",
      "length invalid",
      "customer override",
    ]);
  });

  it("is two bytes and nothing else", () => {
    for (const size of [1, 3, 4]) {
      expect(parseBasic(new Uint8Array(size))).toMatchObject({ fault: "bad-payload-length", blame: "wire" });
    }
  });
});
