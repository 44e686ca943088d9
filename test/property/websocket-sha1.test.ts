/** Our SHA-1 and base64 against Node's, for every length that is used. */
import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { toBase64 } from "../../src/base/base64.js";
import { sha1 } from "../../src/websocket/sha1.js";

it("0 to 119 bytes", () => {
  for (let length = 0; length <= 119; length++) {
    const input = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 0xff);
    expect(Buffer.from(sha1(input)).toString("hex")).toBe(createHash("sha1").update(input).digest("hex"));
    expect(toBase64(input)).toBe(Buffer.from(input).toString("base64"));
  }
});
