/** What a page may ask for is checked field by field; whatever else comes is refused in words and does nothing. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCommand } from "../../host-sim/bench/commands.js";

describe("commands of the page", () => {
  it.each([
    { do: "plug" },
    { do: "event", level: 1, startInSeconds: 0, durationSeconds: 60 },
    { do: "fault", name: "late-ack", on: true, times: 3 },
    { do: "fault", name: "none", on: false },
    { do: "noise", flipPerBit: 0.001 },
    { do: "owner", order: { verb: "override" } },
    { do: "scenario", name: "x.yaml", text: "title: t", realTime: false },
    { do: "watch", charger: 3 },
  ])("takes %j", (command) => {
    expect(readCommand(command)).toEqual(command);
  });

  it.each([
    [null, /no command/],
    [[], /no command/],
    ["plug", /no command/],
    [{ do: "reboot-the-host" }, /does not know/],
    [{ do: "__proto__" }, /does not know/],
    [{ do: "event", level: "1", startInSeconds: 0, durationSeconds: 60 }, /event\.level must be a number/],
    [{ do: "event", level: 1 }, /event\.startInSeconds is missing/],
    [{ do: "limit", limit: -1, unit: "A" }, /limit\.limit must be from 0/],
    [{ do: "limit", limit: 1, unit: "V" }, /limit\.unit must be one of/],
    [{ do: "plug", more: 1 }, /plug\.more is not a field/],
    [{ do: "owner" }, /order is missing/],
    [{ do: "noise", flipPerBit: 1 }, /noise\.flipPerBit/],
    [{ do: "scenario", name: "x", text: "y".repeat(200_001), realTime: true }, /scenario\.text/],
  ])("refuses %j", (command, words) => {
    expect(readCommand(command)).toMatch(words);
  });

  it("answers whatever it is given", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const answer = readCommand(value);
        expect(["string", "object"]).toContain(typeof answer);
      }),
    );
  });
});
