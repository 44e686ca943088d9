import judge from "crc/calculators/crc32";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32 } from "../../src/base/crc32.js";

describe("CRC-32", () => {
  it("is that of the check text", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array())).toBe(0);
  });

  it("agrees with the package crc, in one go and in two", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
        const whole = judge(bytes) >>> 0;
        expect(crc32(bytes)).toBe(whole);
        expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(whole);
      }),
    );
  });
});
