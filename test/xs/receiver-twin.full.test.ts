/** The C receiver is the TypeScript one on a million streams; a difference in any of its times is found. */
import { describe, expect, test } from "vitest";
import { buildTwin, playTwins } from "./receiver-twin.js";

describe("the receiver in C and the one in TypeScript", () => {
  test("say the same on 1,000,000 generated streams", () => {
    const result = playTwins(buildTwin("twin-full"), 100_000, 1_000_000);
    expect(result.difference).toBe("");
    expect(result.streams).toBe(1_000_000);
  }, 600_000);

  test.each([
    "IDLE_MS=21",
    "ACK_DELAY_MS=46",
    "FRAME_MAX_MS=501",
    "ACK_MAX_MS=201",
    "ECHO_SLACK_MS=31",
    "GAP_MS=109",
  ])("a planted difference is found: %s", (time) => {
    const result = playTwins(buildTwin(`twin-${time}`, `-DRS485_${time}`), 1, 20_000, 1000);
    expect(result.difference).toContain("stream ");
  });
});
