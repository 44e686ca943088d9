import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isFault } from "../../src/base/fault.js";
import { fromHex, toHex } from "../../src/base/hex.js";
import { type DecodedFrame, decodeFrameText, encodeFrame } from "../../src/wire/decode.js";

interface Vector {
  readonly hex: string;
  readonly source: string;
  readonly meaning?: string;
  readonly rightCheckBytes?: string;
}

const load = (name: string): unknown => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8"));
const vectors = load("cta2045-frames.json") as { seen: Vector[]; computed: Vector[]; bad: Vector[] };
const decoded = (load("cta2045-decoded.json") as { frames: DecodedFrame[] }).frames;
const good = [...vectors.seen, ...vectors.computed];

describe("frames collected from public sources", () => {
  it("has an expected object for each of them, in order", () => {
    expect(decoded.map(({ hex }) => hex).slice(0, good.length + vectors.bad.length)).toEqual(
      [...good, ...vectors.bad].map(({ hex }) => hex),
    );
    expect(vectors.seen.length).toBeGreaterThanOrEqual(67);
    expect(vectors.computed.length).toBeGreaterThanOrEqual(21);
  });

  it.each(decoded)("decodes $hex: $text", (expected) => {
    const actual = decodeFrameText(expected.hex);
    expect(actual).toStrictEqual(expected);
    // What is printed survives JSON unchanged.
    expect(JSON.parse(JSON.stringify(actual))).toStrictEqual(expected);
  });

  it.each(decoded.filter(({ ok }) => ok))("encodes $text from what decode printed, without its hex", (object) => {
    const { type, name, opcode1, opcode2, fields, hex } = object;
    const frame = encodeFrame({ type, name, opcode1, opcode2, fields });
    expect(isFault(frame) ? frame : toHex(frame, " ")).toBe(hex);
  });

  it.each(vectors.bad)("refuses the misprint $hex and tells the right check bytes", ({ hex, rightCheckBytes }) => {
    const actual = decodeFrameText(hex);
    expect(actual).toMatchObject({ ok: false, fault: "bad-checksum", name: null, opcode1: null });
    expect(actual.text).toContain(rightCheckBytes);
    const mended = decodeFrameText(hex.slice(0, -5) + rightCheckBytes!);
    expect(mended.ok).toBe(true);
  });

  it("takes bytes and every usual way to write hex", () => {
    const said = decodeFrameText(fromHex("0801000201000C3D")!);
    expect(said.text).toBe("Shed, duration unknown");
    const forms = [
      "0801000201000c3d",
      "08:01:00:02:01:00:0C:3D",
      "0x08,0x01,0x00,0x02,0x01,0x00,0x0c,0x3d",
      " 08 01\t00 02 01-00 0C 3D\r\n",
    ];
    for (const form of forms) expect(decodeFrameText(form)).toStrictEqual(said);
  });

  it("names what is wrong with text that is no frame", () => {
    expect(decodeFrameText("0801 zz")).toMatchObject({ hex: "0801 zz", fault: "bad-hex", type: null });
    expect(decodeFrameText("0")).toMatchObject({ fault: "bad-hex" });
    expect(decodeFrameText("")).toMatchObject({ fault: "too-short", type: null });
    expect(decodeFrameText("08")).toMatchObject({ fault: "too-short", type: null });
    expect(decodeFrameText("08 01 00 02 01")).toMatchObject({ fault: "too-short", type: "08 01" });
    expect(decodeFrameText("08 01 00 02 01 00 0C 3D 00")).toMatchObject({ fault: "bad-length" });
    expect(decodeFrameText("06 01")).toMatchObject({ ok: false, fault: "bad-ack" });
  });
});
