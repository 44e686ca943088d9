/** What holds for any bytes at all: no throw, byte-identical return, words and JSON for everything. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isFault } from "../../src/base/fault.js";
import { toHex } from "../../src/base/hex.js";
import {
  describe as say,
  emitMessage,
  fieldsOf,
  nameOf,
  parseMessage,
  payloadLength,
  payloadOf,
} from "../../src/wire/codec.js";
import { decodeFrameText, encodeFrame } from "../../src/wire/decode.js";
import { emitFrame } from "../../src/wire/frame.js";
import { defaultSettings, type WireSettings } from "../../src/wire/settings.js";

const runs = { numRuns: 3000 };
const byte = fc.integer({ min: 0, max: 255 });
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

/** Opcodes that exist, with their replies: plain random bytes would hardly ever meet one. */
const knownOps = [
  [1, 1, 2, 3],
  [2, 0],
  [3, 0, 1, 2, 3, 4],
  [4, 0, 1],
  [6, 0, 1],
  [10, 0, 1],
  [11, 0, 1],
  [12, 0],
].flatMap(([op1, ...rest]) =>
  rest.flatMap((op2) => [
    [op1!, op2],
    [op1!, op2 | 0x80],
  ]),
);

/** Lengths of tail at which something begins or ends, and their neighbours. */
const tail = fc.oneof(
  bytes(20),
  fc
    .constantFrom(0, 1, 5, 13, 14, 27, 30, 46, 51)
    .chain((size) => fc.uint8Array({ minLength: size, maxLength: size })),
  fc.integer({ min: 0, max: 60 }).map((size) => new Uint8Array(size)),
  fc.integer({ min: 0, max: 60 }).map((size) => new Uint8Array(size).fill(0xff)),
);

const intermediate = fc
  .tuple(fc.constantFrom(...knownOps), tail)
  .map(([ops, rest]): [number, Uint8Array] => [0x0802, new Uint8Array([...ops, ...rest])]);

const anyPayload = fc.oneof(
  { weight: 6, arbitrary: intermediate },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(0x0801, 0x0802, 0x0803), bytes(4)) },
  { weight: 1, arbitrary: fc.tuple(fc.integer({ min: 0, max: 0xffff }), bytes(64)) },
);

const settings: fc.Arbitrary<WireSettings> = fc
  .record({
    measuredBit: fc.constantFrom<0 | 1>(0, 1),
    loadUpTail: fc.boolean(),
    revisionBNames: fc.boolean(),
    temperatureOffsetSigned: fc.boolean(),
    presentTemperatureScale: fc.constantFrom("auto" as const, "whole" as const, "hundredths" as const),
    slotList: fc.constantFrom("unknown" as const, "count" as const, "bitmap" as const),
    untrusted: fc.subarray([0x0183, 0x0301, 0x0381, 0x0a00, 0x0600]),
  })
  .map((change) => ({ ...defaultSettings, ...change }));

describe("any payload of any type", () => {
  it("is a fault, or comes back byte for byte and has words, a name and JSON fields", () => {
    let accepted = 0;
    fc.assert(
      fc.property(anyPayload, settings, ([type, payload], chosen) => {
        const before = toHex(payload);
        const message = parseMessage(type, payload, chosen);
        if (isFault(message)) {
          expect(message).toMatchObject({ blame: "wire", fault: "bad-payload-length" });
          return;
        }
        accepted++;
        expect(payloadLength(message, chosen)).toBe(payload.length);
        expect(payloadOf(message, chosen)).toEqual({ type, payload });
        // Written into the middle of a buffer, it touches nothing else.
        const out = new Uint8Array(payload.length + 7).fill(0);
        expect(emitMessage(message, out, 3, chosen)).toBe(payload.length);
        expect(toHex(out)).toBe(`000000${before}00000000`);
        expect(toHex(payload)).toBe(before);
        const text = say(message, chosen);
        expect(text).toMatch(/^[^\p{Cc}]+$/u);
        expect(text).not.toMatch(/undefined|NaN|\[object/);
        expect(nameOf(message)).toMatch(/^[A-Z][A-Za-z]+$/);
        const fields = fieldsOf(message, chosen);
        expect(JSON.parse(JSON.stringify(fields))).toEqual(fields);
      }),
      runs,
    );
    expect(accepted).toBeGreaterThan(runs.numRuns / 4);
  });

  it("becomes a frame that decodes, and encodes again from its JSON", () => {
    fc.assert(
      fc.property(anyPayload, ([type, payload]) => {
        const frame = emitFrame(type, payload);
        const object = decodeFrameText(frame);
        if (!object.ok) {
          expect(object.fault).toBe("bad-payload-length");
          return;
        }
        const { hex, ...meaning } = JSON.parse(JSON.stringify(object)) as typeof object;
        const again = encodeFrame(meaning);
        expect(isFault(again) ? again : toHex(again, " ")).toBe(hex);
      }),
      runs,
    );
  });
});

describe("decode", () => {
  const shape = {
    hex: expect.any(String),
    ok: expect.any(Boolean),
    fields: expect.any(Object),
    text: expect.stringMatching(/./),
  };

  it("never throws on any bytes", () => {
    const nearFrame = fc
      .tuple(anyPayload, byte, byte, fc.boolean())
      .map(([[type, payload], at, value, cut]) => {
        const frame = emitFrame(type, payload);
        frame[at % frame.length] = value;
        return cut ? frame.subarray(0, at % frame.length) : frame;
      });
    fc.assert(
      fc.property(fc.oneof(bytes(80), nearFrame), (frame) => {
        const object = decodeFrameText(frame);
        expect(object).toMatchObject(shape);
        expect(object.ok).toBe(object.fault === null);
        if (!object.ok)
          expect(object).toMatchObject({ name: null, opcode1: null, opcode2: null, fields: {} });
      }),
      runs,
    );
  });

  it("never throws on any text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), (text) => {
        expect(decodeFrameText(text)).toMatchObject(shape);
      }),
      runs,
    );
  });
});

describe("encode", () => {
  it("never throws on any object, and what it makes decodes", () => {
    const name = fc.constantFrom("Shed", "Unknown", "TypeQuery", "SetTier", "CommodityReply", "LinkNak", "x");
    const object = fc.record(
      {
        type: fc.oneof(fc.constantFrom("08 01", "08 02", "08 03", "F0 00", "x"), fc.anything()),
        name: fc.oneof(name, fc.anything()),
        opcode1: fc.oneof(byte, fc.anything()),
        opcode2: fc.oneof(byte, fc.anything()),
        fields: fc.oneof(
          fc.anything(),
          fc.record({
            tier: fc.anything(),
            code: fc.anything(),
            records: fc.anything(),
            payload: fc.string(),
          }),
        ),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(object, fc.anything()), (value) => {
        const frame = encodeFrame(value);
        if (isFault(frame)) expect(frame.blame).toBe("configuration");
        else expect(decodeFrameText(frame).hex).toBe(toHex(frame, " "));
      }),
      runs,
    );
  });
});
