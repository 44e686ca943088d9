/** The C receiver of drivers/rs485 is the TypeScript one, event for event (docs/protocol/link-receiver.md). */
import { describe, expect, test } from "vitest";
import { buildTwin, playTwins } from "./receiver-twin.js";

describe("the receiver in C and the one in TypeScript", () => {
  test("say the same on 20,000 generated streams", () => {
    const result = playTwins(buildTwin("twin"), 1, 20_000);
    expect(result.difference).toBe("");
    expect(result.streams).toBe(20_000);
    expect(result.bytes).toBeGreaterThan(5_000_000);
  });

  test.each([
    ["21 ms of idle line", "-DRS485_IDLE_MS=21"],
    ["a gap of 111 ms", "-DRS485_GAP_MS=111"],
  ])("a planted difference is found: %s", (_, define) => {
    expect(playTwins(buildTwin(`twin${define}`, define), 1, 2000, 500).difference).toContain("stream ");
  });
});
