import { describe, expect, it } from "vitest";
import { isFault } from "../../src/base/fault.js";
import {
  checkBytes,
  emitAnswer,
  emitFrame,
  MAX_PAYLOAD,
  parseAnswer,
  parseFrame,
  SUM_START,
  sumByte,
  sumCheck,
} from "../../src/wire/frame.js";
import { isReply, replyTo } from "../../src/wire/reply.js";
import { hex, unhex } from "../support/wire-pair.js";

const BASIC = 0x0801;
const INTERMEDIATE = 0x0802;
const DATA_LINK = 0x0803;

describe("frame", () => {
  // Worked example and recorded frames of docs/protocol/cta2045.md 2.2, 9.2; refuted ones of 9.1.
  it.each([
    "08 01 00 02 01 00 0C 3D",
    "08 02 00 00 7A D0",
    "08 02 00 02 01 01 04 43",
    "08 02 00 10 01 81 00 42 00 0C 22 11 02 00 01 00 00 00 40 00 B8 3B",
    "08 01 00 02 0E 01 E2 58",
    "08 01 00 02 03 0E E9 4F",
    "08 03 00 02 16 00 C0 71",
  ])("%s verifies, and is emitted again byte for byte", (text) => {
    const parsed = parseFrame(unhex(text));
    if (isFault(parsed)) throw new Error(parsed.text);
    expect(hex(emitFrame(parsed.type, parsed.payload))).toBe(text);
  });

  it.each([
    ["08 01 00 02 03 02 04 42", "02 43"],
    ["08 01 00 02 01 01 0A 3F", "0A 3E"],
    ["08 03 00 02 19 23 A9 7E", "71 9A"],
    ["08 01 00 02 0E 02 E4 57", "E0 59"],
    ["08 01 00 02 13 01 D1 63", "D3 62"],
  ])("%s, as printed in a source, does not: it should be %s", (text, right) => {
    const parsed = parseFrame(unhex(text));
    expect(parsed).toMatchObject({ fault: "bad-checksum", blame: "wire" });
    expect(isFault(parsed) && parsed.text).toContain(right);
  });

  it("too short, too long, reserved bits", () => {
    expect(parseFrame(unhex("08 01 00"))).toMatchObject({ fault: "too-short" });
    expect(parseFrame(unhex("08 01 00 03 01 00 0C 3D"))).toMatchObject({ fault: "too-short" });
    expect(parseFrame(unhex("08 01 00 02 01 00 0C 3D 00"))).toMatchObject({ fault: "bad-length" });
    const reserved = unhex("08 01 E0 02 01 00 00 00");
    const check = checkBytes(reserved, 0, 6);
    reserved[6] = check >> 8;
    reserved[7] = check & 0xff;
    expect(parseFrame(reserved)).toMatchObject({ type: BASIC, payload: Uint8Array.of(1, 0) });
  });

  it("the sum of a receiver is the sum of the whole; check bytes are never 00", () => {
    for (let n = 0; n < 2000; n++) {
      const bytes = Uint8Array.from({ length: n % 40 }, (_, i) => (n * 31 + i * 17) & 0xff);
      let sum = SUM_START;
      for (const b of bytes) sum = sumByte(sum, b);
      expect(sumCheck(sum)).toBe(checkBytes(bytes));
      expect(sumCheck(sum) & 0xff).not.toBe(0);
      expect(sumCheck(sum) >> 8).not.toBe(0);
    }
  });

  it("00 and FF in the payload have the same check bytes: the blind spot of the sum", () => {
    expect(checkBytes(unhex("08 01 00 02 01 00"))).toBe(checkBytes(unhex("08 01 00 02 01 FF")));
  });

  it("the longest payload fits, a longer one is our bug", () => {
    expect(emitFrame(BASIC, new Uint8Array(MAX_PAYLOAD))).toHaveLength(MAX_PAYLOAD + 6);
    expect(() => emitFrame(BASIC, new Uint8Array(MAX_PAYLOAD + 1))).toThrow(RangeError);
  });

  it("link answers", () => {
    expect(hex(emitAnswer(-1))).toBe("06 00");
    expect(hex(emitAnswer(7))).toBe("15 07");
    expect(parseAnswer(unhex("06 00"))).toBe(-1);
    expect(parseAnswer(unhex("15 05"))).toBe(5);
    for (const no of ["06 01", "06", "08 01", "06 00 00", ""]) expect(parseAnswer(unhex(no))).toBeUndefined();
  });
});

describe("which message answers which", () => {
  it.each([
    [BASIC, "01 00", "app-ack"],
    [BASIC, "12 00", "state"],
    [BASIC, "11 01", "app-ack"],
    [BASIC, "77 00", "app-ack"],
    [BASIC, "03 01", "none"],
    [BASIC, "04 01", "none"],
    [BASIC, "13 01", "none"],
    [BASIC, "", "none"],
    [BASIC, "01 02 03", "none"],
    [INTERMEDIATE, "01 01", "intermediate"],
    [INTERMEDIATE, "01 81 00", "none"],
    [INTERMEDIATE, "01", "none"],
    [DATA_LINK, "18 00", "data-link"],
    [DATA_LINK, "1A 00", "data-link"],
    [DATA_LINK, "1C 00", "data-link"],
    [DATA_LINK, "16 00", "none"],
    [DATA_LINK, "17 00", "none"],
    [DATA_LINK, "19 07", "none"],
    [DATA_LINK, "1E 01", "none"],
    [0x0907, "45 00", "none"],
  ])("%i %s is owed: %s", (type, payload, owed) => {
    expect(replyTo(type, unhex(payload))).toBe(owed);
  });

  it.each([
    [BASIC, "01 00", "03 01", true],
    [BASIC, "01 00", "03 02", false],
    [BASIC, "01 00", "04 01", true],
    [BASIC, "01 00", "04", false],
    [BASIC, "12 00", "13 05", true],
    [BASIC, "12 00", "04 03", true],
    [BASIC, "12 00", "03 12", false],
    [INTERMEDIATE, "06 00", "06 80 00", true],
    [INTERMEDIATE, "06 00", "06 81 00", false],
    [INTERMEDIATE, "06 00", "06", false],
    [INTERMEDIATE, "06 00", "06 00", false],
    [DATA_LINK, "18 00", "19 07", true],
    [DATA_LINK, "18 00", "1B 07", false],
    [DATA_LINK, "17 00", "18 00", false],
  ])("%i %s is answered by %s: %s", (type, payload, candidate, yes) => {
    expect(isReply(type, unhex(payload), unhex(candidate))).toBe(yes);
  });
});
