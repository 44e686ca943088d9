/** The kept frames of test/vectors against decode and encode, without a test runner: for the mutants. */
import decoded from "../../test/vectors/cta2045-decoded.json" with { type: "json" };
import { isFault } from "../../src/base/fault.js";
import { decodeFrameText, encodeFrame } from "../../src/wire/decode.js";

/** Key order does not count. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, canonical(item)]));
}

/** Throws where a kept frame does not decode as it did, or does not come back. */
export function checkVectors(): void {
  for (const expected of decoded.frames) {
    const actual = decodeFrameText(expected.hex);
    const said = JSON.stringify(canonical(JSON.parse(JSON.stringify(actual))));
    if (said !== JSON.stringify(canonical(expected))) throw new Error(`${expected.hex}: ${said}`);
    if (!expected.ok) continue;
    const { type, name, opcode1, opcode2, fields } = expected;
    const frame = encodeFrame({ type, name, opcode1, opcode2, fields });
    const hex = isFault(frame) ? frame.text : Buffer.from(frame).toString("hex").toUpperCase();
    if (hex !== expected.hex.replaceAll(" ", "")) throw new Error(`${expected.hex} comes back as ${hex}`);
  }
}
